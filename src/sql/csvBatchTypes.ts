import { parseDecimalType } from "../schema/decimal.js";
import type { DataType, PrimitiveType } from "../schema/types.js";
import { conversion } from "./csvTypes.js";
import { sqlType } from "./types.js";

/** How DuckDB reads a column of CSV text without losing anything of a value. */
export interface ExactRead {
  /** The type that its CSV reader is told; a text that isn't one is a reject of its. */
  readonly readAs: string;
  /** SQL of the value, from SQL of what was read. */
  value(read: string): string;
  /** SQL that is true where the value, read from a text, is all that the text says; undefined where it always is. */
  readonly fits: ((read: string, value: string) => string) | undefined;
}

interface Formats {
  readonly dateFormat?: string | undefined;
  readonly timestampFormat?: string | undefined;
}

/**
 * The exact read of a type. DuckDB's reader takes texts as values itself where it does so exactly: floats and booleans, times of
 * ISO 8601. It would round 1.5 to an integer 2 and 0.005 to a decimal 0.01, so that these come as texts and are compared with
 * their values; dates come as times, which then have to be midnight. Arrays, maps and structs stay texts.
 */
export function exactRead(type: DataType, formats: Formats): ExactRead {
  if (type === "string" || type === "variant" || typeof type !== "string") return native("VARCHAR");
  switch (type) {
    case "float":
    case "double":
    case "boolean":
      return native(sqlType(type));
    case "date":
      if (formats.dateFormat !== undefined) break;
      return {
        readAs: "TIMESTAMP",
        value: (read) => `CAST(${read} AS DATE)`,
        fits: (read, value) => `isfinite(${read}) AND CAST(${value} AS TIMESTAMP) = ${read}`,
      };
    case "timestamp":
    case "timestamp_ntz":
      if (formats.timestampFormat !== undefined) break;
      return { readAs: sqlType(type), value: (read) => read, fits: (read) => `isfinite(${read})` };
  }
  const { of } = conversion(type, { dateFormat: formats.dateFormat, timestampFormat: formats.timestampFormat });
  if (!isNumber(type)) {
    const isTime = type !== "binary";
    return {
      readAs: "VARCHAR",
      value: of,
      fits: (_, value) => (isTime ? `${value} IS NOT NULL AND isfinite(${value})` : `${value} IS NOT NULL`),
    };
  }
  // A text that is what its value prints as, the usual one, needs no closer look.
  return {
    readAs: "VARCHAR",
    value: (read) => `TRY_CAST(${read} AS ${sqlType(type)})`,
    fits: (read, value) => `${value} IS NOT NULL AND (CAST(${value} AS VARCHAR) = ${read} OR ${of(read)} IS NOT NULL)`,
  };
}

/** SQL of a text's value; null where it isn't one of the type. */
export function valueOrNull(type: DataType, text: string, formats: Formats): string {
  const { dateFormat, timestampFormat } = formats;
  const value = conversion(type, { dateFormat, timestampFormat }).of(text);
  const isTime = type === "date" || type === "timestamp" || type === "timestamp_ntz";
  return isTime ? `CASE WHEN isfinite(${value}) THEN ${value} END` : value;
}

function isNumber(type: PrimitiveType): boolean {
  return ["byte", "short", "integer", "long"].includes(type) || parseDecimalType(type) !== undefined;
}

function native(readAs: string): ExactRead {
  return { readAs, value: (read) => read, fits: undefined };
}
