import { isUtf8 } from "node:buffer";
import { DeltaError } from "../../../errors.js";
import type { CsvDialect } from "./dialect.js";
import { fieldsOf } from "./fields.js";

/**
 * The names of the columns in a file's first record. Throws DELTA_INPUT_UNREADABLE (file) where a column has no name or two have one, in
 * whatever case: no table can have such columns.
 */
export function columnNames(record: Uint8Array, dialect: CsvDialect, url: string): string[] {
  if (!isUtf8(record)) throw unreadable(url, "its header isn't UTF-8; say its encoding");
  const text = new TextDecoder().decode(record);
  const names = fieldsOf(text, dialect).map((field) => field.text);
  const seen = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    if (name === "") throw unreadable(url, `column ${index + 1} of ${names.length} has no name in its header`);
    const same = seen.get(name.toLowerCase());
    if (same !== undefined) {
      const which = same === name ? `two columns "${name}"` : `columns "${same}" and "${name}", one name to a table`;
      throw unreadable(url, `its header has ${which}`);
    }
    seen.set(name.toLowerCase(), name);
  }
  return names;
}

/** The error for a file that can't be read as CSV. */
export function unreadable(url: string, reason: string, cause?: unknown): DeltaError {
  const advice = "Correct the file, or say how it is written (delimiter, quote, header, encoding)";
  return new DeltaError(
    "DELTA_INPUT_UNREADABLE",
    `${url} can't be read as CSV: ${reason}. ${advice}.`,
    { file: url },
    cause,
  );
}
