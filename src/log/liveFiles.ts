import type { Data, RecordBatch } from "apache-arrow";
import { makeBatch } from "../arrow/column.js";
import { rowsWhere, takeRows } from "../arrow/take.js";
import type { DeltaError } from "../errors.js";
import type { StructField } from "../schema/types.js";
import { ADD_FIELDS, REMOVE_FIELDS } from "./checkpointSchema.js";
import { fileRows } from "./fileRows.js";
import { type FileBatchOptions, type FileColumn, isDamage, type SnapshotFiles } from "./snapshotFiles.js";
import { type FileKind, keyReader } from "./tailRows.js";

/** Finds the same version's files without the checkpoint, which turned out to be damaged as the error says. */
export type FindElsewhere = (damage: DeltaError) => Promise<SnapshotFiles>;

/** Implements `Snapshot.fileBatches`; see there. */
export function liveFiles(
  files: SnapshotFiles,
  options: FileBatchOptions,
  findElsewhere: FindElsewhere,
): AsyncGenerator<RecordBatch> {
  const { columns, signal } = options;
  return healed(files, "add", liveFileFields(columns), findElsewhere, signal);
}

/** The fields of `add` asked for, all where it's left out. */
export function liveFileFields(columns?: readonly FileColumn[]): readonly StructField[] {
  return ADD_FIELDS.filter(({ name }) => columns?.some((column) => column === name) ?? true);
}

/** Implements `Snapshot.tombstoneBatches`; see there. */
export function tombstones(
  files: SnapshotFiles,
  findElsewhere: FindElsewhere,
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  return healed(files, "remove", REMOVE_FIELDS, findElsewhere, signal);
}

async function* healed(
  files: SnapshotFiles,
  kind: FileKind,
  fields: readonly StructField[],
  findElsewhere: FindElsewhere,
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  let given = 0;
  try {
    for await (const batch of fileRows(files, kind, fields, signal)) {
      given += batch.numRows;
      yield batch;
    }
  } catch (error) {
    if (files.checkpoint === undefined || !isDamage(error)) throw error;
    const other = await findElsewhere(error);
    yield* rest(files, kind, fields, given, other, signal);
  }
}

/** The files of `other` but for the first `given` of `files`: those were given before the damage showed. */
async function* rest(
  files: SnapshotFiles,
  kind: FileKind,
  fields: readonly StructField[],
  given: number,
  other: SnapshotFiles,
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const done = given === 0 ? undefined : await firstKeys(files, kind, given, signal);
  if (done === undefined) {
    yield* fileRows(other, kind, fields, signal);
    return;
  }
  const names = fields.map(({ name }) => name);
  const withKeys = [...fields, ...KEY_FIELDS.filter(({ name }) => !names.includes(name))];
  for await (const batch of fileRows(other, kind, withKeys, signal)) {
    const keyOf = rowKeys(batch);
    const left = rowsWhere(batch.numRows, (row) => !done.has(keyOf(row)));
    if (left.length > 0) yield takeRows(firstColumns(batch, fields.length), left);
  }
}

/** Arrow's own `select` leaves each column at its old place, whatever the order asked for. */
function firstColumns(batch: RecordBatch, count: number): RecordBatch {
  return makeBatch(batch.schema.fields.slice(0, count), batch.data.children.slice(0, count), batch.numRows);
}

const KEY_FIELDS = ADD_FIELDS.filter(({ name }) => name === "path" || name === "deletionVector");

async function firstKeys(
  files: SnapshotFiles,
  kind: FileKind,
  count: number,
  signal?: AbortSignal,
): Promise<Set<string>> {
  const keys = new Set<string>();
  for await (const batch of fileRows(files, kind, KEY_FIELDS, signal)) {
    const keyOf = rowKeys(batch);
    for (let row = 0; row < batch.numRows && keys.size < count; row++) keys.add(keyOf(row));
    if (keys.size === count) break;
  }
  return keys;
}

function rowKeys(batch: RecordBatch): (row: number) => string {
  const column = (name: string): Data => batch.getChild(name)!.data[0]!;
  return keyReader(column("path"), column("deletionVector"));
}
