import { isDeepStrictEqual } from "node:util";
import { statisticsColumns } from "../arrow/statisticsColumns.js";
import { DeltaError, hasCode } from "../errors.js";
import type { Action, DomainMetadata, Metadata, Protocol } from "../log/actions.js";
import { clusteringPaths } from "../log/clustering.js";
import { columnMappingOf, MAX_COLUMN_ID, type MappedMetadata, withMappedSchema } from "../log/columnMapping.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkFeaturesListed, checkWritable } from "../log/features.js";
import { checkIcebergCompat, materializesPartitions } from "../log/icebergCompat.js";
import { LOG_FOLDER } from "../log/names.js";
import { property } from "../log/properties.js";
import type { Snapshot } from "../log/snapshot.js";
import { allowsWidening, hasTypeWidening } from "../log/typeWidening.js";
import { runtime } from "../runtime.js";
import { type MappedSchema, movedColumns } from "../schema/columnMapping.js";
import { checkAssignable, schemaDifferences } from "../schema/compare.js";
import { mergeSchemas } from "../schema/merge.js";
import { recordTypeChanges } from "../schema/typeChanges.js";
import type { StructType } from "../schema/types.js";
import { validateNewTable } from "../schema/validate.js";
import { type DataFileOptions, DataFileWriter, type StagedFiles } from "../write/dataFiles.js";
import { type RowRules, rulesText } from "../write/rowRules.js";
import { commit, type Transaction } from "../write/transaction.js";
import { checkMove, moveActions, type TransactionMove } from "../write/transactionMove.js";
import { type CreateOptions, newTable, pathExists } from "./create.js";

export interface TargetOptions extends Pick<CreateOptions, "partitionBy" | "properties" | "clusterBy"> {
  /** Adds the columns that the rows have and the table lacks. */
  readonly mergeSchema?: boolean;
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

/** Where rows go: the table as it is, with columns that they add to it, or the one that they create. */
export interface AppendTarget {
  /** Undefined where the table isn't there yet. */
  readonly snapshot: Snapshot | undefined;
  readonly protocol: Protocol;
  /** The snapshot's own where nothing changes. */
  readonly metadata: Metadata;
  /** What the data files are written in. */
  readonly schema: StructType;
  /** What the rows have been checked by, where the table has rules. */
  readonly rules?: RowRules;
  /** Of a table that isn't there yet. */
  readonly domains?: readonly DomainMetadata[];
}

/**
 * The target of rows of this schema: the table's, with new columns where `mergeSchema` is given, or a new table's. Throws
 * `DELTA_SCHEMA_MISMATCH`, `DELTA_INVALID_SCHEMA`, `DELTA_INVALID_PARTITION_COLUMN`, `DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT` and
 * what {@link checkWritable} throws.
 */
export function targetOf(snapshot: Snapshot | undefined, schema: StructType, options: TargetOptions): AppendTarget {
  if (snapshot === undefined) return { snapshot, ...newTable(schema, options) };
  checkWritable(snapshot.protocol, snapshot.metadata);
  if (options.partitionBy !== undefined) checkPartitioning(snapshot, options.partitionBy);
  const { protocol } = snapshot;
  if (schema === snapshot.schema) return { snapshot, schema, protocol, metadata: snapshot.metadata };
  const widens = allowsWidening(protocol, snapshot.metadata);
  const merged = options.mergeSchema ? mergeSchemas(snapshot.schema, schema, widens) : snapshot.schema;
  checkAssignable(merged, schema);
  return { snapshot, protocol, ...withSchema(snapshot, merged) };
}

/** The target of rows of `schema` in the table as it is now. Throws what {@link targetOf} throws. */
export async function openTarget(
  log: DeltaLog,
  { schema, signal, ...options }: TargetOptions & { readonly schema: StructType; readonly signal?: AbortSignal },
): Promise<AppendTarget> {
  return targetOf(log.known ?? (await log.latestIfExists(signal)), schema, options);
}

/** A writer of data files as the table wants them. */
export function dataFileWriter(log: DeltaLog, target: AppendTarget, signal?: AbortSignal): DataFileWriter {
  return new DataFileWriter(log.store, { ...dataFileOptions(target), signal });
}

/** How the table wants its data files. */
export function dataFileOptions(target: AppendTarget): DataFileOptions {
  const { schema, protocol, metadata } = target;
  return {
    schema,
    partitionColumns: metadata.partitionColumns,
    materializesPartitions: materializesPartitions(protocol, metadata),
    columnMapping: columnMappingOf(protocol, metadata),
    statisticsColumns: statisticsColumnsOf(target),
    targetFileSizeBytes: property(metadata, "delta.targetFileSize"),
    compression: property(metadata, "delta.parquet.compression.codec"),
  };
}

/** Paths of the columns that a data file's `stats` tell of. */
function statisticsColumnsOf({
  snapshot,
  schema,
  protocol,
  metadata,
  domains = [],
}: AppendTarget): readonly (readonly string[])[] {
  const listed = property(metadata, "delta.dataSkippingStatsColumns");
  return statisticsColumns(schema, metadata.partitionColumns, {
    numIndexedCols: property(metadata, "delta.dataSkippingNumIndexedCols"),
    statsColumns: listed === undefined ? undefined : [listed],
    always: clusteringPaths(
      snapshot?.domainMetadata ?? new Map(domains.map((domain) => [domain.domain, domain])),
      schema,
      columnMappingOf(protocol, metadata),
    ),
  });
}

/** Data files that wait for their commit. */
export interface StagedAppend extends StagedFiles {
  readonly rowCount: number;
  /** Removes the files. */
  discard(): Promise<void>;
}

export interface CommitAppendOptions {
  /** Makes the commit idempotent; see `AppendOptions.txn`. */
  readonly txn?: { readonly appId: string; readonly version: number } | undefined;
  readonly ifExists?: IfExists | undefined;
  /** Progress that is committed with the rows. */
  readonly move?: TransactionMove;
  /** What `history` shows; default WRITE. */
  readonly operation?: string;
  readonly operationParameters?: Readonly<Record<string, string>>;
  /** Beside the counts of files, rows and bytes. */
  readonly operationMetrics?: Readonly<Record<string, string>>;
  readonly userMetadata?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Commits staged files, after others' commits where they were first. Without files, `txn`, `move` and new columns there is nothing to
 * commit.
 *
 * Throws what `Table.append` throws, `DELTA_CONCURRENT_TRANSACTION` where another run has made the move; the files are removed then, unless
 * the outcome is unknown.
 */
export async function commitAppend(
  log: DeltaLog,
  target: AppendTarget,
  staged: StagedAppend,
  options: CommitAppendOptions,
): Promise<AppendResult> {
  const { adds, rowCount } = staged;
  const { txn, move = [] } = options;
  const sizeBytes = adds.reduce((sum, add) => sum + add.size, 0);
  const { snapshot } = target;
  const isEmpty = adds.length === 0 && txn === undefined && move.length === 0;
  if (snapshot !== undefined && isEmpty && target.metadata === snapshot.metadata) {
    return { version: snapshot.version, rowCount: 0, fileCount: 0, sizeBytes: 0, skipped: false };
  }
  for (let current = target; ; ) {
    const outcome = await commit(log, transactionOf(current, staged, sizeBytes, options), options.signal).catch(
      async (error: unknown) => {
        // An unknown outcome may be a commit: its files must stay.
        if (!hasCode(error, "DELTA_COMMIT_OUTCOME_UNKNOWN")) await staged.discard();
        throw error;
      },
    );
    if (outcome.status === "committed") {
      return { version: outcome.version, rowCount, fileCount: adds.length, sizeBytes, skipped: false };
    }
    if (isRecorded(outcome.snapshot, txn)) {
      await staged.discard();
      return skippedAt(outcome.snapshot);
    }
    try {
      if (isTaken(outcome.snapshot, target.snapshot === undefined ? options.ifExists : "append")) {
        await staged.discard();
        return skippedAt(outcome.snapshot);
      }
      checkMove(outcome.snapshot.transactions, move);
      current = retarget(current, outcome.snapshot);
    } catch (error) {
      // Who tries again begins with the table as it is now.
      log.adopt(outcome.snapshot, runtime.now());
      await staged.discard();
      throw error;
    }
  }
}

/** What is done where the table is there already. */
export type IfExists = "append" | "error" | "ignore";

/** What the history of a table that an append created calls them, as Spark does. */
const SAVE_MODES: Readonly<Record<IfExists, string>> = { append: "Append", error: "ErrorIfExists", ignore: "Ignore" };

/** Whether nothing is to be done for a table that is there. Throws `DELTA_PATH_EXISTS` where that is an error. */
export function isTaken({ store, version }: Snapshot, ifExists: IfExists = "append"): boolean {
  if (ifExists === "error") throw pathExists(store.url, version);
  return ifExists === "ignore";
}

/** An application's newest recorded version counts, even where an older one was higher (PROTOCOL.md, Transaction Identifiers). */
export function isRecorded(snapshot: Snapshot, txn: CommitAppendOptions["txn"]): boolean {
  const recorded = txn === undefined ? undefined : snapshot.transactions.get(txn.appId);
  return recorded !== undefined && txn !== undefined && recorded.version >= txn.version;
}

/** The recorded commit may be of a process that was killed before it flushed; from now on the caller relies on it. */
export async function skippedAt(snapshot: Snapshot): Promise<AppendResult> {
  await snapshot.store.settle(LOG_FOLDER);
  return { version: snapshot.version, rowCount: 0, fileCount: 0, sizeBytes: 0, skipped: true };
}

function transactionOf(
  target: AppendTarget,
  { adds, stored, rowCount }: StagedAppend,
  sizeBytes: number,
  options: CommitAppendOptions,
): Transaction {
  const { operation = "WRITE", operationParameters, operationMetrics, userMetadata, txn, move = [] } = options;
  const progress = txn === undefined ? [] : [{ txn: { ...txn, lastUpdated: runtime.now() } }];
  const actions: Action[] = [
    ...tableActions(target),
    ...progress,
    ...moveActions(move),
    ...adds.map((add) => ({ add })),
  ];
  return {
    read: target.snapshot,
    actions,
    operation,
    operationParameters: operationParameters ?? {
      mode: target.snapshot === undefined ? SAVE_MODES[options.ifExists ?? "append"] : "Append",
      partitionBy: JSON.stringify(target.metadata.partitionColumns),
    },
    operationMetrics: {
      numFiles: String(adds.length),
      numOutputRows: String(rowCount),
      numOutputBytes: String(sizeBytes),
      ...operationMetrics,
    },
    userMetadata,
    stored,
  };
}

/** What an append changes of the table itself. */
export function tableActions({ snapshot, protocol, metadata: own, rules }: AppendTarget): Action[] {
  const metadata = rules?.metadataAfter(own) ?? own;
  if (snapshot === undefined) return [{ protocol }, { metaData: metadata }];
  return metadata === snapshot.metadata ? [] : [{ metaData: metadata }];
}

/**
 * The same staged files for a table that has changed meanwhile: they stand if it still has the partition columns they were written
 * for, and their columns, or lacks some that they add.
 */
function retarget(target: AppendTarget, snapshot: Snapshot): AppendTarget {
  const mergeSchema = target.snapshot !== undefined && target.metadata !== target.snapshot.metadata;
  const { partitionColumns: partitionBy } = target.metadata;
  const current = targetOf(snapshot, target.schema, { partitionBy, mergeSchema });
  checkSamePlaces(target, current);
  checkSameTypes(target, current);
  checkSameRules(target, current);
  return { ...current, schema: target.schema, ...(target.rules === undefined ? {} : { rules: target.rules }) };
}

/** Staged rows were checked by the rules of then, and have identity values that another writer may have given out since. */
function checkSameRules(target: AppendTarget, current: AppendTarget): void {
  const before = target.snapshot ?? target;
  if (rulesText(before) === rulesText(current.snapshot ?? current)) return;
  throw new DeltaError(
    "DELTA_METADATA_CHANGED",
    "Another writer changed the rules of the table's rows (constraints, generated columns) or gave out identity values. Nothing was committed; write the rows again.",
    { rules: true },
  );
}

/** Files of older types are for tables that tell of them: of no use where another writer has widened a column and dropped the feature since. */
function checkSameTypes(target: AppendTarget, current: AppendTarget): void {
  if (hasTypeWidening(current.protocol)) return;
  const columns = schemaDifferences(current.schema, target.schema).flatMap(({ kind, column, given }) =>
    kind === "type" && given !== "void" ? [column] : [],
  );
  if (columns.length === 0) return;
  throw new DeltaError(
    "DELTA_METADATA_CHANGED",
    `Another writer changed the type of ${columns.join(", ")}. Nothing was committed; write the rows again.`,
    { columns, rules: true },
  );
}

/** Staged files have the names and ids that the columns had: they are of no use where another writer gave these to others. */
function checkSamePlaces(target: AppendTarget, current: AppendTarget): void {
  const [one, other] = [target, current].map(({ schema, protocol, metadata }) => {
    return { schema, columnMapping: columnMappingOf(protocol, metadata) };
  }) as [MappedSchema, MappedSchema];
  // Ids that this append gives to columns that it adds may be others' by now.
  const before = target.snapshot?.metadata.configuration[MAX_COLUMN_ID];
  const givesIds = target.metadata.configuration[MAX_COLUMN_ID] !== before;
  const areTaken = givesIds && current.snapshot?.metadata.configuration[MAX_COLUMN_ID] !== before;
  const moved = areTaken ? one.schema.fields.map(({ name }) => name) : movedColumns(one, other);
  if (moved.length === 0) return;
  throw new DeltaError(
    "DELTA_METADATA_CHANGED",
    `Another writer changed the table: ${moved.join(", ")} can't be found in the files that were written. Nothing was committed; write the rows again.`,
    { columns: moved },
  );
}

function withSchema({ protocol, metadata, schema, columnMapping }: Snapshot, merged: StructType): MappedMetadata {
  if (merged === schema) return { metadata, schema };
  validateNewTable(merged, metadata.partitionColumns, columnMapping);
  const changed = withMappedSchema(metadata, recordTypeChanges(schema, merged), columnMapping);
  checkFeaturesListed(protocol, changed.metadata);
  checkWritable(protocol, changed.metadata);
  checkIcebergCompat(protocol, changed.metadata);
  return changed;
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
