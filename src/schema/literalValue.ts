import { DeltaError } from "../errors.js";
import { datePosition, exactPosition, nonFinitePosition, type Position } from "./comparison.js";
import { exactDecimalOfDouble, parseDecimal, parseDecimalType } from "./decimal.js";
import { integerRange } from "./numbers.js";
import type { Literal } from "./predicate.js";
import { dateToMicros, microsOfDays, parseDate, parseTimestamp } from "./time.js";
import type { DataType } from "./types.js";

/**
 * A value as JavaScript has it, in the column's own domain (see {@link Literal}). Numbers, bigints and decimal texts
 * go into number columns; Dates and ISO texts (UTC unless they name a zone) into dates and timestamps, bigints of
 * microseconds into timestamps. null is null.
 * Throws DELTA_INVALID_PREDICATE, naming the column, for a value that the column can't hold.
 */
export function toLiteral(type: DataType, value: unknown, column: readonly string[] = []): Literal | null {
  if (value === null) return null;
  const position = valuePosition(type, value, column);
  if (position.below !== undefined && position.exact) return position.below;
  throw invalidValue(type, value, column, "the column can't hold that value");
}

/**
 * Where a JavaScript value lies among the values of a column, for comparisons with values between two of them
 * (`id > 2.5`). Throws DELTA_INVALID_PREDICATE where the value is of another kind than the column.
 */
export function valuePosition(type: DataType, value: unknown, column: readonly string[]): Position {
  const position = positionOf(type, value);
  if (position) return position;
  throw invalidValue(type, value, column, `a column of type ${typeText(type)} can't be compared with it`);
}

function positionOf(type: DataType, value: unknown): Position | undefined {
  if (integerRange(type) || parseDecimalType(type)) return numberPosition(type, value);
  switch (type) {
    case "float":
    case "double":
      return floatingPosition(type, value);
    case "string":
      return typeof value === "string" ? { below: value, exact: true } : undefined;
    case "boolean":
      return typeof value === "boolean" ? { below: value, exact: true } : undefined;
    case "binary":
      return value instanceof Uint8Array ? { below: value, exact: true } : undefined;
    case "date":
    case "timestamp":
    case "timestamp_ntz":
      return timePosition(type, value);
    default:
      return undefined;
  }
}

function numberPosition(type: DataType, value: unknown): Position | undefined {
  if (typeof value === "bigint") return exactPosition(type, { unscaled: value, scale: 0 });
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return nonFinitePosition(value);
    // 0.1 in a program means the decimal 0.1, not the binary fraction nearest to it.
    const exact = parseDecimalType(type) ? parseDecimal(String(value))! : exactDecimalOfDouble(value);
    return exactPosition(type, exact);
  }
  const parsed = typeof value === "string" ? parseDecimal(value) : undefined;
  return parsed && exactPosition(type, parsed);
}

/** Rounded to the column's precision, so that a float column that was given 0.1 equals 0.1. */
function floatingPosition(type: "float" | "double", value: unknown): Position | undefined {
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  const given = Number(value);
  const rounded = type === "float" ? Math.fround(given) : given;
  if (Number.isFinite(rounded) || Object.is(rounded, value)) return { below: rounded, exact: true };
  // Finite, but beyond the greatest value of the type: between it and infinity.
  return rounded > 0 ? { below: greatest(type), exact: false } : { below: -Infinity, exact: false };
}

function greatest(type: "float" | "double"): number {
  return type === "float" ? 2 ** 128 - 2 ** 104 : Number.MAX_VALUE;
}

function timePosition(type: "date" | "timestamp" | "timestamp_ntz", value: unknown): Position | undefined {
  let instant: { micros: bigint; exact: boolean } | undefined;
  if (value instanceof Date) {
    const micros = dateToMicros(value);
    if (micros !== undefined) instant = { micros, exact: true };
  } else if (typeof value === "bigint" && type !== "date") {
    instant = { micros: value, exact: true };
  } else if (typeof value === "string") {
    const days = parseDate(value);
    instant = days === undefined ? parseTimestamp(value) : { micros: microsOfDays(days), exact: true };
  }
  if (!instant) return undefined;
  if (type !== "date") return { below: instant.micros, exact: instant.exact };
  return datePosition(instant.micros, instant.exact);
}

function typeText(type: DataType): string {
  return typeof type === "string" ? type : type.type;
}

function valueText(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid Date" : value.toISOString();
  if (typeof value === "object" && value !== null) return `a value of type ${value.constructor?.name ?? "object"}`;
  return String(value);
}

function invalidValue(type: DataType, value: unknown, column: readonly string[], what: string): DeltaError {
  const name = column.join(".");
  return new DeltaError(
    "DELTA_INVALID_PREDICATE",
    `Column "${name}" (${typeText(type)}) is compared with ${valueText(value)}: ${what}.`,
    { column: name, type, value },
  );
}
