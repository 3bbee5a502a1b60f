import { Timestamp } from "../arrow/timestamp.js";
import { DeltaError } from "../errors.js";
import type { Json } from "../load/progress.js";

/** A value of a row as JSON that tells every two values apart, so that it can be (part of) a key of a stream's state. */
export function encodeValue(value: unknown, column: string): Json {
  switch (typeof value) {
    case "undefined":
      return null;
    case "boolean":
      return value;
    case "string":
      return `s${value}`;
    case "bigint":
      return `n${value}`;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : `f${Object.is(value, -0) ? "-0" : value}`;
    case "object":
      if (value === null) return null;
      if (value instanceof Date) return `t${microsOf(value)}`;
      if (value instanceof Uint8Array) return `b${Buffer.from(value).toString("base64")}`;
  }
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `Column "${column}" holds lists, maps or structs, by which a stream can't tell rows apart. Choose columns of single values.`,
    { column },
  );
}

/** The value behind {@link encodeValue}'s JSON. */
export function decodeValue(json: Json): unknown {
  if (typeof json !== "string") return json;
  const text = json.slice(1);
  switch (json[0]) {
    case "n":
      return BigInt(text);
    case "f":
      return Number(text);
    case "t":
      return dateOf(BigInt(text));
    case "b":
      return new Uint8Array(Buffer.from(text, "base64"));
    default:
      return text;
  }
}

function microsOf(date: Date): bigint {
  return date instanceof Timestamp ? date.toMicroseconds() : BigInt(date.getTime()) * 1000n;
}

function dateOf(micros: bigint): Date {
  return micros % 1000n === 0n ? new Date(Number(micros / 1000n)) : Timestamp.fromMicroseconds(micros);
}

/** An event's time in milliseconds; undefined for null. Throws `DELTA_INVALID_ARGUMENT` for what is no time. */
export function eventTimeMs(value: unknown, column: string): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime();
  // Beyond what a Date holds, rows carry microseconds.
  if (typeof value === "bigint") return Number(value / 1000n);
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `Column "${column}" is no timestamp: ${String(value)}.`, {
    column,
    value,
  });
}
