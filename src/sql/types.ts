import { valueType } from "../schema/geo.js";
import type { DataType, StructType } from "../schema/types.js";
import { VARIANT_BYTES } from "../schema/variantBytes.js";
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
  [VARIANT_BYTES as string]: "STRUCT(metadata BLOB, value BLOB)",
};

/** DuckDB's type for a Delta type, as SQL. Decimals are spelled the same in both. */
export function sqlType(type: DataType): string {
  return typeText(type, PRIMITIVES);
}

function typeText(type: DataType, primitives: Readonly<Record<string, string>>): string {
  if (typeof type === "string") return primitives[valueType(type)] ?? type;
  if (type.type === "array") return `${typeText(type.elementType, primitives)}[]`;
  if (type.type === "map") return `MAP(${typeText(type.keyType, primitives)}, ${typeText(type.valueType, primitives)})`;
  const fields = type.fields.map((field) => `${quoteName(field.name)} ${typeText(field.type, primitives)}`);
  return `STRUCT(${fields.join(", ")})`;
}

const WITH_JSON = { ...PRIMITIVES, variant: "JSON", [VARIANT_BYTES as string]: "JSON" };

/** The same for values that expressions are over: variants are JSON there. */
export function valueSqlType(type: DataType): string {
  return typeText(type, WITH_JSON);
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
