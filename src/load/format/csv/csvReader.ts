import { limits } from "../../../limits.js";
import type { StructType } from "../../../schema/types.js";
import type { ByteReader } from "../../source/source.js";
import type { RecordPosition, RecordReader, RecordSlice } from "../format.js";
import { TemporaryFile } from "../temporaryFile.js";
import { type CsvFile, recordScanner } from "./csvFile.js";
import { CsvSlice } from "./csvSlice.js";
import { unreadable } from "./header.js";
import { withoutLineEnd } from "./lineEnd.js";
import type { RecordScanner } from "./recordScanner.js";
import type { BrokenRecord, RecordPlace, Segment } from "./segment.js";

/** Less than what DuckDB would give to two threads, which would have to guess where records begin. */
const SEGMENT_BYTES = 4_000_000;

/** Many small files are open at once. */
const SMALL_WINDOW_BYTES = 64 * 1024;

/** Where a reader begins. */
export interface CsvStart {
  readonly record: number;
  /** Line ends before it. */
  readonly line: number;
  /** In the decoded file. */
  readonly offset: number;
}

/** Cuts a CSV file into slices of whole records, which wait in temporary files for DuckDB. */
export class CsvReader implements RecordReader {
  #file: CsvFile;
  readonly #bytes: ByteReader;
  #scanner: RecordScanner;
  readonly #open = new Set<CsvSlice>();
  /** The window that the scanner looks at: `#window` from `0` to `#end`. */
  #window = new Uint8Array(SMALL_WINDOW_BYTES);
  #end = 0;
  #isEnd = false;
  /** Decoded bytes from the reader's begin to the window's. */
  #windowOffset = 0;
  /** Of the window's begin. */
  #place: CsvStart;
  readonly #startOffset: number;
  #storedBytes = 0;

  constructor(file: CsvFile, bytes: ByteReader, start: CsvStart) {
    this.#file = file;
    this.#bytes = bytes;
    this.#scanner = recordScanner(file);
    this.#place = start;
    this.#startOffset = start.offset;
  }

  get columns(): StructType {
    return this.#file.columns;
  }

  /** Names the columns, where the reader had to look at the header first. To be called before any record is read. */
  setColumns(columns: StructType): void {
    this.#file = { ...this.#file, columns };
    this.#scanner = recordScanner(this.#file);
  }

  async next(maxBytes: number, signal?: AbortSignal): Promise<RecordSlice | undefined> {
    const start = this.#position();
    const parts: (Segment | BrokenRecord)[] = [];
    const from = this.#windowOffset;
    try {
      for (;;) {
        const goal = Math.min(SEGMENT_BYTES, from + maxBytes - this.#windowOffset);
        const hasMore = await this.#scanTo(goal, signal);
        await this.#takeSegment(parts);
        if (!hasMore && !(await this.#takeBroken(parts, signal))) break;
        if (parts.length > 0 && this.#windowOffset - from >= maxBytes) break;
      }
    } catch (error) {
      await Promise.all(parts.map((part) => "file" in part && part.file[Symbol.asyncDispose]()));
      throw error;
    }
    if (parts.length === 0) return undefined;
    const end = this.#position();
    const storedBytes = this.#bytes.storedBytesRead - this.#storedBytes;
    this.#storedBytes = this.#bytes.storedBytesRead;
    const isLast = !(await this.#hasMore(signal));
    const slice = new CsvSlice(this.#file, parts, { start, end, isLast, storedBytes }, () => this.#open.delete(slice));
    this.#open.add(slice);
    return slice;
  }

  /** Passes over the first record that isn't an empty line, a header: its text. Undefined at the file's end. */
  async skipRecord(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      await this.#scanTo(0, signal);
      const { start, lines } = this.#scanner;
      if (start === 0 && this.#end === 0) return undefined;
      if (start === 0) throw unreadable(this.#file.url, "its header has no end");
      const record = withoutLineEnd(this.#window.slice(0, start));
      this.#forward(start, { record: 0, line: lines });
      if (record.length > 0) return record;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const slice of this.#open) await slice.drop();
    await this.#bytes[Symbol.asyncDispose]();
  }

  #position(): RecordPosition {
    const { record, line, offset } = this.#place;
    return { record, line, offset, bytes: this.#bytes.positionAt(this.#windowOffset) };
  }

  /** False where there is no complete record more up to the goal: at the file's end, or at a record without one. */
  async #scanTo(goal: number, signal: AbortSignal | undefined): Promise<boolean> {
    const scanner = this.#scanner;
    while (!scanner.scan(this.#window, this.#end, goal, this.#isEnd)) {
      if (this.#isEnd || scanner.isTooLong) return false;
      await this.#read(signal);
    }
    return true;
  }

  async #read(signal: AbortSignal | undefined): Promise<void> {
    const piece = await this.#bytes.read(signal);
    if (piece === undefined) {
      this.#isEnd = true;
      return;
    }
    const needed = this.#end + piece.length;
    if (needed > this.#window.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#window.length));
      larger.set(this.#window.subarray(0, this.#end));
      this.#window = larger;
    }
    this.#window.set(piece, this.#end);
    this.#bytes.release(piece);
    this.#end = needed;
  }

  async #hasMore(signal: AbortSignal | undefined): Promise<boolean> {
    while (this.#end === 0 && !this.#isEnd) await this.#read(signal);
    return this.#end > 0;
  }

  /** Puts the complete records of the window away. */
  async #takeSegment(parts: (Segment | BrokenRecord)[]): Promise<void> {
    const { start, records, longestBytes, lineEnds, lines } = this.#scanner;
    if (start === 0) return;
    if (records > 0) {
      const file = await TemporaryFile.create();
      const segment = { file, sizeBytes: start, recordCount: records, place: this.#recordPlace() };
      parts.push({ ...segment, recordBytes: longestBytes, lineEnds });
      await file.write(this.#window.subarray(0, start));
    }
    this.#forward(start, { record: records, line: lines });
  }

  #recordPlace(): RecordPlace {
    const { record, line, offset } = this.#place;
    return { record, line: line + 1, byteOffset: offset };
  }

  /** Takes the record that the window begins with, and that has no end within the limit, up to its first line end. */
  async #takeBroken(parts: (Segment | BrokenRecord)[], signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#end === 0) return false;
    const place = this.#recordPlace();
    const { MAX_CSV_RECORD_BYTES } = limits;
    const reason = this.#scanner.isQuoted
      ? `a quote is opened that isn't closed ${this.#isEnd ? "any more" : `within ${MAX_CSV_RECORD_BYTES} bytes`}`
      : `the record has more than ${MAX_CSV_RECORD_BYTES} bytes`;
    let raw: Uint8Array | undefined;
    for (;;) {
      const lineEnd = endOfLine(this.#window.subarray(0, this.#end), this.#isEnd);
      raw ??= this.#window.slice(0, Math.min(lineEnd?.at ?? this.#end, MAX_CSV_RECORD_BYTES));
      const taken = lineEnd?.next ?? (this.#isEnd ? this.#end : this.#end - 1);
      this.#scanner.restart(taken);
      this.#forward(taken, { record: lineEnd || this.#isEnd ? 1 : 0, line: lineEnd === undefined ? 0 : 1 });
      if (lineEnd !== undefined || this.#isEnd) break;
      await this.#read(signal);
    }
    parts.push({ place, reason, raw });
    return true;
  }

  /** Moves the window. */
  #forward(bytes: number, { record, line }: { record: number; line: number }): void {
    this.#window.copyWithin(0, bytes, this.#end);
    this.#end -= bytes;
    this.#windowOffset += bytes;
    const before = this.#place;
    this.#place = {
      record: before.record + record,
      line: before.line + line,
      offset: this.#startOffset + this.#windowOffset,
    };
    this.#scanner.begin(bytes);
  }
}

/** The first line end, where it is known. */
function endOfLine(bytes: Uint8Array, isEnd: boolean): { readonly at: number; readonly next: number } | undefined {
  const lineFeed = bytes.indexOf(0x0a);
  const upTo = lineFeed < 0 ? bytes : bytes.subarray(0, lineFeed);
  const carriageReturn = upTo.indexOf(0x0d);
  if (carriageReturn < 0) return lineFeed < 0 ? undefined : { at: lineFeed, next: lineFeed + 1 };
  if (carriageReturn + 1 === lineFeed) return { at: carriageReturn, next: lineFeed + 1 };
  if (carriageReturn + 1 === bytes.length && !isEnd) return undefined;
  return { at: carriageReturn, next: carriageReturn + 1 };
}
