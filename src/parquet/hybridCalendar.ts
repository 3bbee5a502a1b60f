import { type Data, type RecordBatch, type Timestamp, TimeUnit, Type } from "apache-arrow";
import { validityOf } from "../arrow/bits.js";
import { makeBatch, makeColumn, retype } from "../arrow/column.js";
import { daysFromCivil } from "../schema/time.js";
import { leavesOf, type ParquetNode } from "./fileSchema.js";

/** Which of a file's values count days in the Julian calendar before 15 October 1582. */
export interface HybridCalendar {
  readonly dates: boolean;
  readonly timestamps: boolean;
}

/** The first day of the Gregorian calendar. */
const SWITCH_DAY = -141_427;

// What Spark writes into footers. It came to the calendar of everybody else with 3.0, for INT96 with 3.1, but for who asks for the old one.
const VERSION = "org.apache.spark.version";
const LEGACY = "org.apache.spark.legacyDateTime";
const LEGACY_INT96 = "org.apache.spark.legacyINT96";

/** The calendar of a file, by what its writer says in its footer; undefined where it's the usual one. */
export function hybridCalendar(keyValues: ReadonlyMap<string, string>, root: ParquetNode): HybridCalendar | undefined {
  const version = /^(\d+)\.(\d+)/.exec(keyValues.get(VERSION) ?? "");
  if (version === null) return undefined;
  const minor = Number(version[1]) * 1000 + Number(version[2]);
  const isLegacy = minor < 3000 || keyValues.has(LEGACY);
  const isLegacyInt96 = minor < 3001 || keyValues.has(LEGACY_INT96);
  const hasInt96 = leavesOf(root).some(({ element }) => element.type === "INT96");
  const calendar = { dates: isLegacy, timestamps: hasInt96 ? isLegacyInt96 : isLegacy };
  return calendar.dates || calendar.timestamps ? calendar : undefined;
}

/**
 * The batch with the days that its writer meant: 1 January of the year 1 stays that, though its number is another. Times are shifted by
 * whole days, by their date in UTC.
 */
export function inGregorianCalendar(batch: RecordBatch, calendar: HybridCalendar): RecordBatch {
  const columns = batch.data.children.map((column) => shifted(column, calendar));
  return makeBatch(batch.schema.fields, columns, batch.numRows);
}

/**
 * The day that has the same year, month and day in the Gregorian calendar as `day` has in the one before it.
 * @testonly
 */
export function gregorianDay(day: number): number {
  if (day >= SWITCH_DAY) return day;
  // Years of 365.25 days, which begin in March, counted from 1 March 4801 BC.
  const count = day + 2_440_588 + 32_082;
  const year = Math.floor((4 * count + 3) / 1461);
  const dayOfYear = count - Math.floor((1461 * year) / 4);
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  const late = month >= 10 ? 1 : 0;
  return daysFromCivil(year - 4800 + late, month + 3 - 12 * late, dayOfMonth);
}

const DAY_LENGTHS = {
  [TimeUnit.SECOND]: 86_400n,
  [TimeUnit.MILLISECOND]: 86_400_000n,
  [TimeUnit.MICROSECOND]: 86_400_000_000n,
  [TimeUnit.NANOSECOND]: 86_400_000_000_000n,
} as const;

function shifted(data: Data, calendar: HybridCalendar): Data {
  const values: unknown = data.values;
  if (data.typeId === Type.Date && calendar.dates && values instanceof Int32Array) {
    if (!values.some((day) => day < SWITCH_DAY)) return data;
    return withValues(data, values.map(gregorianDay));
  }
  if (data.typeId === Type.Timestamp && calendar.timestamps && values instanceof BigInt64Array) {
    const length = DAY_LENGTHS[(data.type as Timestamp).unit];
    const end = BigInt(SWITCH_DAY) * length;
    if (!values.some((time) => time < end)) return data;
    return withValues(
      data,
      values.map((time) => (time < end ? shiftedTime(time, length) : time)),
    );
  }
  if (data.children.length === 0) return data;
  const children = data.children.map((child) => shifted(child, calendar));
  return children.every((child, i) => child === data.children[i]) ? data : retype(data, data.type, children);
}

function shiftedTime(time: bigint, length: bigint): bigint {
  const rest = ((time % length) + length) % length;
  const day = (time - rest) / length;
  return BigInt.asIntN(64, BigInt(gregorianDay(Number(day))) * length + rest);
}

function withValues(data: Data, values: Int32Array | BigInt64Array): Data {
  return makeColumn(data.type, data.length, validityOf(data), { values }, data.nullCount);
}
