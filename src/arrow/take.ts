import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "./column.js";
import { concatValues } from "./concatValues.js";
import { takeValues } from "./takeValues.js";

export { batchByteLength } from "./size.js";

/**
 * The rows at `indices`, in that order, as a new batch; an index may come more than once. Works for every type but
 * unions, on sliced batches too.
 */
export function takeRows(batch: RecordBatch, indices: Uint32Array): RecordBatch {
  const columns = batch.data.children.map((column) => takeValues(column, indices));
  return makeBatch(batch.schema.fields, columns, indices.length);
}

/**
 * All rows of the batches (at least one), which have one schema, as one batch. A single batch is given back as it is.
 * Throws DELTA_INVALID_ARGUMENT where the result's text would pass 2 GiB.
 */
export function concatBatches(batches: readonly RecordBatch[]): RecordBatch {
  const [first] = batches;
  if (batches.length === 1) return first;
  const columns = first.data.children.map((_, i) => concatValues(batches.map((batch) => batch.data.children[i])));
  const rows = batches.reduce((sum, batch) => sum + batch.numRows, 0);
  return makeBatch(first.schema.fields, columns, rows);
}

/** Rows `start` (included) to `end` (excluded, at most the number of rows), sharing the buffers. */
export function sliceBatch(batch: RecordBatch, start: number, end: number): RecordBatch {
  const from = Math.min(start, batch.numRows);
  const length = Math.max(Math.min(end, batch.numRows) - from, 0);
  const columns = batch.data.children.map((column) => column.slice(from, length));
  return makeBatch(batch.schema.fields, columns, length);
}
