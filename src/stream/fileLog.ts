import { DeltaError } from "../errors.js";
import { canonicalPath } from "../log/paths.js";
import type { ObjectStore } from "../storage/store.js";
import { BatchLog, numbersOf } from "./batchLog.js";

/** A file that a stream has taken up, as Structured Streaming's file source keeps it. */
export interface FileEntry {
  /** A URL, percent-encoded. */
  readonly path: string;
  /** When it was last written, in milliseconds since the epoch. */
  readonly timestamp: number;
  /** The number of the log's file that it came in first. */
  readonly batchId: number;
}

/** Each tenth file of the log holds all entries before it as well, unless the log was begun with another interval. */
const COMPACT_INTERVAL = 10;
const COMPACT = ".compact";
/** Files behind the newest that are kept, also where a later one holds what is in them. */
const KEPT_FILES = 100;

/** What of a folder a stream has taken up so far: `sources/0/` of its checkpoint. */
export class FileLog {
  readonly #log: BatchLog;
  #interval = COMPACT_INTERVAL;
  #entries: FileEntry[] = [];
  #latest = -1;
  readonly #seen = new Set<string>();

  constructor(checkpoint: ObjectStore) {
    this.#log = new BatchLog(checkpoint, "sources/0/");
  }

  /** The newest file's number; -1 before the first one. */
  get latest(): number {
    return this.#latest;
  }

  /** Brings in what is there. Throws `DELTA_STREAM_CHECKPOINT_INVALID`. */
  async load(): Promise<void> {
    const names = await this.#log.names();
    const compacted = numbersOf(
      names.filter((name) => name.endsWith(COMPACT)).map((name) => name.slice(0, -COMPACT.length)),
    );
    this.#interval = intervalOf(compacted);
    this.#latest = Math.max(compacted.at(-1) ?? -1, numbersOf(names).at(-1) ?? -1);
    if (this.#latest >= 0) await this.#log.settle();
    const first = compacted.at(-1) ?? 0;
    for (let id = first; id <= this.#latest; id++) this.#take(await this.#read(id));
  }

  /** Whether a file was taken up, by its URL. */
  has(url: string): boolean {
    return this.#seen.has(canonicalPath(url));
  }

  /** The entries that came first in the files after `from` up to `to`. */
  between(from: number, to: number): FileEntry[] {
    if (to <= this.#latest) return this.#entries.filter(({ batchId }) => batchId > from && batchId <= to);
    throw this.#log.invalid(this.#name(to), "is missing");
  }

  /** Takes up files, durably, as the next file of the log. Throws `DELTA_CONCURRENT_TRANSACTION`. */
  async add(files: readonly Omit<FileEntry, "batchId">[]): Promise<void> {
    const batchId = this.#latest + 1;
    const added = files.map(({ path, timestamp }) => ({ path, timestamp, batchId }));
    const written = this.#isCompact(batchId) ? [...this.#entries, ...added] : added;
    await this.#log.add(
      this.#name(batchId),
      written.map((entry) => JSON.stringify(entry)),
    );
    this.#take(added);
    this.#latest = batchId;
    if (this.#isCompact(batchId)) await this.#removeBefore(batchId - KEPT_FILES);
  }

  #take(entries: readonly FileEntry[]): void {
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#seen.add(canonicalPath(entry.path));
    }
  }

  async #removeBefore(oldest: number): Promise<void> {
    const kept = Math.floor((oldest + 1) / this.#interval) * this.#interval - 1;
    if (kept <= 0) return;
    for (const name of await this.#log.names()) {
      const [id] = numbersOf([name.replace(COMPACT, "")]);
      if (id !== undefined && id < kept) await this.#log.remove(name);
    }
  }

  async #read(id: number): Promise<FileEntry[]> {
    const name = this.#name(id);
    const lines = await this.#log.read(name);
    if (lines === undefined) throw this.#log.invalid(name, "is missing");
    return lines.filter((line) => line !== "").map((line) => this.#entry(name, line));
  }

  #entry(name: string, line: string): FileEntry {
    try {
      const { path, timestamp, batchId } = JSON.parse(line) as FileEntry;
      if (typeof path === "string" && Number.isSafeInteger(batchId)) return { path, timestamp, batchId };
    } catch {
      // Told below.
    }
    throw this.#log.invalid(name, "holds something else than files");
  }

  #isCompact(id: number): boolean {
    return (id + 1) % this.#interval === 0;
  }

  #name(id: number): string {
    return this.#isCompact(id) ? `${id}${COMPACT}` : String(id);
  }
}

/** The interval that a log was written with: that between its compacted files or, where there is one, one that fits it. */
function intervalOf(compacted: readonly number[]): number {
  const [before, last] = compacted.slice(-2);
  if (before === undefined) return COMPACT_INTERVAL;
  if (last !== undefined) return last - before;
  const count = before + 1;
  if (count <= COMPACT_INTERVAL) return count;
  for (let interval = COMPACT_INTERVAL; interval <= count / 2; interval++) if (count % interval === 0) return interval;
  return count;
}

/** The entry's place as a URL that stores take. Throws `DELTA_STREAM_CHECKPOINT_INVALID`. */
export function entryUrl({ path }: FileEntry): URL {
  try {
    return new URL(path.replace(/^s3n:/, "s3a:"));
  } catch (error) {
    throw new DeltaError(
      "DELTA_STREAM_CHECKPOINT_INVALID",
      `The checkpoint names the file "${path}", which is no URL.`,
      { path },
      error,
    );
  }
}
