import { Buffer } from "node:buffer";
import type { BadRecord } from "../format.js";
import { type CsvFile, recordScanner } from "./csvFile.js";
import { withoutLineEnd } from "./lineEnd.js";
import type { Segment } from "./segment.js";

/** What is wrong with a record of some segments. */
export interface Fault extends Pick<BadRecord, "code" | "reason" | "column"> {
  /** Its number among all records of the segments, from 0. */
  readonly ordinal: number;
}

/** Visits the bytes of a segment, record by record: where each begins and ends, its line end included. */
export function eachRecord(
  file: CsvFile,
  bytes: Uint8Array,
  visit: (start: number, end: number, ordinal: number, line: number) => void,
): void {
  const scanner = recordScanner(file);
  for (let found = 0, line = 0; ; ) {
    const { start } = scanner;
    if (!scanner.scan(bytes, bytes.length, 0, true) && scanner.start === start) return;
    if (scanner.records > found) visit(start, scanner.start, found, line);
    found = scanner.records;
    line = scanner.lines;
  }
}

/**
 * The numbers of the records that begin at these bytes of the segment, in the same order; each byte lies behind the one before or in the
 * same record. A byte of a line end stands for the record behind it: DuckDB counts the LF of a CRLF to what follows.
 */
export function ordinalsOf(file: CsvFile, bytes: Uint8Array, positions: readonly number[]): number[] {
  const begins = positions.map((position) => {
    let at = position;
    while (bytes[at] === 0x0a || bytes[at] === 0x0d) at++;
    return at;
  });
  const ordinals: number[] = [];
  eachRecord(file, bytes, (_, end, ordinal) => {
    while (ordinals.length < begins.length && begins[ordinals.length]! < end) ordinals.push(ordinal);
  });
  return ordinals;
}

/** The records of a segment that have faults, those in rising order; ordinals count from the segment's first record. */
export function* badRecordsOf(
  file: CsvFile,
  { place }: Segment,
  bytes: Uint8Array,
  faults: readonly Fault[],
): Generator<BadRecord> {
  const found: BadRecord[] = [];
  let next = 0;
  eachRecord(file, bytes, (start, end, ordinal, line) => {
    const fault = faults[next];
    if (fault === undefined || fault.ordinal !== ordinal) return;
    next++;
    found.push({
      code: fault.code,
      reason: fault.reason,
      record: place.record + ordinal,
      line: place.line + line,
      byteOffset: place.byteOffset + start,
      ...(fault.column === undefined ? {} : { column: fault.column }),
      raw: Buffer.from(withoutLineEnd(bytes.subarray(start, end))),
    });
  });
  yield* found;
}

/** Where in a segment's bytes its record with this number begins, and the line ends before it. */
export function recordStart(file: CsvFile, bytes: Uint8Array, wanted: number): { at: number; lines: number } {
  let found = { at: bytes.length, lines: 0 };
  eachRecord(file, bytes, (at, _, ordinal, lines) => {
    if (ordinal === wanted) found = { at, lines };
  });
  return found;
}
