import type { Data } from "apache-arrow";
import { parseDate, parseTimestamp } from "../schema/time.js";
import { badValue, type Place } from "./badValue.js";
import { storeSafeInteger } from "./buildNumbers.js";
import { makeColumn } from "./column.js";
import { Nulls } from "./nulls.js";
import { toArrowType } from "./schema.js";
import { Timestamp } from "./timestamp.js";

const DAY_MS = 86_400_000;
const DATE_TEXT = /^[+-]?\d{4,7}-\d\d-\d\d$/;
const HAS_TIME = /\d[T ]\d\d:\d\d/;
// Below this, a count of microseconds is a safe integer.
const SAFE_MS = 9_007_199_254_740;

/** A date column of Dates at midnight UTC or "YYYY-MM-DD". */
export function buildDate(values: readonly unknown[], place: Place): Data {
  const out = new Int32Array(values.length);
  const nulls = new Nulls(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) {
      nulls.add(i);
      continue;
    }
    const days = toDays(value);
    if (days === undefined) {
      const why = value instanceof Date ? "a Date must be at midnight UTC" : "";
      throw badValue(place, i, value, "date", why);
    }
    out[i] = days;
  }
  return makeColumn(toArrowType("date"), values.length, nulls.validity, { values: out }, nulls.count);
}

function toDays(value: unknown): number | undefined {
  if (value instanceof Date) {
    const days = value.getTime() / DAY_MS;
    return Number.isInteger(days) && microsecondOf(value) === 0 ? days : undefined;
  }
  if (typeof value !== "string" || !DATE_TEXT.test(value)) return undefined;
  const days = parseDate(value);
  return days === undefined || days !== (days | 0) ? undefined : days;
}

/**
 * A timestamp column of Dates, {@link Timestamp}s, ISO 8601 texts with a zone, or bigints (microseconds since the epoch);
 * a timestamp_ntz column of the same, their UTC reading being the wall clock, and texts without a zone.
 */
export function buildTimestamp(type: "timestamp" | "timestamp_ntz", values: readonly unknown[], place: Place): Data {
  const out = new BigInt64Array(values.length);
  const halves = new Int32Array(out.buffer);
  const nulls = new Nulls(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) {
      nulls.add(i);
      continue;
    }
    if (value instanceof Date) {
      const ms = value.getTime();
      if (ms > -SAFE_MS && ms < SAFE_MS) {
        storeSafeInteger(halves, 2 * i, ms * 1000 + microsecondOf(value));
        continue;
      }
    }
    const micros = toMicros(value, type === "timestamp");
    if (micros === undefined) throw badValue(place, i, value, type, typeof value === "string" ? TEXT_HINT[type] : "");
    out[i] = micros;
  }
  return makeColumn(toArrowType(type), values.length, nulls.validity, { values: out }, nulls.count);
}

const TEXT_HINT = {
  timestamp: 'a text must name its zone and have at most six digits, as in "2024-01-31T12:00:00.123456Z"',
  timestamp_ntz: 'a text must have no zone and at most six digits, as in "2024-01-31T12:00:00.123456"',
};

function toMicros(value: unknown, zoned: boolean): bigint | undefined {
  if (value instanceof Date) {
    const ms = value.getTime();
    return Number.isNaN(ms) ? undefined : BigInt(ms) * 1000n + BigInt(microsecondOf(value));
  }
  if (typeof value === "bigint") return inRange(value);
  if (typeof value !== "string" || !HAS_TIME.test(value)) return undefined;
  const parsed = parseTimestamp(value);
  return parsed?.exact && parsed.zoned === zoned ? inRange(parsed.micros) : undefined;
}

function microsecondOf(value: Date): number {
  return value instanceof Timestamp ? value.microsecond : 0;
}

function inRange(micros: bigint): bigint | undefined {
  return BigInt.asIntN(64, micros) === micros ? micros : undefined;
}
