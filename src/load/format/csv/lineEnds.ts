import { TemporaryFile } from "../temporaryFile.js";
import { eachRecord } from "./badRows.js";
import type { CsvFile } from "./csvFile.js";
import { withoutLineEnd } from "./lineEnd.js";
import { LINE_END } from "./recordScanner.js";
import type { Segment } from "./segment.js";

const LINE_FEED = Uint8Array.of(0x0a);

/** The one kind of line end behind the records of the segments; LF where there is none. */
export function newLineOf(segments: readonly Pick<Segment, "lineEnds">[]): "\n" | "\r\n" | "\r" {
  const kinds = kindsOf(segments);
  if (kinds === LINE_END.CRLF) return "\r\n";
  return kinds === LINE_END.CR ? "\r" : "\n";
}

function kindsOf(segments: readonly Pick<Segment, "lineEnds">[]): number {
  return segments.reduce((kinds, { lineEnds }) => kinds | lineEnds, 0);
}

/** The same segments, or where their records end in more than one way, which DuckDB refuses, copies with LF behind each. */
export async function withLineFeeds<S extends Segment>(
  file: CsvFile,
  segments: readonly S[],
): Promise<AsyncDisposable & { readonly segments: readonly S[] }> {
  const kinds = kindsOf(segments);
  if (kinds === 0 || (kinds & (kinds - 1)) === 0) return { segments, [Symbol.asyncDispose]: async () => undefined };
  const copies: S[] = [];
  for (const segment of segments) copies.push(await withLineFeed(file, segment));
  return {
    segments: copies,
    async [Symbol.asyncDispose]() {
      for (const copy of copies) await copy.file[Symbol.asyncDispose]();
    },
  };
}

async function withLineFeed<S extends Segment>(file: CsvFile, segment: S): Promise<S> {
  const bytes = await segment.file.read();
  const parts: Uint8Array[] = [];
  eachRecord(file, bytes, (start, end) => parts.push(withoutLineEnd(bytes.subarray(start, end)), LINE_FEED));
  const copy = await TemporaryFile.create();
  const text = Buffer.concat(parts);
  await copy.write(text);
  return { ...segment, file: copy, sizeBytes: text.length, lineEnds: LINE_END.LF };
}
