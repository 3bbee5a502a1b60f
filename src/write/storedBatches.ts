import type { RecordBatch } from "apache-arrow";

/** Under this name, tables and scans give their rows with variants as bytes. */
export const storedBatches: unique symbol = Symbol("batches with variants as bytes");

export interface ExactSource {
  [storedBatches](): AsyncIterable<RecordBatch>;
}
