import type { DataType } from "../../schema/types.js";
import { quoteText } from "../duckdb.js";
import { coerce, floorDiv } from "./cast.js";
import type { FunctionRow } from "./functions.js";
import { formatted, TIME_FUNCTIONS, withUnit } from "./timeFunctions.js";
import { asDate, asTimestamp } from "./timeValues.js";
import { type Typed, typed, unsupported } from "./typed.js";

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

/** With its fraction. */
const seconds: FunctionRow = {
  least: 1,
  make([value]) {
    const time = asTimestamp(value!);
    const micros = `((epoch_us(${time.sql}) % 60000000) + 60000000) % 60000000`;
    return typed(`CAST(CAST(${micros} AS DECIMAL(14,0)) / 1000000 AS DECIMAL(8,6))`, "decimal(8,6)", [time]);
  },
};
const isoYear = datePart("isoyear");
const isoDay = datePart("isodow");

/** What EXTRACT takes, and the other names of the same. */
const EXTRACTED: readonly (readonly [string, FunctionRow])[] = [
  ["year y years yr yrs", PARTS.year!],
  ["yearofweek", isoYear],
  ["quarter qtr", PARTS.quarter!],
  ["month mon mons months", PARTS.month!],
  ["week w weeks", week],
  ["day d days", day],
  ["dayofweek dow", dayofweek],
  ["dayofweek_iso dow_iso", isoDay],
  ["doy", PARTS.dayofyear!],
  ["hour h hours hr hrs", PARTS.hour!],
  ["minute m min mins minutes", PARTS.minute!],
  ["second s sec seconds secs", seconds],
];

const datePartOf: FunctionRow = {
  least: 2,
  make([part, value], context) {
    const name = part!.literal?.toLowerCase() ?? "";
    const row = EXTRACTED.find(([names]) => names.split(" ").includes(name))?.[1];
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

/** Of two arguments, days; of three, units of time. */
function orWithUnit(days: FunctionRow, name: "timestampadd" | "timestampdiff"): FunctionRow {
  return {
    least: 2,
    most: 3,
    make: (args, context) => (args.length === 2 ? days : withUnit(name)).make(args, context),
  };
}

const dateAdd = orWithUnit(
  shifted((date, days) => `(${date} + ${days})`),
  "timestampadd",
);
const dateSub = shifted((date, days) => `(${date} - ${days})`);

const datediff = orWithUnit(
  {
    least: 2,
    make([end, start]) {
      const [to, from] = [asDate(end!), asDate(start!)];
      return typed(`CAST(${to.sql} - ${from.sql} AS INTEGER)`, "integer", [to, from]);
    },
  },
  "timestampdiff",
);

const FORMATS: Readonly<Record<string, string>> = {
  ...{ yyyy: "%Y", yy: "%y", MM: "%m", dd: "%d", HH: "%H", mm: "%M", ss: "%S", SSS: "%g", SSSSSS: "%f" },
};

const dateFormat: FunctionRow = {
  least: 2,
  make([value, format]) {
    const pattern = format!.literal;
    if (pattern === undefined) throw unsupported("a format that isn't a text in quotes");
    const parts = pattern.match(/([a-zA-Z])\1*|'[^']*'|[^a-zA-Z']+/g) ?? [];
    const sql = parts.map((part) => {
      if (/^[a-zA-Z]/.test(part)) {
        if (Object.hasOwn(FORMATS, part)) return FORMATS[part]!;
        return undefined;
      }
      return part.replaceAll("'", "").replaceAll("%", "%%");
    });
    if (parts.join("") !== pattern || pattern.includes("''") || sql.includes(undefined))
      return formatted(value!, format!);
    const time = asTimestamp(value!);
    return typed(`strftime(${time.sql}, ${quoteText(sql.join(""))})`, "string", [time]);
  },
};

const unixSeconds = ofTimestamp("long", (time) => floorDiv(`epoch_us(${time})`, 1_000_000));
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
  ...TIME_FUNCTIONS,
  unix_seconds: unixSeconds,
  unix_date: ofDate("integer", (date) => `CAST(${date} - DATE '1970-01-01' AS INTEGER)`),
  unix_millis: ofTimestamp("long", (time) => floorDiv(`epoch_us(${time})`, 1000)),
  unix_micros: ofTimestamp("long", (time) => `epoch_us(${time})`),
  ...{ timestamp_seconds: fromNumber(1_000_000), timestamp_millis: fromNumber(1000), timestamp_micros: fromNumber(1) },
  ...{ current_date: today, curdate: today, current_timestamp: now, now },
  localtimestamp: { least: 0, make: (args, context) => ({ ...now.make(args, context), type: "timestamp_ntz" }) },
};
