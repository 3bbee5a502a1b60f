import { limits } from "../../../limits.js";
import type { ByteReader } from "../../source/source.js";

const LINE_FEED = 0x0a;
/** Bytes of lines that are parsed as one. */
const BLOCK_BYTES = 1024 * 1024;

/** Whole lines that follow each other. */
export interface LineBlock {
  readonly bytes: Buffer;
  /** Line ends in it. */
  readonly lines: number;
  /** True for a line that is longer than a line may be, and of which this is the beginning. */
  readonly isTooLong: boolean;
  /** Bytes that it stands for. */
  readonly sizeBytes: number;
}

/** Cuts a text into blocks of whole lines. */
export class LineReader {
  readonly #bytes: ByteReader;
  #pending = Buffer.alloc(0);
  #isEnd = false;

  constructor(bytes: ByteReader) {
    this.#bytes = bytes;
  }

  /** What comes next, about so many bytes of it. It isn't taken. */
  async peek(bytes: number, signal?: AbortSignal): Promise<Buffer> {
    await this.#fill(bytes, signal);
    return this.#pending;
  }

  /**
   * The next lines, of at most so many bytes; where already the first one is longer, that one if `isWanted`, else undefined as at the
   * end.
   */
  async next(maxBytes: number, isWanted: boolean, signal?: AbortSignal): Promise<LineBlock | undefined> {
    const most = Math.min(maxBytes, BLOCK_BYTES);
    await this.#fill(most, signal);
    if (this.#pending.length <= most && this.#isEnd) return this.#take(this.#pending.length);
    const end = this.#pending.lastIndexOf(LINE_FEED, most - 1) + 1;
    if (end > 0) return this.#take(end);
    return isWanted ? this.#longLine(most, signal) : undefined;
  }

  async #longLine(from: number, signal: AbortSignal | undefined): Promise<LineBlock | undefined> {
    const { MAX_JSON_ROW_BYTES } = limits;
    for (let searched = from; ; ) {
      const end = this.#pending.indexOf(LINE_FEED, searched) + 1;
      if (end > MAX_JSON_ROW_BYTES || (end === 0 && this.#pending.length > MAX_JSON_ROW_BYTES)) {
        return this.#tooLong(signal);
      }
      if (end > 0) return this.#take(end);
      if (this.#isEnd) return this.#take(this.#pending.length);
      searched = this.#pending.length;
      await this.#fill(2 * searched, signal);
    }
  }

  async #tooLong(signal: AbortSignal | undefined): Promise<LineBlock> {
    const bytes = Buffer.from(this.#pending.subarray(0, limits.MAX_CSV_RECORD_BYTES));
    let sizeBytes = 0;
    for (;;) {
      const end = this.#pending.indexOf(LINE_FEED) + 1;
      const taken = end > 0 ? end : this.#pending.length;
      sizeBytes += taken;
      this.#pending = this.#pending.subarray(taken);
      if (end > 0 || this.#isEnd) return { bytes, lines: end > 0 ? 1 : 0, isTooLong: true, sizeBytes };
      await this.#fill(BLOCK_BYTES, signal);
    }
  }

  #take(sizeBytes: number): LineBlock | undefined {
    if (sizeBytes === 0) return undefined;
    const bytes = this.#pending.subarray(0, sizeBytes);
    this.#pending = this.#pending.subarray(sizeBytes);
    let lines = 0;
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) lines++;
    return { bytes, lines, isTooLong: false, sizeBytes };
  }

  async #fill(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const pieces: Uint8Array[] = [this.#pending];
    let length = this.#pending.length;
    while (length < bytes && !this.#isEnd) {
      const piece = await this.#bytes.read(signal);
      if (piece === undefined) this.#isEnd = true;
      else {
        pieces.push(piece);
        length += piece.length;
      }
    }
    if (pieces.length > 1) this.#pending = Buffer.concat(pieces, length);
  }
}
