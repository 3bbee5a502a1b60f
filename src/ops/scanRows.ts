import { Table as ArrowTable, type RecordBatch } from "apache-arrow";
import { rowReader } from "../arrow/rows.js";
import { toArrowSchema } from "../arrow/schema.js";
import { sliceBatch } from "../arrow/take.js";
import type { StructType } from "../schema/types.js";

/** Objects made together: more of them outlive the young generation and cost twice the time. */
const ROWS_AT_A_TIME = 8192;

/** The rows of batches of this schema as objects. */
export async function* rowsOfBatches<Row extends object>(
  batches: AsyncIterable<RecordBatch>,
  schema: StructType,
): AsyncGenerator<Row[]> {
  const read = rowReader(schema);
  for await (const batch of batches) {
    for (let start = 0; start < batch.numRows; start += ROWS_AT_A_TIME) {
      yield read(sliceBatch(batch, start, start + ROWS_AT_A_TIME)) as Row[];
    }
  }
}

/** The batches, perhaps none, as one table. */
export async function arrowTable(batches: AsyncIterable<RecordBatch>, schema: StructType): Promise<ArrowTable> {
  const all: RecordBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all.length === 0 ? new ArrowTable(toArrowSchema(schema)) : new ArrowTable(all);
}
