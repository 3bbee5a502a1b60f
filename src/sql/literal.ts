import { parseDecimalType, unscaledToDecimal } from "../schema/decimal.js";
import type { Literal } from "../schema/predicate.js";
import type { DataType } from "../schema/types.js";
import { quoteText } from "./duckdb.js";
import { sqlType } from "./types.js";

/** A value of a partition column as SQL of the column's type; undefined where SQL can't spell it. */
export function sqlLiteral(type: DataType, value: Literal | null): string | undefined {
  if (value === null) return `NULL::${sqlType(type)}`;
  if (value instanceof Uint8Array) return `unhex('${Buffer.from(value).toString("hex")}')`;
  switch (type) {
    case "date":
      return `(DATE '1970-01-01' + (${value})::INTEGER)`;
    case "timestamp":
      return `make_timestamptz((${value})::BIGINT)`;
    case "timestamp_ntz":
      return `make_timestamp((${value})::BIGINT)`;
    default:
  }
  const decimal = typeof type === "string" ? parseDecimalType(type) : undefined;
  const text =
    decimal === undefined ? String(value) : unscaledToDecimal(BigInt(value as bigint | number), decimal.scale);
  // -0 loses its sign on its way through String.
  return text.includes("\0") || Object.is(value, -0) ? undefined : `${quoteText(text)}::${sqlType(type)}`;
}
