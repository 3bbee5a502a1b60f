import type { DataType } from "../../schema/types.js";
import { castTo, coerce, floorDiv, literalOf } from "./cast.js";
import type { FunctionRow } from "./functions.js";
import { isTimePattern } from "./own/timePattern.js";
import { own } from "./ownCall.js";
import { asDate, asTimestamp } from "./timeValues.js";
import { invalid, type Typed, typed, typeText, unsupported } from "./typed.js";

const DEFAULT_PATTERN = literalOf("string", "yyyy-MM-dd HH:mm:ss");

/** A time as microseconds. */
function microsOf(value: Typed): Typed {
  const time = asTimestamp(value);
  return typed(`epoch_us(${time.sql})`, "long", [time]);
}

function timeAt(micros: Typed, type: DataType = "timestamp"): Typed {
  return typed(`make_timestamp(${micros.sql})`, type, [micros], true);
}

function patternOf(value: Typed, isRead: boolean): Typed {
  if (value.type !== "string" || value.literal === undefined) throw unsupported("a format that isn't a text in quotes");
  if (!isTimePattern(value.literal, isRead)) throw unsupported(`the format ${JSON.stringify(value.literal)}`);
  return value;
}

/** What a text says that is written in a pattern. */
function parsed(text: Typed, pattern: Typed, isTry = false): Typed {
  return timeAt(own(isTry ? "try_time_of" : "time_of", "long", [text, patternOf(pattern, true)], !isTry));
}

/** A time's text in any pattern that is known. */
export function formatted(value: Typed, pattern: Typed): Typed {
  return own("time_text", "string", [microsOf(value), patternOf(pattern, false)]);
}

function toTimestamp(isTry: boolean, type: "timestamp" | "timestamp_ntz" = "timestamp"): FunctionRow {
  return {
    least: 1,
    most: 2,
    make([value, pattern]) {
      if (value!.type !== "string") return castTo(asTimestamp(value!), type, false);
      const time = pattern === undefined ? castTo(value!, "timestamp", isTry) : parsed(value!, pattern, isTry);
      return castTo(time, type, false);
    },
  };
}

const toDate: FunctionRow = {
  least: 1,
  most: 2,
  make([value, pattern]) {
    if (value!.type !== "string" || pattern === undefined) return asDate(value!);
    return castTo(parsed(value!, pattern), "date", false);
  },
};

/** Seconds; of a text, in a pattern. */
const unixTimestamp: FunctionRow = {
  least: 1,
  most: 2,
  make([value, pattern = DEFAULT_PATTERN]) {
    const time = value!.type === "string" ? parsed(value!, pattern) : asTimestamp(value!);
    // Of a time cut off, unlike `unix_seconds`; of a text rounded down.
    const micros = `epoch_us(${time.sql})`;
    const sql = value!.type === "string" ? floorDiv(micros, 1_000_000) : `(${micros} // 1000000)`;
    return typed(sql, "long", [time]);
  },
};

const fromUnixtime: FunctionRow = {
  least: 1,
  most: 2,
  make([value, pattern = DEFAULT_PATTERN]) {
    const seconds = coerce(value!, "long");
    const micros = typed(`(${seconds.sql} * 1000000)`, "long", [seconds], true);
    return own("time_text", "string", [micros, patternOf(pattern, false)]);
  },
};

const WEEKDAYS: readonly RegExp[] = [
  ...[/^MO(N|NDAY)?$/i, /^TU(E|ESDAY)?$/i, /^WE(D|DNESDAY)?$/i, /^TH(U|URSDAY)?$/i, /^FR(I|IDAY)?$/i],
  ...[/^SA(T|TURDAY)?$/i, /^SU(N|NDAY)?$/i],
];

const nextDay: FunctionRow = {
  least: 2,
  make([value, name]) {
    const wanted = WEEKDAYS.findIndex((pattern) => pattern.test(name!.literal ?? "")) + 1;
    if (wanted === 0) throw unsupported("a day of the week that isn't its English name in quotes");
    const date = asDate(value!);
    return typed(
      `(${date.sql} + CAST((${wanted + 6} - isodow(${date.sql})) % 7 + 1 AS INTEGER))`,
      "date",
      [date],
      true,
    );
  },
};

const monthsBetween: FunctionRow = {
  least: 2,
  most: 3,
  make([a, b, isRounded = literalOf("boolean", "true")]) {
    const months = own("months_between", "double", [microsOf(a!), microsOf(b!)]);
    if (isRounded.literal === "false") return months;
    if (isRounded.literal !== "true")
      throw unsupported("months_between with a third argument that isn't TRUE or FALSE");
    return own("round", "double", [months, literalOf("integer", "8")]);
  },
};

const UNIT_MICROS: Readonly<Record<string, bigint>> = {
  ...{ microsecond: 1n, millisecond: 1000n, second: 1_000_000n, minute: 60_000_000n, hour: 3_600_000_000n },
  ...{ day: 86_400_000_000n, dayofyear: 86_400_000_000n, week: 604_800_000_000n },
};
const UNIT_MONTHS: Readonly<Record<string, bigint>> = { month: 1n, quarter: 3n, year: 12n };

function timeUnit(value: Typed): { readonly micros?: bigint; readonly months?: bigint } {
  const name = value.literal?.toLowerCase() ?? "";
  if (Object.hasOwn(UNIT_MICROS, name)) return { micros: UNIT_MICROS[name]! };
  if (Object.hasOwn(UNIT_MONTHS, name)) return { months: UNIT_MONTHS[name]! };
  throw invalid(`there is no unit of time ${JSON.stringify(name)}`);
}

/** `timestampadd(UNIT, count, time)`. */
const timestampAdd: FunctionRow = {
  least: 3,
  make([unit, count, value]) {
    const { micros, months } = timeUnit(unit!);
    const [number, time] = [coerce(count!, micros === undefined ? "integer" : "long"), asTimestamp(value!)];
    const part =
      micros === undefined
        ? `to_months(CAST(${number.sql} * ${months} AS INTEGER))`
        : `to_microseconds(${number.sql} * ${micros})`;
    return typed(`(${time.sql} + ${part})`, time.type, [number, time], true);
  },
};

/** `timestampdiff(UNIT, from, to)`: whole units. */
const timestampDiff: FunctionRow = {
  least: 3,
  make([unit, from, to]) {
    const { micros, months } = timeUnit(unit!);
    const [start, end] = [microsOf(from!), microsOf(to!)];
    if (micros !== undefined) return typed(`((${end.sql} - ${start.sql}) // ${micros})`, "long", [start, end]);
    const whole = own("months_until", "long", [start, end]);
    return typed(`(${whole.sql} // ${months})`, "long", [whole]);
  },
};

function makeTimestamp(type: "timestamp" | "timestamp_ntz"): FunctionRow {
  return {
    least: 6,
    most: type === "timestamp" ? 7 : 6,
    make(args) {
      const parts = args.slice(0, 5).map((arg) => coerce(arg, "integer"));
      const seconds = castTo(args[5]!, "decimal(16,6)", false);
      const micros = typed(`CAST(${seconds.sql} * 1000000 AS BIGINT)`, "long", [seconds]);
      const wall = own("make_time", "long", [...parts, micros], true);
      return timeAt(args[6] === undefined ? wall : own("instant_of", "long", [wall, zoneOf(args[6])], true), type);
    },
  };
}

function zoneOf(value: Typed): Typed {
  if (value.type !== "string") throw invalid(`a value of type ${typeText(value.type)} as a time zone`);
  return value;
}

function shiftedBy(name: "wall_clock" | "instant_of"): FunctionRow {
  return {
    least: 2,
    make: ([value, zone]) =>
      timeAt(own(name, "long", [microsOf(castTo(asTimestamp(value!), "timestamp", false)), zoneOf(zone!)], true)),
  };
}

/** The names that a date's number stands for. */
function nameOf(pattern: string): FunctionRow {
  return {
    least: 1,
    make([value]) {
      const date = asDate(value!);
      return typed(`strftime(${date.sql}, '${pattern}')`, "string", [date]);
    },
  };
}

const timestampParts = { timestampadd: timestampAdd, timestampdiff: timestampDiff };

/** Functions of dates and times that need their texts, zones or calendar. */
export const TIME_FUNCTIONS: Readonly<Record<string, FunctionRow>> = {
  ...timestampParts,
  ...{ to_timestamp: toTimestamp(false), try_to_timestamp: toTimestamp(true), to_timestamp_ltz: toTimestamp(false) },
  ...{ to_timestamp_ntz: toTimestamp(false, "timestamp_ntz"), to_date: toDate },
  ...{ unix_timestamp: unixTimestamp, to_unix_timestamp: unixTimestamp, from_unixtime: fromUnixtime },
  ...{ next_day: nextDay, months_between: monthsBetween, dayname: nameOf("%a"), monthname: nameOf("%b") },
  ...{ make_timestamp: makeTimestamp("timestamp"), make_timestamp_ltz: makeTimestamp("timestamp") },
  ...{ make_timestamp_ntz: makeTimestamp("timestamp_ntz") },
  ...{ from_utc_timestamp: shiftedBy("wall_clock"), to_utc_timestamp: shiftedBy("instant_of") },
  date_from_unix_date: {
    least: 1,
    make([days]) {
      const number = coerce(days!, "integer");
      return typed(`(DATE '1970-01-01' + ${number.sql})`, "date", [number], true);
    },
  },
  current_timezone: { least: 0, make: () => literalOf("string", "UTC") },
};

/** The units that `dateadd` and `datediff` take first, as functions of their own have them. */
export function withUnit(name: "timestampadd" | "timestampdiff"): FunctionRow {
  return timestampParts[name];
}
