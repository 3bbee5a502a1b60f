import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";
import { decimalToUnscaled, fitsPrecision, parseDecimalType, unscaledToDecimal } from "./decimal.js";
import { integerRange, shortestFloat } from "./numbers.js";
import type { Literal } from "./predicate.js";
import { formatDate, formatTimestamp, formatTimestampShort, parseDate, parseTimestamp } from "./time.js";
import type { DataType, StructType } from "./types.js";

/** How partition text is read and written. */
export interface PartitionTextOptions {
  /** The IANA zone of timestamps without one: that of the system that wrote the table. Default UTC. */
  readonly timeZone?: string;
  /** The column, for the error. */
  readonly column?: string;
}

/**
 * The text of a partition value (PROTOCOL.md, Partition Value Serialization); timestamps in UTC with their Z, as the
 * protocol recommends. null, "" and empty binary give null.
 * Throws DELTA_VALUE_OUT_OF_RANGE for binary that is no UTF-8, which the format has no unambiguous text for.
 */
export function serializePartitionValue(
  type: DataType,
  value: Literal | null,
  options: PartitionTextOptions = {},
): string | null {
  if (value === null) return null;
  const text = valueText(type, value, options);
  return text === "" ? null : text;
}

/**
 * The value that partition text stands for; null and "" are null.
 * Throws DELTA_LOG_CORRUPT, naming column and value, where the text is none of the type.
 */
export function parsePartitionValue(
  type: DataType,
  text: string | null,
  options: PartitionTextOptions = {},
): Literal | null {
  if (text === null || text === "") return null;
  const value = parseText(type, text, options.timeZone);
  if (value !== undefined) return value;
  const { column = "" } = options;
  throw new DeltaError(
    "DELTA_LOG_CORRUPT",
    `The log holds ${JSON.stringify(text)} as the value of partition column "${column}", which is no ${String(type)}.`,
    { column, value: text, type },
  );
}

/**
 * Checks the partition columns that a table's metadata names. Throws DELTA_INVALID_SCHEMA for one that the schema lacks, that
 * has no text form, or that is named twice.
 */
export function checkPartitionColumns(schema: StructType, partitionColumns: readonly string[]): void {
  if (partitionColumns.length === 0) return;
  const types = new Map(schema.fields.map(({ name, type }) => [name, type]));
  const seen = new Set<string>();
  for (const column of partitionColumns) {
    const type = types.get(column);
    const what =
      type === undefined ? "isn't one of its columns" : typeof type !== "string" ? "is nested" : "is named twice";
    if (typeof type !== "string" || seen.has(column)) {
      throw new DeltaError(
        "DELTA_INVALID_SCHEMA",
        `The table's metadata names ${JSON.stringify(column)} as a partition column, which ${what}.`,
        { column },
      );
    }
    seen.add(column);
  }
}

/** The folder of Hive and Spark for partition values as text: `year=2024/city=New York`, null and "" as a fixed name. */
export function partitionFolder(columns: readonly string[], values: readonly (string | null)[]): string {
  return columns
    .map((column, i) => `${escapeFolderName(column)}=${values[i] ? escapeFolderName(values[i]) : HIVE_NULL}`)
    .join("/");
}

const HIVE_NULL = "__HIVE_DEFAULT_PARTITION__";

// Hive's set, which Spark shares: control characters, and what paths or `key=value` give a meaning to.
const ESCAPED_IN_FOLDERS = new Set([
  ...Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)),
  ...`"#%'*/:=?\\\u007f{[]^`,
]);

function escapeFolderName(text: string): string {
  let escaped = "";
  for (const char of text) {
    escaped += ESCAPED_IN_FOLDERS.has(char)
      ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
      : char;
  }
  return escaped;
}

function valueText(type: DataType, value: Literal, options: PartitionTextOptions): string {
  const decimal = parseDecimalType(type);
  if (decimal) return unscaledToDecimal(value as bigint, decimal.scale);
  switch (type) {
    case "date":
      return formatDate(value as number);
    case "timestamp":
      return `${formatTimestamp(value as bigint)}Z`;
    case "timestamp_ntz":
      return formatTimestampShort(value as bigint, " ");
    case "float":
    case "double":
      return floatText(value as number, type);
    case "binary":
      return binaryText(value as Uint8Array, options.column ?? "");
    default:
      return String(value);
  }
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
]);

function parseText(type: DataType, text: string, timeZone: string | undefined): Literal | undefined {
  switch (type) {
    case "string":
      return text;
    case "boolean":
      return BOOLEANS.get(text.toLowerCase());
    case "date": {
      const days = parseDate(text);
      return days !== undefined && Math.abs(days) < 2 ** 31 ? days : undefined;
    }
    case "timestamp": {
      const parsed = parseTimestamp(text, timeZone);
      return parsed?.exact && isInt64(parsed.micros) ? parsed.micros : undefined;
    }
    case "timestamp_ntz": {
      const parsed = parseTimestamp(text);
      return parsed?.exact && !parsed.zoned && isInt64(parsed.micros) ? parsed.micros : undefined;
    }
    case "binary":
      return parseBinary(text);
    case "float":
    case "double": {
      const value = parseFloatText(text);
      return value !== undefined && type === "float" ? Math.fround(value) : value;
    }
    default:
      return parseNumber(type, text);
  }
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

function parseNumber(type: DataType, text: string): Literal | undefined {
  const decimal = parseDecimalType(type);
  if (decimal) {
    const unscaled = decimalToUnscaled(text, decimal.scale);
    return unscaled !== undefined && fitsPrecision(unscaled, decimal.precision) ? unscaled : undefined;
  }
  const range = integerRange(type);
  if (!range || text.length > limits.MAX_NUMBER_CHARS || !/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace("+", ""));
  if (value < range.min || value > range.max) return undefined;
  return type === "long" ? value : Number(value);
}

function parseFloatText(text: string): number | undefined {
  const named = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(text);
  if (named) return named[2]!.toLowerCase() === "nan" ? Number.NaN : named[1] === "-" ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

/** Java's text of a floating-point number ("1.0", "1.5E21"), which is what Spark writes. */
function floatText(value: number, type: "float" | "double"): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const shortest = type === "float" ? shortestFloat(value) : value;
  if (Object.is(value, -0)) return "-0.0";
  if (size === 0 || (size >= 1e-3 && size < 1e7)) {
    return Number.isInteger(value) ? `${shortest}.0` : String(shortest);
  }
  const [digits, exponent] = shortest.toExponential().split("e") as [string, string];
  return `${digits.includes(".") ? digits : `${digits}.0`}E${exponent.replace("+", "")}`;
}

// delta-rs writes each byte as the six characters \u00XX; Spark and the kernels write the bytes as text.
const ESCAPED_BYTES = /^(?:\\u00[0-9a-fA-F]{2})+$/;

function parseBinary(text: string): Uint8Array {
  if (!ESCAPED_BYTES.test(text)) return new TextEncoder().encode(text);
  return Uint8Array.from({ length: text.length / 6 }, (_, i) => Number.parseInt(text.slice(i * 6 + 2, i * 6 + 6), 16));
}

function binaryText(bytes: Uint8Array, column: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!ESCAPED_BYTES.test(text)) return text;
  } catch {}
  throw new DeltaError(
    "DELTA_VALUE_OUT_OF_RANGE",
    `Partition column "${column}" has a binary value that is no UTF-8 text; Delta keeps partition values as text. Partition by another column.`,
    { column, value: bytes },
  );
}
