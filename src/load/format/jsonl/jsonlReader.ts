import type { StructType } from "../../../schema/types.js";
import type { ByteReader } from "../../source/source.js";
import type { ParseOptions, RecordPosition, RecordReader, RecordSlice } from "../format.js";
import { columnsOfText } from "./columns.js";
import { JsonlSlice, recordCountOf, type TextBlock } from "./jsonlSlice.js";
import { LineReader } from "./lineReader.js";

/** Bytes that are looked at for columns. */
const PEEKED_BYTES = 256 * 1024;

/** Cuts JSON lines into slices, which are held in memory. Lines of white space are no records. */
export class JsonlReader implements RecordReader {
  readonly columns: StructType;
  readonly #bytes: ByteReader;
  readonly #lines: LineReader;
  readonly #parse: ParseOptions;
  readonly #start: RecordPosition;
  #record: number;
  #line: number;
  /** Bytes taken since the reader's begin. */
  #taken = 0;
  #storedBytes = 0;

  private constructor(
    bytes: ByteReader,
    lines: LineReader,
    columns: StructType,
    start: RecordPosition,
    parse: ParseOptions,
  ) {
    this.#bytes = bytes;
    this.#lines = lines;
    this.columns = columns;
    this.#start = start;
    this.#record = start.record;
    this.#line = start.line ?? 0;
    this.#parse = parse;
  }

  /** A reader whose columns are those of the shape and others that the next records have. */
  static async open(
    bytes: ByteReader,
    known: StructType,
    start: RecordPosition,
    parse: ParseOptions,
    signal?: AbortSignal,
  ): Promise<JsonlReader> {
    const lines = new LineReader(bytes);
    const beginning = await lines.peek(PEEKED_BYTES, signal);
    const columns = columnsOfText(beginning.subarray(0, PEEKED_BYTES), known);
    return new JsonlReader(bytes, lines, columns, start, parse);
  }

  async next(maxBytes: number, signal?: AbortSignal): Promise<RecordSlice | undefined> {
    const start = this.#position();
    const blocks: TextBlock[] = [];
    let recordCount = 0;
    let sizeBytes = 0;
    while (sizeBytes < maxBytes || recordCount === 0) {
      const block = await this.#lines.next(Math.max(maxBytes - sizeBytes, 1), recordCount === 0, signal);
      if (block === undefined) break;
      const count = recordCountOf(block);
      const place = { record: this.#record, line: this.#line + 1, byteOffset: (this.#start.offset ?? 0) + this.#taken };
      if (count > 0) blocks.push({ ...block, place });
      recordCount += count;
      sizeBytes += block.sizeBytes;
      this.#record += count;
      this.#line += block.lines;
      this.#taken += block.sizeBytes;
    }
    if (recordCount === 0) return undefined;
    const end = this.#position();
    const storedBytes = this.#bytes.storedBytesRead - this.#storedBytes;
    this.#storedBytes = this.#bytes.storedBytesRead;
    const isLast = (await this.#lines.peek(1, signal)).length === 0;
    return new JsonlSlice(blocks, { start, end, isLast, recordCount, storedBytes }, this.#parse);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bytes[Symbol.asyncDispose]();
  }

  #position(): RecordPosition {
    const offset = (this.#start.offset ?? 0) + this.#taken;
    return { record: this.#record, line: this.#line, offset, bytes: this.#bytes.positionAt(this.#taken) };
  }
}
