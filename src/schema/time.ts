/** Calendar dates and timestamps as text; proleptic Gregorian, as Spark 3 and Parquet have them. */

const MICROS_PER_SECOND = 1_000_000n;
const MICROS_PER_DAY = 86_400_000_000n;
const DATE = /^([+-]?\d{1,7})-(\d{1,2})-(\d{1,2})$/;
const TIMESTAMP =
  /^([+-]?\d{1,7}-\d{1,2}-\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)? ?(Z|UTC|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?$/i;

/** Days since 1970-01-01 of "2024-01-31", "-0001-12-01", "+12024-01-31"; `undefined` where the text is no such date. */
export function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  return daysFromCivil(year, month, day);
}

/** "2024-01-31" of days since 1970-01-01; years before 0 and after 9999 carry their sign. */
export function formatDate(days: number): string {
  const { year, month, day } = civilFromDays(days);
  const digits = Math.abs(year).toString().padStart(4, "0");
  const sign = year < 0 ? "-" : year > 9999 ? "+" : "";
  return `${sign}${digits}-${twoDigits(month)}-${twoDigits(day)}`;
}

/** What {@link parseTimestamp} read. */
export interface ParsedTimestamp {
  /** Microseconds since the epoch, rounded down. */
  readonly micros: bigint;
  /** False where the text had digits other than 0 beyond the microsecond. */
  readonly exact: boolean;
  /** True where the text named its zone ("Z", "+02:00"). */
  readonly zoned: boolean;
}

/**
 * Reads "2024-01-31 12:00:00.123456", "2024-01-31T12:00:00Z", "2024-01-31T12:00+02:00" or a bare date (midnight);
 * text without a zone is taken in `timeZone` (an IANA name; UTC unless given). `undefined` where the text is none.
 */
export function parseTimestamp(text: string, timeZone = "UTC"): ParsedTimestamp | undefined {
  const match = TIMESTAMP.exec(text);
  if (!match) return undefined;
  const days = parseDate(match[1]!);
  const [hour, minute, second] = [Number(match[2] ?? 0), Number(match[3] ?? 0), Number(match[4] ?? 0)];
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = match[5] ?? "";
  const local =
    BigInt(days) * MICROS_PER_DAY +
    BigInt(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND +
    BigInt(fraction.slice(0, 6).padEnd(6, "0"));
  const zone = match[6];
  const offset = zone === undefined ? zoneOffset(local, timeZone) : fixedOffset(zone);
  if (offset === undefined) return undefined;
  return { micros: local - offset, exact: /^0*$/.test(fraction.slice(6)), zoned: zone !== undefined };
}

/** "2024-01-31T12:00:00.123456" of microseconds since the epoch: always six digits, no zone. */
export function formatTimestamp(micros: bigint, separator: "T" | " " = "T"): string {
  const { date, time, fraction } = timestampParts(micros);
  return `${date}${separator}${time}.${fraction}`;
}

/** The same with the fraction only where it is not 0: "2024-01-31 12:00:00". */
export function formatTimestampShort(micros: bigint, separator: "T" | " " = "T"): string {
  const { date, time, fraction } = timestampParts(micros);
  return fraction === "000000" ? `${date}${separator}${time}` : `${date}${separator}${time}.${fraction}`;
}

/** The instant of a Date (of a Timestamp: with its microseconds), in microseconds; `undefined` for an invalid Date. */
export function dateToMicros(date: Date & { readonly microsecond?: number }): bigint | undefined {
  const ms = date.getTime();
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1000n + BigInt(date.microsecond ?? 0);
}

/** The day (UTC) that holds an instant, as days since 1970-01-01. */
export function daysOfMicros(micros: bigint): number {
  return Number(floorDivide(micros, MICROS_PER_DAY));
}

/** Midnight (UTC) of a day, in microseconds. */
export function microsOfDays(days: number): bigint {
  return BigInt(days) * MICROS_PER_DAY;
}

function timestampParts(micros: bigint): { date: string; time: string; fraction: string } {
  const days = daysOfMicros(micros);
  const rest = micros - microsOfDays(days);
  const seconds = Number(rest / MICROS_PER_SECOND);
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(twoDigits).join(":");
  return { date: formatDate(days), time, fraction: (rest % MICROS_PER_SECOND).toString().padStart(6, "0") };
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

export function daysInMonth(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** Days since 1970-01-01; a day that a month lacks counts on into the next. */
// A year that begins in March puts the leap day last, so the days before a month are a linear formula.
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The calendar's date of a day. */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return { year, month, day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1 };
}

/** What a clock in a zone shows at an instant, as if that were UTC; undefined where the zone isn't known. */
export function wallClock(micros: bigint, timeZone: string): bigint | undefined {
  const offset = fixedZone(timeZone) ?? (isTimeZone(timeZone) ? offsetAt(micros, timeZone) : undefined);
  return offset === undefined ? undefined : micros + offset;
}

/** The instant at which a clock in a zone shows a time. */
export function instantOf(wall: bigint, timeZone: string): bigint | undefined {
  const offset = fixedZone(timeZone) ?? (isTimeZone(timeZone) ? zoneOffset(wall, timeZone) : undefined);
  return offset === undefined ? undefined : wall - offset;
}

function fixedZone(zone: string): bigint | undefined {
  return /^(?:Z|UTC|[+-]\d{2}(?::\d{2})?)$/.test(zone) ? fixedOffset(zone) : undefined;
}

function fixedOffset(zone: string): bigint | undefined {
  if (/^(Z|UTC)$/i.test(zone)) return 0n;
  const digits = zone.slice(1).replaceAll(":", "").padEnd(6, "0");
  const [hours, minutes, seconds] = [0, 2, 4].map((at) => Number(digits.slice(at, at + 2)));
  if (hours! > 18 || minutes! > 59 || seconds! > 59) return undefined;
  const size = BigInt(hours! * 3600 + minutes! * 60 + seconds!) * MICROS_PER_SECOND;
  return zone.startsWith("-") ? -size : size;
}

/** The offset from UTC of a wall clock reading. In a gap or overlap the offset from before the change counts, as in Java. */
function zoneOffset(local: bigint, timeZone: string): bigint | undefined {
  if (timeZone === "UTC") return 0n;
  const before = offsetAt(local - MICROS_PER_DAY, timeZone);
  const after = offsetAt(local + MICROS_PER_DAY, timeZone);
  if (before === undefined || after === undefined) return undefined;
  if (offsetAt(local - before, timeZone) === before) return before;
  return offsetAt(local - after, timeZone) === after ? after : before;
}

/** Whether times can be told in a zone of this name ("America/Los_Angeles"). */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function offsetAt(micros: bigint, timeZone: string): bigint | undefined {
  const seconds = floorDivide(micros, MICROS_PER_SECOND);
  const ms = Number(seconds) * 1000;
  if (Math.abs(ms) > 8.64e15) return undefined;
  let format = FORMATS.get(timeZone);
  if (!format) {
    const fields = { year: "numeric", month: "numeric", day: "numeric", era: "short" } as const;
    const clock = { hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23" } as const;
    format = new Intl.DateTimeFormat("en-US", { ...fields, ...clock, timeZone });
    FORMATS.set(timeZone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(ms).map((part) => [part.type, part.value]));
  const eraYear = Number(parts.year);
  const year = parts.era?.startsWith("B") ? 1 - eraYear : eraYear;
  const days = daysFromCivil(year, Number(parts.month), Number(parts.day));
  const wall = days * 86_400 + Number(parts.hour) * 3600 + Number(parts.minute) * 60 + Number(parts.second);
  return (BigInt(wall) - seconds) * MICROS_PER_SECOND;
}
