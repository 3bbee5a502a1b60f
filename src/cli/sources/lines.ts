import { isUtf8 } from "node:buffer";
import { DeltaError } from "../../errors.js";
import { limits } from "../../limits.js";

/** Lines that follow each other in a text. */
export interface Lines {
  readonly texts: readonly string[];
  /** All of them, as they are in the file. */
  readonly bytes: Buffer;
  /** The number of the first one, from 1 on. */
  readonly firstLine: number;
}

const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * The lines of a UTF-8 stream, without their ends (LF or CRLF) and without a byte order mark; a piece of the stream at a time.
 * Throws DELTA_INPUT_UNREADABLE (file, line) where a line isn't UTF-8, or is longer than `MAX_JSON_ROW_BYTES`.
 */
export async function* readLines(bytes: AsyncIterable<Buffer>, file: string): AsyncGenerator<Lines> {
  let firstLine = 1;
  let rest: Buffer[] = [];
  let restBytes = 0;
  let isStart = true;
  for await (let chunk of bytes) {
    if (isStart && BYTE_ORDER_MARK.every((byte, index) => chunk[index] === byte)) chunk = chunk.subarray(3);
    isStart = false;
    const end = chunk.lastIndexOf(LINE_FEED);
    const first = chunk.indexOf(LINE_FEED);
    restBytes += first < 0 ? chunk.length : first;
    if (restBytes > limits.MAX_JSON_ROW_BYTES) throw tooLong(firstLine, file);
    if (end < 0) {
      rest.push(chunk);
      continue;
    }
    const lines = linesOf(Buffer.concat([...rest, chunk.subarray(0, end)]), firstLine, file);
    rest = [chunk.subarray(end + 1)];
    restBytes = chunk.length - end - 1;
    firstLine += lines.texts.length;
    yield lines;
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield linesOf(last, firstLine, file);
}

function linesOf(bytes: Buffer, firstLine: number, file: string): Lines {
  if (!isUtf8(bytes)) throw notUtf8(bytes, firstLine, file);
  return { texts: bytes.toString("utf8").split("\n"), bytes, firstLine };
}

function tooLong(line: number, file: string): DeltaError {
  const text = `${file}, line ${line}: the line has more than ${limits.MAX_JSON_ROW_BYTES} bytes.`;
  return new DeltaError("DELTA_INPUT_UNREADABLE", text, { file, line });
}

function notUtf8(bytes: Buffer, firstLine: number, file: string): DeltaError {
  let line = firstLine;
  for (let start = 0; start < bytes.length; line++) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
  }
  return new DeltaError("DELTA_INPUT_UNREADABLE", `${file}, line ${line}: the text is not UTF-8.`, { file, line });
}
