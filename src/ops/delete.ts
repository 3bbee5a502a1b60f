import { DeltaError } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { isFeatureActive } from "../log/features.js";
import type { Snapshot } from "../log/snapshot.js";
import { runtime } from "../runtime.js";
import type { Predicate } from "../schema/predicate.js";
import { checkSignal } from "../signal.js";
import { type CandidateFile, CandidateFiles } from "./rewrite/candidateFiles.js";
import { type MatchedRows, matchedFiles } from "./rewrite/matchedRows.js";
import { StagedRewrite } from "./rewrite/stagedRewrite.js";
import { type ChangeResult, type CommitOptions, change, type StagedChange } from "./stagedChange.js";
import { predicateOf, type WhereOption, whereText } from "./where.js";

export interface DeleteResult extends ChangeResult {
  /** Rows deleted. */
  readonly deletedRowCount: number;
  /** Rows that were written anew because others of their file were deleted. */
  readonly copiedRowCount: number;
}

export interface StagedDelete extends StagedChange {
  readonly deletedRowCount: number;
  readonly copiedRowCount: number;
}

/** Implements `Table.delete`; see there. */
export async function deleteRows<Row extends object>(
  log: DeltaLog,
  where: WhereOption<Row> | undefined,
  options: CommitOptions = {},
): Promise<DeleteResult> {
  const { staged, ...result } = await change(log, options, (snapshot) =>
    stageDelete(log, snapshot, where, { signal: options.signal }),
  );
  const { deletedRowCount = 0, copiedRowCount = 0 } = staged ?? {};
  return { ...result, deletedRowCount, copiedRowCount };
}

/** Writes what deleting rows takes; undefined where no row is one of them. */
export async function stageDelete<Row extends object>(
  log: DeltaLog,
  snapshot: Snapshot,
  where: WhereOption<Row> | undefined,
  options: RemoveOptions = {},
): Promise<StagedDelete | undefined> {
  const { signal } = options;
  checkRemovable(snapshot, "delete rows");
  const predicate = await predicateOf(where, snapshot.schema);
  const candidates = new CandidateFiles(snapshot, predicate, signal);
  const rewrite = new StagedRewrite(log, snapshot, signal);
  const startedMs = runtime.now();
  try {
    const { deletedRowCount, copiedRowCount } = await removeMatching(rewrite, snapshot, candidates, predicate, options);
    const { metrics, ...finished } = await rewrite.finish(candidates);
    if (finished.actions.length === 0) return undefined;
    return {
      ...finished,
      operation: "DELETE",
      operationParameters: {
        predicate: JSON.stringify(where === undefined ? [] : [await whereText(where, predicate, snapshot.schema)]),
      },
      operationMetrics: {
        ...metrics,
        numDeletedRows: String(deletedRowCount),
        numCopiedRows: String(copiedRowCount),
        executionTimeMs: String(runtime.now() - startedMs),
      },
      deletedRowCount,
      copiedRowCount,
      discard: () => rewrite.discard(),
    };
  } catch (error) {
    await rewrite.discard();
    throw error;
  }
}

export interface RemoveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Has change files tell all rows, also those that readers could tell without. */
  readonly tells?: boolean;
}

/** Takes the rows for which a predicate is true out of their files, or the files out of the table. */
export async function removeMatching(
  rewrite: StagedRewrite,
  snapshot: Snapshot,
  candidates: CandidateFiles,
  predicate: Predicate | undefined,
  { signal, tells = false }: RemoveOptions = {},
): Promise<{ readonly deletedRowCount: number; readonly copiedRowCount: number }> {
  /** Files that go as a whole: their rows are told as changes only where other files' are. */
  const whole: CandidateFile[] = [];
  let deletedRowCount = 0;
  let copiedRowCount = 0;
  for await (const { file, rows } of matchedFiles(snapshot, candidates, predicate, signal)) {
    checkSignal(signal, "a change of rows");
    if (rows === "all") {
      deletedRowCount += await rewrite.removeFile(file);
      whole.push(file);
    } else if (rows.length > 0) {
      deletedRowCount += rows.length;
      if (rewrite.byVectors) {
        await rewrite.removeRows(file, rows);
        if (tells) await tellDeleted(rewrite, file, rows);
      } else copiedRowCount += await copyOthers(rewrite, file, rows);
    }
  }
  if (tells || rewrite.changes.rowCount > 0) for (const file of whole) await tellDeleted(rewrite, file, "all");
  return { deletedRowCount, copiedRowCount };
}

/** Writes the rows that stay to new files; gives their number. */
async function copyOthers(rewrite: StagedRewrite, file: CandidateFile, rows: Uint32Array): Promise<number> {
  const liveCount = await rewrite.removeFile(file);
  if (await rewrite.copies.take([file], rows)) {
    if (rewrite.tellsChanges) await tellDeleted(rewrite, file, rows);
    return liveCount - rows.length;
  }
  let copied = 0;
  for await (const { touched, kept } of rewrite.rewriter.split(file, rows)) {
    copied += kept?.numRows ?? 0;
    await rewrite.rewriter.writeKept(kept);
    if (rewrite.tellsChanges) await rewrite.changes.write(touched, "delete");
  }
  return copied;
}

/** Writes rows of a file as deleted ones to change files. */
export async function tellDeleted(
  { rewriter, changes }: StagedRewrite,
  file: CandidateFile,
  rows: MatchedRows,
  into = changes,
): Promise<void> {
  for await (const { touched } of rewriter.split(file, rows)) await into.write(touched, "delete");
}

/** Throws `DELTA_CANNOT_MODIFY_APPEND_ONLY`. */
export function checkRemovable({ protocol, metadata, store }: Snapshot, verb: string): void {
  if (!isFeatureActive("appendOnly", protocol, metadata)) return;
  throw new DeltaError(
    "DELTA_CANNOT_MODIFY_APPEND_ONLY",
    `${store.url} only takes new rows (delta.appendOnly), so it can't ${verb}. Set delta.appendOnly to false first if that is meant.`,
    { verb },
  );
}
