import type { DeltaLog } from "../log/deltaLog.js";
import type { Snapshot } from "../log/snapshot.js";
import { runtime } from "../runtime.js";
import { checkSignal } from "../signal.js";
import type { TouchedRows } from "../sql/touchedRows.js";
import { type Assignments, assignmentsOf, type SetOption } from "./assignments.js";
import { checkRemovable } from "./delete.js";
import { AdoptedRows } from "./rewrite/adoptedRows.js";
import { type CandidateFile, CandidateFiles } from "./rewrite/candidateFiles.js";
import { ColumnUpdates } from "./rewrite/columnUpdates.js";
import { type MatchedRows, matchedFiles, untakenFiles } from "./rewrite/matchedRows.js";
import { StagedRewrite } from "./rewrite/stagedRewrite.js";
import { changedRows, checkSettable, rowRulesFor } from "./rowRules.js";
import { type ChangeResult, type CommitOptions, change, type StagedChange } from "./stagedChange.js";
import { predicateOf, type WhereOption, whereText } from "./where.js";

export interface UpdateOptions<Row extends object = Record<string, unknown>> extends CommitOptions {
  /** The columns to change and their new values: values, or expressions over the row as it was (`sql`). */
  readonly set: SetOption<Row>;
  /** Which rows; all by default. */
  readonly where?: WhereOption<Row>;
}

export interface UpdateResult extends ChangeResult {
  readonly updatedRowCount: number;
  /** Rows that were written anew because others of their file were updated. */
  readonly copiedRowCount: number;
}

export interface StagedUpdate extends StagedChange {
  readonly updatedRowCount: number;
  readonly copiedRowCount: number;
}

/** Implements `Table.update`; see there. */
export async function update<Row extends object>(log: DeltaLog, options: UpdateOptions<Row>): Promise<UpdateResult> {
  const { staged, ...result } = await change(log, options, (snapshot) => stageUpdate(log, snapshot, options));
  const { updatedRowCount = 0, copiedRowCount = 0 } = staged ?? {};
  return { ...result, updatedRowCount, copiedRowCount };
}

/** Writes what updating rows takes; undefined where no row is one of them. */
export async function stageUpdate<Row extends object>(
  log: DeltaLog,
  snapshot: Snapshot,
  { set, where, signal }: UpdateOptions<Row>,
): Promise<StagedUpdate | undefined> {
  checkRemovable(snapshot, "update rows");
  const assignments = await ruledAssignments(set as SetOption, snapshot);
  const predicate = await predicateOf(where, snapshot.schema);
  const candidates = new CandidateFiles(snapshot, predicate, signal);
  const rewrite = new StagedRewrite(log, snapshot, signal);
  const columns = await ColumnUpdates.of(log, snapshot, predicate, assignments, signal);
  const startedMs = runtime.now();
  const counts = { updated: 0, copied: 0 };
  try {
    const files = rewrite.takesTouched(predicate, assignments.isComputed)
      ? untakenFiles(snapshot, candidates, predicate!, (rows) => updateRows(rewrite, assignments, rows, counts), signal)
      : candidates;
    for await (const { file, rows } of matchedFiles(snapshot, files, predicate, signal)) {
      checkSignal(signal, "update");
      if (rows !== "all" && rows.length === 0) continue;
      const isMoved = rewrite.byVectors && rows !== "all";
      if (isMoved || (await columns?.take(file, rows)) !== true)
        await updateFile(rewrite, assignments, file, rows, counts);
    }
    const replaced = await columns?.finish(rewrite, (file, rows) =>
      updateFile(rewrite, assignments, file, rows, counts),
    );
    counts.updated += replaced?.updated ?? 0;
    counts.copied += replaced?.copied ?? 0;
    const { metrics, ...finished } = await rewrite.finish(candidates);
    if (finished.actions.length === 0) return undefined;
    return {
      ...finished,
      operation: "UPDATE",
      operationParameters: {
        predicate: JSON.stringify(where === undefined ? [] : [await whereText(where, predicate, snapshot.schema)]),
      },
      operationMetrics: {
        ...metrics,
        numUpdatedRows: String(counts.updated),
        numCopiedRows: String(counts.copied),
        executionTimeMs: String(runtime.now() - startedMs),
      },
      updatedRowCount: counts.updated,
      copiedRowCount: counts.copied,
      discard: () => rewrite.discard(),
    };
  } catch (error) {
    await rewrite.discard();
    throw error;
  }
}

/** Gives rows their new values, and checks them by the rules of the table. */
async function ruledAssignments(set: SetOption, snapshot: Snapshot): Promise<Assignments> {
  const assignments = await assignmentsOf(set, snapshot.schema);
  const rules = await rowRulesFor(snapshot);
  if (rules === undefined) return assignments;
  const { columns, isComputed, named } = assignments;
  checkSettable(rules, columns);
  return {
    named,
    columns,
    isComputed,
    sql: undefined,
    whole: undefined,
    apply: async (batch) => changedRows(rules, await assignments.apply(batch), columns),
  };
}

/** Rows of files that lose them by vectors. */
async function updateRows(
  rewrite: StagedRewrite,
  assignments: Assignments,
  rows: TouchedRows<CandidateFile>,
  counts: { updated: number },
): Promise<void> {
  const { adopted, rewriter, changes, tellsChanges } = rewrite;
  if (rows.rowCount === 0) return;
  counts.updated += rows.rowCount;
  for (const [file, places] of rows.places) if (places.length > 0) await rewrite.removeAny(file, places);
  const isSmall = rows.sizeBytes <= AdoptedRows.maxBytes;
  const copy = adopted && assignments.sql && isSmall ? await rows.copy(assignments.sql) : undefined;
  if (copy !== undefined && (await adopted!.add(copy))) return;
  for await (const touched of rows.batches()) {
    const changed = await assignments.apply(touched);
    if (tellsChanges) {
      await changes.write(touched, "update_preimage");
      await changes.write(changed, "update_postimage");
    }
    await rewriter.writeChanged(changed);
  }
}

async function updateFile(
  rewrite: StagedRewrite,
  assignments: Assignments,
  file: CandidateFile,
  rows: MatchedRows,
  counts: { updated: number; copied: number },
): Promise<void> {
  const keepsFile = rewrite.byVectors && rows !== "all";
  const isCopied = !keepsFile && rows !== "all" && (await rewrite.copies.take([file], rows));
  for await (const { touched, kept } of rewrite.rewriter.split(file, rows, !keepsFile && !isCopied)) {
    if (kept !== undefined) {
      counts.copied += kept.numRows;
      await rewrite.rewriter.writeKept(kept);
    }
    if (touched === undefined) continue;
    const changed = await assignments.apply(touched);
    counts.updated += touched.numRows;
    if (rewrite.tellsChanges) {
      await rewrite.changes.write(touched, "update_preimage");
      await rewrite.changes.write(changed, "update_postimage");
    }
    await rewrite.rewriter.writeChanged(changed);
  }
  if (keepsFile) await rewrite.removeRows(file, rows);
  else {
    const liveCount = await rewrite.removeFile(file);
    if (isCopied) counts.copied += liveCount - rows.length;
  }
}
