import type { ScannedDialect } from "./recordScanner.js";

/** A value of a record, as it is written. */
export interface CsvField {
  readonly text: string;
  readonly isQuoted: boolean;
  /** True where its quote isn't closed, or something follows where it is. */
  readonly isLoose: boolean;
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
    let isLoose = false;
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
      isLoose = at >= record.length;
      at++;
    }
    const end = record.indexOf(delimiter, at);
    const rest = record.slice(at, end < 0 ? undefined : end);
    isLoose ||= isQuoted && rest !== "";
    text += rest;
    fields.push({ text, isQuoted, isLoose });
    if (end < 0) return fields;
    at = end + delimiter.length;
  }
}
