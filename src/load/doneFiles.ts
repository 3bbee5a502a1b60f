import { createHash } from "node:crypto";
import { DeltaError, hasCode } from "../errors.js";
import type { ObjectStore } from "../storage/store.js";
import {
  type DoneEntry,
  ENTRY_BYTES,
  identityFields,
  keyOfUrl,
  modifiedMsOf,
  readEntry,
  writeEntry,
} from "./doneEntry.js";
import { findInSegment, mergeSegments, type Segment, segmentOf } from "./doneSegment.js";
import type { SourceIdentity } from "./source/source.js";

/** The set of files that a job is done with, as its state holds it: small, however many files there are. */
export interface DoneFilesState {
  /** The newest entries, in base64. */
  readonly newest: string;
  /** Files beside the state that hold the older ones, oldest first. */
  readonly segments: readonly SegmentRef[];
  /** Segments that the step before still used; the next one removes them. */
  readonly replaced: readonly string[];
  /** Files last modified before count as done; their entries are gone. */
  readonly watermarkMs?: number;
}

export interface SegmentRef {
  /** Names the file after its content. */
  readonly id: string;
  readonly entries: number;
  /** When the youngest of its files was last modified. */
  readonly modifiedMs: number;
}

export const NO_FILES: DoneFilesState = { newest: "", segments: [], replaced: [] };

/** How many entries a state holds itself: some 30 kB. */
const MAX_NEWEST = 512;
/** So many segments of one tier become one of the next. */
const FACTOR = 10;

/** The files that a job is done with. Older ones are read from storage when a file is first asked for. */
export class DoneFiles {
  readonly #store: ObjectStore;
  readonly #folder: string;
  readonly #state: DoneFilesState;
  readonly #newest = new Map<string, Buffer>();
  readonly #loaded = new Map<string, Promise<Segment>>();
  #watermarkMs: number | undefined;
  #expireMs: number | undefined;

  /** `folder` is the job's, where its states are. */
  constructor(store: ObjectStore, folder: string, state: DoneFilesState) {
    this.#store = store;
    this.#folder = folder;
    this.#state = state;
    this.#watermarkMs = state.watermarkMs;
    const newest = Buffer.from(state.newest, "base64");
    for (let at = 0; at < newest.length; at += ENTRY_BYTES) this.#put(newest.subarray(at, at + ENTRY_BYTES));
  }

  /** The set of the step that {@link stage} prepared. What was read of the segments stays in memory. */
  after(state: DoneFilesState): DoneFiles {
    const next = new DoneFiles(this.#store, this.#folder, state);
    for (const { id } of state.segments) {
      const segment = this.#loaded.get(id);
      if (segment !== undefined) next.#loaded.set(id, segment);
    }
    return next;
  }

  /** How many entries there are; those of files that were loaded again, after they had grown, may count twice. */
  get size(): number {
    return this.#state.segments.reduce((sum, { entries }) => sum + entries, this.#newest.size);
  }

  /** True where a file is so old that it counts as done. */
  isExpired({ modifiedMs }: SourceIdentity): boolean {
    return this.#watermarkMs !== undefined && modifiedMs < this.#watermarkMs;
  }

  /** What is kept of a file. Throws `DELTA_LOAD_PROGRESS_LOST`. */
  async find(url: string, signal?: AbortSignal): Promise<DoneEntry | undefined> {
    const key = keyOfUrl(url);
    const newest = this.#newest.get(key.toString("latin1"));
    if (newest !== undefined) return readEntry(newest, 0);
    for (const { id } of this.#state.segments.toReversed()) {
      const segment = await this.#segment(id, signal);
      const at = findInSegment(segment, key);
      if (at >= 0) return readEntry(segment, at);
    }
    return undefined;
  }

  /** Notes that a file is done. */
  add(url: string, identity: SourceIdentity, rest: Pick<DoneEntry, "contentHash" | "records" | "lines">): void {
    this.#put(writeEntry(keyOfUrl(url), { ...identityFields(identity), ...rest }));
  }

  /** Lets files go that were last modified before `beforeMs`: from the next step on they count as done. */
  expire(beforeMs: number): void {
    if (this.#watermarkMs !== undefined && beforeMs <= this.#watermarkMs) return;
    this.#watermarkMs = beforeMs;
    this.#expireMs = beforeMs;
  }

  /** The set as the next step's state holds it, its segments written. */
  async stage(signal?: AbortSignal): Promise<DoneFilesState> {
    const kept = [...this.#newest.values()].filter((entry) => this.#isKept(entry, 0));
    const segments = this.#state.segments.filter(({ modifiedMs }) => modifiedMs >= (this.#expireMs ?? modifiedMs));
    let newest: readonly Buffer[] = kept;
    if (kept.length > MAX_NEWEST) {
      const plan = planMerge(segments, kept.length);
      const merged = segments.splice(segments.length - plan);
      const parts = await Promise.all(merged.map(({ id }) => this.#segment(id, signal)));
      const keep = this.#expireMs === undefined ? undefined : this.#isKept.bind(this);
      const written = mergeSegments([...parts, segmentOf(kept)], keep);
      if (written.length > 0) segments.push(await this.#write(written, signal));
      newest = [];
    }
    return {
      newest: Buffer.concat(newest).toString("base64"),
      segments,
      replaced: this.#state.segments.filter((one) => !segments.includes(one)).map(({ id }) => id),
      ...(this.#watermarkMs === undefined ? {} : { watermarkMs: this.#watermarkMs }),
    };
  }

  #put(entry: Buffer): void {
    this.#newest.set(entry.toString("latin1", 0, 12), entry);
  }

  #isKept(entries: Buffer, at: number): boolean {
    return this.#expireMs === undefined || modifiedMsOf(entries, at) >= this.#expireMs;
  }

  #segment(id: string, signal: AbortSignal | undefined): Promise<Segment> {
    let segment = this.#loaded.get(id);
    if (segment === undefined) {
      segment = this.#read(id, signal);
      segment.catch(() => this.#loaded.delete(id));
      this.#loaded.set(id, segment);
    }
    return segment;
  }

  async #read(id: string, signal: AbortSignal | undefined): Promise<Segment> {
    const path = segmentPath(this.#folder, id);
    try {
      const bytes = Buffer.from(await this.#store.get(path, undefined, signal));
      if (segmentId(bytes) === id) return bytes;
      throw lost(this.#store, `${path} isn't what was written there`);
    } catch (error) {
      if (hasCode(error, "DELTA_FILE_NOT_FOUND")) throw lost(this.#store, `${path} is missing`);
      throw error;
    }
  }

  async #write(segment: Segment, signal: AbortSignal | undefined): Promise<SegmentRef> {
    const id = segmentId(segment);
    await this.#store.put(segmentPath(this.#folder, id), segment, signal);
    this.#loaded.set(id, Promise.resolve(segment));
    return { id, entries: segment.length / ENTRY_BYTES, modifiedMs: youngest(segment) };
  }
}

/**
 * How many of the newest segments become one with `added` entries. Tiers don't grow from the oldest segment to the newest, so
 * that each entry is written once a tier.
 * @testonly
 */
export function planMerge(segments: readonly Pick<SegmentRef, "entries">[], added: number): number {
  let [count, entries] = [0, added];
  for (;;) {
    const tier = tierOf(entries);
    const smaller = segments.length - 1 - segments.findLastIndex((one) => tierOf(one.entries) >= tier);
    const notLarger = segments.length - 1 - segments.findLastIndex((one) => tierOf(one.entries) > tier);
    const wanted = notLarger - smaller >= FACTOR - 1 ? notLarger : smaller;
    if (wanted <= count) return count;
    count = wanted;
    entries = segments.slice(segments.length - count).reduce((sum, one) => sum + one.entries, added);
  }
}

function tierOf(entries: number): number {
  return Math.floor(Math.log(Math.max(1, entries / MAX_NEWEST)) / Math.log(FACTOR));
}

/** The segment files that a state refers to, those included that only the state before needs. */
export function segmentPaths(folder: string, { segments, replaced }: DoneFilesState): string[] {
  return [...segments.map(({ id }) => id), ...replaced].map((id) => segmentPath(folder, id));
}

/** The files that may go once the step after `state` is committed. */
export function outdatedSegments(folder: string, { replaced }: DoneFilesState, next: DoneFilesState): string[] {
  const used = [...next.segments.map(({ id }) => id), ...next.replaced];
  return replaced.filter((id) => !used.includes(id)).map((id) => segmentPath(folder, id));
}

function youngest(segment: Segment): number {
  let modifiedMs = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < segment.length; at += ENTRY_BYTES) {
    modifiedMs = Math.max(modifiedMs, modifiedMsOf(segment, at));
  }
  return modifiedMs;
}

function segmentPath(folder: string, id: string): string {
  return `${folder}${id}.files`;
}

function segmentId(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 20);
}

function lost(store: ObjectStore, reason: string): DeltaError {
  return new DeltaError(
    "DELTA_LOAD_PROGRESS_LOST",
    `${store.url}: the list of files that are loaded is damaged: ${reason}. Starting over would add their rows again. If that is wanted, restart the job; else give it another name.`,
    {},
  );
}
