import { numRecordsOf } from "./numRecords.js";
import type { Tail } from "./tail.js";

/**
 * The rows of a version whose files commits alone tell, by the files' statistics; undefined where a file has none, or none that can be
 * true.
 */
export function rowTotal(tail: Tail, version: number): number | undefined {
  let total = 0;
  for (const row of tail.rows(version, true)) {
    const rowCount = numRecordsOf(tail.stats.get(row) ?? null);
    const removed = tail.deletionVector.get(row)?.cardinality ?? 0;
    if (rowCount === undefined || !(removed >= 0 && removed <= rowCount)) return undefined;
    total += rowCount - removed;
  }
  return total;
}
