import { type Data, Field, type RecordBatch, type Struct, Type } from "apache-arrow";
import { columnAt, makeBatch, offsetsOf } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { rowsWhere, sliceBatch, takeRows } from "../arrow/take.js";
import type { StructField } from "../schema/types.js";
import { checkpointContent } from "./checkpointDamage.js";
import { readJsonCheckpoint } from "./checkpointJson.js";
import { type PassedRowGroups, readCheckpoint } from "./checkpointRead.js";
import { partitionTexts } from "./partitionTexts.js";
import type { CheckpointFiles } from "./segment.js";
import type { SnapshotFiles } from "./snapshotFiles.js";
import { statisticsText } from "./statisticsText.js";
import { type FileKind, keyReader, tailRows } from "./tailRows.js";
import { TouchedFiles } from "./touchedFiles.js";

/** The rows of a kind that the checkpoint has, as far as no later commit touched them. */
export async function* checkpointRows(
  { store, version, tail, isPartitioned }: SnapshotFiles,
  checkpoint: CheckpointFiles,
  kind: FileKind,
  fields: readonly StructField[],
  signal?: AbortSignal,
  passed?: PassedRowGroups,
): AsyncGenerator<RecordBatch> {
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
  for await (const batch of readCheckpoint(store, checkpoint, columns, signal, passed)) {
    const rows = rowsIn(batch, kind, fields, touched);
    yield* checkpointContent(checkpoint, kind === "add" ? complete(rows, isPartitioned) : rows);
  }
}

function* rowsIn(
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

function touchedRows(path: Data, vector: Data | undefined, touched: TouchedFiles): number[] {
  const keyOf = keyReader(path, vector);
  const maybe = touched.mayHave(path.values as unknown as Uint8Array, offsetsOf(path), path.length);
  return maybe.filter((row) => path.getValid(row) && touched.has(keyOf(row)));
}
