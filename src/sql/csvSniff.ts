import { resolve } from "node:path";
import { DeltaError } from "../errors.js";
import type { DataType } from "../schema/types.js";
import { type Duckdb, quoteText } from "./duckdb.js";

/** How a CSV file is written, and its columns. */
export interface Csv {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: DataType }[];
  /** SQL: the file with every column as text. */
  readonly relation: string;
  /** strptime formats of dates and times that aren't written as ISO 8601 has them. */
  readonly dateFormat: string | undefined;
  readonly timestampFormat: string | undefined;
}

/** Rows looked at to find the types of the columns. */
const SAMPLE_ROWS = 200_000;

const TYPES: Readonly<Record<string, DataType>> = {
  BOOLEAN: "boolean",
  TINYINT: "long",
  SMALLINT: "long",
  INTEGER: "long",
  BIGINT: "long",
  FLOAT: "double",
  DOUBLE: "double",
  DATE: "date",
  TIMESTAMP: "timestamp_ntz",
  "TIMESTAMP WITH TIME ZONE": "timestamp",
};

/** What is known of a CSV file beforehand. */
export interface KnownDialect {
  readonly delimiter?: string | undefined;
  readonly quote?: string | undefined;
  readonly escape?: string | undefined;
  /** False where the first line is a row. */
  readonly header?: boolean | undefined;
  readonly nullValues?: readonly string[] | undefined;
  /** True where records that don't fit the others say nothing; the delimiter is then to be given. */
  readonly ignoresErrors?: boolean;
}

/** How a CSV file is written, and its columns. */
export interface SniffedCsv {
  /** Empty quotes and escapes where the sample shows none. */
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly columns: Csv["columns"];
  readonly dateFormat: string | undefined;
  readonly timestampFormat: string | undefined;
}

/** Finds out how a local CSV file is written, from its first rows. Throws DuckDB's error where it is none. */
export async function sniff(db: Duckdb, path: string, known: KnownDialect): Promise<SniffedCsv> {
  const { delimiter, quote, escape: escaping, nullValues } = known;
  // Said here and not found out: a line that begins with "#" is data, and so are the lines at the top.
  const options = [`header = ${known.header ?? true}`, "skip = 0", "comment = ''", `sample_size = ${SAMPLE_ROWS}`];
  if (delimiter !== undefined) options.push(`delim = ${quoteText(delimiter)}`);
  if (quote !== undefined) options.push(`quote = ${quoteText(quote)}`);
  if (escaping !== undefined) options.push(`escape = ${quoteText(escaping)}`);
  if (known.ignoresErrors) options.push("ignore_errors = true");
  if (nullValues !== undefined) options.push(`nullstr = [${nullValues.map(quoteText).join(", ")}]`);
  const wanted = 'Delimiter, "Quote", "Escape", DateFormat, TimestampFormat, to_json(Columns)';
  const found = await db.columns(`SELECT ${wanted} FROM sniff_csv(${fileText(path)}, ${options.join(", ")})`);
  const [delim, quoted, escaped, dateFormat, timestampFormat, columns] = found.map(([value]) =>
    value === null || value === undefined || value === "(empty)" ? "" : String(value),
  );
  return {
    delimiter: delim!,
    quote: quoted!,
    escape: escaped!,
    columns: (JSON.parse(columns!) as { name: string; type: string }[]).map(({ name, type }) => ({
      name,
      type: TYPES[type] ?? "string",
    })),
    dateFormat: dateFormat || undefined,
    timestampFormat: timestampFormat || undefined,
  };
}

/** Finds out how a CSV file with a header is written. Throws DELTA_INPUT_UNREADABLE where it is none. */
export async function sniffCsv(
  db: Duckdb,
  { path, name, delimiter }: { path: string; name: string; delimiter: string | undefined },
): Promise<Csv> {
  const found = await sniff(db, path, { delimiter }).catch((cause: unknown) => {
    throw new DeltaError(
      "DELTA_INPUT_UNREADABLE",
      `${name} can't be read as CSV: its delimiter, quotes and columns can't be told. Its first line must name the columns.`,
      { file: name },
      cause,
    );
  });
  const fixed = "header = true, skip = 0, comment = ''";
  const asFile = "hive_partitioning = false, all_varchar = true, allow_quoted_nulls = false";
  const marks = `quote = ${quoteText(found.quote)}, escape = ${quoteText(found.escape)}`;
  const dialect = `delim = ${quoteText(found.delimiter)}, ${marks}`;
  return { ...found, name, relation: `read_csv(${fileText(path)}, ${fixed}, ${dialect}, ${asFile})` };
}

/** Absolute: a relative path that begins like a URL would pass for one. */
function fileText(path: string): string {
  return quoteText(withoutGlob(resolve(path)));
}

/** A path in which "*", "?" and "[" stand for themselves. */
function withoutGlob(path: string): string {
  return path.replace(/[*?[]/g, "[$&]");
}
