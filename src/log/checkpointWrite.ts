import type { Field, RecordBatch } from "apache-arrow";
import { toArrowField } from "../arrow/schema.js";
import { loaded } from "../lazy.js";
import { evenSlices } from "../parquet/evenSlices.js";
import { ParquetFileWriter, type WrittenParquet } from "../parquet/fileWriter.js";
import { runtime } from "../runtime.js";
import type { StructField, StructType } from "../schema/types.js";
import { partsContent } from "../storage/partsContent.js";
import type { ObjectStore } from "../storage/store.js";
import type { CheckpointAction } from "./actions.js";
import {
  type CountedFiles,
  fileActions,
  stateActions,
  stateBatch,
  tombstonesExpiredBefore,
} from "./checkpointActions.js";
import { fileLayout } from "./checkpointLayout.js";
import { checkpointFields, type FileLayout, fileActionFields, manifestFields } from "./checkpointSchema.js";
import { isFeatureActive } from "./features.js";
import type { LastCheckpoint } from "./lastCheckpoint.js";
import { classicCheckpointPath, LOG_FOLDER, SIDECAR_FOLDER, uuidCheckpointPath } from "./names.js";
import { property } from "./properties.js";
import type { Snapshot } from "./snapshot.js";
import { isDamage } from "./snapshotFiles.js";

/** Rows in a row group, at most: what a reader decodes at a time, and a unit of parallel work. */
const ROW_GROUP_ROWS = 65_536;
/** Arrow bytes in a row group, about: some 12,000 files with statistics, all that is encoded at a time. */
const ROW_GROUP_BYTES = 8 * 1024 * 1024;
/** What a sidecar holds at most, about: so much is held until it is written, and so much a reader must take at once. */
const SIDECAR_ROWS = 100_000;
const SIDECAR_BYTES = 64 * 1024 * 1024;

/** A checkpoint's files as they were written. */
export interface StoredCheckpoint extends CountedFiles {
  readonly path: string;
  readonly actionCount: number;
  /** All of its files. */
  readonly storedBytes: number;
  /** What `_last_checkpoint` says beside that. */
  readonly facts: Pick<LastCheckpoint, "checkpointSchema" | "v2Checkpoint">;
}

/**
 * Writes the checkpoint's files: one that all find by its name, which comes last, and for a V2 checkpoint its sidecars.
 * Its content is bounded in memory but for the one file of a classic checkpoint.
 */
export function storeCheckpoint(
  store: ObjectStore,
  snapshot: Snapshot,
  signal?: AbortSignal,
): Promise<StoredCheckpoint> {
  const isV2 = isFeatureActive("v2Checkpoint", snapshot.protocol, snapshot.metadata);
  return isV2 ? storeV2(store, snapshot, signal) : storeClassic(store, snapshot, signal);
}

async function storeClassic(store: ObjectStore, snapshot: Snapshot, signal?: AbortSignal): Promise<StoredCheckpoint> {
  const layout = fileLayout(snapshot);
  const { fields, fact } = classicSchema(layout);
  const encoding = { store, snapshot, layout, fields, signal };
  const { counted, writer } = await encode(encoding);
  const { parts, rowCount, sizeBytes } = await writer.finish();
  const path = classicCheckpointPath(snapshot.version);
  await store.putFrom(path, partsContent(parts), signal);
  return { path, actionCount: rowCount, storedBytes: sizeBytes, facts: fact, ...counted };
}

interface ClassicSchema {
  readonly fields: readonly Field[];
  /** What `_last_checkpoint` says of it. */
  readonly fact: StoredCheckpoint["facts"];
}

/** Made once for all of a table's checkpoints: the encoder knows its fields again, too. */
const classicSchemas = new WeakMap<FileLayout, ClassicSchema>();

function classicSchema(layout: FileLayout): ClassicSchema {
  let schema = classicSchemas.get(layout);
  if (schema === undefined) {
    const fields = checkpointFields(layout);
    schema = { fields: fields.map(toArrowField), fact: schemaFact(fields) };
    classicSchemas.set(layout, schema);
  }
  return schema;
}

interface Encoding {
  readonly store: ObjectStore;
  readonly snapshot: Snapshot;
  readonly layout: FileLayout;
  readonly fields: readonly Field[];
  readonly signal?: AbortSignal | undefined;
}

interface EncodedCheckpoint {
  readonly writer: ParquetFileWriter;
  readonly counted: CountedFiles;
}

async function encode(encoding: Encoding): Promise<EncodedCheckpoint> {
  if (encoding.snapshot.files.checkpoint === undefined) return encodeAnew(encoding);
  try {
    return await encodeReusing(encoding);
  } catch (error) {
    if (!isDamage(error)) throw error;
    // Where the older checkpoint is damaged, its files are found elsewhere.
    return encodeAnew(encoding);
  }
}

/** Takes over what it can of the snapshot's own checkpoint as it is. */
async function encodeReusing(encoding: Encoding): Promise<EncodedCheckpoint> {
  const { snapshot, layout, fields, signal } = encoding;
  const passed = new Map<string, Set<number>>();
  const counted = { fileCount: 0, sizeBytes: 0 };
  // Readers pass over columns that a footer says are null throughout: few rows mustn't hide it.
  const writer = writerFor(snapshot, signal, true);
  const expiredBefore = tombstonesExpiredBefore(snapshot);
  const options = { layout, fields, expiredBefore, signal };
  const { reusedRowGroups } = await loaded(() => import("./checkpointReuse.js"), "delta-table/log/checkpointReuse");
  for await (const { encoded, fileCount, sizeBytes } of reusedRowGroups(snapshot.files, options, passed)) {
    counted.fileCount += fileCount;
    counted.sizeBytes += sizeBytes;
    await writer.add(encoded);
  }
  if (passed.size === 0) return encodeAnew(encoding);
  await writer.write(stateBatch(stateActions(snapshot), fields));
  for await (const batch of fileActions(snapshot, layout, fields, counted, signal, passed)) {
    await writeOne(writer, batch);
  }
  return { writer, counted };
}

async function encodeAnew({ snapshot, layout, fields, signal }: Encoding): Promise<EncodedCheckpoint> {
  const counted = { fileCount: 0, sizeBytes: 0 };
  const writer = writerFor(snapshot, signal);
  await writer.write(stateBatch(stateActions(snapshot), fields));
  for await (const batch of fileActions(snapshot, layout, fields, counted, signal)) await writeOne(writer, batch);
  return { writer, counted };
}

async function storeV2(store: ObjectStore, snapshot: Snapshot, signal?: AbortSignal): Promise<StoredCheckpoint> {
  const { version } = snapshot;
  const layout = fileLayout(snapshot);
  const fields = fileActionFields(layout).map(toArrowField);
  const counted = { fileCount: 0, sizeBytes: 0 };
  const sidecars: SidecarRow[] = [];
  let [writer, rows, bytes, actionCount, storedBytes] = [writerFor(snapshot, signal), 0, 0, 0, 0];
  const finishSidecar = async () => {
    const written = await writer.finish();
    sidecars.push(await storeSidecar(store, written, signal));
    actionCount += written.rowCount;
    storedBytes += written.sizeBytes;
    [writer, rows, bytes] = [writerFor(snapshot, signal), 0, 0];
  };
  for await (const batch of fileActions(snapshot, layout, fields, counted, signal)) {
    for (const { rows: part, bytes: partBytes } of evenSlices(batch, ROW_GROUP_BYTES)) {
      const isFull = rows + part.numRows > SIDECAR_ROWS || bytes + partBytes > SIDECAR_BYTES;
      if (rows > 0 && isFull) await finishSidecar();
      await writeOne(writer, part);
      rows += part.numRows;
      bytes += partBytes;
    }
  }
  if (rows > 0) await finishSidecar();

  const actions: CheckpointAction[] = [
    { checkpointMetadata: { version } },
    ...stateActions(snapshot),
    ...sidecars.map((sidecar) => ({ sidecar })),
  ];
  const manifest = writerFor(snapshot, signal);
  await manifest.write(stateBatch(actions, manifestFields().map(toArrowField)));
  const { parts, sizeBytes } = await manifest.finish();
  const path = uuidCheckpointPath(version, runtime.randomUUID());
  const modificationTime = runtime.now();
  await store.put(path, Buffer.concat(parts), signal);
  return {
    path,
    actionCount: actionCount + actions.length,
    storedBytes: storedBytes + sizeBytes,
    facts: { v2Checkpoint: { path: path.slice(LOG_FOLDER.length), sizeInBytes: sizeBytes, modificationTime } },
    ...counted,
  };
}

interface SidecarRow {
  readonly path: string;
  readonly sizeInBytes: number;
  readonly modificationTime: number;
}

async function storeSidecar(store: ObjectStore, written: WrittenParquet, signal?: AbortSignal): Promise<SidecarRow> {
  const path = `${runtime.randomUUID()}.parquet`;
  const modificationTime = runtime.now();
  await store.putNew(SIDECAR_FOLDER + path, written.parts, signal);
  return { path, sizeInBytes: written.sizeBytes, modificationTime };
}

function writerFor({ metadata }: Snapshot, signal?: AbortSignal, withStatistics = false): ParquetFileWriter {
  return new ParquetFileWriter({
    withStatistics,
    compression: property(metadata, "delta.parquet.compression.codec"),
    rowGroupRows: ROW_GROUP_ROWS,
    pieceBytes: ROW_GROUP_BYTES,
    signal,
  });
}

/** One piece at a time: another worker takes 60 MB, and saves little where making the batches takes as long as encoding them. */
async function writeOne(writer: ParquetFileWriter, batch: RecordBatch): Promise<void> {
  await writer.write(batch);
  if (writer.isEncoding) await writer.settle();
}

/** A schema longer than this takes more time to read than the file's own. */
const MAX_SCHEMA_CHARS = 20_000;

function schemaFact(fields: readonly StructField[]): StoredCheckpoint["facts"] {
  const checkpointSchema: StructType = { type: "struct", fields };
  return JSON.stringify(checkpointSchema).length > MAX_SCHEMA_CHARS ? {} : { checkpointSchema };
}
