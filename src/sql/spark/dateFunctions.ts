import type { DataType } from "../../schema/types.js";
import { quoteText } from "../duckdb.js";
import { castTo, coerce, floorDiv } from "./cast.js";
import type { FunctionRow } from "./functions.js";
import { type Typed, typed, unsupported } from "./typed.js";

function asDate(value: Typed): Typed {
  return value.type === "string" && value.literal === undefined ? castTo(value, "date", false) : coerce(value, "date");
}

function asTimestamp(value: Typed): Typed {
  if (value.type === "timestamp_ntz") return value;
  return value.type === "string" && value.literal === undefined
    ? castTo(value, "timestamp", false)
    : coerce(value, "timestamp");
}

function ofDate(type: DataType, sql: (date: string) => string): FunctionRow {
  return {
    least: 1,
    make([value]) {
      const date = asDate(value!);
      return typed(sql(date.sql), type, [date]);
    },
  };
}

function ofTimestamp(type: DataType, sql: (timestamp: string) => string): FunctionRow {
  return {
    least: 1,
    make([value]) {
      const timestamp = asTimestamp(value!);
      return typed(sql(timestamp.sql), type, [timestamp]);
    },
  };
}

const datePart = (part: string) => ofDate("integer", (date) => `CAST(${part}(${date}) AS INTEGER)`);
const timePart = (part: string) => ofTimestamp("integer", (time) => `CAST(${part}(${time}) AS INTEGER)`);

const day = datePart("day");
const weekday = ofDate("integer", (date) => `CAST(isodow(${date}) - 1 AS INTEGER)`);
const dayofweek = ofDate("integer", (date) => `CAST(dayofweek(${date}) + 1 AS INTEGER)`);
const week = datePart("weekofyear");

/** Parts of a date or time, by their names. */
const PARTS: Readonly<Record<string, FunctionRow>> = {
  ...{ year: datePart("year"), quarter: datePart("quarter"), month: datePart("month"), day, dayofmonth: day },
  ...{ dayofyear: datePart("dayofyear"), dayofweek, weekday, weekofyear: week },
  ...{ hour: timePart("hour"), minute: timePart("minute"), second: timePart("second") },
};

const EXTRACTED: Readonly<Record<string, FunctionRow>> = {
  ...{
    year: PARTS.year!,
    quarter: PARTS.quarter!,
    month: PARTS.month!,
    day,
    week,
    doy: PARTS.dayofyear!,
    dow: dayofweek,
  },
  ...{ hour: PARTS.hour!, minute: PARTS.minute! },
};

const datePartOf: FunctionRow = {
  least: 2,
  make([part, value], context) {
    const name = part!.literal?.toLowerCase() ?? "";
    const row = Object.hasOwn(EXTRACTED, name) ? EXTRACTED[name] : undefined;
    if (row === undefined) throw unsupported(`the part ${name} of a date`);
    return row.make([value!], context);
  },
};

const DATE_UNITS: Readonly<Record<string, string>> = {
  ...{
    year: "year",
    yyyy: "year",
    yy: "year",
    quarter: "quarter",
    month: "month",
    mon: "month",
    mm: "month",
    week: "week",
  },
};
const TIME_UNITS: Readonly<Record<string, string>> = {
  ...{ ...DATE_UNITS, day: "day", dd: "day", hour: "hour", minute: "minute", second: "second" },
  ...{ millisecond: "millisecond", microsecond: "microsecond" },
};

function unitOf(units: Readonly<Record<string, string>>, unit: Typed): string {
  const name = unit.literal?.toLowerCase() ?? "";
  if (!Object.hasOwn(units, name)) throw unsupported(`the unit ${name === "" ? "that isn't a text in quotes" : name}`);
  return units[name]!;
}

const dateTrunc: FunctionRow = {
  least: 2,
  make([unit, value]) {
    const time = asTimestamp(value!);
    return typed(`CAST(date_trunc('${unitOf(TIME_UNITS, unit!)}', ${time.sql}) AS TIMESTAMP)`, "timestamp", [time]);
  },
};

const trunc: FunctionRow = {
  least: 2,
  make([value, unit]) {
    const date = asDate(value!);
    return typed(`CAST(date_trunc('${unitOf(DATE_UNITS, unit!)}', ${date.sql}) AS DATE)`, "date", [date]);
  },
};

function shifted(sql: (date: string, count: string) => string): FunctionRow {
  return {
    least: 2,
    make([value, count]) {
      const [date, number] = [asDate(value!), coerce(count!, "integer")];
      return typed(sql(date.sql, number.sql), "date", [date, number], true);
    },
  };
}

const dateAdd = shifted((date, days) => `(${date} + ${days})`);
const dateSub = shifted((date, days) => `(${date} - ${days})`);

const datediff: FunctionRow = {
  least: 2,
  make([end, start]) {
    const [to, from] = [asDate(end!), asDate(start!)];
    return typed(`CAST(${to.sql} - ${from.sql} AS INTEGER)`, "integer", [to, from]);
  },
};

const FORMATS: Readonly<Record<string, string>> = {
  ...{ yyyy: "%Y", yy: "%y", MM: "%m", dd: "%d", HH: "%H", mm: "%M", ss: "%S", SSS: "%g", SSSSSS: "%f" },
};

const dateFormat: FunctionRow = {
  least: 2,
  make([value, format]) {
    const pattern = format!.literal;
    if (pattern === undefined) throw unsupported("a format that isn't a text in quotes");
    const parts = pattern.match(/([a-zA-Z])\1*|'[^']*'|[^a-zA-Z']+/g) ?? [];
    if (parts.join("") !== pattern) throw unsupported(`the format ${JSON.stringify(pattern)}`);
    const sql = parts.map((part) => {
      if (/^[a-zA-Z]/.test(part)) {
        if (Object.hasOwn(FORMATS, part)) return FORMATS[part]!;
        throw unsupported(`${part} in a format`);
      }
      return (part === "''" ? "'" : part.replaceAll("'", "")).replaceAll("%", "%%");
    });
    const time = asTimestamp(value!);
    return typed(`strftime(${time.sql}, ${quoteText(sql.join(""))})`, "string", [time]);
  },
};

/** Cut off, unlike `unix_seconds`. */
const unixTimestamp = ofTimestamp("long", (time) => `(epoch_us(${time}) // 1000000)`);
const unixSeconds = ofTimestamp("long", (time) => floorDiv(`epoch_us(${time})`, 1_000_000));
const toDate: FunctionRow = { least: 1, make: ([value]) => asDate(value!) };
const toTimestamp: FunctionRow = { least: 1, make: ([value]) => asTimestamp(value!) };
const today: FunctionRow = {
  least: 0,
  make: (_, { nowMicros }) => typed(`CAST(make_timestamp(${nowMicros}::BIGINT) AS DATE)`, "date", []),
};
const now: FunctionRow = {
  least: 0,
  make: (_, { nowMicros }) => typed(`make_timestamp(${nowMicros}::BIGINT)`, "timestamp", []),
};

function fromNumber(micros: number): FunctionRow {
  return {
    least: 1,
    make([value]) {
      const number = coerce(value!, "long");
      return typed(`make_timestamp(${number.sql} * ${micros})`, "timestamp", [number], true);
    },
  };
}

/** The functions of dates and times; UTC is the zone of all of them. */
export const DATE_FUNCTIONS: Readonly<Record<string, FunctionRow>> = {
  ...PARTS,
  ...{ date_part: datePartOf, datepart: datePartOf, date_trunc: dateTrunc, trunc, date_format: dateFormat },
  ...{ date_add: dateAdd, dateadd: dateAdd, date_sub: dateSub, datediff, date_diff: datediff },
  add_months: shifted((date, months) => `CAST(${date} + to_months(${months}) AS DATE)`),
  last_day: ofDate("date", (date) => `last_day(${date})`),
  make_date: {
    least: 3,
    make(args) {
      const parts = args.map((arg) => coerce(arg, "integer"));
      return typed(`make_date(${parts.map(({ sql }) => `CAST(${sql} AS BIGINT)`).join(", ")})`, "date", parts, true);
    },
  },
  ...{ to_date: toDate, date: toDate, to_timestamp: toTimestamp, timestamp: toTimestamp },
  ...{ unix_timestamp: unixTimestamp, to_unix_timestamp: unixTimestamp, unix_seconds: unixSeconds },
  unix_date: ofDate("integer", (date) => `CAST(${date} - DATE '1970-01-01' AS INTEGER)`),
  unix_millis: ofTimestamp("long", (time) => floorDiv(`epoch_us(${time})`, 1000)),
  unix_micros: ofTimestamp("long", (time) => `epoch_us(${time})`),
  ...{ timestamp_seconds: fromNumber(1_000_000), timestamp_millis: fromNumber(1000), timestamp_micros: fromNumber(1) },
  ...{ current_date: today, curdate: today, current_timestamp: now, now },
};
