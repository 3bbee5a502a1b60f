import type { RecordSlice } from "./format/format.js";
import { decodedBytes, expectedBytes, type FileOpener, movedOn, type OpenFile, storedBytesOf } from "./openFile.js";
import type { PendingQueue } from "./pendingQueue.js";
import type { SourceFile } from "./source/source.js";

/** A file that was read to its end, or counts as if. */
export interface FinishedFile {
  readonly file: SourceFile;
  readonly records: number;
  readonly lines: number;
  /** Where a stream ends. */
  readonly open?: OpenFile | undefined;
}

/** What reading gives to a batch. */
export interface BatchIntake {
  /** Whether the batch takes the file's columns; where not, it is for the next batch. */
  admits(open: OpenFile): Promise<boolean>;
  /** Bytes to read from a file at once. */
  readonly sliceBytes: number;
  /** Parses slices of files; one call is made after the other. */
  parse(slices: readonly { readonly slice: RecordSlice; readonly open: OpenFile }[]): Promise<void>;
}

/** How far the files are when a batch was read. */
export interface BatchRead {
  readonly finished: readonly FinishedFile[];
  /** The file that is half read. */
  readonly current: OpenFile | undefined;
  /** Of the stored files. */
  readonly bytesRead: number;
  /** Which records of which files it holds. */
  readonly ranges: readonly RecordRange[];
}

export interface RecordRange {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** So many files make a batch, though they be empty: each costs a commit's memory and a request. */
const MAX_FILES = 10_000;
/** Files up to this size are opened several at a time: most of their time is waiting. */
const SMALL_BYTES = 1024 * 1024;
const SMALL_AT_ONCE = 32;
/** Less isn't worth a slice of its own. */
const MIN_AHEAD_BYTES = 1024 * 1024;

/** Reads the files of a queue a batch at a time: large ones in slices, small ones many to a batch. */
export class BatchReader implements AsyncDisposable {
  readonly #queue: PendingQueue;
  readonly #opener: FileOpener;
  readonly #aheadBytes: number;
  /** Of the next batch, while this one is committed. */
  #ahead: { readonly open: OpenFile; readonly slice: Promise<RecordSlice | undefined> } | undefined;
  /** In the queue's order; the first may be read in part. */
  readonly #open: OpenFile[] = [];

  /** So many bytes are read of the next batch before it is asked for. */
  constructor(queue: PendingQueue, opener: FileOpener, aheadBytes: number) {
    this.#queue = queue;
    this.#opener = opener;
    this.#aheadBytes = aheadBytes;
  }

  /** True where nothing is left. */
  async isAtEnd(): Promise<boolean> {
    return this.#open.length === 0 && (await this.#queue.peek()) === undefined;
  }

  /** Reads about `batchBytes` decoded bytes. Ends early, at a record's end, once `isStopped`. */
  async read(batchBytes: number, intake: BatchIntake, isStopped: () => boolean): Promise<BatchRead> {
    const finished: FinishedFile[] = [];
    const ranges: RecordRange[] = [];
    const halfRead = new Set<string>();
    let [bytes, bytesRead] = [0, 0];
    let parsing: Promise<void> = Promise.resolve();
    try {
      // A state holds one half-read file.
      while ((bytes < batchBytes && finished.length < MAX_FILES && !isStopped()) || halfRead.size > 1) {
        const room = halfRead.size > 1 ? 0 : batchBytes - bytes;
        const group = await this.#nextGroup(intake, finished, room);
        if (group.length === 0) break;
        const maxBytes = sliceBytes(intake.sliceBytes, room || batchBytes);
        const slices = await Promise.all(group.map((open) => this.#next(open, maxBytes)));
        const ended: OpenFile[] = [];
        for (const [index, open] of group.entries()) {
          const slice = slices[index];
          const after = slice === undefined ? open : movedOn(open, slice);
          if (slice !== undefined) {
            bytes += decodedBytes(slice);
            bytesRead += storedBytesOf(slice);
            ranges.push({ file: open.file.url, from: slice.start.record, to: slice.end.record });
          }
          const at = this.#open.indexOf(open);
          if (slice === undefined || slice.isLast) {
            this.#open.splice(at, 1);
            halfRead.delete(open.file.url);
            ended.push(open);
            // A stream that brought nothing is where it was.
            if (slice !== undefined || open.file.stream === undefined) finished.push(finishedFile(after));
          } else {
            this.#open[at] = after;
            halfRead.add(open.file.url);
          }
        }
        await parsing;
        parsing = parseAll(intake, group, slices, ended);
        // Heard at the next turn, or at the end.
        parsing.catch(() => undefined);
      }
    } catch (error) {
      await parsing.catch(() => undefined);
      throw error;
    }
    const [first] = this.#open;
    if (first !== undefined && !isStopped()) this.#readAhead(first);
    await parsing;
    const current = first !== undefined && first.position !== undefined ? first : undefined;
    return { finished, current, bytesRead, ranges: joined(ranges) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ahead?.slice.catch(() => undefined);
    for (const { reader } of this.#open.splice(0)) await reader[Symbol.asyncDispose]();
    await this.#queue[Symbol.asyncDispose]();
  }

  #next(open: OpenFile, maxBytes: number): Promise<RecordSlice | undefined> {
    if (this.#ahead?.open !== open) return open.reader.next(maxBytes);
    const { slice } = this.#ahead;
    this.#ahead = undefined;
    return slice;
  }

  /** A stream may have nothing to give for long. */
  #readAhead(open: OpenFile): void {
    if (this.#ahead !== undefined || this.#aheadBytes < MIN_AHEAD_BYTES || open.file.stream !== undefined) return;
    const slice = open.reader.next(this.#aheadBytes);
    slice.catch(() => undefined);
    this.#ahead = { open, slice };
  }

  /** The files to read from next: one, or several small ones that there is room for, all of which the batch takes. */
  async #nextGroup(intake: BatchIntake, finished: FinishedFile[], room: number): Promise<OpenFile[]> {
    if (this.#open.length === 0) await this.#openMore(finished, room);
    const group: OpenFile[] = [];
    let bytes = 0;
    for (const open of this.#open) {
      bytes += expectedBytes(open);
      if (group.length > 0 && (bytes > room || !isSmall(open.file))) break;
      if (!(await intake.admits(open))) break;
      group.push(open);
    }
    return group;
  }

  /** Opens the next file, or several small ones that there is room for: what is read of them belongs to this batch. */
  async #openMore(finished: FinishedFile[], room: number): Promise<void> {
    const next = [];
    let bytes = 0;
    for (;;) {
      const pending = await this.#queue.peek();
      if (pending === undefined || next.length === SMALL_AT_ONCE || finished.length >= MAX_FILES) break;
      const { file, isAccepted } = pending;
      // Where it counts as loaded, or there is nothing in it.
      const isDone = isAccepted || (file.stream === undefined && file.identity.sizeBytes === 0);
      bytes += isDone ? 0 : file.identity.sizeBytes;
      if (!isDone && next.length > 0 && (!isSmall(file) || bytes > room)) break;
      await this.#queue.take();
      if (isDone) finished.push({ file, records: 0, lines: 0 });
      else next.push(pending);
      if (!isDone && !isSmall(file)) break;
    }
    const opened = await Promise.allSettled(next.map((pending) => this.#opener.open(pending)));
    for (const one of opened) if (one.status === "fulfilled") this.#open.push(one.value);
    for (const one of opened) if (one.status === "rejected") throw one.reason;
  }
}

/** Of what there is room for; no slice is much smaller than the others. */
function sliceBytes(usual: number, room: number): number {
  return Math.max(1, room < 1.25 * usual ? room : usual);
}

function isSmall({ identity, stream }: SourceFile): boolean {
  return stream === undefined && identity.sizeBytes <= SMALL_BYTES;
}

function finishedFile(open: OpenFile): FinishedFile {
  const { record = 0, line = 0 } = open.position ?? {};
  return { file: open.file, records: record, lines: line, open };
}

async function parseAll(
  intake: BatchIntake,
  group: readonly OpenFile[],
  slices: readonly (RecordSlice | undefined)[],
  ended: readonly OpenFile[],
): Promise<void> {
  try {
    const read = group.flatMap((open, index) => {
      const slice = slices[index];
      return slice === undefined ? [] : [{ slice, open }];
    });
    if (read.length > 0) await intake.parse(read);
  } finally {
    // A slice may need its reader until it is parsed.
    for (const { reader } of ended) await reader[Symbol.asyncDispose]();
  }
}

/** Slices of a file that follow each other as one. */
function joined(ranges: readonly RecordRange[]): RecordRange[] {
  const all: RecordRange[] = [];
  for (const range of ranges) {
    const last = all.at(-1);
    if (last?.file === range.file && last.to === range.from) all[all.length - 1] = { ...last, to: range.to };
    else all.push(range);
  }
  return all;
}
