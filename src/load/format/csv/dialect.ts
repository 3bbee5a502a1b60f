import type { Json } from "../../progress.js";

/** How a CSV file is written. */
export interface CsvDialect {
  /** One to four bytes of UTF-8. */
  readonly delimiter: string;
  /** One ASCII character; empty where nothing is quoted. */
  readonly quote: string;
  /** What makes a quote in a quoted value a part of it: the quote itself, or another character; empty for neither. */
  readonly escape: string;
  readonly header: boolean;
  /** Unquoted values that stand for null. */
  readonly nullValues: readonly string[];
  /** strptime formats of dates and times that aren't written as ISO 8601 has them. */
  readonly dateFormat?: string;
  readonly timestampFormat?: string;
}

/** The dialect as a job's progress keeps it. */
export function dialectToJson(dialect: CsvDialect): { readonly [option: string]: Json } {
  return { ...dialect };
}

/** The dialect that {@link dialectToJson} gave. */
export function dialectFromJson(json: { readonly [option: string]: Json }): CsvDialect {
  return json as unknown as CsvDialect;
}
