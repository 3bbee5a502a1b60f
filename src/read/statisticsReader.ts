import type { Data } from "apache-arrow";
import { offsetsOf } from "../arrow/column.js";
import { type FileStatistics, parseStatistics } from "../schema/fileStatistics.js";
import { StatisticsScan } from "../schema/statisticsScan.js";

/** Bytes of texts that are looked through at a time. */
const SCANNED_BYTES = 4 << 20;

/** Reads the statistics of some columns from a column of texts, row by row in their order. */
export function statisticsReader(
  texts: Data,
  paths: readonly (readonly string[])[],
): (row: number) => FileStatistics | undefined {
  const offsets = offsetsOf(texts);
  const { buffer, byteOffset, byteLength } = texts.values as Uint8Array;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const begin = (row: number) => Number(offsets[row]);
  if (paths.some(({ length }) => length > 1)) {
    return (row) =>
      texts.getValid(row) ? parseStatistics(bytes.toString("utf8", begin(row), begin(row + 1))) : undefined;
  }
  const names = paths.map(([name]) => name!);
  let [from, to] = [0, 0];
  let scan: StatisticsScan | undefined;
  return (row) => {
    if (!texts.getValid(row)) return undefined;
    const [start, end] = [begin(row), begin(row + 1)];
    if (scan === undefined || start < from || end > to) {
      from = start;
      to = Math.max(end, Math.min(start + SCANNED_BYTES, begin(texts.length)));
      scan = new StatisticsScan(bytes.subarray(from, to), names);
    }
    return scan.at(start - from, end - from);
  };
}
