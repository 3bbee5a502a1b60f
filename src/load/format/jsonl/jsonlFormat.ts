import { DeltaError } from "../../../errors.js";
import { openBytes } from "../../source/bytes.js";
import type { SourceFile } from "../../source/source.js";
import type { Format, ParseOptions, ReadingOptions, RecordPosition, SourceShape } from "../format.js";
import { inferColumns } from "./columns.js";
import { JsonlReader } from "./jsonlReader.js";
import { SAMPLE_BYTES } from "./jsonlSlice.js";
import { LineReader } from "./lineReader.js";

/** A JSON object on each line, as `read --format jsonl` writes them. */
export const jsonlFormat: Format = { shape, open };

async function shape(file: SourceFile, options: ParseOptions, signal?: AbortSignal): Promise<SourceShape> {
  await using bytes = await openBytes(file, undefined, { encoding: options.encoding, signal });
  const sample = await new LineReader(bytes).peek(SAMPLE_BYTES, signal);
  if (sample.length === 0) {
    const message = `${file.url} is empty, so that it shows no columns; give a schema.`;
    throw new DeltaError("DELTA_CANNOT_INFER_SCHEMA", message, { file: file.url, columns: [] });
  }
  const columns = inferColumns(sample, sample.length < SAMPLE_BYTES);
  if (columns !== undefined) return { dialect: {}, ...columns };
  const message = `${file.url} shows no columns: no line that ends in its first ${SAMPLE_BYTES} bytes is a JSON object with some. Give a schema, or the format that the file has.`;
  throw new DeltaError("DELTA_CANNOT_INFER_SCHEMA", message, { file: file.url, columns: [] });
}

async function open(
  file: SourceFile,
  from: RecordPosition | undefined,
  { schema }: SourceShape,
  options: ParseOptions,
  { chunkBytes, signal }: ReadingOptions = {},
): Promise<JsonlReader> {
  const bytes = await openBytes(file, from?.bytes, { encoding: options.encoding, chunkBytes, signal });
  try {
    return await JsonlReader.open(bytes, schema, from ?? { record: 0 }, options, signal);
  } catch (error) {
    await bytes[Symbol.asyncDispose]();
    throw error;
  }
}
