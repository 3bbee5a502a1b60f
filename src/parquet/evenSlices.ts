import type { RecordBatch } from "apache-arrow";
import { batchByteLength } from "../arrow/size.js";

/** A part of a batch, sharing its buffers. */
export interface BatchSlice {
  readonly rows: RecordBatch;
  /** The Arrow bytes of its rows, about. */
  readonly bytes: number;
}

/**
 * A batch in slices of about `maxBytes` at most, but of a row at least. They are of one size, so that processors which work
 * on them don't wait for each other at the end.
 */
export function* evenSlices(batch: RecordBatch, maxBytes: number): Generator<BatchSlice> {
  const bytes = batchByteLength(batch);
  const count = Math.min(batch.numRows, Math.ceil(bytes / maxBytes));
  if (count <= 1) {
    yield { rows: batch, bytes };
    return;
  }
  for (let i = 0; i < count; i++) {
    const start = Math.floor((batch.numRows * i) / count);
    const end = Math.floor((batch.numRows * (i + 1)) / count);
    yield { rows: batch.slice(start, end), bytes: (bytes * (end - start)) / batch.numRows };
  }
}
