import { type Data, type RecordBatch, Vector } from "apache-arrow";
import { buildColumn } from "../arrow/buildColumn.js";
import { makeBatch } from "../arrow/column.js";
import { nullColumn } from "../arrow/constant.js";
import { toArrowField, toArrowType } from "../arrow/schema.js";
import { takeRows } from "../arrow/take.js";
import type { StructField } from "../schema/types.js";
import type { DeletionVectorDescriptor } from "./actions.js";
import { fileKey, type Tail } from "./tail.js";

/** Rows of the tail in one batch: with four times as many, a checkpoint takes some 30 MB more. */
const TAIL_BATCH_ROWS = 4096;

/** Which action a file's row comes from: `add` for live files, `remove` for tombstones. */
export type FileKind = "add" | "remove";

/** The rows of a kind that the tail has at a version. */
export function* tailRows(
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

/** Reads the key of the logical file in each row. */
export function keyReader(path: Data, vector: Data | undefined): (row: number) => string {
  const paths = new Vector([path]);
  const vectors = vector === undefined || vector.nullCount === vector.length ? undefined : new Vector([vector]);
  return (row) => {
    const descriptor: DeletionVectorDescriptor | null | undefined = vectors?.get(row);
    return fileKey(paths.get(row), descriptor ?? undefined);
  };
}
