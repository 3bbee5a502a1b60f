import { floorDecimal, parseDecimal, parseDecimalType, rescaleDecimal } from "./decimal.js";
import { findMember, isJsonBomb, scalarAt } from "./jsonScan.js";
import { integerRange } from "./numbers.js";
import type { Literal } from "./predicate.js";
import { parseDate, parseTimestamp } from "./time.js";
import type { DataType } from "./types.js";

/** The statistics of one file (PROTOCOL.md, Per-file Statistics), values not yet decoded. */
export interface FileStatistics {
  readonly json: string;
  readonly numRecords: number | undefined;
  readonly minValues: unknown;
  readonly maxValues: unknown;
  readonly nullCount: unknown;
}

/** Reads `stats`; `undefined` where it is missing, no JSON object, or beyond `MAX_JSON_VALUES`. */
export function parseStatistics(json: string | null): FileStatistics | undefined {
  if (json === null || json === "" || isJsonBomb(json)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { numRecords, minValues, maxValues, nullCount } = value as Record<string, unknown>;
  return { json, numRecords: count(numRecords), minValues, maxValues, nullCount };
}

/** What statistics say of one column. All values that are not null lie from `min` to `max`, both included. */
export interface ColumnBounds {
  readonly min: Literal | undefined;
  readonly max: Literal | undefined;
  /** True where `max` may be the beginning of a longer string. */
  readonly maxIsPrefix: boolean;
  readonly nullCount: number | undefined;
}

/** The bounds of the column at `path`; `undefined` for what is missing, or can't be read as the column's type. */
export function columnBounds(statistics: FileStatistics, path: readonly string[], type: DataType): ColumnBounds {
  const min = bound(statistics, "minValues", path, type);
  const max = bound(statistics, "maxValues", path, type);
  const maxIsPrefix = typeof max === "string" && mayBeCut(max);
  return { min, max, maxIsPrefix, nullCount: count(at(statistics.nullCount, path)) };
}

function bound(
  statistics: FileStatistics,
  part: "minValues" | "maxValues",
  path: readonly string[],
  type: DataType,
): Literal | undefined {
  const value = at(statistics[part], path);
  const isMax = part === "maxValues";
  if (typeof value === "string") return type === "boolean" ? undefined : decode(type, value, isMax);
  if (typeof value === "boolean") return type === "boolean" ? value : undefined;
  if (typeof value !== "number" || TEXT_TYPES.has(type)) return undefined;
  if (type === "float" || type === "double") return type === "float" ? Math.fround(value) : value;
  // A double has lost digits of a number as long as this: its text has them.
  const isShort = Math.abs(value) < 1e15 && parseDecimalType(type) === undefined;
  if (isShort && Number.isInteger(value) && integerRange(type)) return type === "long" ? BigInt(value) : value + 0;
  return decode(type, isShort ? String(value) : numberText(statistics.json, [part, ...path]), isMax);
}

/** Types whose bounds are no JSON numbers. */
const TEXT_TYPES: ReadonlySet<DataType> = new Set([
  "string",
  "date",
  "timestamp",
  "timestamp_ntz",
  "binary",
  "boolean",
]);

/** The number at a path as it is written. */
function numberText(json: string, path: readonly string[]): string {
  let position = 0;
  for (let i = 0; i < path.length && position >= 0; i++) position = findMember(json, position, path[i]!);
  return scalarAt(json, position) ?? "";
}

function at(values: unknown, path: readonly string[]): unknown {
  let value = values;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

// The protocol lets a writer keep a prefix of long strings; Spark's has 32 characters. Not all writers raise a cut
// maximum above the value it came from.
const SHORTEST_CUT_BYTES = 32;

function mayBeCut(text: string): boolean {
  return text.length * 3 >= SHORTEST_CUT_BYTES && new TextEncoder().encode(text).length >= SHORTEST_CUT_BYTES;
}

// Timestamps are cut down to milliseconds, so the true maximum may be up to one later.
const CUT_MICROS = 1000n;

function decode(type: DataType, text: string, isMax: boolean): Literal | undefined {
  switch (type) {
    case "string":
      return text;
    case "date":
      return parseDate(text);
    case "timestamp":
    case "timestamp_ntz": {
      const parsed = parseTimestamp(text);
      if (!parsed || (type === "timestamp" && !parsed.zoned)) return undefined;
      return isMax ? parsed.micros + CUT_MICROS : parsed.micros;
    }
    case "float":
    case "double": {
      const number = decodeFloatText(text);
      // A minimum of NaN may come from a writer whose comparisons NaN broke.
      if (number === undefined || (Number.isNaN(number) && !isMax)) return undefined;
      return type === "float" ? Math.fround(number) : number;
    }
    default:
      return decodeExact(type, text, isMax);
  }
}

function decodeFloatText(text: string): number | undefined {
  if (text === "NaN") return Number.NaN;
  if (/^[+-]?Infinity$/.test(text)) return Number(text);
  return /^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

function decodeExact(type: DataType, text: string, isMax: boolean): Literal | undefined {
  const decimal = parseDecimalType(type);
  const parsed = parseDecimal(text);
  if (!parsed || !(decimal || integerRange(type))) return undefined;
  const onGrid = rescaleDecimal(parsed, decimal?.scale ?? 0);
  let value = onGrid ?? floorDecimal(parsed, decimal?.scale ?? 0) + (isMax ? 1n : 0n);
  // delta-rs cuts what is beyond 64 bits to their ends: the true bound is anywhere behind.
  if (decimal && INT64_ENDS.has(text)) return undefined;
  if (decimal && decimal.precision > EXACT_DIGITS) {
    const error = (value < 0n ? -value : value) / DOUBLE_ERROR + 1n;
    value += isMax ? error : -error;
  }
  return decimal || type === "long" ? value : Number(value);
}

// delta-rs writes the bounds of decimals as doubles, which have 15 digits for sure and are off by a few 2^-53.
const EXACT_DIGITS = 15;
const DOUBLE_ERROR = 2n ** 50n;
const INT64_ENDS: ReadonlySet<string> = new Set([String(-(2n ** 63n)), String(2n ** 63n - 1n)]);
