import { Timestamp } from "../arrow/timestamp.js";
import { DeltaError } from "../errors.js";
import type { loadDuckdb } from "./duckdb.js";
import type { DuckValue, Parameters } from "./query.js";

type Api = Pick<Awaited<ReturnType<typeof loadDuckdb>>, "DuckDBBlobValue" | "DuckDBTimestampTZValue">;

/** The values that stand for $1, $2 … or, by their names, for $name. Throws `DELTA_INVALID_ARGUMENT` for one that SQL doesn't have. */
export function queryParameters(given: readonly unknown[] | Readonly<Record<string, unknown>>, api: Api): Parameters {
  if (Array.isArray(given)) return given.map((value, index) => parameterValue(value, index + 1, api));
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, parameterValue(value, name, api)]));
}

function parameterValue(value: unknown, parameter: string | number, api: Api): DuckValue {
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "bigint")
    return value;
  // A whole number is an integer, so that it compares with longs exactly.
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
  if (value instanceof Timestamp) return new api.DuckDBTimestampTZValue(value.toMicroseconds());
  if (value instanceof Date) return new api.DuckDBTimestampTZValue(microsOf(value));
  if (value instanceof Uint8Array) return new api.DuckDBBlobValue(value);
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `Parameter ${parameter} is ${Array.isArray(value) ? "an array" : `of type ${typeof value}`}, which can't stand in SQL. Give a text, number, bigint, boolean, Date, Uint8Array or null.`,
    { parameter },
  );
}

function microsOf(date: Date): bigint {
  if (!Number.isNaN(date.getTime())) return BigInt(date.getTime()) * 1000n;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", "A parameter is an invalid Date.", {});
}
