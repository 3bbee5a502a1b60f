import type { StructType } from "../../../schema/types.js";
import type { CsvDialect } from "./dialect.js";
import { RecordScanner } from "./recordScanner.js";

/** What is known of a CSV file before its records are read. */
export interface CsvFile {
  /** As people call it. */
  readonly url: string;
  readonly dialect: CsvDialect;
  /** The columns of its records. */
  readonly columns: StructType;
  /** As of `ParseOptions`. */
  readonly rescuedDataColumn?: string | undefined;
}

/** A scanner for the file's records. */
export function recordScanner({ dialect, columns }: Pick<CsvFile, "dialect" | "columns">): RecordScanner {
  return new RecordScanner(dialect, columns.fields.length > 1);
}
