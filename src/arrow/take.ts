import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "./column.js";
import { takeValues } from "./takeValues.js";

/**
 * The rows at `indices`, in that order, as a new batch; an index may come more than once. Works for every type but
 * unions, on sliced batches too.
 */
export function takeRows(batch: RecordBatch, indices: Uint32Array): RecordBatch {
  const columns = batch.data.children.map((column) => takeValues(column, indices));
  return makeBatch(batch.schema.fields, columns, indices.length);
}

/** Rows `start` (included) to `end` (excluded, at most the number of rows), sharing the buffers. */
export function sliceBatch(batch: RecordBatch, start: number, end: number): RecordBatch {
  const from = Math.min(start, batch.numRows);
  const length = Math.max(Math.min(end, batch.numRows) - from, 0);
  const columns = batch.data.children.map((column) => column.slice(from, length));
  return makeBatch(batch.schema.fields, columns, length);
}

/** The rows for which `isWanted` holds. */
export function rowsWhere(rowCount: number, isWanted: (row: number) => boolean): Uint32Array {
  const rows = new Uint32Array(rowCount);
  let count = 0;
  for (let row = 0; row < rowCount; row++) if (isWanted(row)) rows[count++] = row;
  return rows.subarray(0, count);
}
