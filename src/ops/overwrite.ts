import type { RecordBatch } from "apache-arrow";
import { evaluatePredicate } from "../arrow/evaluate.js";
import { DeltaError } from "../errors.js";
import type { Action, AddFile, Metadata } from "../log/actions.js";
import { columnMappingOf, withMappedSchema } from "../log/columnMapping.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkFeaturesListed, checkWritable } from "../log/features.js";
import { checkIcebergCompat, checkIcebergPartitions } from "../log/icebergCompat.js";
import { canonicalPath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import { withoutColumnMapping } from "../schema/columnMapping.js";
import type { Predicate } from "../schema/predicate.js";
import type { StructType } from "../schema/types.js";
import { validateNewTable } from "../schema/validate.js";
import type { ReadSet } from "../write/conflicts.js";
import { prepareInput, type RowInput } from "../write/input.js";
import { filledColumns, filledOf, type RowRules } from "../write/rowRules.js";
import { allStored } from "../write/stored.js";
import { type AppendOptions, append, rowsFor } from "./append.js";
import { checkRemovable, removeMatching, tellDeleted } from "./delete.js";
import { CandidateFiles, removeOf } from "./rewrite/candidateFiles.js";
import { ChangeFiles } from "./rewrite/changeFiles.js";
import { StagedRewrite } from "./rewrite/stagedRewrite.js";
import { checkNewRules, rowRulesFor, ruledBatches } from "./rowRules.js";
import { schemaFrom } from "./schemaOption.js";
import { type AppendResult, type AppendTarget, dataFileWriter, type StagedAppend, targetOf } from "./stagedAppend.js";
import { change, type StagedChange } from "./stagedChange.js";
import { stageRows } from "./stagedRows.js";
import { predicateOf, type WhereOption, whereText } from "./where.js";

export interface OverwriteOptions<Row extends object = Record<string, unknown>>
  extends Omit<AppendOptions, "properties"> {
  /** Replaces only the rows for which this is true; the new rows must all be such ones. */
  readonly where?: WhereOption<Row>;
  /** Replaces only the partitions that the new rows are in. */
  readonly dynamicPartitions?: boolean;
  /**
   * Gives the table the schema of the rows, or `schema`, and the partition columns of `partitionBy`, which stay where it is left out. Not
   * with `where` and `dynamicPartitions`, whose other rows stay as they are.
   */
  readonly overwriteSchema?: boolean;
}

export interface OverwriteResult extends AppendResult {
  readonly removedFileCount: number;
}

/** Implements `Table.overwrite`; see there. */
export async function overwrite<Row extends object>(
  log: DeltaLog,
  input: RowInput<object>,
  options: OverwriteOptions<Row> = {},
): Promise<OverwriteResult> {
  checkTogether(options);
  const found = await log.latestIfExists(options.signal);
  if (found === undefined) {
    const { where: _, ...rest } = options;
    const partitionBy = JSON.stringify(options.partitionBy ?? []);
    const made = await append(log, input, rest, { operationParameters: { mode: "Overwrite", partitionBy } });
    return { ...made, removedFileCount: 0 };
  }
  const { staged, ...result } = await change(log, options, (snapshot) => stageOverwrite(log, snapshot, input, options));
  const { rowCount = 0, sizeBytes = 0, fileCount = 0, removedFileCount = 0 } = staged ?? {};
  return { ...result, rowCount, sizeBytes, fileCount, removedFileCount };
}

/** Writes the rows, and what is left of the files that they replace rows of. */
export function stageOverwrite<Row extends object>(
  log: DeltaLog,
  snapshot: Snapshot,
  input: RowInput<object>,
  options: OverwriteOptions<Row>,
  tells = false,
): Promise<StagedOverwrite> {
  checkTogether(options);
  return options.where === undefined
    ? stageReplaced(log, snapshot, input, options, tells)
    : stageWhere(log, snapshot, input, options, options.where, tells);
}

interface StagedOverwrite extends StagedChange, Omit<OverwriteResult, "version" | "skipped"> {}

/** All files go, or those of the partitions that the rows are in. */
async function stageReplaced(
  log: DeltaLog,
  snapshot: Snapshot,
  input: RowInput<object>,
  options: Omit<OverwriteOptions, "where">,
  tells: boolean,
): Promise<StagedOverwrite> {
  checkRemovable(snapshot, "replace rows");
  const { target, batches } = await replacingRows(snapshot, input, options);
  if (tells && target.schema !== snapshot.schema) throw schemaInTransaction(snapshot.store.url);
  const changes = new ChangeFiles(log, target, options.signal);
  const told = tells ? toldRows(batches, changes) : batches;
  const staged = await stageRows(dataFileWriter(log, target, options.signal), told, options);
  try {
    const candidates = new CandidateFiles(snapshot, undefined, options.signal);
    const isMeant = options.dynamicPartitions ? inPartitionsOf(staged.adds) : () => true;
    const removed: AddFile[] = [];
    const removal = new StagedRewrite(log, snapshot, options.signal);
    for await (const file of candidates) {
      if (!isMeant(file.add)) continue;
      removed.push(file.add);
      if (tells) await tellDeleted(removal, file, "all", changes);
    }
    const cdc = await changes.finish();
    const reads = options.dynamicPartitions
      ? { mayMatch: isMeant, files: new Set(removed.map(({ path }) => canonicalPath(path))) }
      : candidates.reads;
    const metadata = metadataActions(snapshot, target.metadata, target.rules);
    const actions = [...metadata, ...removed.map((add) => ({ remove: removeOf(add) })), ...cdc.actions];
    const discard = async () => {
      await Promise.all([staged.discard(), changes.discard()]);
    };
    const stored = allStored([staged.stored, cdc.stored]);
    return stagedOverwrite(target, { ...staged, stored, discard }, actions, reads, {});
  } catch (error) {
    await Promise.all([staged.discard(), changes.discard()]);
    throw error;
  }
}

/** The rows for which a condition is true go. */
async function stageWhere<Row extends object>(
  log: DeltaLog,
  snapshot: Snapshot,
  input: RowInput<object>,
  options: OverwriteOptions<Row>,
  where: WhereOption<Row>,
  tellsAll: boolean,
): Promise<StagedOverwrite> {
  checkRemovable(snapshot, "replace rows");
  const target = targetOf(snapshot, declaredSchema(options) ?? snapshot.schema, { partitionBy: options.partitionBy });
  const predicate = (await predicateOf(where, snapshot.schema))!;
  const filled = filledColumns(snapshot.protocol, snapshot.metadata, snapshot.schema);
  const prepared = await prepareInput(input, snapshot.schema, false, false, filled);
  const rules = await rowRulesFor(snapshot);
  const candidates = new CandidateFiles(snapshot, predicate, options.signal);
  const rewrite = new StagedRewrite(log, snapshot, options.signal);
  try {
    const { deletedRowCount, copiedRowCount } = await removeMatching(rewrite, snapshot, candidates, predicate, {
      signal: options.signal,
      tells: tellsAll,
    });
    const tells = tellsAll || rewrite.changes.rowCount > 0;
    let rowCount = 0;
    for await (const batch of ruledBatches(prepared, rules)) {
      await checkMatches(batch, predicate, rowCount);
      await rewrite.rewriter.writeNew(batch);
      if (tells) await rewrite.changes.write(batch, "insert");
      rowCount += batch.numRows;
      options.onProgress?.({ rowCount });
    }
    const { actions, reads, stored, metrics } = await rewrite.finish(candidates);
    const adds = actions.flatMap((action) =>
      "add" in action && action.add.deletionVector === undefined ? [action.add] : [],
    );
    const others = [
      ...metadataActions(snapshot, snapshot.metadata, rules),
      ...actions.filter((action) => !("add" in action && adds.includes(action.add))),
    ];
    const staged = { adds, stored, rowCount, discard: () => rewrite.discard() };
    const predicateText = await whereText(where, predicate, snapshot.schema);
    const { numAddedChangeFiles = "0" } = metrics;
    const operationMetrics = {
      numDeletedRows: String(deletedRowCount),
      numCopiedRows: String(copiedRowCount),
      numAddedChangeFiles,
    };
    const overwritten = stagedOverwrite(target, staged, others, reads, operationMetrics);
    return { ...overwritten, operationParameters: { ...overwritten.operationParameters, predicate: predicateText } };
  } catch (error) {
    await rewrite.discard();
    throw error;
  }
}

function stagedOverwrite(
  { metadata }: AppendTarget,
  { adds, stored, rowCount, discard }: StagedAppend,
  others: readonly Action[],
  reads: ReadSet,
  metrics: Readonly<Record<string, string>>,
): StagedOverwrite {
  const removes = others.flatMap((action) => ("remove" in action ? [action.remove] : []));
  const sizeBytes = adds.reduce((sum, { size }) => sum + size, 0);
  return {
    actions: [...others, ...adds.map((add) => ({ add }))],
    reads,
    operation: "WRITE",
    operationParameters: { mode: "Overwrite", partitionBy: JSON.stringify(metadata.partitionColumns) },
    operationMetrics: {
      numFiles: String(adds.length),
      numOutputRows: String(rowCount),
      numOutputBytes: String(sizeBytes),
      numRemovedFiles: String(removes.length),
      numRemovedBytes: String(removes.reduce((sum, { size = 0 }) => sum + size, 0)),
      ...metrics,
    },
    stored,
    discard,
    rowCount,
    sizeBytes,
    fileCount: adds.length,
    removedFileCount: removes.length,
  };
}

async function* toldRows(batches: AsyncIterable<RecordBatch>, changes: ChangeFiles): AsyncGenerator<RecordBatch> {
  for await (const batch of batches) {
    await changes.write(batch, "insert");
    yield batch;
  }
}

/** Rows of two schemas can't be told in the same change files. */
function schemaInTransaction(url: string): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `${url} tells its changes, so that a transaction can't replace its rows and its schema together. Overwrite it outside of one.`,
    { table: url },
  );
}

/** The rows, in the schema that the table will have. */
async function replacingRows(
  snapshot: Snapshot,
  input: RowInput<object>,
  options: Omit<OverwriteOptions, "where">,
): Promise<{ readonly target: AppendTarget; readonly batches: AsyncIterable<RecordBatch> }> {
  if (!options.overwriteSchema) return rowsFor(snapshot, input, options);
  const declared = declaredSchema(options);
  const prepared = await prepareInput(input, declared, false, false, declared && filledOf(declared));
  const plain = newSchemaTarget(snapshot, withoutColumnMapping(prepared.schema), options.partitionBy);
  await checkNewRules(plain);
  const rules = await rowRulesFor(plain);
  const target = rules === undefined ? plain : { ...plain, rules };
  return { target, batches: ruledBatches(prepared, rules) };
}

/** The change of the table itself: its schema, and the last values of its identity columns. */
function metadataActions(snapshot: Snapshot, metadata: Metadata, rules: RowRules | undefined): Action[] {
  const metaData = rules?.metadataAfter(metadata) ?? metadata;
  return metaData === snapshot.metadata ? [] : [{ metaData }];
}

/** The table with another schema. Throws `DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT` where its protocol doesn't have what that needs. */
function newSchemaTarget(
  snapshot: Snapshot,
  wanted: StructType,
  partitionBy: readonly string[] | undefined,
): AppendTarget {
  const { protocol } = snapshot;
  const partitionColumns = partitionBy ?? snapshot.metadata.partitionColumns;
  const mode = columnMappingOf(protocol, snapshot.metadata);
  validateNewTable(wanted, partitionColumns, mode);
  const { schema, metadata } = withMappedSchema({ ...snapshot.metadata, partitionColumns }, wanted, mode);
  checkFeaturesListed(protocol, metadata);
  checkWritable(protocol, metadata);
  checkIcebergCompat(protocol, metadata);
  checkIcebergPartitions(snapshot, partitionColumns);
  return { snapshot, protocol, metadata, schema };
}

function declaredSchema({ schema }: Pick<AppendOptions, "schema">): StructType | undefined {
  return schema === undefined ? undefined : schemaFrom(schema);
}

/** Whether a file is of one of the partitions of others. */
function inPartitionsOf(adds: readonly AddFile[]): (add: AddFile) => boolean {
  const keys = new Set(adds.map(partitionKey));
  return (add) => keys.has(partitionKey(add));
}

/** Null and the empty text are one value (PROTOCOL.md, Partition Value Serialization). */
function partitionKey({ partitionValues }: AddFile): string {
  const entries = Object.entries(partitionValues).map(([name, value]) => [name, value === "" ? null : value]);
  return JSON.stringify(entries.sort(([a], [b]) => (a! < b! ? -1 : 1)));
}

async function checkMatches(batch: RecordBatch, predicate: Predicate, firstRow: number): Promise<void> {
  const rows = await evaluatePredicate(predicate, batch);
  if (rows === "all") return;
  const index = rows.findIndex((row, i) => row !== i);
  const row = firstRow + (index < 0 ? rows.length : index);
  throw new DeltaError(
    "DELTA_REPLACE_WHERE_MISMATCH",
    `Row ${row} isn't one for which where is true, so it would be added beside the rows that are replaced. Leave it out, or append it.`,
    { row },
  );
}

function checkTogether({ where, dynamicPartitions, overwriteSchema, mergeSchema }: CheckedOptions): void {
  const isPart = where !== undefined || dynamicPartitions === true;
  const wrong =
    where !== undefined && dynamicPartitions
      ? "where and dynamicPartitions both say what is replaced"
      : isPart && overwriteSchema
        ? "overwriteSchema replaces all rows, where and dynamicPartitions only some"
        : where !== undefined && mergeSchema
          ? "where replaces rows of the table's schema, which mergeSchema would change"
          : undefined;
  if (wrong === undefined) return;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `${wrong}. Give one of them only.`, {});
}

interface CheckedOptions extends Omit<OverwriteOptions, "where"> {
  readonly where?: unknown;
}
