import { limits } from "../../../limits.js";
import { checkSignal } from "../../../signal.js";
import type { ParseOptions, RecordPosition, RecordSink, RecordSlice } from "../format.js";
import type { LineBlock } from "./lineReader.js";
import { isBlank, parseBlock } from "./parseBlock.js";

/** Lines and where they are in their file. */
export interface TextBlock extends LineBlock {
  readonly place: { readonly record: number; readonly line: number; readonly byteOffset: number };
}

/** Lines of JSON, each an object with the columns of a row. */
export class JsonlSlice implements RecordSlice {
  readonly start: RecordPosition;
  readonly end: RecordPosition;
  readonly isLast: boolean;
  readonly recordCount: number;
  readonly storedBytes: number;
  readonly #blocks: readonly TextBlock[];
  readonly #parse: ParseOptions;

  constructor(
    blocks: readonly TextBlock[],
    facts: Pick<RecordSlice, "start" | "end" | "isLast" | "recordCount" | "storedBytes">,
    parse: ParseOptions,
  ) {
    this.start = facts.start;
    this.end = facts.end;
    this.isLast = facts.isLast;
    this.recordCount = facts.recordCount;
    this.storedBytes = facts.storedBytes;
    this.#blocks = blocks;
    this.#parse = parse;
  }

  async parse(sink: RecordSink, signal?: AbortSignal): Promise<void> {
    const rescued = this.#parse.rescuedDataColumn;
    for (const [index, block] of this.#blocks.entries()) {
      checkSignal(signal, "reading JSON lines");
      if (block.isTooLong) {
        const reason = `the line has more than ${limits.MAX_JSON_ROW_BYTES} bytes`;
        await sink.reject({ code: "PARSE", reason, raw: block.bytes, ...block.place });
      } else await parseBlock(block, sink, { rescued, sample: () => this.#sample(index) });
    }
  }

  /** Lines from a block on. */
  #sample(first: number): Buffer {
    const pieces: Buffer[] = [];
    let length = 0;
    for (const { bytes, isTooLong } of this.#blocks.slice(first)) {
      if (isTooLong) continue;
      pieces.push(bytes);
      length += bytes.length;
      if (length >= SAMPLE_BYTES) break;
    }
    return Buffer.concat([...pieces, Buffer.from("\n")]);
  }
}

/** Of a text, to find its columns. */
export const SAMPLE_BYTES = 4 * 1024 * 1024;

/** How many records a block has. */
export function recordCountOf({ bytes, isTooLong }: LineBlock): number {
  if (isTooLong) return 1;
  let count = 0;
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    if (!isBlank(bytes, start, end)) count++;
    start = end + 1;
  }
  return count;
}

const LINE_FEED = 0x0a;
