import type { Data, Field, RecordBatch, Struct } from "apache-arrow";
import { bitmapBytes } from "../arrow/bits.js";
import { buildColumn } from "../arrow/buildColumn.js";
import { columnAt, makeBatch, makeColumn } from "../arrow/column.js";
import { nullColumn } from "../arrow/constant.js";
import { toArrowField } from "../arrow/schema.js";
import { takeRows } from "../arrow/take.js";
import { DeltaError } from "../errors.js";
import { ParquetFileWriter } from "../parquet/fileWriter.js";
import { runtime } from "../runtime.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import type { SetTransaction } from "./actions.js";
import { checkpointFields, STATE_FIELDS } from "./checkpointSchema.js";
import { property } from "./properties.js";
import type { Snapshot } from "./snapshot.js";
import type { FileColumn } from "./snapshotFiles.js";

/** Rows in a row group, at most: what a reader decodes at a time, and a unit of parallel work. */
const ROW_GROUP_ROWS = 65_536;
/** Arrow bytes in a row group, about: some 25,000 files with statistics. With 32 MiB the process needs 120 MB more. */
const ROW_GROUP_BYTES = 16 * 1024 * 1024;

interface EncodedCheckpoint {
  readonly bytes: Uint8Array;
  readonly actionCount: number;
  readonly fileCount: number;
  /** The sum of the live files' sizes. */
  readonly sizeBytes: number;
}

/** A checkpoint's Parquet file: state first, then live files, then tombstones that haven't expired. */
export async function encodeCheckpoint(snapshot: Snapshot, signal?: AbortSignal): Promise<EncodedCheckpoint> {
  const { metadata } = snapshot;
  if (property(metadata, "delta.checkpoint.writeStatsAsStruct")) {
    throw new DeltaError(
      "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE",
      "The table wants delta.checkpoint.writeStatsAsStruct, which this release can't write. Let another engine write the checkpoint, or unset the property.",
      { features: ["delta.checkpoint.writeStatsAsStruct"] },
    );
  }
  const checkpoint = checkpointFields(property(metadata, "delta.checkpoint.writeStatsAsJson"));
  const fields = checkpoint.map(toArrowField);
  const compression = property(metadata, "delta.parquet.compression.codec");
  const writer = new ParquetFileWriter({
    compression,
    rowGroupRows: ROW_GROUP_ROWS,
    pieceBytes: ROW_GROUP_BYTES,
    signal,
  });
  await writer.write(stateBatch(snapshot, fields));
  let [fileCount, sizeBytes] = [0, 0];
  for await (const batch of snapshot.fileBatches({ columns: fileColumns(checkpoint), signal })) {
    fileCount += batch.numRows;
    for (const size of batch.getChild("size")!) sizeBytes += Number(size);
    await writer.write(actionBatch("add", batch, fields));
  }
  const expiredBefore = runtime.now() - property(metadata, "delta.deletedFileRetentionDuration");
  for await (const batch of snapshot.tombstoneBatches({ signal })) {
    const kept = tombstonesAfter(batch, expiredBefore);
    if (kept.numRows > 0) await writer.write(actionBatch("remove", kept, fields));
  }
  const { parts, rowCount } = await writer.finish();
  return { bytes: Buffer.concat(parts), actionCount: rowCount, fileCount, sizeBytes };
}

/** The columns of live files that the checkpoint has. */
function fileColumns(checkpoint: readonly StructField[]): readonly FileColumn[] {
  const add = checkpoint.find(({ name }) => name === "add")!.type as StructType;
  return add.fields.map(({ name }) => name as FileColumn);
}

/** The actions that aren't of files, a row each. */
function stateBatch(snapshot: Snapshot, fields: readonly Field[]): RecordBatch {
  const { protocol, metadata, domainMetadata } = snapshot;
  const rows: Record<string, unknown>[] = [{ protocol }, { metaData: metadata }];
  for (const txn of keptTransactions(snapshot)) rows.push({ txn });
  for (const domain of domainMetadata.values()) rows.push({ domainMetadata: domain });
  const built = new Map(
    STATE_FIELDS.map(({ name, type }) => {
      const values = rows.map((row) => known(type, row[name]));
      return [name, buildColumn(type, values, { column: name, rowOf: (index) => index })];
    }),
  );
  const columns = fields.map((field) => built.get(field.name) ?? nullColumn(field.type, rows.length));
  return makeBatch(fields, columns, rows.length);
}

/** `delta.setTransactionRetentionDuration`: progress older than that is forgotten, where the table asks for it. */
function keptTransactions({ transactions, metadata }: Snapshot): SetTransaction[] {
  const retentionMs = property(metadata, "delta.setTransactionRetentionDuration");
  const all = [...transactions.values()];
  if (retentionMs === undefined) return all;
  const oldest = runtime.now() - retentionMs;
  return all.filter(({ lastUpdated }) => typeof lastUpdated !== "number" || lastUpdated >= oldest);
}

/** The value without the fields that the checkpoint's schema lacks: other writers add some of their own. */
function known(type: DataType, value: unknown): unknown {
  if (typeof type === "string" || type.type !== "struct" || value === undefined || value === null) return value;
  const record = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    (type as StructType).fields.map(({ name, type: inner }) => [name, known(inner, record[name])]),
  );
}

/** The columns of files as the struct column `name` of a checkpoint, whose other columns are null. */
function actionBatch(name: "add" | "remove", files: RecordBatch, fields: readonly Field[]): RecordBatch {
  const { numRows } = files;
  const columns = fields.map((field) => {
    if (field.name !== name) return nullColumn(field.type, numRows);
    const children = (field.type as Struct).children.map((child) => {
      const column = columnAt(files, [child.name])![0]!;
      return child.name === "dataChange" ? allFalse(column) : column;
    });
    return makeColumn(field.type, numRows, undefined, { children });
  });
  return makeBatch(fields, columns, numRows);
}

/** A checkpoint changes no data: its actions only repeat what commits said. */
function allFalse({ type, length }: Data): Data {
  return makeColumn(type, length, undefined, { values: new Uint8Array(bitmapBytes(length)) });
}

/** Tombstones younger than the table's retention; one without a time counts as old. */
function tombstonesAfter(batch: RecordBatch, timeMs: number): RecordBatch {
  const times = batch.getChild("deletionTimestamp")!;
  const kept: number[] = [];
  for (let row = 0; row < batch.numRows; row++) {
    const time: bigint | null = times.get(row);
    if (time !== null && Number(time) > timeMs) kept.push(row);
  }
  return kept.length === batch.numRows ? batch : takeRows(batch, Uint32Array.from(kept));
}
