import { expect, test } from "vitest";
import {
  dateToMicros,
  formatDate,
  formatTimestamp,
  formatTimestampShort,
  parseDate,
  parseTimestamp,
} from "#src/schema/time.js";
import fc from "../fastCheck.js";

test("dates are those of JavaScript, over all of its range", () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (days) => {
      const iso = new Date(days * 86_400_000).toISOString().split("T")[0]!;
      const expected = iso.replace(/^([+-])0{1,2}/, "$1");
      expect(formatDate(days)).toBe(expected);
      expect(parseDate(formatDate(days))).toBe(days);
    }),
  );
});

test.each([
  ["1970-01-01", 0],
  ["1969-12-31", -1],
  ["0001-01-01", -719_162],
  ["1582-10-10", -141_432],
  ["2024-2-9", 19_762],
  ["2024-02-29", 19_782],
  ["2023-02-29", undefined],
  ["1900-02-29", undefined],
  ["2024-13-01", undefined],
  ["2024-00-01", undefined],
  ["2024-04-31", undefined],
  ["20240101", undefined],
  ["2024-01-01 00:00:00", undefined],
])("%s is day %s", (text, days) => expect(parseDate(text)).toBe(days));

test("timestamps read back as written, to the microsecond", () => {
  const micros = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n });
  fc.assert(
    fc.property(micros, fc.constantFrom("T" as const, " " as const), (value, separator) => {
      for (const text of [formatTimestamp(value, separator), formatTimestampShort(value, separator)]) {
        expect(parseTimestamp(text)).toEqual({ micros: value, exact: true, zoned: false });
        expect(parseTimestamp(`${text}Z`)).toEqual({ micros: value, exact: true, zoned: true });
      }
    }),
  );
});

test.each([
  ["2024-01-31T12:00:00+02:00", "2024-01-31T10:00:00.000000"],
  ["2000-01-01T00:00:00.000-08:00", "2000-01-01T08:00:00.000000"],
  ["2024-01-31 12:00", "2024-01-31T12:00:00.000000"],
  ["2024-01-31 12:00:00+0530", "2024-01-31T06:30:00.000000"],
  ["2024-01-31 12:00:00 UTC", "2024-01-31T12:00:00.000000"],
  ["2024-01-31", "2024-01-31T00:00:00.000000"],
])("%s", (text, utc) => expect(formatTimestamp(parseTimestamp(text)!.micros)).toBe(utc));

test.each([
  "2024-01-31T25:00:00",
  "2024-01-31T12:60:00",
  "2024-01-31T12:00:60",
  "12:00",
  "now",
  "",
  "2024-01-31T12:00:00+99:00",
])("%j is no timestamp", (text) => expect(parseTimestamp(text)).toBeUndefined());

test("digits beyond the microsecond are told", () => {
  expect(parseTimestamp("2024-01-31T00:00:00.123456789Z")).toMatchObject({ exact: false });
  expect(parseTimestamp("2024-01-31T00:00:00.123456000Z")).toMatchObject({ exact: true });
});

test.each([
  ["2021-06-01 00:00:00", "America/Los_Angeles", "2021-06-01T07:00:00.000000"],
  ["2021-01-01 00:00:00.5", "America/Los_Angeles", "2021-01-01T08:00:00.500000"],
  ["1500-03-01 00:00:00", "America/Los_Angeles", "1500-03-01T07:52:58.000000"],
  ["2021-06-01 00:00:00", "Asia/Kolkata", "2021-05-31T18:30:00.000000"],
  // In the hour that the clocks skip and in the one they repeat, the offset from before counts.
  ["2021-03-14 02:30:00", "America/Los_Angeles", "2021-03-14T10:30:00.000000"],
  ["2021-11-07 01:30:00", "America/Los_Angeles", "2021-11-07T08:30:00.000000"],
])("%s in %s", (text, zone, utc) => expect(formatTimestamp(parseTimestamp(text, zone)!.micros)).toBe(utc));

test("a Date with microseconds keeps them", () => {
  expect(dateToMicros(new Date(5))).toBe(5000n);
  expect(dateToMicros(Object.assign(new Date(-1), { microsecond: 7 }))).toBe(-993n);
  expect(dateToMicros(new Date(Number.NaN))).toBeUndefined();
});
