import { isDeepStrictEqual } from "node:util";
import { statisticsColumns } from "../arrow/statisticsColumns.js";
import { DeltaError, hasCode } from "../errors.js";
import type { Action, AddFile, Metadata, Protocol } from "../log/actions.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkWritable } from "../log/features.js";
import { LOG_FOLDER } from "../log/names.js";
import { property } from "../log/properties.js";
import type { Snapshot } from "../log/snapshot.js";
import { runtime } from "../runtime.js";
import { checkAssignable } from "../schema/compare.js";
import type { StructType } from "../schema/types.js";
import { checkSignal } from "../signal.js";
import { type DataFileOptions, DataFileWriter, type StagedFiles } from "../write/dataFiles.js";
import { prepareInput, type RowInput } from "../write/input.js";
import { commit, type Transaction } from "../write/transaction.js";
import { checkMove, moveActions, type TransactionMove } from "../write/transactionMove.js";
import { newTable } from "./create.js";
import { type SchemaOption, schemaFrom } from "./schemaOption.js";

export interface AppendOptions {
  /** The table's schema, where this append creates it or to be sure that it is this one. Inferred where it's missing. */
  readonly schema?: SchemaOption;
  /** Columns to partition a new table by. */
  readonly partitionBy?: readonly string[];
  /** Table properties of a new table. */
  readonly properties?: Readonly<Record<string, string>>;
  /**
   * Makes the append idempotent: if the table already records this version of `appId`, or a later one, nothing is written
   * and the result says `skipped`.
   */
  readonly txn?: { readonly appId: string; readonly version: number };
  /** A text kept in the commit and shown by `history`. */
  readonly userMetadata?: string;
  readonly signal?: AbortSignal;
  /** Called after each batch taken in. */
  readonly onProgress?: (progress: AppendProgress) => void;
}

export interface AppendProgress {
  /** Rows taken in so far. None of them is visible before the append returns. */
  readonly rowCount: number;
}

export interface AppendResult {
  /** The version that holds the rows. */
  readonly version: number;
  readonly rowCount: number;
  readonly fileCount: number;
  /** Bytes of the data files written. */
  readonly sizeBytes: number;
  /** True where `txn` was recorded already, so that nothing was written. */
  readonly skipped: boolean;
}

/** Where the rows go: the table as it is, or the one this append creates. */
interface Target {
  readonly snapshot: Snapshot | undefined;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly schema: StructType;
}

/** Implements `Table.append`; see there. `move` is progress that is committed with the rows, empty or not. */
export async function append(
  log: DeltaLog,
  input: RowInput<object>,
  options: AppendOptions = {},
  move: TransactionMove = [],
): Promise<AppendResult> {
  const { signal, txn } = options;
  const snapshot = log.known ?? (await log.latestIfExists(signal));
  if (snapshot !== undefined && isRecorded(snapshot, txn)) return skippedAt(snapshot);
  checkMove(snapshot?.transactions, move);

  const declared = options.schema === undefined ? undefined : schemaFrom(options.schema);
  if (snapshot !== undefined) checkTarget(snapshot, declared, options);
  const { schema, batches } = await prepareInput(input, snapshot?.schema ?? declared);
  const target: Target =
    snapshot === undefined
      ? { snapshot, schema, ...newTable(schema, options) }
      : { snapshot, schema, protocol: snapshot.protocol, metadata: snapshot.metadata };

  const writer = new DataFileWriter(log.store, dataFileOptions(target, signal));
  let rowCount = 0;
  let files: StagedFiles;
  try {
    for await (const batch of batches) {
      checkSignal(signal, "append");
      await writer.write(batch);
      rowCount += batch.numRows;
      options.onProgress?.({ rowCount });
    }
    files = await writer.finish();
  } catch (error) {
    await writer.discard();
    throw error;
  }
  const staged = { ...files, rowCount, discard: () => writer.discard() };
  return commitAppend(log, target, staged, options, move);
}

interface Staged extends StagedFiles {
  readonly rowCount: number;
  discard(): Promise<void>;
}

async function commitAppend(
  log: DeltaLog,
  target: Target,
  staged: Staged,
  options: AppendOptions,
  move: TransactionMove,
): Promise<AppendResult> {
  const { adds, rowCount } = staged;
  const sizeBytes = adds.reduce((sum, add) => sum + add.size, 0);
  if (target.snapshot !== undefined && adds.length === 0 && options.txn === undefined && move.length === 0) {
    return { version: target.snapshot.version, rowCount: 0, fileCount: 0, sizeBytes: 0, skipped: false };
  }
  for (let current = target; ; ) {
    const outcome = await commit(log, transactionOf(current, staged, sizeBytes, options, move), options.signal).catch(
      async (error: unknown) => {
        // An unknown outcome may be a commit: its files must stay.
        if (!hasCode(error, "DELTA_COMMIT_OUTCOME_UNKNOWN")) await staged.discard();
        throw error;
      },
    );
    if (outcome.status === "committed") {
      return { version: outcome.version, rowCount, fileCount: adds.length, sizeBytes, skipped: false };
    }
    if (isRecorded(outcome.snapshot, options.txn)) {
      await staged.discard();
      return skippedAt(outcome.snapshot);
    }
    try {
      checkMove(outcome.snapshot.transactions, move);
      current = retarget(current, outcome.snapshot);
    } catch (error) {
      await staged.discard();
      throw error;
    }
  }
}

function transactionOf(
  target: Target,
  { adds, stored, rowCount }: Staged,
  sizeBytes: number,
  options: AppendOptions,
  move: TransactionMove,
): Transaction {
  return {
    read: target.snapshot,
    actions: appendActions(target, adds, options, move),
    operation: "WRITE",
    operationParameters: { mode: "Append", partitionBy: JSON.stringify(target.metadata.partitionColumns) },
    operationMetrics: {
      numFiles: String(adds.length),
      numOutputRows: String(rowCount),
      numOutputBytes: String(sizeBytes),
    },
    userMetadata: options.userMetadata,
    stored,
  };
}

/**
 * The same staged files for a table that has changed meanwhile: they stand if it still has the schema and the partition
 * columns they were written for.
 */
function retarget(target: Target, snapshot: Snapshot): Target {
  checkWritable(snapshot.protocol, snapshot.metadata);
  checkAssignable(snapshot.schema, target.schema);
  checkPartitioning(snapshot, target.metadata.partitionColumns);
  return { snapshot, schema: target.schema, protocol: snapshot.protocol, metadata: snapshot.metadata };
}

function appendActions(
  target: Target,
  adds: readonly AddFile[],
  { txn }: AppendOptions,
  move: TransactionMove,
): Action[] {
  const creation = target.snapshot === undefined ? [{ protocol: target.protocol }, { metaData: target.metadata }] : [];
  const progress = txn === undefined ? [] : [{ txn: { ...txn, lastUpdated: runtime.now() } }];
  return [...creation, ...progress, ...moveActions(move), ...adds.map((add) => ({ add }))];
}

function checkTarget(snapshot: Snapshot, declared: StructType | undefined, options: AppendOptions): void {
  checkWritable(snapshot.protocol, snapshot.metadata);
  if (declared !== undefined) checkAssignable(snapshot.schema, declared);
  if (options.partitionBy !== undefined) checkPartitioning(snapshot, options.partitionBy);
}

function checkPartitioning(snapshot: Snapshot, wanted: readonly string[]): void {
  const partitionColumns = snapshot.metadata.partitionColumns;
  if (isDeepStrictEqual(partitionColumns, wanted)) return;
  const list = (columns: readonly string[]) => (columns.length === 0 ? "no columns" : columns.join(", "));
  throw new DeltaError(
    "DELTA_INVALID_PARTITION_COLUMN",
    `The table is partitioned by ${list(partitionColumns)}, the rows by ${list(wanted)}. Leave partitionBy out to use the table's.`,
    { partitionColumns, wanted },
  );
}

function dataFileOptions(target: Target, signal: AbortSignal | undefined): DataFileOptions {
  const { schema, metadata } = target;
  const { partitionColumns } = metadata;
  const listed = property(metadata, "delta.dataSkippingStatsColumns");
  return {
    schema,
    partitionColumns,
    statisticsColumns: statisticsColumns(schema, partitionColumns, {
      numIndexedCols: property(metadata, "delta.dataSkippingNumIndexedCols"),
      statsColumns: listed === undefined ? undefined : [listed],
    }),
    targetFileSizeBytes: property(metadata, "delta.targetFileSize"),
    compression: property(metadata, "delta.parquet.compression.codec"),
    signal,
  };
}

/** An application's newest recorded version counts, even where an older one was higher (PROTOCOL.md, Transaction Identifiers). */
function isRecorded(snapshot: Snapshot, txn: AppendOptions["txn"]): boolean {
  const recorded = txn === undefined ? undefined : snapshot.transactions.get(txn.appId);
  return recorded !== undefined && txn !== undefined && recorded.version >= txn.version;
}

/** The recorded commit may be of a process that was killed before it flushed; from now on the caller relies on it. */
async function skippedAt(snapshot: Snapshot): Promise<AppendResult> {
  await snapshot.store.settle(LOG_FOLDER);
  return { version: snapshot.version, rowCount: 0, fileCount: 0, sizeBytes: 0, skipped: true };
}
