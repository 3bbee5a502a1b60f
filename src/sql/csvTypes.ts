import { parseDecimalType } from "../schema/decimal.js";
import type { DataType, PrimitiveType } from "../schema/types.js";
import type { Csv } from "./csvSniff.js";
import { quoteText } from "./duckdb.js";
import { sqlType } from "./types.js";

/** How a text becomes a value. */
export interface Conversion {
  /** The SQL of the value of a text's SQL; null where the type has no such value. */
  of(text: string): string;
  /** True where every text is a value. */
  readonly isTotal: boolean;
}

type Formats = Pick<Csv, "dateFormat" | "timestampFormat">;

const WHOLE_NUMBER = String.raw`\s*[-+]?[0-9]+(\.0*)?\s*`;

/**
 * The conversion of CSV texts to a Delta type. DuckDB's casts alone would round 1.5 to an integer 2 and 0.005 to a
 * decimal 0.01, and cut the time off a date; those are no values here. Arrays, maps and structs stay texts.
 */
export function conversion(type: DataType, formats: Formats): Conversion {
  if (type === "string" || typeof type !== "string") return { of: (text) => text, isTotal: true };
  return { of: (text) => `(${valueSql(type, text, formats)})`, isTotal: false };
}

function valueSql(type: PrimitiveType, text: string, formats: Formats): string {
  const cast = `TRY_CAST(${text} AS ${sqlType(type)})`;
  switch (type) {
    case "byte":
    case "short":
    case "integer":
    case "long":
      return whereMatches(text, WHOLE_NUMBER, cast);
    case "string":
    case "float":
    case "double":
    case "boolean":
      return cast;
    case "binary":
      return `TRY(from_base64(${text}))`;
    case "date":
      return `CASE WHEN NOT contains(${text}, ':') THEN ${orFormatted(text, cast, formats.dateFormat, type)} END`;
    case "timestamp":
    case "timestamp_ntz":
      return orFormatted(text, cast, formats.timestampFormat, type);
    default: {
      const { scale } = parseDecimalType(type)!;
      return whereMatches(text, String.raw`\s*[-+]?[0-9]*(\.[0-9]{0,${scale}}0*)?\s*`, cast);
    }
  }
}

function whereMatches(text: string, pattern: string, value: string): string {
  return `CASE WHEN regexp_full_match(${text}, ${quoteText(pattern)}) THEN ${value} END`;
}

function orFormatted(text: string, cast: string, format: string | undefined, type: PrimitiveType): string {
  if (format === undefined) return cast;
  return `COALESCE(${cast}, CAST(try_strptime(${text}, ${quoteText(format)}) AS ${sqlType(type)}))`;
}
