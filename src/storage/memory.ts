import { DeltaError } from "../errors.js";
import { runtime } from "../runtime.js";
import { checkSignal } from "../signal.js";
import { checkPath, checkPrefix, checkRange } from "./arguments.js";
import { turnNowAndThen } from "./eventLoop.js";
import type { ByteRange, ObjectMeta, ObjectStore, PutOutcome, RangedContent } from "./store.js";
import { compareUtf8, sortUtf8 } from "./utf8Order.js";

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
}

const SHARED = new Map<string, Map<string, StoredObject>>();

/**
 * A store in this process's memory, for tests and short-lived tables. Stores of one name share their objects until the
 * process ends; one without a name is its own.
 */
export function memoryStore(name?: string): ObjectStore {
  if (name === undefined) return new MemoryStore("memory:", new Map());
  let objects = SHARED.get(name);
  if (!objects) {
    objects = new Map();
    SHARED.set(name, objects);
  }
  return new MemoryStore(`memory:${name}`, objects);
}

class MemoryStore implements ObjectStore {
  readonly url: string;
  readonly #objects: Map<string, StoredObject>;

  constructor(url: string, objects: Map<string, StoredObject>) {
    this.url = url;
    this.#objects = objects;
  }

  async get(path: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    checkPath(path);
    if (range) checkRange(range);
    checkSignal(signal, `reading ${path}`);
    const turn = turnNowAndThen();
    if (turn) await turn;
    const object = this.#objects.get(path);
    if (!object) throw new DeltaError("DELTA_FILE_NOT_FOUND", `There is no object ${path} in ${this.url}.`, { path });
    return object.bytes.slice(range?.start, range?.end);
  }

  putNew(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    return this.put(path, Buffer.concat(parts), signal);
  }

  async put(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    checkPath(path);
    checkSignal(signal, `writing ${path}`);
    this.#objects.set(path, { bytes: new Uint8Array(bytes), modifiedMs: runtime.now() });
  }

  async putFrom(path: string, content: RangedContent, signal?: AbortSignal): Promise<void> {
    await this.put(path, await content.read({ start: 0, end: content.sizeBytes }), signal);
  }

  async putIfAbsent(
    path: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
    after?: Promise<unknown>,
  ): Promise<PutOutcome> {
    checkPath(path);
    await after;
    if (this.#objects.has(path)) return "exists";
    await this.put(path, bytes, signal);
    return "created";
  }

  async putHint(path: string, bytes: Uint8Array): Promise<void> {
    await this.putIfAbsent(path, bytes);
  }

  async *list(prefix: string, startAfter = "", signal?: AbortSignal): AsyncGenerator<ObjectMeta> {
    for (const path of this.#paths(prefix, startAfter, signal)) {
      checkSignal(signal, `listing ${this.url}`);
      const meta = await this.head(path);
      if (meta) yield meta;
    }
  }

  async listNames(prefix: string, startAfter = "", signal?: AbortSignal): Promise<string[]> {
    return this.#paths(prefix, startAfter, signal).filter((path) => !path.includes("/", prefix.length));
  }

  async head(path: string, signal?: AbortSignal): Promise<ObjectMeta | undefined> {
    checkPath(path);
    checkSignal(signal, `looking at ${path}`);
    const object = this.#objects.get(path);
    return object && { path, sizeBytes: object.bytes.length, modifiedMs: object.modifiedMs };
  }

  async delete(path: string, signal?: AbortSignal): Promise<void> {
    checkPath(path);
    checkSignal(signal, `deleting ${path}`);
    this.#objects.delete(path);
  }

  async settle(prefix: string): Promise<void> {
    checkPrefix(prefix);
  }

  async sweep(prefix: string): Promise<void> {
    checkPrefix(prefix);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #paths(prefix: string, startAfter: string, signal?: AbortSignal): string[] {
    checkPrefix(prefix);
    checkSignal(signal, `listing ${this.url}`);
    const paths = [...this.#objects.keys()];
    return sortUtf8(paths.filter((path) => path.startsWith(prefix) && compareUtf8(path, startAfter) > 0));
  }
}
