import { DeltaError } from "../errors.js";
import type { TimeTravel } from "../log/deltaLog.js";
import { parseTimestamp } from "../schema/time.js";

/** The version or time that `at` names: a version number, a Date, or an ISO 8601 text (UTC where it has no zone). */
export function timeTravelOf(at: number | Date | string): TimeTravel {
  if (typeof at === "number") {
    if (Number.isSafeInteger(at) && at >= 0) return { version: at };
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `A version is a whole number from 0 up, not ${at}.`, {
      version: at,
    });
  }
  const timestampMs = typeof at === "string" ? isoMs(at) : at.getTime();
  if (Number.isFinite(timestampMs)) return { timestampMs };
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `"${at}" is no time. Give a Date or an ISO 8601 text such as "2026-01-31T12:00:00Z" (or a version as a number).`,
    { at },
  );
}

function isoMs(text: string): number {
  const parsed = parseTimestamp(text);
  return parsed === undefined ? Number.NaN : Number(parsed.micros / 1000n);
}
