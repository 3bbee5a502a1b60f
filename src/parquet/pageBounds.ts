import type { ByteRange, ObjectStore } from "../storage/store.js";
import type { Footer } from "./footer.js";
import { elementsOf, fieldsOf, numberIn, numberOf } from "./joinedFooter.js";
import { coalesce, readRange } from "./prune.js";

/** What a page index says of the pages of a column that isn't repeated. */
export interface PageBounds {
  /** The row that each page begins with, counted from the row group's begin. */
  readonly firstRows: readonly number[];
  /** Values, as PLAIN stores them without a length, between which all of a page's lie; undefined for a page of nulls. */
  readonly bounds: readonly (readonly [min: Uint8Array, max: Uint8Array] | undefined)[];
  /** Nulls in each page, where the writer counted them. */
  readonly nullCounts: readonly number[] | undefined;
}

// Of parquet.thrift.
const COLUMN_INDEX = { nullPages: 1, minValues: 2, maxValues: 3, nullCounts: 5 } as const;
const OFFSET_INDEX = { pages: 1 } as const;
const PAGE = { firstRow: 3 } as const;
const TRUE = 1;

/** What the file's page index says of columns (by their places among the leaves) in a row group; undefined for those without one, or with a damaged one. */
export async function readPageBounds(
  store: ObjectStore,
  footer: Footer,
  rowGroup: number,
  leaves: readonly number[],
  signal?: AbortSignal,
): Promise<readonly (PageBounds | undefined)[]> {
  const { chunks, rowCount } = footer.rowGroups[rowGroup]!;
  const indexes = leaves.map((leaf) => chunks[leaf]?.pageIndex);
  const wanted = indexes.flatMap((index) => (index === undefined ? [] : [index.columnIndex, index.offsetIndex]));
  const fetched = await Promise.all(
    coalesce(wanted).map(async (range) => ({ range, bytes: await readRange(store, footer, range, signal) })),
  );
  const bytesOf = ({ start, end }: ByteRange) => {
    const { range, bytes } = fetched.find((one) => one.range.start <= start && end <= one.range.end)!;
    return bytes.subarray(start - range.start, end - range.start);
  };
  return indexes.map((index) => {
    if (index === undefined) return undefined;
    try {
      return pageBounds(bytesOf(index.columnIndex), bytesOf(index.offsetIndex), rowCount);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  });
}

function pageBounds(columnIndex: Uint8Array, offsetIndex: Uint8Array, rowCount: number): PageBounds | undefined {
  const pages = elementsOf(fieldsOf(offsetIndex), OFFSET_INDEX.pages);
  const firstRows = pages.map((page) => numberOf(fieldsOf(page), PAGE.firstRow) ?? -1);
  const isRising = firstRows.every((row, i) => (i === 0 ? row === 0 : row > firstRows[i - 1]!));
  const fields = fieldsOf(columnIndex);
  const nullPages = elementsOf(fields, COLUMN_INDEX.nullPages).map(([value]) => value === TRUE);
  const mins = elementsOf(fields, COLUMN_INDEX.minValues).map(binary);
  const maxes = elementsOf(fields, COLUMN_INDEX.maxValues).map(binary);
  const counts = fields.has(COLUMN_INDEX.nullCounts)
    ? elementsOf(fields, COLUMN_INDEX.nullCounts).map(numberIn)
    : undefined;
  const lengths = [nullPages, mins, maxes, counts ?? mins].map(({ length }) => length);
  const agree = lengths.every((length) => length === firstRows.length);
  if (!isRising || !agree || firstRows.length === 0 || firstRows.at(-1)! >= rowCount) return undefined;
  const bounds = firstRows.map((_, page) => (nullPages[page] ? undefined : ([mins[page]!, maxes[page]!] as const)));
  return { firstRows, bounds, nullCounts: counts };
}

/** What follows the length in front. */
function binary(element: Uint8Array): Uint8Array {
  let at = 0;
  while (element[at]! >= 128) at++;
  return element.subarray(at + 1);
}
