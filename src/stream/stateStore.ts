import { gunzipSync, gzipSync } from "node:zlib";
import { DeltaError, hasCode } from "../errors.js";
import type { Json } from "../load/progress.js";
import type { ObjectStore } from "../storage/store.js";

/** A file with all of the state is written this often; between, files with what changed. */
const SNAPSHOT_INTERVAL = 10;

/** First in a state's file: who wrote it and what for. */
interface StateHeader {
  readonly writer: "delta-table";
  readonly format: 1;
  /** The step that the state is of. */
  readonly operator: Json;
  /** Of the batch after the one that made this state. */
  readonly nextWatermarkMs: number;
}

/**
 * What a step of a stream remembers from batch to batch, by key. Version N is the state before batch N; version 0 is empty. In
 * the checkpoint it is `state/<operator>/0/<version>.delta`, what changed since the version before, and `.snapshot`, all of it:
 * gzip of JSON lines, a header and then `[key, value]` or `[key]` for one that is gone.
 */
export class StateStore {
  readonly #store: ObjectStore;
  readonly #folder: string;
  readonly #operator: Json;
  #entries = new Map<string, Json>();
  #changed = new Map<string, Json | undefined>();
  #version: number | undefined;

  /** `operator` describes the step: state of another one isn't read. */
  constructor(store: ObjectStore, index: number, operator: Json) {
    this.#store = store;
    this.#folder = `state/${index}/0/`;
    this.#operator = operator;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Json | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: Json): void {
    this.#entries.set(key, value);
    this.#changed.set(key, value);
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#changed.set(key, undefined);
  }

  entries(): IterableIterator<[string, Json]> {
    return this.#entries.entries();
  }

  /** Brings in the state of a version. Throws `DELTA_STREAM_CHECKPOINT_INVALID`, `DELTA_STREAM_SOURCE_CHANGED`. */
  async load(version: number): Promise<void> {
    if (this.#version === version && this.#changed.size === 0) return;
    this.#entries = new Map();
    const deltas: string[][] = [];
    for (let at = version; at > 0; at--) {
      const snapshot = await this.#read(`${at}.snapshot`);
      if (snapshot !== undefined) {
        this.#apply(snapshot.lines);
        break;
      }
      const delta = await this.#read(`${at}.delta`);
      if (delta === undefined) throw this.#invalid(`${at}.delta`, "is missing");
      deltas.push(delta.lines);
    }
    for (const lines of deltas.reverse()) this.#apply(lines);
    this.#changed = new Map();
    this.#version = version;
  }

  /** The watermark that belongs to a version. Throws as {@link load} does. */
  async nextWatermarkMs(version: number): Promise<number> {
    const delta = await this.#read(`${version}.delta`);
    if (delta === undefined) throw this.#invalid(`${version}.delta`, "is missing");
    return delta.header.nextWatermarkMs;
  }

  /** Writes the state as version `version`, durably, whatever an attempt before may have left. */
  async save(version: number, nextWatermarkMs: number): Promise<void> {
    const header: StateHeader = { writer: "delta-table", format: 1, operator: this.#operator, nextWatermarkMs };
    if (version % SNAPSHOT_INTERVAL === 0) {
      await this.#write(`${version}.snapshot`, [header, ...this.#entries]);
    }
    const changes = [...this.#changed].map(([key, value]) => (value === undefined ? [key] : [key, value]));
    await this.#write(`${version}.delta`, [header, ...changes]);
    this.#changed = new Map();
    this.#version = version;
  }

  /** Removes what no version from `version` on needs. */
  async removeBefore(version: number): Promise<void> {
    if (version % SNAPSHOT_INTERVAL !== 0) return;
    for (const path of await this.#store.listNames(this.#folder)) {
      const of = Number(/(\d+)\.(?:delta|snapshot)$/.exec(path)?.[1]);
      if (of < version) await this.#store.delete(path);
    }
  }

  #apply(lines: readonly string[]): void {
    for (const line of lines) {
      const [key, value] = JSON.parse(line) as [string, Json?];
      if (value === undefined) this.#entries.delete(key);
      else this.#entries.set(key, value);
    }
  }

  async #write(name: string, lines: readonly unknown[]): Promise<void> {
    const text = lines.map((line) => JSON.stringify(line)).join("\n");
    await this.#store.put(this.#folder + name, gzipSync(text));
  }

  async #read(name: string): Promise<{ readonly header: StateHeader; readonly lines: string[] } | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#store.get(this.#folder + name);
    } catch (error) {
      if (hasCode(error, "DELTA_FILE_NOT_FOUND")) return undefined;
      throw error;
    }
    let lines: string[];
    let header: StateHeader;
    try {
      lines = gunzipSync(bytes).toString("utf8").split("\n");
      header = JSON.parse(lines.shift()!) as StateHeader;
    } catch {
      throw this.#invalid(name, "isn't a state of this package; state that Spark keeps can't be gone on from here");
    }
    if (JSON.stringify(header.operator) === JSON.stringify(this.#operator)) return { header, lines };
    throw new DeltaError(
      "DELTA_STREAM_SOURCE_CHANGED",
      `The checkpoint ${this.#store.url} holds the state of ${JSON.stringify(header.operator)}, but the stream now has ${JSON.stringify(this.#operator)}. Run the stream as it was, or begin a new one with another checkpoint folder.`,
      { checkpoint: header.operator, stream: this.#operator },
    );
  }

  #invalid(name: string, flaw: string): DeltaError {
    const path = this.#folder + name;
    return new DeltaError(
      "DELTA_STREAM_CHECKPOINT_INVALID",
      `${path} of the checkpoint ${this.#store.url} ${flaw}. Restore the checkpoint, or begin a new stream with another folder.`,
      { path },
    );
  }
}
