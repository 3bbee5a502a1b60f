import { DeltaError } from "../errors.js";
import type { Action, AddFile, RemoveFile } from "../log/actions.js";
import { checkpointFooters, hasValues } from "../log/checkpointFooters.js";
import { readJsonCheckpoint } from "../log/checkpointJson.js";
import { sidecarFooters } from "../log/checkpointRead.js";
import { ADD_FIELDS, REMOVE_FIELDS } from "../log/checkpointSchema.js";
import { readStateActions } from "../log/checkpointState.js";
import { fileRows } from "../log/fileRows.js";
import { decodePath } from "../log/paths.js";
import { property } from "../log/properties.js";
import { StateBuilder, type TableState } from "../log/state.js";
import { type StateDifference, stateDifferences } from "../log/stateDifferences.js";
import { Tail } from "../log/tail.js";
import { addReader } from "../read/fileActions.js";
import type { StructField } from "../schema/types.js";
import type { ObjectStore } from "../storage/store.js";
import { recordOf, removeReader } from "./fileRecord.js";
import type { FileTable } from "./fileTable.js";
import type { Findings } from "./findings.js";
import type { ListedCheckpoint } from "./logFiles.js";
import type { References } from "./references.js";

/** A checkpoint whose content was read. */
export interface CheckpointContent {
  readonly state: TableState;
  readonly addCount: number;
  /** Of the checkpoint's own files and its sidecars. */
  readonly actionCount: number;
  readonly sizeBytes: number;
}

/** What a checkpoint's files are given to, one by one. */
export interface FileVisitor {
  add(add: AddFile): void;
  remove(remove: RemoveFile): void;
}

/** Reads a checkpoint once, its files going to `visitor`; reports one that can't be read. */
export async function readWholeCheckpoint(
  store: ObjectStore,
  checkpoint: ListedCheckpoint,
  visitor: FileVisitor,
  findings: Findings,
  signal?: AbortSignal,
): Promise<CheckpointContent | undefined> {
  const { version, paths } = checkpoint;
  try {
    const size = await sizeOf(store, checkpoint, signal);
    const state = await stateOf(store, checkpoint, findings, signal);
    const addCount = await visitFiles(store, checkpoint, state, visitor, signal);
    return { ...size, state, addCount };
  } catch (error) {
    if (!(error instanceof DeltaError) || !DAMAGE.has(error.code)) throw error;
    const message = `The checkpoint of version ${version} can't be read: ${error.message}`;
    findings.add("checkpoint-unreadable", message, { version, path: paths[0]! }, { cause: error.code, ...error.data });
    return undefined;
  }
}

async function sizeOf(
  store: ObjectStore,
  checkpoint: ListedCheckpoint,
  signal?: AbortSignal,
): Promise<Pick<CheckpointContent, "actionCount" | "sizeBytes">> {
  const json = await readJsonCheckpoint(store, checkpoint, signal);
  // Beside what it says of the table, it has one action that says that it is a checkpoint.
  const lines = json === undefined ? 0 : json.state.length + json.sidecars.length + json.files.length + 1;
  const own = await checkpointFooters(store, checkpoint, signal);
  const sidecars = await sidecarFooters(store, checkpoint, signal);
  const rows = [...own, ...sidecars].reduce((sum, { rowCount }) => sum + rowCount, 0);
  const sidecarBytes = sidecars.reduce((sum, { file }) => sum + file.sizeBytes, 0);
  return { actionCount: lines + rows, sizeBytes: checkpoint.sizeBytes + sidecarBytes };
}

const DAMAGE: ReadonlySet<string> = new Set([
  "DELTA_PARQUET_UNREADABLE",
  "DELTA_FILE_NOT_FOUND",
  "DELTA_LOG_CORRUPT",
  "DELTA_STATE_RECOVER_ERROR",
  "DELTA_SCHEMA_MISMATCH",
  "DELTA_VALUE_OUT_OF_RANGE",
]);

async function stateOf(
  store: ObjectStore,
  checkpoint: ListedCheckpoint,
  findings: Findings,
  signal?: AbortSignal,
): Promise<TableState> {
  const { version, paths } = checkpoint;
  const builder = new StateBuilder();
  const seen = new Set<string>();
  for await (const action of readStateActions(store, checkpoint, signal)) {
    const key = identityOf(action);
    if (seen.has(key)) {
      const message = `The checkpoint of version ${version} has more than one ${key}.`;
      findings.add("checkpoint-state-differs", message, { version, path: paths[0]! }, { action: key });
    }
    seen.add(key);
    builder.apply(action);
  }
  return builder.build(version);
}

function identityOf(action: Action): string {
  if ("txn" in action) return `txn of ${action.txn.appId}`;
  if ("domainMetadata" in action) return `domainMetadata of ${action.domainMetadata.domain}`;
  return Object.keys(action)[0]!;
}

async function visitFiles(
  store: ObjectStore,
  checkpoint: ListedCheckpoint,
  { metadata }: TableState,
  visitor: FileVisitor,
  signal?: AbortSignal,
): Promise<number> {
  const { version } = checkpoint;
  const isPartitioned = metadata.partitionColumns.length > 0;
  const files = { store, version, checkpoint, tail: new Tail(version), isPartitioned, damaged: new Set<string>() };
  let addCount = 0;
  const fields = await addFields(store, checkpoint, signal);
  for await (const batch of fileRows(files, "add", fields, signal)) {
    const addAt = addReader(batch);
    addCount += batch.numRows;
    for (let row = 0; row < batch.numRows; row++) visitor.add(addAt(row));
  }
  for await (const batch of fileRows(files, "remove", REMOVE_FIELDS, signal)) {
    const removeAt = removeReader(batch);
    for (let row = 0; row < batch.numRows; row++) visitor.remove(removeAt(row));
  }
  return addCount;
}

/** Statistics that a checkpoint has as structs only are those of the commits in other words: of no use in a comparison. */
async function addFields(
  store: ObjectStore,
  checkpoint: ListedCheckpoint,
  signal?: AbortSignal,
): Promise<readonly StructField[]> {
  const own = await checkpointFooters(store, checkpoint, signal);
  const footers = [...own, ...(await sidecarFooters(store, checkpoint, signal))];
  const has = (...column: string[]) => footers.some((footer) => hasValues(footer, ["add", ...column]) !== false);
  return has("stats") || !has("stats_parsed", "numRecords")
    ? ADD_FIELDS
    : ADD_FIELDS.filter(({ name }) => name !== "stats");
}

/** Compares a checkpoint's files with those of the commits up to its version. */
export class CheckpointComparison implements FileVisitor {
  readonly #checkpoint: ListedCheckpoint;
  readonly #files: FileTable;
  readonly #references: References;
  readonly #findings: Findings;

  constructor(checkpoint: ListedCheckpoint, files: FileTable, references: References, findings: Findings) {
    this.#checkpoint = checkpoint;
    this.#files = files;
    this.#references = references;
    this.#findings = findings;
    files.beginComparison();
  }

  add(add: AddFile): void {
    const record = recordOf(add, add.modificationTime);
    const row = this.#files.find(record.key);
    const path = decodePath(add.path);
    if (row < 0 || this.#files.state(row) !== "live") {
      // Readers that start here take it for live.
      this.#references.add(add.path, add.deletionVector);
      this.#report("checkpoint-file-extra", path, "has the file, which the commits don't have", {});
      return;
    }
    if (!this.#files.meet(row)) this.#report("checkpoint-file-repeated", path, "has the file twice", {});
    const fields = this.#files.differences(row, record);
    if (fields.length === 0) return;
    const since = this.#files.version(row);
    this.#report("checkpoint-file-differs", path, `has another ${fields.join(", ")} than version ${since}`, {
      fields,
      since,
    });
  }

  remove(remove: RemoveFile): void {
    const record = recordOf(remove, remove.deletionTimestamp);
    const row = this.#files.find(record.key);
    const path = decodePath(remove.path);
    const isTombstone = row >= 0 && this.#files.state(row) === "removed";
    if (isTombstone) this.#files.meet(row);
    const hasOtherTime = isTombstone && !Object.is(this.#files.time(row), record.time);
    if (isTombstone && !hasOtherTime) return;
    this.#references.add(remove.path, remove.deletionVector);
    const what = hasOtherTime ? "gives another time of removal" : "has a tombstone that the commits don't have";
    this.#report("checkpoint-tombstone-extra", path, what, {});
  }

  /** The rows of live files that the checkpoint lacks, and of tombstones that it lacks though they hadn't expired. */
  *missing(state: TableState): Generator<{ readonly row: number; readonly isLive: boolean }> {
    for (const row of this.#files.unmet("live")) yield { row, isLive: true };
    const expiredBefore = this.#checkpoint.modifiedMs - retentionOf(state);
    for (const row of this.#files.unmet("removed")) {
      if (this.#files.time(row) > expiredBefore) yield { row, isLive: false };
    }
  }

  #report(
    code:
      | "checkpoint-file-extra"
      | "checkpoint-file-repeated"
      | "checkpoint-file-differs"
      | "checkpoint-tombstone-extra",
    path: string,
    what: string,
    data: Readonly<Record<string, unknown>>,
  ): void {
    const { version, paths } = this.#checkpoint;
    this.#findings.add(
      code,
      `The checkpoint of version ${version} ${what}.`,
      { version, path },
      { ...data, checkpoint: paths[0] },
    );
  }
}

function retentionOf({ metadata }: TableState): number {
  try {
    return property(metadata, "delta.deletedFileRetentionDuration");
  } catch {
    // Nothing is known to be kept too short.
    return 0;
  }
}

/** Compares what a checkpoint says beside files. */
export function compareCheckpointState(
  replayed: TableState,
  stated: TableState,
  { version, paths, modifiedMs }: ListedCheckpoint,
  findings: Findings,
): void {
  const retentionMs = transactionRetentionOf(replayed);
  const mayForget = (appId: string) => {
    const updated = replayed.transactions.get(appId)?.lastUpdated;
    return retentionMs !== undefined && typeof updated === "number" && updated < modifiedMs - retentionMs;
  };
  for (const difference of stateDifferences(replayed, stated, mayForget)) {
    const message = `The checkpoint of version ${version} has another ${nameOf(difference)} than the commits.`;
    findings.add("checkpoint-state-differs", message, { version, path: paths[0]! }, { ...difference });
  }
}

function transactionRetentionOf({ metadata }: TableState): number | undefined {
  try {
    return property(metadata, "delta.setTransactionRetentionDuration");
  } catch {
    return undefined;
  }
}

/** "metaData", "txn of nightly". */
export function nameOf({ action, name }: StateDifference): string {
  return name === undefined ? action : `${action} of ${name}`;
}
