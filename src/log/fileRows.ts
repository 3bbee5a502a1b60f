import { type Data, Field, type RecordBatch, type Struct, Type, Vector } from "apache-arrow";
import { buildColumn } from "../arrow/buildColumn.js";
import { columnAt, makeBatch, offsetsOf } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { nullColumn } from "../arrow/constant.js";
import { toArrowField, toArrowType } from "../arrow/schema.js";
import { sliceBatch, takeRows } from "../arrow/take.js";
import { loaded } from "../lazy.js";
import type { StructField } from "../schema/types.js";
import type { DeletionVectorDescriptor } from "./actions.js";
import { checkpointContent } from "./checkpointDamage.js";
import { readJsonCheckpoint } from "./checkpointJson.js";
import type { PassedRowGroups } from "./checkpointRead.js";
import { partitionTexts } from "./partitionTexts.js";
import type { SnapshotFiles } from "./snapshotFiles.js";
import { statisticsText } from "./statisticsText.js";
import { fileKey, type Tail } from "./tail.js";
import { TouchedFiles } from "./touchedFiles.js";

/** Rows of the tail in one batch: with four times as many, a checkpoint takes some 30 MB more. */
const TAIL_BATCH_ROWS = 4096;

/** Which action a file's row comes from: `add` for live files, `remove` for tombstones. */
export type FileKind = "add" | "remove";

/** The rows of a kind that the snapshot sees: the checkpoint's, as far as no later commit touched them, then the tail's. */
export async function* fileRows(
  files: SnapshotFiles,
  kind: FileKind,
  fields: readonly StructField[],
  signal?: AbortSignal,
  passed?: PassedRowGroups,
): AsyncGenerator<RecordBatch> {
  const { store, version, checkpoint, tail, isPartitioned } = files;
  if (checkpoint !== undefined) {
    const touched = new TouchedFiles(tail, version);
    const columns = fields.map(({ name }) => [kind, name]);
    if (!touched.isEmpty) columns.push([kind, "path"], [kind, "deletionVector"]);
    // A column that every checkpoint has tells which rows are of this kind, whatever else is asked for.
    if (!columns.some(([, name]) => name === "path")) columns.push([kind, kind === "add" ? "size" : "path"]);
    const json = await readJsonCheckpoint(store, checkpoint, signal);
    if (json !== undefined) {
      const isLeft = (row: number) => !touched.has(json.files.key(row));
      yield* tailRows(json.files, checkpoint.version, kind, fields, isLeft);
    }
    const { readCheckpoint } = await loaded(() => import("./checkpointRead.js"), "delta-table/log/checkpointRead");
    for await (const batch of readCheckpoint(store, checkpoint, columns, signal, passed)) {
      const rows = checkpointRows(batch, kind, fields, touched);
      yield* checkpointContent(checkpoint, kind === "add" ? complete(rows, isPartitioned) : rows);
    }
  }
  yield* tailRows(tail, version, kind, fields);
}

function* checkpointRows(
  batch: RecordBatch,
  kind: FileKind,
  fields: readonly StructField[],
  touched: TouchedFiles,
): Generator<RecordBatch> {
  const actions = columnAt(batch, [kind])?.[0];
  if (actions === undefined || actions.nullCount === actions.length) return;
  if (actions.typeId !== Type.Struct) throw new RangeError(`its ${kind} is no group of columns`);
  const child = (name: string) => columnAt(batch, [kind, name])?.[1];
  const path = child("path");
  const isRead = path !== undefined || !touched.isEmpty || fields.some(({ name }) => name === "path");
  if (isRead && (path === undefined || path.nullCount > actions.nullCount)) {
    throw new RangeError(`it has an ${kind} without a path`);
  }
  // Other writers name the inside of maps differently, and leave columns out.
  const asWritten = makeBatch((actions.type as Struct).children, actions.children, batch.numRows);
  const all = conformBatch(withTexts(asWritten), { type: "struct", fields });
  const left = touched.isEmpty ? [] : touchedRows(path!, child("deletionVector"), touched);
  const isTouched = new Set(left);
  if (actions.nullCount === 0 && left.length === 0) yield all;
  else
    yield* rowsOf(
      all,
      rowsWhere(batch.numRows, (row) => actions.getValid(row) && !isTouched.has(row)),
    );
}

/** Without partition values, files would pass for those of the nulls; without a size, for empty ones. */
function* complete(batches: Iterable<RecordBatch>, isPartitioned: boolean): Generator<RecordBatch> {
  const required = isPartitioned ? ["size", "partitionValues"] : ["size"];
  for (const batch of batches) {
    const lacks = (name: string) => (columnAt(batch, [name])?.[0]?.nullCount ?? 0) > 0;
    const missing = required.find(lacks);
    if (missing !== undefined) throw new RangeError(`it has an add without ${missing}`);
    yield batch;
  }
}

/** With texts in place of what the checkpoint has as structs only: statistics, and partition values. */
function withTexts(batch: RecordBatch): RecordBatch {
  const members = new Map(batch.schema.fields.map(({ name }) => [name, columnAt(batch, [name])![0]!]));
  const [statistics, partition] = [members.get("stats_parsed"), members.get("partitionValues_parsed")];
  const made = new Map<string, Data>();
  if (statistics !== undefined && hasNothing(members.get("stats"))) made.set("stats", statisticsText(statistics));
  if (partition !== undefined && hasNothing(members.get("partitionValues"))) {
    made.set("partitionValues", partitionTexts(partition));
  }
  if (made.size === 0) return batch;
  const kept = batch.schema.fields.filter(({ name }) => !made.has(name));
  const fields = [...kept, ...[...made].map(([name, { type }]) => new Field(name, type, true))];
  return makeBatch(fields, [...kept.map(({ name }) => members.get(name)!), ...made.values()], batch.numRows);
}

/** Whether it's null or an empty map throughout. */
function hasNothing(column: Data | undefined): boolean {
  if (column === undefined || column.nullCount === column.length) return true;
  if (column.typeId !== Type.Map) return false;
  const offsets = offsetsOf(column);
  return offsets[0] === offsets[column.length];
}

/** Most batches lose a few rows at most: what lies between them needn't be copied. */
const MAX_STRETCHES = 8;

function* rowsOf(batch: RecordBatch, rows: Uint32Array): Generator<RecordBatch> {
  if (rows.length === 0) return;
  const starts = [0];
  for (let i = 1; i < rows.length && starts.length <= MAX_STRETCHES; i++) {
    if (rows[i] !== rows[i - 1]! + 1) starts.push(i);
  }
  if (starts.length > MAX_STRETCHES) yield takeRows(batch, rows);
  else
    for (const [i, start] of starts.entries()) {
      yield sliceBatch(batch, rows[start]!, rows[(starts[i + 1] ?? rows.length) - 1]! + 1);
    }
}

/** The rows for which `isWanted` holds. */
export function rowsWhere(rowCount: number, isWanted: (row: number) => boolean): Uint32Array {
  const rows = new Uint32Array(rowCount);
  let count = 0;
  for (let row = 0; row < rowCount; row++) if (isWanted(row)) rows[count++] = row;
  return rows.subarray(0, count);
}

function touchedRows(path: Data, vector: Data | undefined, touched: TouchedFiles): number[] {
  const keyOf = keyReader(path, vector);
  const maybe = touched.mayHave(path.values as unknown as Uint8Array, offsetsOf(path), path.length);
  return maybe.filter((row) => path.getValid(row) && touched.has(keyOf(row)));
}

/** Reads the key of the logical file in each row. */
export function keyReader(path: Data, vector: Data | undefined): (row: number) => string {
  const paths = new Vector([path]);
  const vectors = vector === undefined || vector.nullCount === vector.length ? undefined : new Vector([vector]);
  return (row) => {
    const descriptor: DeletionVectorDescriptor | null | undefined = vectors?.get(row);
    return fileKey(paths.get(row), descriptor ?? undefined);
  };
}

function* tailRows(
  tail: Tail,
  version: number,
  kind: FileKind,
  fields: readonly StructField[],
  isWanted: (row: number) => boolean = () => true,
): Generator<RecordBatch> {
  const batchOf = (rows: readonly number[], start: number) => {
    const columns = fields.map((field) => tailColumn(tail, kind, field, rows, start));
    return makeBatch(fields.map(toArrowField), columns, rows.length);
  };
  let [rows, start]: [number[], number] = [[], 0];
  for (const row of tail.rows(version, kind === "add")) {
    if (!isWanted(row)) continue;
    rows.push(row);
    if (rows.length < TAIL_BATCH_ROWS) continue;
    yield batchOf(rows, start);
    [rows, start] = [[], start + rows.length];
  }
  if (rows.length > 0) yield batchOf(rows, start);
}

function tailColumn(tail: Tail, kind: FileKind, field: StructField, rows: readonly number[], start: number): Data {
  const { name, type } = field;
  const place = { column: `${kind}.${name}`, rowOf: (index: number) => start + index };
  if (name === "partitionValues") {
    // Many files share few of them.
    const places = new Map<number, number>();
    const indexes = rows.map((row) => {
      const partition = tail.partition.get(row);
      const at = places.get(partition) ?? places.size;
      places.set(partition, at);
      return at;
    });
    const different = [...places.keys()].map((partition) => tail.partitions[partition] ?? null);
    const batch = makeBatch([toArrowField(field)], [buildColumn(type, different, place)], different.length);
    return takeRows(batch, Uint32Array.from(indexes)).data.children[0]!;
  }
  const read = TAIL_COLUMNS[name]!;
  const values = rows.map((row) => read(tail, row));
  return values.every(isMissing) ? nullColumn(toArrowType(type), rows.length) : buildColumn(type, values, place);
}

const isMissing = (value: unknown) => value === null || value === undefined;

const number = (value: number) => (Number.isNaN(value) ? null : value);

/** Where the tail holds each field of an action. */
const TAIL_COLUMNS: Readonly<Record<string, (tail: Tail, row: number) => unknown>> = {
  path: (tail, row) => tail.path[row],
  size: (tail, row) => number(tail.size.get(row)),
  modificationTime: (tail, row) => number(tail.time.get(row)),
  deletionTimestamp: (tail, row) => number(tail.time.get(row)),
  dataChange: (tail, row) => tail.dataChange[row],
  extendedFileMetadata: (tail, row) => tail.extendedFileMetadata.get(row),
  stats: (tail, row) => tail.stats.get(row),
  tags: (tail, row) => tail.tags.get(row),
  deletionVector: (tail, row) => descriptorOf(tail.deletionVector.get(row)),
  baseRowId: (tail, row) => tail.baseRowId.get(row),
  defaultRowCommitVersion: (tail, row) => tail.defaultRowCommitVersion.get(row),
  clusteringProvider: (tail, row) => tail.clusteringProvider.get(row),
};

/** The fields that the protocol has; some writers add their own. */
function descriptorOf(vector: DeletionVectorDescriptor | undefined): DeletionVectorDescriptor | undefined {
  if (vector === undefined) return undefined;
  const { storageType, pathOrInlineDv, offset, sizeInBytes, cardinality } = vector;
  return { storageType, pathOrInlineDv, offset, sizeInBytes, cardinality };
}
