import { valueType } from "../schema/geo.js";
import type { DataType, StructType } from "../schema/types.js";
import { quoteName } from "./duckdb.js";

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: "VARCHAR",
  long: "BIGINT",
  integer: "INTEGER",
  short: "SMALLINT",
  byte: "TINYINT",
  float: "FLOAT",
  double: "DOUBLE",
  boolean: "BOOLEAN",
  binary: "BLOB",
  date: "DATE",
  timestamp: "TIMESTAMP WITH TIME ZONE",
  timestamp_ntz: "TIMESTAMP",
  variant: "VARCHAR",
  void: "INTEGER",
};

/** DuckDB's type for a Delta type, as SQL. Decimals are spelled the same in both. */
export function sqlType(type: DataType): string {
  if (typeof type === "string") return PRIMITIVES[valueType(type)] ?? type;
  if (type.type === "array") return `${sqlType(type.elementType)}[]`;
  if (type.type === "map") return `MAP(${sqlType(type.keyType)}, ${sqlType(type.valueType)})`;
  return `STRUCT(${type.fields.map((field) => `${quoteName(field.name)} ${sqlType(field.type)}`).join(", ")})`;
}

/** DuckDB's type for a column of a table that is queried: a variant is JSON there, by which it is known again. */
export function columnType(type: DataType): string {
  return type === "variant" ? "JSON" : sqlType(type);
}

/** A SELECT that gives one row of nulls in a schema's columns, to try an expression on. */
export function nullRow(schema: StructType, typeOf = sqlType): string {
  const columns = schema.fields.map((field) => `NULL::${typeOf(field.type)} AS ${quoteName(field.name)}`);
  return `SELECT ${columns.join(", ")}`;
}
