import { castTo, coerce } from "./cast.js";
import type { Typed } from "./typed.js";

/** Where a date belongs: texts become one as a cast has it. */
export function asDate(value: Typed): Typed {
  return value.type === "string" && value.literal === undefined ? castTo(value, "date", false) : coerce(value, "date");
}

/** The same of a timestamp; one without zone stays so. */
export function asTimestamp(value: Typed): Typed {
  if (value.type === "timestamp_ntz") return value;
  return value.type === "string" && value.literal === undefined
    ? castTo(value, "timestamp", false)
    : coerce(value, "timestamp");
}
