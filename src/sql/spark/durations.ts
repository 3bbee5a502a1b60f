import { coerce } from "./cast.js";
import { isTime } from "./coercion.js";
import { invalid, type Typed, typed, unsupported } from "./typed.js";

/** What is between two times, or an interval as it is written: microseconds, or months. */
interface Duration {
  readonly sql: string;
  readonly unit: "micros" | "months";
}

function durationOf({ interval, duration, sql }: Typed): Duration | undefined {
  if (duration !== undefined) return { sql, unit: duration };
  if (interval === undefined) return undefined;
  const { months, micros = 0n } = interval;
  return months === undefined
    ? { sql: `${micros}::BIGINT`, unit: "micros" }
    : { sql: `${months}::BIGINT`, unit: "months" };
}

function made(sql: string, unit: Duration["unit"], from: readonly Typed[]): Typed {
  return { ...typed(sql, "void", from, true), duration: unit };
}

/** The time between times, sums of such, and times plus or minus them; undefined for what is none of these. */
export function durationArithmetic(op: string, operands: readonly Typed[]): Typed | undefined {
  const [left, right] = operands;
  if (left === undefined || right === undefined || (op !== "+" && op !== "-")) return undefined;
  if (op === "-" && isTime(left.type) && isTime(right.type)) return between(left, right);
  const [a, b] = [durationOf(left), durationOf(right)];
  if (a !== undefined && b !== undefined && a.unit === b.unit)
    return made(`(${a.sql} ${op} ${b.sql})`, a.unit, operands);
  if (left.duration === undefined && right.duration === undefined) return undefined;
  const [time, by] = a === undefined ? [left, b] : op === "+" ? [right, a] : [undefined, a];
  if (by === undefined || (time?.type !== "timestamp" && time?.type !== "timestamp_ntz")) {
    throw unsupported("an interval other than added to a timestamp, or taken from it");
  }
  return typed(`(${time.sql} ${op} to_microseconds(${by.sql}))`, time.type, operands, true);
}

function between(left: Typed, right: Typed): Typed {
  if (left.type === "date" && right.type === "date") {
    return made(`(CAST(${left.sql} - ${right.sql} AS BIGINT) * 86400000000)`, "micros", [left, right]);
  }
  const type = left.type === right.type ? left.type : "timestamp";
  const [a, b] = [coerce(left, type), coerce(right, type)];
  return made(`(epoch_us(${a.sql}) - epoch_us(${b.sql}))`, "micros", [a, b]);
}

/** The values to compare where both are times that pass; undefined where none is. */
export function comparedDurations(left: Typed, right: Typed): readonly [Typed, Typed] | undefined {
  const [a, b] = [durationOf(left), durationOf(right)];
  if (a === undefined && b === undefined) return undefined;
  if (a === undefined || b === undefined || a.unit !== b.unit)
    throw invalid("intervals of two kinds, or one with another value");
  return [typed(a.sql, "long", [left]), typed(b.sql, "long", [right])];
}
