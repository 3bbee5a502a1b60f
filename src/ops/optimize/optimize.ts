import type { RecordBatch } from "apache-arrow";
import { columnAt, makeBatch } from "../../arrow/column.js";
import { toArrowField } from "../../arrow/schema.js";
import { takeRows } from "../../arrow/take.js";
import { DeltaError } from "../../errors.js";
import type { Action, AddFile } from "../../log/actions.js";
import { CLUSTERING_PROVIDER, clusteringPaths } from "../../log/clustering.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { canonicalPath } from "../../log/paths.js";
import { property } from "../../log/properties.js";
import type { Snapshot } from "../../log/snapshot.js";
import { columnNames, nearestName, resolveColumn } from "../../schema/columns.js";
import type { StructField, StructType } from "../../schema/types.js";
import { checkSignal } from "../../signal.js";
import type { ReadSet } from "../../write/conflicts.js";
import { allStored } from "../../write/stored.js";
import { type CandidateFile, CandidateFiles, removeOf } from "../rewrite/candidateFiles.js";
import { liveRowCount } from "../rewrite/matchedRows.js";
import { RowCopies } from "../rewrite/rowCopies.js";
import { RowRewriter } from "../rewrite/rowRewriter.js";
import { type ChangeResult, type CommitOptions, change, type StagedChange } from "../stagedChange.js";
import { predicateOf, type WhereOption, whereText } from "../where.js";
import { packBins } from "./bins.js";
import { sizeMetrics } from "./sizeMetrics.js";
import { ZOrder } from "./zOrder.js";

export interface OptimizeOptions<Row extends object = Record<string, unknown>> extends CommitOptions {
  /** Only files that may hold rows for which this is true; all by default. */
  readonly where?: WhereOption<Row>;
  /** Bytes; `delta.targetFileSize` (128 MiB) by default. */
  readonly targetFileSizeBytes?: number;
  /** Puts rows that are near each other in all of these columns into the same files, so that conditions on any of them skip files. */
  readonly zOrderBy?: readonly (keyof Row & string)[];
  /** Writes exactly the files anew of which deletion vectors remove rows, so that the removed rows' bytes can go. */
  readonly purge?: boolean;
  /** Of a clustered table, orders all rows anew: also those of files that are clustered already. */
  readonly full?: boolean;
  readonly onProgress?: (progress: OptimizeProgress) => void;
}

export interface OptimizeProgress {
  /** Files whose rows are written anew, of those that are to be. */
  readonly fileCount: number;
  readonly totalFileCount: number;
}

export interface OptimizeResult extends ChangeResult {
  readonly removedFileCount: number;
  readonly addedFileCount: number;
  /** Bytes of the files. */
  readonly removedBytes: number;
  readonly addedBytes: number;
}

/** A file is full enough to be left alone. */
const FULL = 0.75;
/** Of its rows, removed ones that make rewriting a file pay. */
const MANY_REMOVED = 0.05;

/** Implements `Table.optimize`; see there. */
export async function optimize<Row extends object>(
  log: DeltaLog,
  options: OptimizeOptions<Row> = {},
): Promise<OptimizeResult> {
  const { targetFileSizeBytes: size } = options;
  if (size !== undefined && !(Number.isSafeInteger(size) && size > 0)) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `targetFileSizeBytes is a number of bytes, not ${size}.`, {});
  }
  const stage = (snapshot: Snapshot) => stageOptimize(log, snapshot, options);
  const { staged, ...result } = await change(log, options, stage, NOTHING_READ);
  const { removed = [], added = [] } = staged ?? {};
  return {
    ...result,
    removedFileCount: removed.length,
    addedFileCount: added.length,
    removedBytes: bytesOf(removed),
    addedBytes: bytesOf(added),
  };
}

/** Small files that others add can wait for the next one. */
const NOTHING_READ: ReadSet = { mayMatch: () => false, files: new Set() };

interface StagedOptimize extends StagedChange {
  readonly removed: readonly AddFile[];
  readonly added: readonly AddFile[];
}

async function stageOptimize<Row extends object>(
  log: DeltaLog,
  snapshot: Snapshot,
  options: OptimizeOptions<Row>,
): Promise<StagedOptimize | undefined> {
  const { where, zOrderBy = [], purge = false, signal } = options;
  const clustering = purge ? [] : clusteringPaths(snapshot.domainMetadata, snapshot.schema, snapshot.columnMapping);
  if (clustering.length > 0 && zOrderBy.length > 0) throw clustered(clustering);
  const paths = clustering.length > 0 ? clustering : zOrderBy.map((name) => [name]);
  const order = paths.length === 0 ? undefined : orderOf(snapshot, paths);
  const isClustered = clustering.length > 0;
  const targetBytes = options.targetFileSizeBytes ?? property(snapshot.metadata, "delta.targetFileSize");
  const predicate = await predicateOf(where, snapshot.schema);
  const bins = await binsOf(snapshot, new CandidateFiles(snapshot, predicate, signal), {
    targetBytes,
    isOrdered: order !== undefined,
    isClustered: isClustered && options.full !== true,
    purge,
  });
  const totalFileCount = bins.reduce((sum, bin) => sum + bin.length, 0);
  if (totalFileCount === 0) return undefined;
  const writers: RowRewriter[] = [];
  const copied: RowCopies[] = [];
  const discard = async () => {
    await Promise.all([...writers, ...copied].map((writer) => writer.discard()));
  };
  try {
    const added: AddFile[] = [];
    const stored: Promise<void>[] = [];
    const facts = { dataChange: false, ...(isClustered && { clusteringProvider: CLUSTERING_PROVIDER }) };
    let fileCount = 0;
    for (const bin of bins) {
      checkSignal(signal, "optimize");
      const writer = new RowRewriter(log, snapshot, signal, targetBytes);
      writers.push(writer);
      const copies = new RowCopies(log, snapshot, signal, Number.POSITIVE_INFINITY);
      copied.push(copies);
      if (order !== undefined) await writeOrdered(writer, bin, order, targetBytes);
      else if (!(await copies.take(bin))) for await (const batch of writer.rows(bin)) await writer.writeKept(batch);
      const byDuckdb = await copies.finish(writer);
      added.push(...byDuckdb.adds.map((add) => ({ ...add, ...facts })));
      stored.push(byDuckdb.stored);
      const files = await writer.finish();
      added.push(...files.adds.map((add) => ({ ...add, ...facts })));
      stored.push(files.stored);
      fileCount += bin.length;
      options.onProgress?.({ fileCount, totalFileCount });
    }
    const removed = bins.flat().map(({ add }) => add);
    const removes: Action[] = removed.map((add) => ({ remove: removeOf(add, false) }));
    const predicateText = JSON.stringify(
      where === undefined ? [] : [await whereText(where, predicate, snapshot.schema)],
    );
    return {
      actions: [...removes, ...added.map((add) => ({ add }))],
      reads: { mayMatch: () => false, files: new Set(removed.map(({ path }) => canonicalPath(path))) },
      operation: purge ? "REORG" : "OPTIMIZE",
      operationParameters: {
        predicate: predicateText,
        ...(purge
          ? { applyPurge: "true" }
          : { zOrderBy: JSON.stringify(zOrderBy), clusterBy: namesOf(clustering), auto: "false" }),
      },
      operationMetrics: sizeMetrics(removed, added),
      stored: allStored(stored),
      discard,
      removed,
      added,
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

interface BinOptions {
  readonly targetBytes: number;
  readonly isOrdered: boolean;
  /** Files that are clustered already stay. */
  readonly isClustered: boolean;
  readonly purge: boolean;
}

async function binsOf(
  snapshot: Snapshot,
  candidates: CandidateFiles,
  { targetBytes, isOrdered, isClustered, purge }: BinOptions,
): Promise<CandidateFile[][]> {
  const files: (CandidateFile & { partition: string; isWorthwhile: boolean })[] = [];
  for await (const file of candidates) {
    const removed = file.deletionVector?.cardinality ?? 0;
    const live = removed === 0 ? 0 : await liveRowCount(snapshot, file);
    const hasMany = removed > MANY_REMOVED * (removed + live);
    const isDone = isClustered && file.add.clusteringProvider === CLUSTERING_PROVIDER && !hasMany;
    const isMeant = purge
      ? file.deletionVector !== undefined
      : isOrdered || hasMany || file.sizeBytes < FULL * targetBytes;
    if (!isMeant || isDone) continue;
    const isWorthwhile = purge || hasMany || isOrdered;
    files.push({ ...file, partition: JSON.stringify([...file.partitionValues].sort()), isWorthwhile });
  }
  // The rows of a partition are ordered together.
  return packBins(files, isOrdered ? Number.POSITIVE_INFINITY : targetBytes);
}

/** Writes the rows of some files to files of neighbours. The columns are read twice: once to learn how their values are spread. */
async function writeOrdered(
  writer: RowRewriter,
  bin: readonly CandidateFile[],
  order: Order,
  targetBytes: number,
): Promise<void> {
  const zOrder = new ZOrder(order.schema);
  for await (const batch of writer.columns(bin, order.columns)) zOrder.sample(orderColumns(batch, order));
  const sizeBytes = bin.reduce((sum, file) => sum + file.sizeBytes, 0);
  zOrder.cut(Math.max(1, Math.ceil(sizeBytes / targetBytes)));
  for await (const batch of writer.rows(bin)) {
    for (const [piece, rows] of zOrder.pieces(orderColumns(batch, order))) {
      await writer.writeKept(takeRows(batch, Uint32Array.from(rows)), String(piece));
    }
  }
}

/** Columns, nested ones too, by which rows are ordered. */
interface Order {
  readonly paths: readonly (readonly string[])[];
  /** The top-level columns that they are in. */
  readonly columns: readonly StructField[];
  /** The columns themselves. */
  readonly schema: StructType;
}

function orderColumns(batch: RecordBatch, { paths, schema }: Order): RecordBatch {
  const columns = paths.map((path) => columnAt(batch, path)!);
  // What is in a struct that is null is null itself: its place is of no matter.
  return makeBatch(
    schema.fields.map(toArrowField),
    columns.map((levels) => levels.at(-1)!),
    batch.numRows,
  );
}

function orderOf({ schema, metadata }: Snapshot, paths: readonly (readonly string[])[]): Order {
  const fields = paths.map((path): StructField => {
    const name = path.join(".");
    const found = resolveColumn(schema, path);
    const isPartition = metadata.partitionColumns.includes(name);
    if (found !== undefined && typeof found.type === "string" && !isPartition) {
      return { name, type: found.type, nullable: true, metadata: {} };
    }
    const nearest = nearestName(name, columnNames(schema));
    const why = isPartition ? "names partitions" : found === undefined ? "isn't a column of the table" : "has no order";
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `zOrderBy: ${name} ${why}.`, { column: name, nearest });
  });
  const tops = new Set(paths.map(([top]) => top));
  const columns = schema.fields.filter(({ name }) => tops.has(name));
  return { paths, columns, schema: { type: "struct", fields } };
}

function clustered(paths: readonly (readonly string[])[]): DeltaError {
  return new DeltaError(
    "DELTA_CLUSTERING_WITH_ZORDER_BY",
    `The table is clustered by ${namesOf(paths)}, by which optimize orders it. Leave zOrderBy out, or cluster the table by other columns.`,
    { clusterBy: paths.map((path) => path.join(".")) },
  );
}

function namesOf(paths: readonly (readonly string[])[]): string {
  return JSON.stringify(paths.map((path) => path.join(".")));
}

function bytesOf(files: readonly AddFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
