import { isJsonBomb } from "../schema/jsonScan.js";

// Fifteen digits are exact for sure.
const LEADING_NUM_RECORDS = /^\{"numRecords":(\d{1,15})[,}]/;

/** `numRecords` of a file's statistics; undefined where they are missing or malformed. */
export function numRecordsOf(stats: string | null): number | undefined {
  if (stats === null || stats === "") return undefined;
  const leading = LEADING_NUM_RECORDS.exec(stats);
  if (leading !== null) return Number(leading[1]);
  if (isJsonBomb(stats)) return undefined;
  try {
    const { numRecords } = JSON.parse(stats);
    return Number.isSafeInteger(numRecords) && numRecords >= 0 ? numRecords : undefined;
  } catch {
    // Statistics are a hint: without them the file itself is asked.
    return undefined;
  }
}
