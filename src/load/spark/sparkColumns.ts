import type { DataType, PrimitiveType, StructType } from "../../schema/types.js";
import { exactRead, valueOrNull } from "../../sql/csvBatchTypes.js";
import { sqlType } from "../../sql/types.js";
import type { CsvDialect } from "../format/csv/dialect.js";

/** Stands for a value's text in the SQL of its column. */
const TEXT = "\u0001";

/** A column of the table. */
export interface SparkColumn {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
}

/** How DuckDB makes a column's values of texts, as SQL. */
export interface CsvColumn {
  readonly sqlType: string;
  readonly read: string;
  readonly value: string;
  readonly fits: string | null;
  /** Whether a text without a `read` is no value. */
  readonly isCast: boolean;
  /** The value where the text is one, else null. */
  readonly valueOrNull: string;
}

export function sparkColumns(schema: StructType): SparkColumn[] {
  return schema.fields.map(({ name, type, nullable }) => ({ name, type, nullable }));
}

export function csvColumns(schema: StructType, dialect: CsvDialect): CsvColumn[] {
  return schema.fields.map(({ type }) => csvColumn(type, dialect));
}

/** The types that JSON shows. */
const JSON_TYPES: readonly PrimitiveType[] = ["long", "decimal(38,0)", "double", "boolean", "string"];

/** For columns of the types that JSON shows; those that nest stay texts, as strings do. */
export function csvTypes(dialect: CsvDialect): { readonly [type: string]: CsvColumn } {
  return Object.fromEntries(JSON_TYPES.map((type) => [type, csvColumn(type, dialect)]));
}

/** Arrays, maps and structs stay texts. */
function csvColumn(type: DataType, dialect: CsvDialect): CsvColumn {
  const { readAs, value, fits } = exactRead(type, dialect);
  const isCast = readAs !== "VARCHAR";
  const read = isCast ? `TRY_CAST(${TEXT} AS ${readAs})` : TEXT;
  const made = value(read);
  return {
    sqlType: typeof type === "string" ? sqlType(type) : "VARCHAR",
    read,
    value: made,
    fits: fits?.(read, made) ?? null,
    isCast,
    valueOrNull: valueOrNull(type, TEXT, dialect),
  };
}
