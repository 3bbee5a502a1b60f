import { DeltaError } from "../errors.js";
import { resolveColumn } from "../schema/columns.js";
import { parseDecimalType, unscaledToDecimal } from "../schema/decimal.js";
import type { Literal, Predicate } from "../schema/predicate.js";
import type { DataType, StructType } from "../schema/types.js";
import { quoteName, quoteText } from "./duckdb.js";

/** SQL of DuckDB's that is true, false or null of a row as the predicate is. */
export function predicateSql(predicate: Predicate, schema: StructType): string {
  switch (predicate.op) {
    case "and":
    case "or": {
      const terms = predicate.terms.map((term) => predicateSql(term, schema));
      return terms.length === 0 ? String(predicate.op === "and") : `(${terms.join(` ${predicate.op.toUpperCase()} `)})`;
    }
    case "not":
      return `(NOT ${predicateSql(predicate.term, schema)})`;
    case "constant":
      return predicate.value === null ? "CAST(NULL AS BOOLEAN)" : String(predicate.value);
    case "opaque":
      return `CAST((${predicate.text}) AS BOOLEAN)`;
    case "isNull":
      return `(${columnSql(predicate.column)} IS NULL)`;
    case "startsWith":
      return `starts_with(${columnSql(predicate.column)}, ${quoteText(predicate.value)})`;
    case "in": {
      const { sql, type } = operandOf(predicate.column, schema);
      if (predicate.values.length === 0) return `(CASE WHEN ${sql} IS NOT NULL THEN false END)`;
      return `(${sql} IN (${predicate.values.map((value) => literalSql(value, type)).join(", ")}))`;
    }
    default: {
      const { sql, type } = operandOf(predicate.column, schema);
      return `(${sql} ${predicate.op} ${literalSql(predicate.value, type)})`;
    }
  }
}

/** Floats are compared as doubles: what they are compared with may lie between two of them. */
function operandOf(path: readonly string[], schema: StructType): { readonly sql: string; readonly type: DataType } {
  const column = resolveColumn(schema, path);
  if (column === undefined) {
    const message = `There is no column "${path.join(".")}".`;
    throw new DeltaError("DELTA_INVALID_PREDICATE", message, { column: path });
  }
  const sql = columnSql(path);
  return { sql: column.type === "float" ? `CAST(${sql} AS DOUBLE)` : sql, type: column.type };
}

function columnSql([first, ...rest]: readonly string[]): string {
  return rest.reduce((of, name) => `struct_extract(${of}, ${quoteText(name)})`, quoteName(first!));
}

function literalSql(value: Literal, type: DataType): string {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return quoteText(value);
  if (value instanceof Uint8Array) return `unhex('${Buffer.from(value).toString("hex")}')`;
  const decimal = parseDecimalType(type);
  if (decimal !== undefined && typeof value === "bigint") {
    return `CAST('${unscaledToDecimal(value, decimal.scale)}' AS DECIMAL(${decimal.precision}, ${decimal.scale}))`;
  }
  switch (type) {
    case "date":
      return `(DATE '1970-01-01' + CAST(${value} AS INTEGER))`;
    case "timestamp":
      return `make_timestamptz(CAST(${value} AS BIGINT))`;
    case "timestamp_ntz":
      return `make_timestamp(CAST(${value} AS BIGINT))`;
    case "float":
    case "double":
      return `CAST('${value}' AS DOUBLE)`;
    default:
      return `CAST(${value} AS BIGINT)`;
  }
}
