export interface ReferenceDialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
}

export interface ReferenceRecord {
  /** Undefined where the record can't be taken apart. */
  readonly values: readonly (string | null)[] | undefined;
  readonly raw: string;
  readonly line: number;
  /** In UTF-16 code units. */
  readonly start: number;
}

/** The records of a CSV text, read one character after the other. */
export function referenceRecords(text: string, dialect: ReferenceDialect, columnCount: number): ReferenceRecord[] {
  const records: ReferenceRecord[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const found = readRecord(text, at, dialect);
    const end = found?.end ?? firstLineEnd(text, at);
    const raw = text.slice(at, end);
    const next = end + lineEndAt(text, end).length;
    if (raw !== "" || columnCount === 1) records.push({ values: found?.values, raw, line, start: at });
    line += text.slice(at, next).split("\n").length - 1 + (lineEndAt(text, end) === "\r" ? 1 : 0);
    at = next;
  }
  return records;
}

/** The record's end and values; undefined where a quote stays open. */
function readRecord(
  text: string,
  start: number,
  { delimiter, quote, escape: escaping }: ReferenceDialect,
): { end: number; values: (string | null)[] | undefined } | undefined {
  const values: (string | null)[] = [];
  let isBad = false;
  let at = start;
  for (;;) {
    let value = "";
    const isQuoted = text[at] === quote;
    if (isQuoted) {
      at++;
      for (;;) {
        if (at >= text.length) return undefined;
        if (text[at] === escaping && at + 1 < text.length && (escaping !== quote || text[at + 1] === quote)) {
          value += text[at + 1];
          at += 2;
        } else if (text[at] === quote) {
          at++;
          break;
        } else value += text[at++];
      }
    }
    const begin = at;
    while (at < text.length && !text.startsWith(delimiter, at) && lineEndAt(text, at) === "") at++;
    if (isQuoted && at > begin) isBad = true;
    value += text.slice(begin, at);
    values.push(value === "" && !isQuoted ? null : value);
    if (at < text.length && text.startsWith(delimiter, at)) at += delimiter.length;
    else return { end: at, values: isBad ? undefined : values };
  }
}

function lineEndAt(text: string, at: number): string {
  if (text.startsWith("\r\n", at)) return "\r\n";
  return text[at] === "\n" || text[at] === "\r" ? text[at]! : "";
}

function firstLineEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && lineEndAt(text, at) === "") at++;
  return at;
}
