import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../arrow/column.js";
import { evaluatePredicate } from "../arrow/evaluate.js";
import { toArrowSchema } from "../arrow/schema.js";
import { sliceBatch, takeRows } from "../arrow/take.js";
import type { Metadata } from "../log/actions.js";
import { DeletionVectorReader } from "../log/deletionVector.js";
import type { Snapshot } from "../log/snapshot.js";
import { readFooter } from "../parquet/footer.js";
import { readParquet } from "../parquet/read.js";
import type { RowRange } from "../parquet/readRows.js";
import { columnsOf, type Predicate } from "../schema/predicate.js";
import type { StructField, StructType } from "../schema/types.js";
import { conformFile } from "./conformFile.js";
import { checkFieldIds, checkStored, columnNames, fileColumns } from "./fileColumns.js";
import { openVectors, outOfRange } from "./keptRows.js";
import { type PlanOptions, planFiles, type ScanFile } from "./plan.js";
import { readAhead } from "./readAhead.js";
import { rowRanges } from "./rowRanges.js";
import { trackedColumn, trackedFields } from "./trackedColumns.js";

export interface ReadOptions extends PlanOptions {
  /** Top-level columns in the order wanted, row tracking's among them; all of the schema where undefined. */
  readonly columns?: readonly StructField[];
  /** Rows to give at most. */
  readonly limit?: number;
}

/** What rows of files are read as: a snapshot, or what has its own idea of columns. */
export interface ReadTarget extends Pick<Snapshot, "store" | "schema" | "columnMapping"> {
  readonly metadata: Pick<Metadata, "partitionColumns" | "configuration">;
}

/** Files opened before their turn, so that decoding them overlaps with what the caller does. */
const FILES_AHEAD = 2;

/**
 * The rows of `snapshot` as Arrow batches with the table's types, file by file in the log's order. Only the columns asked
 * for, and those of the predicate, are fetched.
 */
export function scanBatches(snapshot: Snapshot, options: ReadOptions = {}): AsyncGenerator<RecordBatch> {
  return limited(scanFiles(snapshot, plannedFiles(snapshot, options), options), options.limit);
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
  return countFiles(snapshot, plannedFiles(snapshot, options), options);
}

function plannedFiles(snapshot: Snapshot, options: ReadOptions): AsyncGenerator<ScanFile> {
  const needed = neededFields(snapshot.schema, options.columns ?? [], options.predicate);
  const rowTracking = needed.some((field) => trackedColumn(field) !== undefined);
  return planFiles(snapshot, { ...options, rowTracking });
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
  options: ReadOptions,
): AsyncGenerator<RecordBatch> {
  const { predicate, limit, signal } = options;
  const { store, columnMapping: mode } = target;
  const filter = file.match === "some" ? predicate : undefined;
  const needed = neededFields(target.schema, columns, filter);
  const { inFile, children } = fileColumns(target, file, needed, options);
  const assembled = toArrowSchema({ type: "struct", fields: needed });
  const outputSchema = toArrowSchema({ type: "struct", fields: columns });
  const positions = columns.map((column) => needed.findIndex((field) => field.name === column.name));

  const opened = await openVectors(store, vectors, file, signal);
  const footer = opened.footer ?? (await readFooter(store, file, signal));
  if (mode === "id") checkFieldIds(inFile, footer);
  const paths = columnNames(inFile, mode, footer).map((name) => [name]);
  const ranges = filter && (await rowRanges(target, file, footer, filter, options));
  const rowsAt = placesOf(ranges ?? [{ start: 0, end: footer.rowCount }]);
  const inPieces = limit !== undefined;
  for await (const all of readParquet(store, file, { columns: paths, footer, ranges, inPieces, signal })) {
    checkStored(file, inFile, all.schema.fields);
    const first = rowsAt(all.numRows);
    const kept = opened.keptRows(first, all.numRows);
    if (kept === "none") continue;
    // A predicate never sees removed rows: it may fail on what they hold.
    const raw = kept === "all" ? all : takeRows(all, kept);
    const conformed = conformFile(file, raw, inFile, mode);
    const placeOf = (row: number) => first + (kept === "all" ? row : kept[row]!);
    const made = children({ columns: conformed.data.children, length: raw.numRows, placeOf });
    let batch = makeBatch(assembled.fields, made, raw.numRows);
    if (filter !== undefined) {
      const rows = await evaluatePredicate(filter, batch);
      if (rows !== "all") {
        if (rows.length === 0) continue;
        batch = keptOf(batch, rows);
      }
    }
    const output = positions.map((position) => batch.data.children[position]);
    yield makeBatch(outputSchema.fields, output, batch.numRows);
  }
}

/** Neighbours share their batch's memory, where they take the most of it. */
function keptOf(batch: RecordBatch, rows: Uint32Array): RecordBatch {
  const [first, last] = [rows[0]!, rows.at(-1)!];
  const areNeighbours = last - first === rows.length - 1;
  return areNeighbours && rows.length * 2 > batch.numRows ? sliceBatch(batch, first, last + 1) : takeRows(batch, rows);
}

/** Tells where in the file the next rows of these ranges begin, which come a batch at a time. */
function placesOf(ranges: readonly RowRange[]): (count: number) => number {
  let [index, next] = [0, ranges[0]?.start ?? 0];
  return (count) => {
    if (next === ranges[index]!.end) next = ranges[++index]!.start;
    const first = next;
    next += count;
    return first;
  };
}

/** The columns to give and those the predicate asks about, each once. */
function neededFields(
  schema: StructType,
  columns: readonly StructField[],
  predicate: Predicate | undefined,
): readonly StructField[] {
  if (predicate === undefined) return columns;
  const asked = new Set(columnsOf(predicate).map((path) => path[0]!));
  for (const column of columns) asked.delete(column.name);
  return [...columns, ...schema.fields.filter(({ name }) => asked.has(name)), ...trackedFields(schema, asked)];
}
