import type { StructField, StructType } from "../schema/types.js";
import { type ExactRead, exactRead, valueOrNull } from "./csvBatchTypes.js";
import { type DuckdbConnection, quoteName, quoteText } from "./duckdb.js";
import { dataFileCopy } from "./parquetCopy.js";
import { sqlType } from "./types.js";

/** CSV files without headers, cut at record borders, and the columns their rows are to have. */
export interface CsvBatch {
  readonly paths: readonly string[];
  readonly newLine: "\n" | "\r\n" | "\r";
  /** At least: of the largest file, and of the longest record. */
  readonly fileBytes: number;
  readonly recordBytes: number;
  readonly dialect: {
    readonly delimiter: string;
    readonly quote: string;
    readonly escape: string;
    readonly nullValues: readonly string[];
    readonly dateFormat?: string | undefined;
    readonly timestampFormat?: string | undefined;
  };
  /** For each value of a record, the name of the schema's column it belongs to; undefined where it belongs to none. */
  readonly columns: readonly (string | undefined)[];
  /**
   * The schema's column that gets, as JSON, what would be lost or make a misfit: values of no column, and texts that aren't of their
   * column's type, which is null then.
   */
  readonly rescue?: { readonly column: string /** Of each value of a record. */; readonly names: readonly string[] };
  /** Of the rows. Columns that the files lack are null; arrays, maps and structs are texts (their JSON). */
  readonly schema: StructType;
}

/** A record that DuckDB's reader can't take apart or convert. */
export interface CsvReject {
  /** Index among the batch's files, and a byte of the record in it. */
  readonly file: number;
  readonly byte: number;
  readonly kind: "cast" | "parse";
  /** Index among the batch's columns, where one is at fault. */
  readonly column: number | undefined;
  /** DuckDB's word for it. */
  readonly error: string;
}

/** A row that was read and whose values don't fit their columns. */
export interface CsvMisfit {
  /** Its number among the rows that weren't rejected, from 0. */
  readonly row: number;
  /** The schema's column. */
  readonly column: string;
  readonly kind: "cast" | "null";
}

/** What {@link copyCsv} throws where it doesn't leave misfits out and there is one. */
export class MisfitFound extends Error {}

const MISFIT = "delta-table: misfit";
/** DuckDB's own least. */
const MIN_RECORD_BYTES = 2_097_152;

/**
 * Writes the rows as a Parquet file at `target`. Rows with misfits are left out, or where `stopsAtMisfit` end it with
 * {@link MisfitFound}, which costs less where there are none. Throws DuckDB's errors.
 */
export async function copyCsv(
  connection: DuckdbConnection,
  batch: CsvBatch,
  target: string,
  stopsAtMisfit: boolean,
): Promise<{ readonly rowCount: number; readonly rejects: readonly CsvReject[] }> {
  const columns = outputColumns(batch);
  const fits = columns.flatMap(({ misfit }) => (misfit === undefined ? [] : [`NOT (${misfit})`]));
  const values = columns.map(({ value, misfit, field }) => {
    const checked =
      stopsAtMisfit && misfit !== undefined
        ? `CASE WHEN ${misfit} THEN error(${quoteText(MISFIT)}) ELSE ${value} END`
        : value;
    return `${checked} AS ${quoteName(field.name)}`;
  });
  const where = stopsAtMisfit || fits.length === 0 ? "" : ` WHERE ${fits.join(" AND ")}`;
  const rows = `SELECT ${values.join(", ")} FROM ${relation(batch, columns)}${where}`;
  const schema = { type: "struct", fields: columns.map(({ field }) => field) } as const;
  const copy = dataFileCopy(rows, target, { schema, compression: "snappy" });
  const [counts] = await connection.columns(copy).catch((error: unknown) => {
    throw error instanceof Error && error.message.includes(MISFIT) ? new MisfitFound() : error;
  });
  return { rowCount: Number(counts![0]), rejects: await rejectsOf(connection, batch) };
}

/** The rows that {@link copyCsv} leaves out, in their order. */
export async function findMisfits(connection: DuckdbConnection, batch: CsvBatch): Promise<CsvMisfit[]> {
  const columns = outputColumns(batch);
  const suspects = columns.filter(({ misfit }) => misfit !== undefined);
  if (suspects.length === 0) return [];
  const first = suspects.map(({ misfit }, index) => `WHEN ${misfit} THEN ${index}`).join(" ");
  const isNull = suspects.map(
    (column, i) => `WHEN ${i} THEN ${column.read ? `${nameOf(column.index)} IS NULL` : "true"}`,
  );
  // A column that nobody asks for isn't converted, so that its rejects would be counted as rows.
  const typed = columns.filter(({ read }) => read !== undefined && read.readAs !== "VARCHAR");
  const asked = typed.length === 0 ? "0" : `hash(${typed.map(({ index }) => nameOf(index)).join(", ")})`;
  const numbered = `SELECT *, row_number() OVER () - 1 AS "row", CASE ${first} END AS "suspect", ${asked} AS "asked" FROM ${relation(batch, columns)}`;
  const [rows, found, nulls] = await connection.columns(
    `SELECT "row", "suspect", CASE "suspect" ${isNull.join(" ")} END FROM (${numbered}) WHERE "suspect" IS NOT NULL AND "asked" IS NOT NULL ORDER BY "row"`,
  );
  return (rows ?? []).map((row, i) => {
    const column = suspects[Number(found![i])]!.field.name;
    return { row: Number(row), column, kind: nulls![i] === true ? "null" : "cast" };
  });
}

interface OutputColumn {
  readonly field: StructField;
  /** Index among the values of a record. */
  readonly index: number;
  readonly read: ExactRead | undefined;
  readonly value: string;
  /** True in SQL where the row can't have this value; undefined where it always can. */
  readonly misfit: string | undefined;
}

function outputColumns({ columns, schema, dialect, rescue }: CsvBatch): OutputColumn[] {
  return schema.fields.map((field) => {
    const index = columns.indexOf(field.name);
    if (field.name === rescue?.column) {
      const value = rescuedSql(columns, rescue.names, schema, dialect);
      return { field, index: -1, read: undefined, value, misfit: undefined };
    }
    if (index >= 0 && rescue !== undefined) {
      const value = valueOrNull(field.type, nameOf(index), dialect);
      const read = { readAs: "VARCHAR", value: () => value, fits: undefined };
      return { field, index, read, value, misfit: field.nullable ? undefined : `${value} IS NULL` };
    }
    if (index < 0) {
      const value = `CAST(NULL AS ${typeof field.type === "string" ? sqlType(field.type) : "VARCHAR"})`;
      return { field, index, read: undefined, value, misfit: field.nullable ? undefined : "true" };
    }
    const read = exactRead(field.type, dialect);
    const text = nameOf(index);
    const value = read.value(text);
    const misfits = read.fits === undefined ? [] : [`${text} IS NOT NULL AND NOT (${read.fits(text, value)})`];
    if (!field.nullable) misfits.push(`${text} IS NULL`);
    return { field, index, read, value, misfit: misfits.length === 0 ? undefined : misfits.join(" OR ") };
  });
}

/** JSON of an object with the values that have no column, or aren't of its type; null where there is none. */
function rescuedSql(
  columns: CsvBatch["columns"],
  names: readonly string[],
  schema: StructType,
  dialect: CsvBatch["dialect"],
): string {
  const members = columns.flatMap((column, index) => {
    const text = nameOf(index);
    const field = schema.fields.find(({ name }) => name === column);
    if (field?.type === "string" || typeof field?.type === "object") return [];
    const isLost = field === undefined ? "" : ` AND ${valueOrNull(field.type, text, dialect)} IS NULL`;
    const member = `${quoteText(`${JSON.stringify(names[index])}:`)} || CAST(to_json(${text}) AS VARCHAR)`;
    return [`CASE WHEN ${text} IS NOT NULL${isLost} THEN ${member} END`];
  });
  if (members.length === 0) return "CAST(NULL AS VARCHAR)";
  return `'{' || nullif(concat_ws(',', ${members.join(", ")}), '') || '}'`;
}

function nameOf(index: number): string {
  return `c${index}`;
}

function relation(batch: CsvBatch, columns: readonly OutputColumn[]): string {
  const { dialect, fileBytes, recordBytes } = batch;
  const types = batch.columns.map((_, index) => {
    const type = columns.find((column) => column.index === index)?.read?.readAs ?? "VARCHAR";
    return `${nameOf(index)}: ${quoteText(type)}`;
  });
  const longest = Math.max(recordBytes + 1024, MIN_RECORD_BYTES);
  const options = [
    // Nothing is guessed, and nothing of a file is read by two threads: each file is.
    "auto_detect = false, header = false, skip = 0, comment = '', compression = 'none', parallel = false",
    `columns = {${types.join(", ")}}`,
    `delim = ${quoteText(dialect.delimiter)}, quote = ${quoteText(dialect.quote)}, escape = ${quoteText(dialect.escape)}`,
    `new_line = ${quoteText(escaped(batch.newLine))}`,
    `nullstr = [${dialect.nullValues.map(quoteText).join(", ")}], allow_quoted_nulls = false`,
    `max_line_size = ${longest}, buffer_size = ${Math.max(fileBytes, longest) + 1024}`,
    "hive_partitioning = false, filename = false, store_rejects = true, rejects_limit = 0",
  ];
  return `read_csv([${batch.paths.map(quoteText).join(", ")}], ${options.join(", ")})`;
}

function escaped(newLine: string): string {
  return newLine.replace("\r", "\\r").replace("\n", "\\n");
}

async function rejectsOf(connection: DuckdbConnection, { paths }: CsvBatch): Promise<CsvReject[]> {
  const [files, bytes, columns, errors] = await connection.columns(
    // A record may have a reject for each of its values.
    "SELECT file_path, line_byte_position, min(column_idx), CAST(arg_min(error_type, column_idx) AS VARCHAR) FROM reject_errors " +
      "JOIN reject_scans USING (scan_id, file_id) GROUP BY file_id, file_path, line_byte_position ORDER BY file_id, line_byte_position",
  );
  return (files ?? []).map((path, i) => {
    const error = String(errors![i]);
    const isCast = error === "CAST";
    return {
      file: paths.indexOf(String(path)),
      byte: Number(bytes![i]) - 1,
      kind: isCast ? "cast" : "parse",
      column: isCast ? Number(columns![i]) - 1 : undefined,
      error,
    };
  });
}
