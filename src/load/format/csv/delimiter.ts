import { fieldsOf } from "./fields.js";
import { RecordScanner } from "./recordScanner.js";

const DELIMITERS = [",", "\t", ";", "|"];
/** Records that are looked at. */
const SAMPLE_RECORDS = 200;

/**
 * What parts the values of a CSV text: the delimiter under which most records have as many values as the first one, and of two such the
 * one that makes more of them. A comma where the text seems to have one column. Records that don't fit change nothing.
 */
export function detectDelimiter(text: Uint8Array, quote = '"', escaping = quote): string {
  let best = { delimiter: ",", agreeing: 0, columns: 1 };
  for (const delimiter of DELIMITERS) {
    const counts = valueCounts(text, { delimiter, quote, escape: escaping });
    const columns = counts[0] ?? 1;
    if (columns === 1) continue;
    const agreeing = counts.filter((count) => count === columns).length / counts.length;
    const isBetter = agreeing > best.agreeing || (agreeing === best.agreeing && columns > best.columns);
    if (isBetter) best = { delimiter, agreeing, columns };
  }
  return best.delimiter;
}

/** How many values a text's first record has. */
export function columnCount(text: Uint8Array, delimiter: string, quote = '"', escaping = quote): number {
  return valueCounts(text, { delimiter, quote, escape: escaping }, 1)[0] ?? 0;
}

function valueCounts(
  text: Uint8Array,
  dialect: { delimiter: string; quote: string; escape: string },
  most = SAMPLE_RECORDS,
): number[] {
  const scanner = new RecordScanner(dialect, true);
  const counts: number[] = [];
  while (counts.length < most) {
    const { start, records } = scanner;
    scanner.scan(text, text.length, 0, true);
    if (scanner.start === start) break;
    if (scanner.records === records) continue;
    const record = Buffer.from(text.subarray(start, scanner.start)).toString("latin1");
    counts.push(fieldsOf(record, dialect).length);
  }
  return counts;
}
