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

/** Finds out how a CSV file with a header is written. Throws DELTA_INPUT_UNREADABLE where it is none. */
export async function sniffCsv(
  db: Duckdb,
  { path, name, delimiter }: { path: string; name: string; delimiter: string | undefined },
): Promise<Csv> {
  // Absolute: a relative path that begins like a URL would pass for one.
  const file = quoteText(withoutGlob(resolve(path)));
  // Said here and not found out: a line that begins with "#" is data, and so are the lines at the top.
  const fixed = "header = true, skip = 0, comment = ''";
  const asFile = "hive_partitioning = false, all_varchar = true, allow_quoted_nulls = false";
  const asked = delimiter === undefined ? "" : `, delim = ${quoteText(delimiter)}`;
  const wanted = 'Delimiter, "Quote", "Escape", DateFormat, TimestampFormat, to_json(Columns)';
  const sniff = `SELECT ${wanted} FROM sniff_csv(${file}, ${fixed}${asked}, sample_size = ${SAMPLE_ROWS})`;
  const found = await db.columns(sniff).catch((cause: unknown) => {
    throw new DeltaError(
      "DELTA_INPUT_UNREADABLE",
      `${name} can't be read as CSV: its delimiter, quotes and columns can't be told. Its first line must name the columns.`,
      { file: name },
      cause,
    );
  });
  const [delim, quote, quoteEscape, dateFormat, timestampFormat, columns] = found.map(([value]) =>
    value === null || value === undefined || value === "(empty)" ? "" : String(value),
  );
  const dialect = `delim = ${quoteText(delim!)}, quote = ${quoteText(quote!)}, escape = ${quoteText(quoteEscape!)}`;
  return {
    name,
    columns: (JSON.parse(columns!) as { name: string; type: string }[]).map(({ name, type }) => ({
      name,
      type: TYPES[type] ?? "string",
    })),
    relation: `read_csv(${file}, ${fixed}, ${dialect}, ${asFile})`,
    dateFormat: dateFormat || undefined,
    timestampFormat: timestampFormat || undefined,
  };
}

/** A path in which "*", "?" and "[" stand for themselves. */
function withoutGlob(path: string): string {
  return path.replace(/[*?[]/g, "[$&]");
}
