import type { Data, RecordBatch } from "apache-arrow";
import { makeBatch } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { constantVector } from "../arrow/constant.js";
import { evaluatePredicate } from "../arrow/evaluate.js";
import { toArrowSchema } from "../arrow/schema.js";
import { sliceBatch, takeRows } from "../arrow/take.js";
import { DeltaError } from "../errors.js";
import type { DeletionVectorDescriptor, Metadata } from "../log/actions.js";
import { type DeletionVector, DeletionVectorReader } from "../log/deletionVector.js";
import type { Snapshot } from "../log/snapshot.js";
import { type Footer, readFooter } from "../parquet/footer.js";
import { readParquet } from "../parquet/read.js";
import { parsePartitionValue } from "../schema/partition.js";
import { columnsOf, type Predicate } from "../schema/predicate.js";
import type { StructField, StructType } from "../schema/types.js";
import type { ObjectStore } from "../storage/store.js";
import { type PlanOptions, planFiles, type ScanFile } from "./plan.js";
import { readAhead } from "./readAhead.js";

export interface ReadOptions extends PlanOptions {
  /** Top-level columns in the order wanted; all of the schema where undefined. */
  readonly columns?: readonly StructField[];
  /** Rows to give at most. */
  readonly limit?: number;
}

/** What rows of files are read as: a snapshot, or what has its own idea of columns. */
export interface ReadTarget extends Pick<Snapshot, "store" | "schema"> {
  readonly metadata: Pick<Metadata, "partitionColumns">;
}

/** Files opened before their turn, so that decoding them overlaps with what the caller does. */
const FILES_AHEAD = 2;

/**
 * The rows of `snapshot` as Arrow batches with the table's types, file by file in the log's order. Only the columns asked
 * for, and those of the predicate, are fetched.
 */
export function scanBatches(snapshot: Snapshot, options: ReadOptions = {}): AsyncGenerator<RecordBatch> {
  return limited(scanFiles(snapshot, planFiles(snapshot, options), options), options.limit);
}

/** The first `limit` rows; nothing is read beyond them. */
export async function* limited(
  batches: AsyncIterable<RecordBatch>,
  limit: number | undefined,
): AsyncGenerator<RecordBatch> {
  let remaining = limit ?? Number.POSITIVE_INFINITY;
  if (remaining === 0) return;
  for await (const batch of batches) {
    if (batch.numRows > remaining) {
      yield sliceBatch(batch, 0, remaining);
      return;
    }
    yield batch;
    remaining -= batch.numRows;
    if (remaining === 0) return;
  }
}

/** The rows of these files, in their order, with the types of the target's schema; `limit` is the caller's to keep. */
export function scanFiles(
  target: ReadTarget,
  files: AsyncIterable<ScanFile>,
  options: ReadOptions = {},
): AsyncGenerator<RecordBatch> {
  const columns = options.columns ?? target.schema.fields;
  const ahead = options.limit === undefined ? FILES_AHEAD : 0;
  const source = { target, vectors: new DeletionVectorReader(target.store) };
  return readAhead(files, (file) => fileBatches(source, file, columns, options), ahead);
}

/** The rows of `snapshot` for which the predicate is true, counted from statistics where they decide. */
export function countRows(snapshot: Snapshot, options: PlanOptions = {}): Promise<number> {
  return countFiles(snapshot, planFiles(snapshot, options), options);
}

/** As {@link countRows}, of these files. */
export async function countFiles(
  target: ReadTarget,
  files: AsyncIterable<ScanFile>,
  options: PlanOptions = {},
): Promise<number> {
  const source = { target, vectors: new DeletionVectorReader(target.store) };
  let count = 0;
  for await (const file of files) {
    if (file.match === "all" && file.within === undefined) {
      const rowCount = file.numRecords ?? (await readFooter(target.store, file, options.signal)).rowCount;
      const removed = file.deletionVector?.cardinality ?? 0;
      if (!(removed >= 0 && removed <= rowCount)) throw outOfRange(file, rowCount, `removes ${removed} rows`);
      count += rowCount - removed;
      continue;
    }
    for await (const batch of fileBatches(source, file, [], options)) count += batch.numRows;
  }
  return count;
}

interface Source {
  readonly target: ReadTarget;
  /** Of this scan: files often share a file of deletion vectors. */
  readonly vectors: DeletionVectorReader;
}

async function* fileBatches(
  { target, vectors }: Source,
  file: ScanFile,
  columns: readonly StructField[],
  options: PlanOptions,
): AsyncGenerator<RecordBatch> {
  const { predicate, partitionTimeZone, signal } = options;
  const filter = file.match === "some" ? predicate : undefined;
  const needed = neededFields(target.schema, columns, filter);
  const partitionColumns = new Set(target.metadata.partitionColumns);
  for (const column of file.storedColumns ?? []) partitionColumns.delete(column);
  const inFile: StructType = { type: "struct", fields: needed.filter((field) => !partitionColumns.has(field.name)) };
  const assembled = toArrowSchema({ type: "struct", fields: needed });
  const outputSchema = toArrowSchema({ type: "struct", fields: columns });
  const positions = columns.map((column) => needed.findIndex((field) => field.name === column.name));

  const { footer, keptRows } = await openVectors(target.store, vectors, file, signal);
  const paths = inFile.fields.map((field) => [field.name]);
  let start = 0;
  for await (const all of readParquet(target.store, file, { columns: paths, footer, signal })) {
    checkStored(file, inFile, all);
    const kept = keptRows(start, all.numRows);
    start += all.numRows;
    if (kept === "none") continue;
    // A predicate never sees removed rows: it may fail on what they hold.
    const raw = kept === "all" ? all : takeRows(all, kept);
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

/** A column that its file lacks is null; one that says what the rows mean mustn't be. */
function checkStored({ path, storedColumns }: ScanFile, inFile: StructType, { schema }: RecordBatch): void {
  if (storedColumns === undefined) return;
  const lacks = ({ name }: StructField) =>
    storedColumns.has(name) && !schema.fields.some((field) => field.name === name);
  const column = inFile.fields.find(lacks)?.name;
  if (column === undefined) return;
  throw new DeltaError("DELTA_PARQUET_UNREADABLE", `${path} lacks the column ${column}, which it must have.`, {
    path,
    column,
  });
}

type KeptRows = DeletionVector["keptRows"];

const allRows: KeptRows = () => "all";

/** Which rows the file's deletion vectors leave, and the footer, by which they were checked. */
async function openVectors(
  store: ObjectStore,
  vectors: DeletionVectorReader,
  file: ScanFile,
  signal: AbortSignal | undefined,
): Promise<{ readonly footer?: Footer; readonly keptRows: KeptRows }> {
  if (file.deletionVector === undefined && file.within === undefined) return { keptRows: allRows };
  const open = async (descriptor: DeletionVectorDescriptor | undefined) =>
    descriptor === undefined ? undefined : vectors.read(descriptor, signal);
  const [footer, removed, within] = await Promise.all([
    readFooter(store, file, signal),
    open(file.deletionVector),
    open(file.within),
  ]);
  const last = Math.max(removed?.last ?? -1, within?.last ?? -1);
  if (last >= footer.rowCount) throw outOfRange(file, footer.rowCount, `removes row ${last}`);
  if (within === undefined) return { footer, keptRows: (start, count) => removed!.keptRows(start, count) };
  return { footer, keptRows: (start, count) => someOrNone(within.rowsBeyond(removed, start, count)) };
}

function someOrNone(rows: Uint32Array): Uint32Array | "none" {
  return rows.length === 0 ? "none" : rows;
}

function outOfRange({ path }: ScanFile, rowCount: number, what: string): DeltaError {
  return new DeltaError(
    "DELTA_DELETION_VECTOR_INVALID_ROW_INDEX",
    `The deletion vector of ${path} ${what}, but the file has ${rowCount}. One of them is damaged; restore the table from a backup or go back to an older version.`,
    { path, rowCount },
  );
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
