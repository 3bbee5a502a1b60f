import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { RecordBatch } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { readParquet } from "../parquet/read.js";
import type { StructField, StructType } from "../schema/types.js";
import { openStore } from "../storage/open.js";
import { type Csv, sniffCsv } from "./csvSniff.js";
import { type Conversion, conversion } from "./csvTypes.js";
import { type Duckdb, fileDuckdb, quoteName } from "./duckdb.js";
import { spoolCopy } from "./parquetCopy.js";

export interface ReadCsvOptions {
  /** As people call the file; its path where undefined. */
  readonly name?: string;
  /** Types of columns, by name; the file may lack some of them. Taken from the file's values where undefined. */
  readonly schema?: StructType | undefined;
  /** Found out where undefined. */
  readonly delimiter?: string | undefined;
  readonly signal?: AbortSignal;
}

/** A CSV file as Arrow batches. */
export interface CsvRows {
  /** The file's columns in its order; arrays, maps and structs are still texts (their JSON) in the batches. */
  readonly schema: StructType;
  batches(): AsyncGenerator<RecordBatch>;
}

/**
 * Reads a local CSV file that begins with a line of column names, by DuckDB and by way of a temporary Parquet file.
 * An empty value is null and `""` an empty text. Undefined where the file is empty.
 *
 * Numbers are never rounded and times never cut: a value that its column can't hold exactly is DELTA_VALUE_OUT_OF_RANGE
 * with file, row (1-based, without the header), column, value and type. Throws DELTA_INPUT_UNREADABLE where the file is no
 * CSV, DELTA_SCHEMA_MISMATCH where it has columns that the schema lacks, DELTA_MISSING_DEPENDENCY, DELTA_ABORTED.
 */
export async function readCsv(path: string, options: ReadCsvOptions = {}): Promise<CsvRows | undefined> {
  if ((await stat(path)).size === 0) return undefined;
  const db = await fileDuckdb();
  const csv = await unlessAborted(
    sniffCsv(db, { path, name: options.name ?? path, delimiter: options.delimiter }),
    options.signal,
  );
  const fields = csv.columns.map(({ name, type }) => fieldOf(csv.name, name, type, options.schema));
  const schema: StructType = { type: "struct", fields };
  return { schema, batches: () => csvBatches(db, csv, schema, options.signal) };
}

function fieldOf(file: string, name: string, type: StructField["type"], schema: StructType | undefined): StructField {
  if (schema === undefined) return { name, type, nullable: true, metadata: {} };
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field !== undefined) return field;
  throw new DeltaError(
    "DELTA_SCHEMA_MISMATCH",
    `${file} has the column "${name}", which the table lacks. Its columns are ${schema.fields.map((f) => f.name).join(", ")}. ` +
      "(The first line of a CSV file must name its columns.)",
    { file, columns: [name] },
  );
}

async function* csvBatches(
  db: Duckdb,
  csv: Csv,
  schema: StructType,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordBatch> {
  const folder = await mkdtemp(join(tmpdir(), "delta-table-csv-"));
  try {
    const columns = schema.fields.map((field) => {
      const value = checked(quoteName(field.name), conversion(field.type, csv));
      return `${value} AS ${quoteName(field.name)}`;
    });
    const target = join(folder, "rows.parquet");
    const copy = spoolCopy(`SELECT ${columns.join(", ")} FROM ${csv.relation}`, target);
    await unlessAborted(db.columns(copy), signal).catch(async (error: unknown) => {
      throw error instanceof DeltaError ? error : ((await badValue(db, csv, schema)) ?? unreadable(csv.name, error));
    });
    await using store = openStore(pathToFileURL(folder));
    const { size } = await stat(target);
    yield* readParquet(store, { path: "rows.parquet", sizeBytes: size }, { signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The value, or an error where there is a text that has none. */
function checked(text: string, { of, isTotal }: Conversion): string {
  const value = of(text);
  return isTotal
    ? value
    : `CASE WHEN ${text} IS NULL OR ${value} IS NOT NULL THEN ${value} ELSE error('bad value') END`;
}

/** The first value that doesn't convert, looked for once it is known that there is one. */
async function badValue(db: Duckdb, csv: Csv, schema: StructType): Promise<DeltaError | undefined> {
  for (const field of schema.fields) {
    const { of, isTotal } = conversion(field.type, csv);
    if (isTotal) continue;
    const text = quoteName(field.name);
    const rows = `SELECT ${text} AS "text", row_number() OVER () AS "row" FROM ${csv.relation}`;
    const isBad = `"text" IS NOT NULL AND ${of('"text"')} IS NULL`;
    const found = await db
      .columns(`SELECT "text", "row" FROM (${rows}) WHERE ${isBad} ORDER BY "row" LIMIT 1`)
      .catch(() => []);
    const [value, row] = [found[0]?.[0], found[1]?.[0]];
    if (typeof value === "string") return outOfRange(csv.name, Number(row), field, value);
  }
  return undefined;
}

function outOfRange(file: string, row: number, field: StructField, value: string): DeltaError {
  const shown = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return new DeltaError(
    "DELTA_VALUE_OUT_OF_RANGE",
    `${file}, row ${row}, column "${field.name}": ${shown} is no value of type ${field.type}. Correct it, or give the column another type.`,
    { file, row, column: field.name, value, type: field.type },
  );
}

function unreadable(file: string, cause: unknown): DeltaError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1];
  const reason = text.split("\n").find((part) => part.trim() !== "" && !part.includes("CSV Error on Line")) ?? text;
  const where = line === undefined ? file : `${file}, line ${line}`;
  return new DeltaError(
    "DELTA_INPUT_UNREADABLE",
    `${where} can't be read as CSV: ${reason.trim()}`,
    { file, ...(line === undefined ? {} : { line: Number(line) }) },
    cause,
  );
}

/** DuckDB can't be asked to stop: the caller goes on without it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new DeltaError("DELTA_ABORTED", "Reading the CSV file was stopped by its signal."));
  });
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => undefined);
  }
}
