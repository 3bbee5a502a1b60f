import { civilFromDays, daysFromCivil, daysInMonth, instantOf, wallClock } from "../../../schema/time.js";
import type { OwnFunction } from "./own.js";
import { timeOf, timeText } from "./timeText.js";

const DAY = 86_400_000_000n;

function floorDay(micros: bigint): bigint {
  return (micros - (((micros % DAY) + DAY) % DAY)) / DAY;
}

/** Whole months from one time to another, as Java counts them. */
function monthsUntil(from: bigint, to: bigint): bigint {
  let [start, end] = [floorDay(from), floorDay(to)];
  const [startTime, endTime] = [from - start * DAY, to - end * DAY];
  if (end > start && endTime < startTime) end -= 1n;
  else if (end < start && endTime > startTime) end += 1n;
  const packed = (days: bigint) => {
    const { year, month, day } = civilFromDays(Number(days));
    return (year * 12 + month - 1) * 32 + day;
  };
  return BigInt(Math.trunc((packed(end) - packed(start)) / 32));
}

function monthsBetween(a: bigint, b: bigint): number {
  const [x, y] = [civilFromDays(Number(floorDay(a))), civilFromDays(Number(floorDay(b)))];
  const months = (x.year - y.year) * 12 + x.month - y.month;
  const isLast = ({ year, month, day }: typeof x) => day === daysInMonth(year, month);
  if (x.day === y.day || (isLast(x) && isLast(y))) return months;
  const second = (micros: bigint) => Number((micros - floorDay(micros) * DAY) / 1_000_000n);
  return months + ((x.day - y.day) * 86_400 + second(a) - second(b)) / (31 * 86_400);
}

function made(year: number, month: number, day: number, hour: number, minute: number, micros: bigint): bigint {
  const isMinute = micros === 60_000_000n;
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
  const isTime =
    hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && micros >= 0n && (micros < 60_000_000n || isMinute);
  if (!isDate || !isTime) throw new Error("no such time");
  return BigInt(daysFromCivil(year, month, day)) * DAY + BigInt(hour * 3600 + minute * 60) * 1_000_000n + micros;
}

function inZone(of: typeof wallClock) {
  return (micros: bigint, zone: string) => {
    const found = of(micros, zone);
    if (found === undefined) throw new Error(`no such time zone: ${zone}`);
    return found;
  };
}

const ZONE = "Z|(?:UTC|GMT|UT)?[+-]\\d{1,2}(?::\\d{1,2}(?::\\d{1,2})?)?|[A-Za-z]\\w+(?:/[\\w+-]+)*";
const CLOCK = `[ T](\\d{1,2})(?::(\\d{1,2})(?::(\\d{1,2})(?:\\.(\\d*))?)?)?\\s*(${ZONE})?`;
const FORM = new RegExp(`^([+-]?\\d{4,7})(?:-(\\d{1,2})(?:-(\\d{1,2})(?:${CLOCK})?)?)?$`);
const DATE_FORM = /^([+-]?\d{4,7})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T].*)?)?)?$/s;

/** The time of a text in any form that CAST takes. */
function castTime(text: string, type: string): bigint | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Spark takes them away.
  const trimmed = text.replace(/^[\x00-\x20]+|[\x00-\x20]+$/g, "");
  const found = (type === "date" ? DATE_FORM : FORM).exec(trimmed);
  if (found === null) return undefined;
  const [year, month, day] = [Number(found[1]), Number(found[2] ?? 1), Number(found[3] ?? 1)];
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  const midnight = BigInt(daysFromCivil(year, month, day)) * DAY;
  if (type === "date") return midnight;
  const [hour, minute, second] = [4, 5, 6].map((at) => Number(found[at] ?? 0)) as [number, number, number];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const micros = BigInt((found[7] ?? "").slice(0, 6).padEnd(6, "0"));
  const wall = midnight + BigInt(hour * 3600 + minute * 60 + second) * 1_000_000n + micros;
  return found[8] === undefined || type === "timestamp_ntz" ? wall : instantOf(wall, zoneName(found[8]));
}

/** "+1:5" as "+01:05". */
function zoneName(zone: string): string {
  const [, sign, hours, minutes = "0", seconds] =
    /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}))?)?$/.exec(zone) ?? [];
  if (sign === undefined || seconds !== undefined) return zone;
  return `${sign}${hours!.padStart(2, "0")}:${minutes.padStart(2, "0")}`;
}

/** Times come and go as microseconds. */
export const TIMES: Readonly<Record<string, OwnFunction>> = {
  time_text: { takes: ["long", "text"], gives: "text", of: timeText },
  time_of: {
    takes: ["text", "text"],
    gives: "long",
    of(text: string, pattern: string) {
      const found = timeOf(text, pattern);
      if (found === undefined) throw new Error(`${JSON.stringify(text)} isn't a time written as ${pattern}`);
      return found;
    },
  },
  try_time_of: {
    takes: ["text", "text"],
    gives: "long",
    of: (text: string, pattern: string) => timeOf(text, pattern) ?? null,
  },
  cast_time: {
    takes: ["text", "text"],
    gives: "long",
    of(text: string, type: string) {
      const found = castTime(text, type);
      if (found === undefined) throw new Error(`no value of its type: ${text}`);
      return found;
    },
  },
  try_cast_time: {
    takes: ["text", "text"],
    gives: "long",
    of: (text: string, type: string) => castTime(text, type) ?? null,
  },
  months_until: { takes: ["long", "long"], gives: "long", of: monthsUntil },
  months_between: { takes: ["long", "long"], gives: "double", of: monthsBetween },
  make_time: { takes: ["integer", "integer", "integer", "integer", "integer", "long"], gives: "long", of: made },
  wall_clock: { takes: ["long", "text"], gives: "long", of: inZone(wallClock) },
  instant_of: { takes: ["long", "text"], gives: "long", of: inZone(instantOf) },
};
