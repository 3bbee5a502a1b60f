import { fieldsOf } from "./fields.js";
import { RecordScanner, type ScannedDialect } from "./recordScanner.js";

/** The records of a CSV text that have as many values as the first one, none of them quoted loosely. */
export function soundRecords(text: Uint8Array, dialect: ScannedDialect): Uint8Array {
  const scanner = new RecordScanner(dialect, true);
  const sound: Uint8Array[] = [];
  let columns: number | undefined;
  for (;;) {
    const { start, records } = scanner;
    scanner.scan(text, text.length, 0, true);
    if (scanner.start === start) return Buffer.concat(sound);
    if (scanner.records === records) continue;
    const bytes = text.subarray(start, scanner.start);
    const fields = fieldsOf(
      Buffer.from(bytes)
        .toString("latin1")
        .replace(/[\r\n]+$/, ""),
      dialect,
    );
    columns ??= fields.length;
    if (fields.length === columns && !fields.some(({ isLoose }) => isLoose)) sound.push(bytes);
  }
}
