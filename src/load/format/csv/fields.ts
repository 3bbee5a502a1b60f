import type { ScannedDialect } from "./recordScanner.js";

/** A value of a record, as it is written. */
export interface CsvField {
  readonly text: string;
  readonly isQuoted: boolean;
}

/**
 * The values of one record, given without its line end. What follows a closing quote up to the next delimiter is taken as it
 * is: DuckDB calls such a record bad, here it is only shown.
 */
export function fieldsOf(record: string, { delimiter, quote, escape: escaping }: ScannedDialect): CsvField[] {
  const fields: CsvField[] = [];
  let at = 0;
  for (;;) {
    let text = "";
    const isQuoted = quote !== "" && record.startsWith(quote, at);
    if (isQuoted) {
      at++;
      for (; at < record.length; at++) {
        const isEscape = escaping !== "" && record[at] === escaping;
        if (isEscape && (escaping !== quote || record[at + 1] === quote) && at + 1 < record.length)
          text += record[++at];
        else if (record[at] === quote) break;
        else text += record[at];
      }
      at++;
    }
    const end = record.indexOf(delimiter, at);
    text += record.slice(at, end < 0 ? undefined : end);
    fields.push({ text, isQuoted });
    if (end < 0) return fields;
    at = end + delimiter.length;
  }
}
