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

/** Digits beyond microseconds that say something. */
const NANOSECONDS = "[.][0-9]{6}0*[1-9]";
const NOT_FINITE = "(?i)inf|nan";

/**
 * The conversion of CSV texts to a Delta type. DuckDB's casts alone would round 1.5 to an integer 2, 0.005 to a decimal 0.01 and 1e400 to
 * infinity, cut the time off a date and nanoseconds off a time, and take "infinity" for a time; those are no values here. Arrays, maps and
 * structs stay texts.
 */
export function conversion(type: DataType, formats: Formats): Conversion {
  if (type === "string" || type === "variant" || typeof type !== "string") return { of: (text) => text, isTotal: true };
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
    case "boolean":
      return cast;
    case "float":
    case "double": {
      const isSaid = `isfinite(${cast}) OR regexp_matches(${text}, ${quoteText(NOT_FINITE)})`;
      return `CASE WHEN NOT contains(${text}, '_') AND (${isSaid}) THEN ${cast} END`;
    }
    case "binary":
      return `TRY(from_base64(${text}))`;
    case "date":
      return finite(`CASE WHEN NOT contains(${text}, ':') THEN ${orFormatted(text, cast, formats.dateFormat, type)}
        WHEN TRY_CAST(${text} AS TIMESTAMP) = CAST(${cast} AS TIMESTAMP) THEN ${cast} END`);
    case "timestamp":
    case "timestamp_ntz": {
      const time = finite(orFormatted(text, cast, formats.timestampFormat, type));
      return `CASE WHEN NOT regexp_matches(${text}, ${quoteText(NANOSECONDS)}) THEN ${time} END`;
    }
    default: {
      const { scale } = parseDecimalType(type)!;
      return whereMatches(text, String.raw`\s*[-+]?[0-9]*(\.[0-9]{0,${scale}}0*)?\s*`, cast);
    }
  }
}

function finite(time: string): string {
  return `CASE WHEN isfinite(${time}) THEN ${time} END`;
}

function whereMatches(text: string, pattern: string, value: string): string {
  return `CASE WHEN regexp_full_match(${text}, ${quoteText(pattern)}) THEN ${value} END`;
}

function orFormatted(text: string, cast: string, format: string | undefined, type: PrimitiveType): string {
  if (format === undefined) return cast;
  return `COALESCE(${cast}, CAST(try_strptime(${text}, ${quoteText(format)}) AS ${sqlType(type)}))`;
}
