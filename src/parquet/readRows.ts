import type { RecordBatch } from "apache-arrow";
import type { ObjectStore } from "../storage/store.js";
import { decodeFile } from "./decodeFile.js";
import { pruneTree } from "./fileSchema.js";
import type { Footer } from "./footer.js";
import { readPart } from "./prune.js";

/** Rows `start` (included) to `end` (excluded) of a row group. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

// The rows' own size isn't known; what has to be passed over on the way costs about as much as this.
const WORK_BYTES_PER_ROW = 16;

/**
 * Reads some rows of a row group, whose chunks of the wanted columns are fetched whole: for a few rows of columns that
 * take little room, such as those that are null but for these rows; pages are compared with their checksums. Batches, their types and errors are those of
 * `readParquet`; none where the file has none of the columns.
 */
export async function* readRows(
  store: ObjectStore,
  footer: Footer,
  columns: readonly (readonly string[])[],
  rowGroup: number,
  ranges: readonly RowRange[],
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch, void, undefined> {
  const root = pruneTree(footer.root, columns);
  if (root === undefined || ranges.length === 0) return;
  const bytes = await readPart(store, footer, { root, rowGroups: [rowGroup], checksPages: true }, signal);
  for (const [i, { start, end }] of ranges.entries()) {
    const own = i === ranges.length - 1 ? bytes : bytes.slice();
    const file = { bytes: own, rowCount: end - start, offset: start };
    yield* await decodeFile(footer.file, file, end * WORK_BYTES_PER_ROW, signal);
  }
}
