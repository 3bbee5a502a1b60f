import type { Footer } from "../parquet/footer.js";
import { type PageBounds, readPageBounds } from "../parquet/pageBounds.js";
import type { RowRange } from "../parquet/readRows.js";
import { physicalName } from "../schema/columnMapping.js";
import type { FileStatistics } from "../schema/fileStatistics.js";
import { columnsOf, type Predicate } from "../schema/predicate.js";
import { fileFilter } from "../schema/skipping.js";
import { columnFinder } from "./fileColumns.js";
import { boundText } from "./pageBoundTexts.js";
import type { PlanOptions, ScanFile } from "./plan.js";
import type { ReadTarget } from "./scan.js";

/** Rows of a file that aren't worth asking for what needn't be read of them. */
const FEW_ROWS = 100_000;

/**
 * The rows of a file for which the predicate may be true: from the first to the last of each row group whose pages allow it, by the page
 * index. Undefined for all. Only files of this machine are asked: elsewhere the request costs more than it saves.
 */
export async function rowRanges(
  { store, schema, metadata, columnMapping }: ReadTarget,
  file: ScanFile,
  footer: Footer,
  predicate: Predicate,
  { partitionTimeZone: timeZone, signal }: PlanOptions,
): Promise<readonly RowRange[] | undefined> {
  const isFar = store.localPath?.(file.path) === undefined;
  if (isFar || footer.rowCount < FEW_ROWS || footer.calendar !== undefined || file.storedColumns) return undefined;
  const find = columnFinder(columnMapping, footer);
  const asked = new Set(columnsOf(predicate).flatMap((path) => (path.length === 1 ? path : [])));
  const columns = schema.fields.flatMap((field) => {
    const [name, ...others] = asked.has(field.name) ? find(field) : [];
    const leaf = footer.leaves.findIndex(({ path }) => path.length === 1 && path[0] === name);
    const text = leaf < 0 || others.length > 0 ? undefined : boundText(footer.leaves[leaf]!.element, field.type);
    return text === undefined ? [] : [{ name: physicalName(field, columnMapping), leaf, text }];
  });
  if (columns.length === 0) return undefined;
  const filter = fileFilter(predicate, schema, metadata.partitionColumns, { timeZone, columnMapping });
  const partitionValues = (name: string) => file.partitionValues.get(name) ?? null;

  const ranges: { start: number; end: number }[] = [];
  let first = 0;
  for (const [group, { rowCount }] of footer.rowGroups.entries()) {
    const leaves = columns.map(({ leaf }) => leaf);
    const pages = rowCount === 0 ? [] : await readPageBounds(store, footer, group, leaves, signal);
    const starts = [...new Set([0, ...pages.flatMap((column) => column?.firstRows ?? [])])].sort((a, b) => a - b);
    const may = (start: number, index: number) => {
      const numRecords = (starts[index + 1] ?? rowCount) - start;
      const statistics = () => statisticsAt(start, numRecords);
      return numRecords > 0 && filter({ partitionValues, stats: null, statistics }) !== "none";
    };
    const statisticsAt = (row: number, numRecords: number): FileStatistics => {
      const [minValues, maxValues, nullCount]: Record<string, unknown>[] = [{}, {}, {}];
      for (const [i, { name, text }] of columns.entries()) {
        const column = pages[i];
        if (column === undefined) continue;
        const page = pageAt(column, row);
        const bounds = column.bounds[page];
        if (bounds === undefined) nullCount![name] = numRecords;
        else {
          [minValues![name], maxValues![name]] = bounds.map(text);
          if (column.nullCounts?.[page] === 0) nullCount![name] = 0;
        }
      }
      return { json: "", numRecords, minValues, maxValues, nullCount };
    };
    const found = [...starts.keys()].filter((index) => may(starts[index]!, index));
    if (found.length > 0) {
      const start = first + starts[found[0]!]!;
      const end = first + (starts[found.at(-1)! + 1] ?? rowCount);
      const last = ranges.at(-1);
      if (last?.end === start) last.end = end;
      else ranges.push({ start, end });
    }
    first += rowCount;
  }
  const isAll = ranges.length === 1 && ranges[0]!.end - ranges[0]!.start === footer.rowCount;
  return isAll ? undefined : ranges;
}

/** The page that a row is in. */
function pageAt({ firstRows }: PageBounds, row: number): number {
  let [low, high] = [0, firstRows.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (firstRows[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}
