import { limits } from "../../../limits.js";
import type { CsvDialect } from "./dialect.js";
import { StopFinder } from "./stopFinder.js";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Kinds of line ends, as bits of {@link RecordScanner.lineEnds}. */
export const LINE_END = { LF: 1, CRLF: 2, CR: 4 } as const;

/** Which bytes the scanner stops at. */
export type ScannedDialect = Pick<CsvDialect, "delimiter" | "quote" | "escape">;

/**
 * Finds where the records of a CSV text end, without taking them apart. LF, CRLF and CR end a record. A quote opens a quoted
 * value only where a field begins, and in it nothing ends a record; elsewhere it is a character like others. Empty
 * lines are no records where `skipsEmpty`.
 *
 * It works on a window of bytes that the caller moves: {@link scan} goes on where it stopped, in a window that begins at
 * or before {@link start}.
 */
export class RecordScanner {
  readonly #stops: StopFinder;
  readonly #quotedStops: StopFinder;
  readonly #delimiter: Uint8Array;
  readonly #quote: number;
  readonly #escape: number;
  readonly #skipsEmpty: boolean;
  readonly #maxBytes: number;
  #at = 0;
  #start = 0;
  #isQuoted = false;
  #linesWithin = 0;
  /** Complete records of the window. */
  records = 0;
  /** Line ends of the window before {@link start}. */
  lines = 0;
  /** Bytes of the longest record, its line end included. */
  longestBytes = 0;
  /** The kinds of line ends behind records, as {@link LINE_END}. */
  lineEnds = 0;

  constructor(dialect: ScannedDialect, skipsEmpty: boolean, maxRecordBytes = limits.MAX_CSV_RECORD_BYTES) {
    this.#maxBytes = maxRecordBytes;
    this.#delimiter = Buffer.from(dialect.delimiter);
    this.#quote = dialect.quote === "" ? -1 : dialect.quote.charCodeAt(0);
    this.#escape = dialect.escape === "" ? this.#quote : dialect.escape.charCodeAt(0);
    this.#skipsEmpty = skipsEmpty;
    this.#stops = new StopFinder([LINE_FEED, CARRIAGE_RETURN, this.#quote]);
    this.#quotedStops = new StopFinder([LINE_FEED, this.#quote, this.#escape]);
  }

  /** Where in the window the record begins that isn't complete yet. */
  get start(): number {
    return this.#start;
  }

  /** True within a quoted value. */
  get isQuoted(): boolean {
    return this.#isQuoted;
  }

  /** True where the record that begins at {@link start} is longer than a record may be: it is never complete. */
  get isTooLong(): boolean {
    return this.#at - this.#start > this.#maxBytes;
  }

  /** The window now begins so many bytes later; counts begin anew. What was looked at behind stays so. */
  begin(bytes: number): void {
    this.#at -= bytes;
    this.#start -= bytes;
    this.#stops.forget();
    this.#quotedStops.forget();
    this.records = 0;
    this.lines = 0;
    this.longestBytes = 0;
    this.lineEnds = 0;
  }

  /** Drops what it knows of the record that isn't complete, and begins one at this place. */
  restart(at: number): void {
    this.#at = at;
    this.#start = at;
    this.#isQuoted = false;
    this.#linesWithin = 0;
  }

  /**
   * Goes on to the end of the first record that ends at `goal` or behind it: true. False where the window, `bytes` up to
   * `end`, is too short for that: then all complete records in it were found. `isEnd`: nothing follows the window, so
   * that its last record needs no line end; one that isn't complete even so has an open quote or is too long.
   */
  scan(bytes: Uint8Array, end: number, goal: number, isEnd: boolean): boolean {
    let at = this.#at;
    for (;;) {
      if (this.#isQuoted) {
        at = this.#quotedEnd(bytes, at, end, isEnd);
        if (this.#isQuoted) break;
      }
      at = this.#stops.next(bytes, at, end);
      if (at >= end) break;
      const byte = bytes[at]!;
      if (byte === this.#quote) {
        this.#isQuoted = this.#beginsField(bytes, at);
        at++;
        continue;
      }
      let length = 1;
      let kind: number = LINE_END.LF;
      if (byte === CARRIAGE_RETURN) {
        if (at + 1 >= end && !isEnd) break;
        const isPair = at + 1 < end && bytes[at + 1] === LINE_FEED;
        length = isPair ? 2 : 1;
        kind = isPair ? LINE_END.CRLF : LINE_END.CR;
      }
      if (at - this.#start > this.#maxBytes) break;
      this.#endRecord(at, length, kind);
      at += length;
      if (at >= goal) {
        this.#at = at;
        return true;
      }
    }
    this.#at = at;
    if (!isEnd || this.#isQuoted || this.#start >= end || this.isTooLong) return false;
    this.#endRecord(end, 0, 0);
    return end >= goal;
  }

  #endRecord(at: number, length: number, kind: number): void {
    const isEmpty = at === this.#start;
    const next = at + length;
    if (!(isEmpty && this.#skipsEmpty)) {
      this.records++;
      if (next - this.#start > this.longestBytes) this.longestBytes = next - this.#start;
    }
    this.lineEnds |= kind;
    this.lines += this.#linesWithin + (length > 0 ? 1 : 0);
    this.#linesWithin = 0;
    this.#start = next;
  }

  /** Where the quoted value ends, or how far it was looked for. */
  #quotedEnd(bytes: Uint8Array, from: number, end: number, isEnd: boolean): number {
    const quote = this.#quote;
    const escaping = this.#escape;
    let at = from;
    for (; ; at++) {
      at = this.#quotedStops.next(bytes, at, end);
      if (at >= end) return end;
      const byte = bytes[at]!;
      if (byte === escaping && (escaping !== quote || at + 1 >= end || bytes[at + 1] === quote)) {
        if (at + 1 < end) {
          at++;
          if (bytes[at] === LINE_FEED) this.#linesWithin++;
          continue;
        }
        if (!isEnd) return at;
        // The last byte: a quote closes, another escape escapes nothing.
        if (escaping === quote) this.#isQuoted = false;
        return end;
      }
      if (byte === quote) {
        this.#isQuoted = false;
        return at + 1;
      }
      if (byte === LINE_FEED) this.#linesWithin++;
    }
  }

  #beginsField(bytes: Uint8Array, at: number): boolean {
    if (at === this.#start) return true;
    const delimiter = this.#delimiter;
    const from = at - delimiter.length;
    if (from < this.#start) return false;
    for (let i = 0; i < delimiter.length; i++) if (bytes[from + i] !== delimiter[i]) return false;
    return true;
  }
}
