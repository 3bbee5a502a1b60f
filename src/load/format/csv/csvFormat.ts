import { isUtf8 } from "node:buffer";
import { DeltaError } from "../../../errors.js";
import { limits } from "../../../limits.js";
import type { DataType, StructField, StructType } from "../../../schema/types.js";
import { type SniffedCsv, sniff } from "../../../sql/csvSniff.js";
import { fileDuckdb } from "../../../sql/duckdb.js";
import { openBytes } from "../../source/bytes.js";
import type { SourceFile } from "../../source/source.js";
import type { Format, ParseOptions, ReadingOptions, RecordPosition, SourceShape } from "../format.js";
import { TemporaryFile } from "../temporaryFile.js";
import { CsvReader } from "./csvReader.js";
import { columnCount, detectDelimiter } from "./delimiter.js";
import { type CsvDialect, dialectFromJson, dialectToJson } from "./dialect.js";
import { columnNames, unreadable } from "./header.js";
import { soundRecords } from "./soundRecords.js";

/** Of the beginning of a file, decoded, to find out how it is written. */
const SAMPLE_BYTES = 4 * 1024 * 1024;
const QUOTE = 0x22;
/** Headers are short; what is read of them is read again with the records. */
const HEADER_BYTES = 16 * 1024;
/** A date or time so written is read without a format. */
const ISO_FORMATS = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%fZ"];

/** Text with delimiters: CSV, TSV. */
export const csvFormat: Format = { shape, open };

async function shape(file: SourceFile, options: ParseOptions, signal?: AbortSignal): Promise<SourceShape> {
  const sample = await sampleOf(file, options, signal);
  if (sample.length === 0) {
    const message = `${file.url} is empty, so that it shows no columns; give a schema.`;
    throw new DeltaError("DELTA_CANNOT_INFER_SCHEMA", message, { file: file.url, columns: [] });
  }
  const found = await sniffed(file, sample, options);
  const dialect: CsvDialect = {
    delimiter: found.delimiter,
    // Values that need quotes may come later than the sample.
    quote: options.quote ?? (found.quote || '"'),
    escape: options.escape ?? (found.escape || options.quote || found.quote || '"'),
    header: options.header ?? true,
    nullValues: options.nullValues ?? [""],
    ...formatOf("dateFormat", options.dateFormat ?? found.dateFormat),
    ...formatOf("timestampFormat", options.timestampFormat ?? found.timestampFormat),
  };
  const names = dialect.header
    ? await headerOf(file, dialect, options, signal)
    : found.columns.map((_, index) => `column${index}`);
  const fields = (names ?? []).map((name, index) => fieldOf(name, found.columns[index]?.type ?? "string"));
  return { dialect: dialectToJson(dialect), schema: { type: "struct", fields } };
}

async function open(
  file: SourceFile,
  from: RecordPosition | undefined,
  shape: SourceShape,
  options: ParseOptions,
  { chunkBytes, signal }: ReadingOptions = {},
): Promise<CsvReader> {
  const dialect = dialectFromJson(shape.dialect);
  const isAtStart = from?.bytes === undefined;
  const { rescuedDataColumn } = options;
  // Within the file its header is looked at apart.
  const names = dialect.header && !isAtStart ? await headerOf(file, dialect, options, signal) : undefined;
  const columns = await columnsOf(file, names, shape, options, signal);
  const bytes = await openBytes(file, from?.bytes, { encoding: options.encoding, chunkBytes, signal });
  try {
    const start = { record: from?.record ?? 0, line: from?.line ?? 0, offset: from?.offset ?? 0 };
    const reader = new CsvReader({ url: file.url, dialect, columns, rescuedDataColumn }, bytes, start);
    if (isAtStart && dialect.header) {
      const header = await reader.skipRecord(signal);
      const own = header && columnNames(header, dialect, file.url);
      reader.setColumns(await columnsOf(file, own, shape, options, signal));
    }
    return reader;
  } catch (error) {
    await bytes[Symbol.asyncDispose]();
    throw error;
  }
}

/** Names that the shape has have its types; where there are others, this file is looked at. Without names they are the shape's. */
async function columnsOf(
  file: SourceFile,
  names: readonly string[] | undefined,
  shape: SourceShape,
  options: ParseOptions,
  signal: AbortSignal | undefined,
): Promise<StructType> {
  if (names === undefined) return shape.schema;
  const known = new Map(shape.schema.fields.map((field) => [field.name.toLowerCase(), field.type]));
  const isKnown = names.every((name) => known.has(name.toLowerCase()));
  const found = isKnown ? undefined : await sniffed(file, await sampleOf(file, options, signal), options);
  const fields = names.map((name, index) =>
    fieldOf(name, known.get(name.toLowerCase()) ?? found?.columns[index]?.type ?? "string"),
  );
  return { type: "struct", fields };
}

/** The names in the file's header; undefined where the file is empty. */
async function headerOf(
  file: SourceFile,
  dialect: CsvDialect,
  options: ParseOptions,
  signal: AbortSignal | undefined,
): Promise<string[] | undefined> {
  const bytes = await openBytes(file, undefined, { encoding: options.encoding, chunkBytes: HEADER_BYTES, signal });
  const columns: StructType = { type: "struct", fields: [] };
  await using reader = new CsvReader({ url: file.url, dialect, columns }, bytes, { record: 0, line: 0, offset: 0 });
  const record = await reader.skipRecord(signal);
  return record === undefined ? undefined : columnNames(record, dialect, file.url);
}

async function sampleOf(file: SourceFile, options: ParseOptions, signal: AbortSignal | undefined): Promise<Uint8Array> {
  await using bytes = await openBytes(file, undefined, { encoding: options.encoding, signal });
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const piece = await bytes.read(signal);
    if (piece === undefined) return Buffer.concat(pieces);
    pieces.push(piece);
    length += piece.length;
    if (length < SAMPLE_BYTES) continue;
    const sample = Buffer.concat(pieces, SAMPLE_BYTES);
    const end = sample.lastIndexOf("\n") + 1;
    if (end > 0) return sample.subarray(0, end);
    throw unreadable(file.url, `its first ${SAMPLE_BYTES} bytes have no line end`);
  }
}

async function sniffed(file: SourceFile, sample: Uint8Array, options: ParseOptions): Promise<SniffedCsv> {
  await using copy = await TemporaryFile.create();
  await copy.write(sample);
  // Where a quote is used loosely another one would seem to fit better.
  const quote = options.quote ?? (sample.includes(QUOTE) ? '"' : undefined);
  const delimiter = options.delimiter ?? file.delimiter ?? detectDelimiter(sample, quote, options.escape);
  checkColumnCount(file.url, columnCount(sample, delimiter, quote, options.escape));
  const known = { ...options, quote, delimiter, ignoresErrors: true };
  const db = await fileDuckdb();
  try {
    return await sniff(db, copy.path, known).catch(async () => {
      // One loose quote is enough for that: what is sound shows the types all the same.
      await using sound = await TemporaryFile.create();
      await sound.write(soundRecords(sample, { delimiter, quote: quote ?? "", escape: options.escape ?? quote ?? "" }));
      return await sniff(db, sound.path, known);
    });
  } catch (cause) {
    if (!isUtf8(sample)) throw unreadable(file.url, "it isn't UTF-8", cause);
    // It can be read even so: as texts.
    return { delimiter, quote: "", escape: "", columns: [], dateFormat: undefined, timestampFormat: undefined };
  }
}

/** DuckDB takes minutes to look at more. */
function checkColumnCount(url: string, count: number): void {
  const limit = limits.MAX_CSV_COLUMNS;
  if (count <= limit) return;
  const message = `${url} has ${count} columns, and a CSV file may have ${limit}. Give another delimiter, or cut the file in parts.`;
  throw new DeltaError("DELTA_LIMIT_EXCEEDED", message, { file: url, limit });
}

function fieldOf(name: string, type: DataType): StructField {
  return { name, type, nullable: true, metadata: {} };
}

function formatOf(name: "dateFormat" | "timestampFormat", format: string | undefined): Partial<CsvDialect> {
  return format === undefined || ISO_FORMATS.includes(format) ? {} : { [name]: format };
}
