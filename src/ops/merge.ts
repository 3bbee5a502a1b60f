import { DeltaError } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import type { Snapshot } from "../log/snapshot.js";
import { allowsWidening } from "../log/typeWidening.js";
import { runtime } from "../runtime.js";
import { mergeSchemas } from "../schema/merge.js";
import type { SqlText } from "../schema/sqlText.js";
import type { StructType } from "../schema/types.js";
import { type DuckdbConnection, duckdb, withWorkDatabase, withWorkFolder } from "../sql/duckdb.js";
import { type MatchCounts, MergeJoin } from "../sql/merge/join.js";
import { matchablePredicate } from "../sql/merge/skipping.js";
import type { PreparedInput, RowInput } from "../write/input.js";
import { filledColumns } from "../write/rowRules.js";
import type { SetOption } from "./assignments.js";
import { checkRemovable } from "./delete.js";
import { type Clause, clausesOf } from "./merge/clauses.js";
import { mergeMetrics, mergeParameters, rowsOf } from "./merge/history.js";
import { mergeSource, spoolSource } from "./merge/mergeSource.js";
import { MergeWriter } from "./merge/mergeWriter.js";
import { type MergePlan, planMerge } from "./merge/plan.js";
import { targetRows } from "./merge/targetRows.js";
import { type CandidateFile, CandidateFiles } from "./rewrite/candidateFiles.js";
import { StagedRewrite } from "./rewrite/stagedRewrite.js";
import { rowRulesFor } from "./rowRules.js";
import { targetOf } from "./stagedAppend.js";
import { type ChangeResult, type CommitOptions, change, type StagedChange } from "./stagedChange.js";

/** Which of its rows a clause is for: all that no clause before it took where it is left out. Only the last clause of a kind may do without. */
export interface MergeCondition {
  /** SQL over `target.column` and `source.column`, as far as the clause's rows have them. */
  readonly where?: string | SqlText;
}

/** What becomes of a target row that a source row matches. `"*"` gives each column the value that the source has under its name. */
export type MatchedClause<Row extends object = Record<string, unknown>> = MergeCondition &
  ({ readonly delete: true } | { readonly update: "*" | SetOption<Row> });

/** What a source row that matches no target row becomes. Columns without a value are null. */
export type NotMatchedClause<Row extends object = Record<string, unknown>> = MergeCondition & {
  readonly insert: "*" | SetOption<Row>;
};

/** What becomes of a target row that no source row matches. */
export type NotMatchedBySourceClause<Row extends object = Record<string, unknown>> = MergeCondition &
  ({ readonly delete: true } | { readonly update: SetOption<Row> });

export interface MergeClauses<Row extends object = Record<string, unknown>> {
  readonly whenMatched?: readonly MatchedClause<Row>[];
  readonly whenNotMatched?: readonly NotMatchedClause<Row>[];
  readonly whenNotMatchedBySource?: readonly NotMatchedBySourceClause<Row>[];
}

export interface MergeOptions<Row extends object = Record<string, unknown>> extends MergeClauses<Row>, CommitOptions {
  /**
   * When a source row matches a target row: SQL over `target.column` and `source.column`, or columns that are equal in both. Nulls match
   * nothing.
   */
  readonly on: string | SqlText | readonly (keyof Row & string)[];
  /**
   * Adds the columns of the source that the table lacks, nested ones too, where a clause has `"*"`; columns that the source lacks keep
   * their values, or are null in new rows. Default false: the source must have all columns for `"*"`, and others are left out.
   */
  readonly mergeSchema?: boolean;
  /** Called as rows are taken in and written. */
  readonly onProgress?: (progress: MergeProgress) => void;
}

export interface MergeProgress {
  /** Rows of the source taken in, of the target compared, and of both changed, so far. */
  readonly sourceRowCount: number;
  readonly targetRowCount: number;
  readonly changedRowCount: number;
}

export interface MergeRowCounts {
  readonly sourceRowCount: number;
  readonly insertedRowCount: number;
  readonly updatedRowCount: number;
  readonly deletedRowCount: number;
  /** Rows that were written anew because others of their file were changed. */
  readonly copiedRowCount: number;
}

export interface MergeResult extends ChangeResult, MergeRowCounts {}

export interface StagedMerge extends StagedChange {
  readonly counts: MergeRowCounts;
}

const NOTHING: MergeRowCounts = {
  sourceRowCount: 0,
  insertedRowCount: 0,
  updatedRowCount: 0,
  deletedRowCount: 0,
  copiedRowCount: 0,
};

/** Implements `Table.merge`; see there. */
export async function merge<Row extends object>(
  log: DeltaLog,
  source: RowInput<object>,
  options: MergeOptions<Row>,
): Promise<MergeResult> {
  const { staged, ...result } = await change(log, options, async (snapshot) => {
    const merged = await stageMerge(log, snapshot, source, options);
    return merged.actions.length === 0 ? undefined : merged;
  });
  return { ...result, ...(staged?.counts ?? NOTHING) };
}

/** Writes what a merge takes: no action where it changes nothing. `tells` makes change files of inserted rows, too. */
export async function stageMerge<Row extends object>(
  log: DeltaLog,
  read: Snapshot,
  input: RowInput<object>,
  options: MergeOptions<Row>,
  tells = false,
): Promise<StagedMerge> {
  const startedMs = runtime.now();
  const { on, mergeSchema = false } = options;
  const clauses = clausesOf(options as MergeClauses);
  if (clauses.some(({ kind }) => kind !== "notMatched")) checkRemovable(read, "update or delete rows");
  const source = await mergeSource(input, read.schema);
  const snapshot = mergeSchema ? evolved(read, source.schema, clauses) : read;
  const filled = filledColumns(snapshot.protocol, snapshot.metadata, snapshot.schema);
  const plan = await planMerge(on, clauses, { target: snapshot.schema, source: source.schema }, mergeSchema, filled);
  return stageRows({ log, read, snapshot, source, plan, options, tells, startedMs });
}

interface MergeWork<Row extends object> {
  readonly log: DeltaLog;
  readonly read: Snapshot;
  /** What was read, with the columns that the merge adds. */
  readonly snapshot: Snapshot;
  readonly source: PreparedInput;
  readonly plan: MergePlan;
  readonly options: MergeOptions<Row>;
  readonly tells: boolean;
  readonly startedMs: number;
}

async function stageRows<Row extends object>(work: MergeWork<Row>): Promise<StagedMerge> {
  const { log, read, snapshot, source, plan, options, tells, startedMs } = work;
  const { clauses, columns } = plan;
  const { signal } = options;
  const progress = { sourceRowCount: 0, targetRowCount: 0, changedRowCount: 0 };
  const counting = (what: keyof typeof progress) => (count: number) => {
    progress[what] += count;
    options.onProgress?.({ ...progress });
  };
  return withWorkFolder(async (folder) => {
    const taken = counting("sourceRowCount");
    const from = await spoolSource(source, columns.get("source")!, folder, ({ numRows }) => taken(numRows), signal);
    const keepsAll = clauses.every(({ kind }) => kind !== "notMatchedBySource");
    const predicate = keepsAll
      ? await matchablePredicate(plan.on, snapshot.schema, from.relation, await duckdb())
      : undefined;
    const candidates = new CandidateFiles(snapshot, predicate, signal);
    const files: CandidateFile[] = [];
    for await (const file of candidates) files.push(file);
    const onRows = counting("targetRowCount");
    const wanted = { snapshot, files, predicate, columns: columns.get("target")!, folder, onRows, signal };

    async function write(join: MergeJoin, { byClause, ambiguous }: MatchCounts): Promise<StagedMerge> {
      checkUnambiguous(ambiguous, clauses);
      const rewrite = new StagedRewrite(log, snapshot, signal);
      const rules = await rowRulesFor(snapshot);
      const onChanged = counting("changedRowCount");
      const writer = new MergeWriter({ snapshot, rewrite, clauses, join, rules, files, onRows: onChanged, signal });
      try {
        await writer.change();
        // Where no other row is told, the new files tell theirs themselves.
        const tellsInserts = tells || rewrite.changes.rowCount > 0;
        for (const [i, { action }] of clauses.entries()) {
          if (action === "insert") await writer.insert(i, byClause[i]!, tellsInserts);
        }
        const { metrics, actions, ...finished } = await rewrite.finish(candidates);
        const metadata = rules?.metadataAfter(snapshot.metadata) ?? snapshot.metadata;
        const isChanged = metadata !== read.metadata;
        const { copiedRowCount } = writer;
        const counts = { sourceRowCount: from.rowCount, byClause, copiedRowCount };
        return {
          ...finished,
          actions: [...(isChanged ? [{ metaData: metadata }] : []), ...actions],
          operation: "MERGE",
          operationParameters: mergeParameters(plan),
          operationMetrics: mergeMetrics(plan, counts, metrics, runtime.now() - startedMs),
          counts: {
            sourceRowCount: from.rowCount,
            insertedRowCount: rowsOf(plan, byClause, "insert"),
            updatedRowCount: rowsOf(plan, byClause, "update"),
            deletedRowCount: rowsOf(plan, byClause, "delete"),
            copiedRowCount,
          },
          discard: () => rewrite.discard(),
        };
      } catch (error) {
        await rewrite.discard();
        throw error;
      } finally {
        await writer.close();
      }
    }

    /** Undefined where the rows can't be compared from the table's own files: why, tells who reads them here. */
    async function merged(direct: boolean): Promise<StagedMerge | undefined> {
      const target = await targetRows(wanted, direct);
      const work = async (db: DuckdbConnection, own: string) => {
        const join = new MergeJoin({
          ...{ db, folder: own, target: await target.relation(own), source: from.relation },
          ...{ on: plan.on.sql, onText: plan.onText, clauses, signal },
        });
        const found = target.isDirect ? await orUndefined(join.match(), signal) : await join.match();
        return found && write(join, found);
      };
      return withWorkDatabase(work, [...target.paths, ...from.paths]);
    }

    return (await merged(true)) ?? (await merged(false))!;
  });
}

async function orUndefined<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (signal?.aborted) throw error;
    return undefined;
  }
}

/** The table with the columns that the source brings along. */
function evolved(read: Snapshot, source: StructType, clauses: readonly Clause[]): Snapshot {
  const assigned = new Set(clauses.flatMap(({ set }) => (typeof set === "object" ? Object.keys(set) : [])));
  const takesAll = clauses.some(({ set }) => set === "*");
  const fields = source.fields.filter(({ name }) => takesAll || assigned.has(name));
  const widens = allowsWidening(read.protocol, read.metadata);
  const schema = mergeSchemas(read.schema, { type: "struct", fields }, widens);
  const { metadata } = targetOf(read, schema, { mergeSchema: true });
  return metadata === read.metadata ? read : read.supposing([{ metaData: metadata }]);
}

/** One row can't have the values of several; but it may be deleted for several reasons. */
function checkUnambiguous(count: number, clauses: MergePlan["clauses"]): void {
  const matched = clauses.filter(({ kind }) => kind === "matched");
  const [first] = matched;
  const onlyDeletes = matched.length === 1 && first!.action === "delete" && first!.condition === undefined;
  if (count === 0 || onlyDeletes) return;
  throw new DeltaError(
    "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE",
    `${count} rows of the table are matched by more than one row of the source that would change them. Make the source's keys unique, or the conditions narrower. Nothing was changed.`,
    { rowCount: count },
  );
}
