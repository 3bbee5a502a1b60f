import type { Data, RecordBatch } from "apache-arrow";
import { makeBatch } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { constantVector } from "../arrow/constant.js";
import { evaluatePredicate } from "../arrow/evaluate.js";
import { toArrowSchema } from "../arrow/schema.js";
import { sliceBatch, takeRows } from "../arrow/take.js";
import type { Snapshot } from "../log/snapshot.js";
import { readFooter } from "../parquet/footer.js";
import { readParquet } from "../parquet/read.js";
import { parsePartitionValue } from "../schema/partition.js";
import { columnsOf, type Predicate } from "../schema/predicate.js";
import type { StructField, StructType } from "../schema/types.js";
import { type PlanOptions, planFiles, type ScanFile } from "./plan.js";
import { readAhead } from "./readAhead.js";

export interface ReadOptions extends PlanOptions {
  /** Top-level columns in the order wanted; all of the schema where undefined. */
  readonly columns?: readonly StructField[];
  /** Rows to give at most. */
  readonly limit?: number;
}

/** Files opened before their turn, so that decoding them overlaps with what the caller does. */
const FILES_AHEAD = 2;

/**
 * The rows of `snapshot` as Arrow batches with the table's types, file by file in the log's order. Only the columns asked
 * for, and those of the predicate, are fetched.
 */
export async function* scanBatches(snapshot: Snapshot, options: ReadOptions = {}): AsyncGenerator<RecordBatch> {
  const columns = options.columns ?? snapshot.schema.fields;
  let remaining = options.limit ?? Number.POSITIVE_INFINITY;
  if (remaining === 0) return;
  const files = planFiles(snapshot, options);
  const ahead = options.limit === undefined ? FILES_AHEAD : 0;
  for await (const batch of readAhead(files, (file) => fileBatches(snapshot, file, columns, options), ahead)) {
    if (batch.numRows > remaining) {
      yield sliceBatch(batch, 0, remaining);
      return;
    }
    yield batch;
    remaining -= batch.numRows;
    if (remaining === 0) return;
  }
}

/** The rows of `snapshot` for which the predicate is true, counted from statistics where they decide. */
export async function countRows(snapshot: Snapshot, options: PlanOptions = {}): Promise<number> {
  let count = 0;
  for await (const file of planFiles(snapshot, options)) {
    if (file.match === "all") {
      count += file.numRecords ?? (await readFooter(snapshot.store, file, options.signal)).rowCount;
      continue;
    }
    for await (const batch of fileBatches(snapshot, file, [], options)) count += batch.numRows;
  }
  return count;
}

async function* fileBatches(
  snapshot: Snapshot,
  file: ScanFile,
  columns: readonly StructField[],
  options: PlanOptions,
): AsyncGenerator<RecordBatch> {
  const { predicate, partitionTimeZone, signal } = options;
  const filter = file.match === "some" ? predicate : undefined;
  const needed = neededFields(snapshot.schema, columns, filter);
  const partitionColumns = new Set(snapshot.metadata.partitionColumns);
  const inFile: StructType = { type: "struct", fields: needed.filter((field) => !partitionColumns.has(field.name)) };
  const assembled = toArrowSchema({ type: "struct", fields: needed });
  const outputSchema = toArrowSchema({ type: "struct", fields: columns });
  const positions = columns.map((column) => needed.findIndex((field) => field.name === column.name));

  const read = readParquet(snapshot.store, file, { columns: inFile.fields.map((field) => [field.name]), signal });
  for await (const raw of read) {
    const conformed = conformBatch(raw, inFile);
    let next = 0;
    const children = needed.map((field): Data => {
      if (!partitionColumns.has(field.name)) return conformed.data.children[next++];
      const value = parsePartitionValue(field.type, file.partitionValues.get(field.name) ?? null, {
        timeZone: partitionTimeZone,
        column: field.name,
      });
      return constantVector(field.type, value, raw.numRows);
    });
    let batch = makeBatch(assembled.fields, children, raw.numRows);
    if (filter !== undefined) {
      const rows = await evaluatePredicate(filter, batch);
      if (rows !== "all") {
        if (rows.length === 0) continue;
        batch = takeRows(batch, rows);
      }
    }
    const output = positions.map((position) => batch.data.children[position]);
    yield makeBatch(outputSchema.fields, output, batch.numRows);
  }
}

/** The columns to give and those the predicate asks about, each once. */
function neededFields(
  schema: StructType,
  columns: readonly StructField[],
  predicate: Predicate | undefined,
): readonly StructField[] {
  if (predicate === undefined) return columns;
  const asked = new Set(columnsOf(predicate).map((path) => path[0]));
  for (const column of columns) asked.delete(column.name);
  return [...columns, ...schema.fields.filter((field) => asked.has(field.name))];
}
