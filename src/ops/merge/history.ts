import type { Clause } from "./clauses.js";
import type { MergePlan } from "./plan.js";

/** What the history says of a merge, under Spark's names. */
export function mergeParameters({ onText, clauses }: MergePlan): Readonly<Record<string, string>> {
  const told = (kind: Clause["kind"]) =>
    JSON.stringify(
      clauses
        .filter((clause) => clause.kind === kind)
        .map(({ given: { where }, action }) => ({
          ...(where !== undefined && { predicate: where }),
          actionType: action,
        })),
    );
  return {
    predicate: JSON.stringify([onText]),
    matchedPredicates: told("matched"),
    notMatchedPredicates: told("notMatched"),
    notMatchedBySourcePredicates: told("notMatchedBySource"),
  };
}

/** Rows of a merge, counted. */
export interface MergeCounts {
  readonly sourceRowCount: number;
  /** The rows of each clause. */
  readonly byClause: readonly number[];
  readonly copiedRowCount: number;
}

/** Rows inserted, updated and deleted, of all clauses or of those of a kind. */
export function rowsOf(
  { clauses }: Pick<MergePlan, "clauses">,
  byClause: readonly number[],
  action: Clause["action"],
  kind?: Clause["kind"],
): number {
  return clauses.reduce((sum, clause, i) => {
    return clause.action === action && (kind === undefined || clause.kind === kind) ? sum + byClause[i]! : sum;
  }, 0);
}

/** The metrics of a merge under Spark's names; `files` are those that a rewrite tells. */
export function mergeMetrics(
  plan: Pick<MergePlan, "clauses">,
  { sourceRowCount, byClause, copiedRowCount }: MergeCounts,
  files: Readonly<Record<string, string>>,
  executionTimeMs: number,
): Readonly<Record<string, string>> {
  const count = (action: Clause["action"], kind?: Clause["kind"]) => rowsOf(plan, byClause, action, kind);
  const [inserted, updated] = [count("insert"), count("update")];
  const rows = {
    numSourceRows: sourceRowCount,
    numTargetRowsInserted: inserted,
    numTargetRowsUpdated: updated,
    numTargetRowsMatchedUpdated: count("update", "matched"),
    numTargetRowsNotMatchedBySourceUpdated: count("update", "notMatchedBySource"),
    numTargetRowsDeleted: count("delete"),
    numTargetRowsMatchedDeleted: count("delete", "matched"),
    numTargetRowsNotMatchedBySourceDeleted: count("delete", "notMatchedBySource"),
    numTargetRowsCopied: copiedRowCount,
    numOutputRows: inserted + updated + copiedRowCount,
    executionTimeMs,
  };
  return {
    ...Object.fromEntries(Object.entries(rows).map(([name, value]) => [name, String(value)])),
    ...Object.fromEntries(Object.entries(FILE_METRICS).map(([name, own]) => [name, files[own] ?? "0"])),
  };
}

/** What a merge calls the counts of files. */
const FILE_METRICS: Readonly<Record<string, string>> = {
  numTargetFilesAdded: "numAddedFiles",
  numTargetFilesRemoved: "numRemovedFiles",
  numTargetBytesAdded: "numAddedBytes",
  numTargetBytesRemoved: "numRemovedBytes",
  numTargetChangeFilesAdded: "numAddedChangeFiles",
  numTargetDeletionVectorsAdded: "numDeletionVectorsAdded",
  numTargetDeletionVectorsUpdated: "numDeletionVectorsUpdated",
  numTargetDeletionVectorsRemoved: "numDeletionVectorsRemoved",
};
