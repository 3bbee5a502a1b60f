import { type Data, Vector } from "apache-arrow";
import { buildColumn } from "../arrow/buildColumn.js";
import { fitsPrecision, parseDecimal, parseDecimalType, rescaleDecimal, unscaledToDecimal } from "../schema/decimal.js";
import { parseFaithfulJson } from "../schema/exactJson.js";
import { isJsonBomb } from "../schema/jsonScan.js";
import { integerRange } from "../schema/numbers.js";
import { parsePartitionValue } from "../schema/partition.js";
import { parseDate, parseTimestamp } from "../schema/time.js";
import type { DataType, PrimitiveType, StructType } from "../schema/types.js";

/**
 * The structs that statistics in JSON stand for (`stats_parsed`: PROTOCOL.md, Checkpoints), null where a file has none or they
 * can't be read. What is no value of its column is null, and what the type lacks is left out.
 */
export function parsedStatistics(type: StructType, texts: Data): Data {
  const values = Array.from(new Vector([texts]) as Iterable<string | null>, (text) => valueFrom(type, parsed(text)));
  return buildColumn(type, values, { column: "stats_parsed", rowOf: (row) => row });
}

/** The structs that partition values in text stand for (`partitionValues_parsed`). Throws `DELTA_LOG_CORRUPT`. */
export function parsedPartitionValues(type: StructType, texts: Data): Data {
  const maps = new Vector([texts]) as Iterable<Iterable<[string, string | null]> | null>;
  const values = Array.from(maps, (map) => {
    const found = new Map(map ?? []);
    return Object.fromEntries(
      type.fields.map((field) => [field.name, partitionValue(field.type, field.name, found.get(field.name) ?? null)]),
    );
  });
  return buildColumn(type, values, { column: "partitionValues_parsed", rowOf: (row) => row });
}

function partitionValue(type: DataType, column: string, text: string | null): unknown {
  const value = parsePartitionValue(type, text, { column });
  if (value === null) return null;
  if (type === "date") return new Date((value as number) * DAY_MS);
  const decimal = parseDecimalType(type);
  return decimal === undefined ? value : unscaledToDecimal(value as bigint, decimal.scale);
}

const DAY_MS = 86_400_000;

function parsed(text: string | null): unknown {
  if (text === null || text === "" || isJsonBomb(text)) return undefined;
  try {
    return parseFaithfulJson(text);
  } catch {
    return undefined;
  }
}

/** The JSON value as a column of the type takes it; undefined for none of its values. */
function valueFrom(type: DataType, value: unknown): unknown {
  if (typeof type !== "string") return type.type === "struct" ? structOf(type, value) : undefined;
  switch (type) {
    case "string":
      return typeof value === "string" ? value : undefined;
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "date":
      return typeof value === "string" ? dateOf(parseDate(value)) : undefined;
    case "timestamp":
    case "timestamp_ntz":
      return typeof value === "string" ? microsOf(value, type === "timestamp") : undefined;
    case "float":
    case "double":
      return floatOf(value);
    default:
      return numberOf(type, value);
  }
}

function structOf(type: StructType, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const members = type.fields.map(({ name, type: inner }) => [
    name,
    Object.hasOwn(value, name) ? valueFrom(inner, (value as Record<string, unknown>)[name]) : undefined,
  ]);
  return Object.fromEntries(members);
}

function dateOf(days: number | undefined): Date | undefined {
  const date = days === undefined ? undefined : new Date(days * DAY_MS);
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}

function microsOf(text: string, zoned: boolean): bigint | undefined {
  const found = parseTimestamp(text);
  const micros = found !== undefined && (found.zoned || !zoned) ? found.micros : undefined;
  return micros !== undefined && BigInt.asIntN(64, micros) === micros ? micros : undefined;
}

function floatOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  // All digits of a number that a double can't hold, or one of the words.
  const isNumber = typeof value === "string" && /^(?:NaN|[+-]?Infinity|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(value);
  return isNumber ? Number(value) : undefined;
}

function numberOf(type: PrimitiveType, value: unknown): unknown {
  const isNumber = typeof value === "number" || typeof value === "bigint" || typeof value === "string";
  const exact = isNumber ? parseDecimal(String(value)) : undefined;
  if (exact === undefined) return undefined;
  const decimal = parseDecimalType(type);
  const unscaled = rescaleDecimal(exact, decimal?.scale ?? 0);
  if (unscaled === undefined) return undefined;
  if (decimal !== undefined) {
    return fitsPrecision(unscaled, decimal.precision) ? unscaledToDecimal(unscaled, decimal.scale) : undefined;
  }
  const range = integerRange(type);
  if (range === undefined || unscaled < range.min || unscaled > range.max) return undefined;
  return type === "long" ? unscaled : Number(unscaled);
}
