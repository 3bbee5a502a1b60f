import type { Data, Field, RecordBatch, Struct } from "apache-arrow";
import { bitmapBytes } from "../arrow/bits.js";
import { buildColumn } from "../arrow/buildColumn.js";
import { columnAt, makeBatch, makeColumn } from "../arrow/column.js";
import { nullColumn } from "../arrow/constant.js";
import { takeRows } from "../arrow/take.js";
import { loaded } from "../lazy.js";
import { evenSlices } from "../parquet/evenSlices.js";
import { runtime } from "../runtime.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import type { CheckpointAction, SetTransaction } from "./actions.js";
import type { PassedRowGroups } from "./checkpointRead.js";
import { ADD_FIELDS, type FileLayout, MANIFEST_STATE_FIELDS, REMOVE_FIELDS } from "./checkpointSchema.js";
import { fileRows } from "./fileRows.js";
import { liveFileFields } from "./liveFiles.js";
import { property } from "./properties.js";
import type { Snapshot } from "./snapshot.js";
import type { FileColumn } from "./snapshotFiles.js";

/** Live files' number and size as they are seen going by. */
export interface CountedFiles {
  fileCount: number;
  sizeBytes: number;
}

/**
 * The snapshot's live files, then its tombstones that haven't expired, as batches of a checkpoint's columns; without those of row
 * groups that are passed over.
 */
export async function* fileActions(
  snapshot: Snapshot,
  layout: FileLayout,
  fields: readonly Field[],
  counted: CountedFiles,
  signal?: AbortSignal,
  passed?: PassedRowGroups,
): AsyncGenerator<RecordBatch> {
  const columns = columnsFor(layout);
  // What heals damage gives all files, so nothing may have been passed over.
  const live = passed
    ? fileRows(snapshot.files, "add", liveFileFields(columns), signal, passed)
    : snapshot.fileBatches({ columns, signal });
  for await (const batch of live) {
    counted.fileCount += batch.numRows;
    for (const size of batch.getChild("size")!) counted.sizeBytes += Number(size);
    for await (const files of withStructs(batch, layout)) yield actionBatch("add", files, fields);
  }
  const expiredBefore = tombstonesExpiredBefore(snapshot);
  const removed = passed
    ? fileRows(snapshot.files, "remove", REMOVE_FIELDS, signal, passed)
    : snapshot.tombstoneBatches({ signal });
  for await (const batch of removed) {
    const kept = tombstonesAfter(batch, expiredBefore);
    if (kept.numRows > 0) yield actionBatch("remove", kept, fields);
  }
}

/** `delta.deletedFileRetentionDuration`: tombstones of that time, in milliseconds, or an older one are forgotten. */
export function tombstonesExpiredBefore({ metadata }: Snapshot): number {
  return runtime.now() - property(metadata, "delta.deletedFileRetentionDuration");
}

function columnsFor({ withStats, statsParsed }: FileLayout): readonly FileColumn[] {
  const isAsked = (name: string) => name !== "stats" || withStats || statsParsed !== undefined;
  return ADD_FIELDS.map(({ name }) => name as FileColumn).filter(isAsked);
}

/** Arrow bytes of files whose texts become JavaScript values at a time, to become structs. */
const PARSED_BYTES = 1024 * 1024;

async function* withStructs(batch: RecordBatch, layout: FileLayout): AsyncGenerator<RecordBatch> {
  const { statsParsed, partitionValuesParsed } = layout;
  if (statsParsed === undefined) {
    yield batch;
    return;
  }
  const { parsedPartitionValues, parsedStatistics } = await loaded(
    () => import("./parsedStatistics.js"),
    "delta-table/log/parsedStatistics",
  );
  for (const { rows } of evenSlices(batch, PARSED_BYTES)) {
    const column = (name: string) => columnAt(rows, [name])![0]!;
    const parsed = [{ name: "stats_parsed", data: parsedStatistics(statsParsed, column("stats")) }];
    if (partitionValuesParsed !== undefined) {
      const data = parsedPartitionValues(partitionValuesParsed, column("partitionValues"));
      parsed.push({ name: "partitionValues_parsed", data });
    }
    yield withColumns(rows, parsed);
  }
}

function withColumns(batch: RecordBatch, more: readonly { readonly name: string; readonly data: Data }[]): RecordBatch {
  const { fields } = batch.schema;
  const template = fields[0]!;
  return makeBatch(
    [...fields, ...more.map(({ name, data }) => template.clone({ name, type: data.type, nullable: true }))],
    [...fields.map(({ name }) => columnAt(batch, [name])![0]!), ...more.map(({ data }) => data)],
    batch.numRows,
  );
}

/** The snapshot's actions that aren't of files, without progress that the table lets go of. */
export function stateActions(snapshot: Snapshot): CheckpointAction[] {
  const { protocol, metadata, domainMetadata } = snapshot;
  return [
    { protocol },
    { metaData: metadata },
    ...keptTransactions(snapshot).map((txn) => ({ txn })),
    ...[...domainMetadata.values()].map((domain) => ({ domainMetadata: domain })),
  ];
}

/** Actions that aren't of files as a batch of a checkpoint's columns, a row each. */
export function stateBatch(rows: readonly CheckpointAction[], fields: readonly Field[]): RecordBatch {
  const types = new Map(MANIFEST_STATE_FIELDS.map((field) => [field.name, field]));
  const columns = fields.map((field) => {
    const known = types.get(field.name);
    return known === undefined ? nullColumn(field.type, rows.length) : stateColumn(known, rows);
  });
  return makeBatch(fields, columns, rows.length);
}

function stateColumn({ name, type }: StructField, rows: readonly CheckpointAction[]): Data {
  const values = rows.map((row) => known(type, (row as unknown as Record<string, unknown>)[name]));
  return buildColumn(type, values, { column: name, rowOf: (index) => index });
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
