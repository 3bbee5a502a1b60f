import { floorDecimal, parseDecimal, parseDecimalType, rescaleDecimal } from "./decimal.js";
import { integerRange } from "./numbers.js";
import type { Literal } from "./predicate.js";
import { parseDate, parseTimestamp } from "./time.js";
import type { DataType } from "./types.js";

/** The statistics of one file (PROTOCOL.md, Per-file Statistics), values not yet decoded. */
export interface FileStatistics {
  readonly numRecords: number | undefined;
  readonly minValues: unknown;
  readonly maxValues: unknown;
  readonly nullCount: unknown;
}

const LONG_NUMBER = /[\d.]{16}/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** Reads `stats`; numbers too long for a double stay text. `undefined` where it is missing or not what it should be. */
export function parseStatistics(json: string | null): FileStatistics | undefined {
  if (json === null || json === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(LONG_NUMBER.test(json) ? json.replace(STRING_OR_NUMBER, quoteLongNumber) : json);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { numRecords, minValues, maxValues, nullCount } = value as Record<string, unknown>;
  return { numRecords: count(numRecords), minValues, maxValues, nullCount };
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
  const min = decodeBound(type, at(statistics.minValues, path), false);
  const max = decodeBound(type, at(statistics.maxValues, path), true);
  const maxIsPrefix = typeof max === "string" && mayBeCut(max);
  return { min, max, maxIsPrefix, nullCount: count(at(statistics.nullCount, path)) };
}

// The protocol lets a writer keep a prefix of long strings; Spark's has 32 characters. Not all writers raise a cut
// maximum above the value it came from.
const SHORTEST_CUT_BYTES = 32;

function mayBeCut(text: string): boolean {
  return text.length * 3 >= SHORTEST_CUT_BYTES && new TextEncoder().encode(text).length >= SHORTEST_CUT_BYTES;
}

// Timestamps are cut down to milliseconds, so the true maximum may be up to one later.
const CUT_MICROS = 1000n;

function decodeBound(type: DataType, value: unknown, isMax: boolean): Literal | undefined {
  switch (type) {
    case "string":
      return typeof value === "string" ? value : undefined;
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "date":
      return typeof value === "string" ? parseDate(value) : undefined;
    case "timestamp":
    case "timestamp_ntz": {
      const parsed = typeof value === "string" ? parseTimestamp(value) : undefined;
      if (!parsed || (type === "timestamp" && !parsed.zoned)) return undefined;
      return isMax ? parsed.micros + CUT_MICROS : parsed.micros;
    }
    case "float":
    case "double": {
      const number = typeof value === "string" ? decodeFloatText(value) : value;
      // A minimum of NaN may come from a writer whose comparisons NaN broke.
      if (typeof number !== "number" || (Number.isNaN(number) && !isMax)) return undefined;
      return type === "float" ? Math.fround(number) : number;
    }
    default:
      return typeof value === "number" || typeof value === "string"
        ? decodeExact(type, String(value), isMax)
        : undefined;
  }
}

function decodeFloatText(text: string): number | undefined {
  if (text === "NaN") return Number.NaN;
  if (/^[+-]?Infinity$/.test(text)) return Number(text);
  return parseDecimal(text) ? Number(text) : undefined;
}

function decodeExact(type: DataType, text: string, isMax: boolean): Literal | undefined {
  const decimal = parseDecimalType(type);
  const parsed = parseDecimal(text);
  if (!parsed || !(decimal || integerRange(type))) return undefined;
  const onGrid = rescaleDecimal(parsed, decimal?.scale ?? 0);
  let value = onGrid ?? floorDecimal(parsed, decimal?.scale ?? 0) + (isMax ? 1n : 0n);
  if (decimal && decimal.precision > EXACT_DIGITS) {
    const error = (value < 0n ? -value : value) / DOUBLE_ERROR + 1n;
    value += isMax ? error : -error;
  }
  return decimal || type === "long" ? value : Number(value);
}

// delta-rs writes the bounds of decimals as doubles, which have 15 digits for sure and are off by a few 2^-53.
const EXACT_DIGITS = 15;
const DOUBLE_ERROR = 2n ** 50n;

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

function quoteLongNumber(token: string): string {
  return token.length < 16 || token.startsWith('"') ? token : `"${token}"`;
}
