import type { Data, RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { nullColumn } from "../../arrow/constant.js";
import { checkNotNull } from "../../arrow/notNull.js";
import { toArrowSchema } from "../../arrow/schema.js";
import { takeRows } from "../../arrow/take.js";
import type { Snapshot } from "../../log/snapshot.js";
import { BATCH_ROWS } from "../../parquet/decodeFile.js";
import { withVariantBytes } from "../../schema/variantBytes.js";
import type { MergeJoin } from "../../sql/merge/join.js";
import { filledColumns, inputSchema, type RowRules } from "../../write/rowRules.js";
import type { CandidateFile } from "../rewrite/candidateFiles.js";
import { liveRowCount } from "../rewrite/matchedRows.js";
import type { StagedRewrite } from "../rewrite/stagedRewrite.js";
import { changedRows, checkSettable } from "../rowRules.js";
import { type SetTarget, withValues } from "../setTargets.js";
import { NewValues } from "./newValues.js";
import type { PlannedClause } from "./plan.js";
import { TouchedTarget, tracksRows } from "./touchedTarget.js";

/** Rows of one file that clauses are for, by rising place. */
interface FileChange {
  readonly file: CandidateFile;
  readonly positions: Uint32Array;
  readonly clauses: Uint32Array;
}

export interface MergeWriterOptions {
  readonly snapshot: Snapshot;
  readonly rewrite: StagedRewrite;
  readonly clauses: readonly PlannedClause[];
  readonly join: MergeJoin;
  readonly rules: RowRules | undefined;
  /** The target's, by their numbers. */
  readonly files: readonly CandidateFile[];
  readonly onRows: (count: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** Writes what a merge makes of rows. */
export class MergeWriter {
  readonly #snapshot: Snapshot;
  readonly #rewrite: StagedRewrite;
  readonly #clauses: readonly PlannedClause[];
  readonly #values: readonly NewValues[];
  readonly #join: MergeJoin;
  readonly #rules: RowRules | undefined;
  readonly #files: readonly CandidateFile[];
  readonly #rows: TouchedTarget;
  readonly #onRows: (count: number) => void;
  /** For each clause, whether a row's values before are in none of what is written. */
  readonly #replaces: readonly boolean[];
  copiedRowCount = 0;

  constructor({ snapshot, rewrite, clauses, join, rules, files, onRows, signal }: MergeWriterOptions) {
    this.#snapshot = snapshot;
    this.#rewrite = rewrite;
    this.#clauses = clauses;
    this.#join = join;
    this.#values = clauses.map((clause, i) => new NewValues(clause, i, join));
    this.#rules = rules;
    this.#files = files;
    this.#onRows = onRows;
    this.#rows = new TouchedTarget(snapshot, join, files, signal);
    const needsAll = rewrite.tellsChanges || rules !== undefined || tracksRows(snapshot);
    this.#replaces = clauses.map(({ action, targets }) => {
      const whole = new Set([...targets.values()].flatMap(({ path }) => (path.length === 1 ? path : [])));
      return !needsAll && (action === "delete" || snapshot.schema.fields.every(({ name }) => whole.has(name)));
    });
  }

  /** Updates and deletes the rows that the clauses are for. */
  async change(): Promise<void> {
    for await (const change of byFile(this.#join.touched(), this.#files)) await this.#changeFile(change);
  }

  /** Writes the rows that a clause inserts. */
  async insert(clause: number, count: number, tells: boolean): Promise<void> {
    for (let written = 0; written < count; ) {
      const numRows = Math.min(count - written, BATCH_ROWS);
      const made = await this.#values[clause]!.take(numRows);
      const batch = await this.#complete(withValues(this.#nullRows(numRows), made), columnsOf(made), written);
      if (tells) await this.#rewrite.changes.write(batch, "insert");
      await this.#rewrite.rewriter.writeNew(batch);
      written += numRows;
      this.#onRows(numRows);
    }
  }

  async #complete(batch: RecordBatch, given: ReadonlySet<string>, firstRow: number): Promise<RecordBatch> {
    const { protocol, metadata, schema } = this.#snapshot;
    const filled = this.#rules === undefined ? undefined : filledColumns(protocol, metadata, schema);
    checkNotNull(batch, filled === undefined ? schema : inputSchema(schema, filled), firstRow);
    if (this.#rules === undefined) return batch;
    const left = [...filled!].filter((name) => !given.has(name));
    return this.#rules.complete(batch, { firstRow, leftOut: new Map(left.map((name) => [name, "all"] as const)) });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#values, this.#rows].map((rows) => rows.close()));
  }

  #nullRows(count: number): RecordBatch {
    const { fields } = toArrowSchema(withVariantBytes(this.#snapshot.schema));
    const nulls = fields.map(({ type }) => nullColumn(type, count));
    return makeBatch(fields, nulls, count);
  }

  async #changeFile(change: FileChange): Promise<void> {
    const { file, positions, clauses } = change;
    const rewrite = this.#rewrite;
    const isWhole = positions.length === (await liveRowCount(this.#snapshot, file));
    const keepsFile = rewrite.byVectors && !isWhole;
    const onlyDeletes = clauses.every((clause) => this.#clauses[clause]!.action === "delete");
    const isCopied = !keepsFile && !isWhole && (await rewrite.copies.take([file], positions));
    const keepsRows = keepsFile || isCopied;
    const needsRows = !onlyDeletes || rewrite.tellsChanges || !(keepsRows || isWhole);
    const batches = needsRows && (keepsRows || isWhole) ? await this.#touchedOf(change) : undefined;
    if (batches === undefined) this.#rows.skip(positions.length);
    if (needsRows)
      await (batches === undefined ? this.#writeRows(change, keepsRows) : this.#writeTouched(change, batches));
    if (keepsFile) await rewrite.removeRows(file, positions);
    else {
      const liveCount = await rewrite.removeFile(file);
      if (isCopied) this.copiedRowCount += liveCount - positions.length;
    }
    this.#onRows(positions.length);
  }

  /** The rows that change, without reading the file here; undefined where it has to be. */
  async #touchedOf({ clauses }: FileChange): Promise<readonly RecordBatch[] | undefined> {
    if (!clauses.every((clause) => this.#replaces[clause])) return this.#rows.take(clauses.length);
    const whole = Math.floor(clauses.length / BATCH_ROWS);
    const counts = [...new Array<number>(whole).fill(BATCH_ROWS), clauses.length % BATCH_ROWS];
    this.#rows.skip(clauses.length);
    return counts.filter((count) => count > 0).map((count) => this.#nullRows(count));
  }

  async #writeTouched({ clauses }: FileChange, batches: readonly RecordBatch[]): Promise<void> {
    let at = 0;
    for (const touched of batches) {
      await this.#changeBatch(touched, clauses.subarray(at, at + touched.numRows));
      at += touched.numRows;
    }
  }

  /** Writes the rows that change, and unless somebody else `keepsRows`, the others. */
  async #writeRows({ file, positions, clauses }: FileChange, keepsRows: boolean): Promise<void> {
    let at = 0;
    for await (const { touched, kept } of this.#rewrite.rewriter.split(file, positions, !keepsRows)) {
      if (kept !== undefined) {
        this.copiedRowCount += kept.numRows;
        await this.#rewrite.rewriter.writeKept(kept);
      }
      if (touched === undefined) continue;
      await this.#changeBatch(touched, clauses.subarray(at, at + touched.numRows));
      at += touched.numRows;
    }
  }

  async #changeBatch(touched: RecordBatch, clauses: Uint32Array): Promise<void> {
    for (const [clause, rows] of rowsByClause(clauses)) {
      const some = rows.length === touched.numRows ? touched : takeRows(touched, Uint32Array.from(rows));
      await this.#changeRows(clause, some);
    }
  }

  async #changeRows(clause: number, rows: RecordBatch): Promise<void> {
    const { changes, tellsChanges, rewriter } = this.#rewrite;
    if (this.#clauses[clause]!.action === "delete") {
      if (tellsChanges) await changes.write(rows, "delete");
      return;
    }
    const made = await this.#values[clause]!.take(rows.numRows);
    const columns = columnsOf(made);
    checkSettable(this.#rules, columns);
    const changed = await changedRows(this.#rules, withValues(rows, made), columns);
    checkNotNull(changed, this.#snapshot.schema, 0);
    if (tellsChanges) {
      await changes.write(rows, "update_preimage");
      await changes.write(changed, "update_postimage");
    }
    await rewriter.writeChanged(changed);
  }
}

/** The top-level columns that get values. */
function columnsOf(made: ReadonlyMap<SetTarget, Data>): Set<string> {
  return new Set([...made.keys()].map(({ path }) => path[0]!));
}

function rowsByClause(clauses: ArrayLike<number>): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (let row = 0; row < clauses.length; row++) {
    const clause = clauses[row]!;
    const others = rows.get(clause);
    if (others === undefined) rows.set(clause, [row]);
    else others.push(row);
  }
  return rows;
}

/** The rows of one file after the other, of batches in that order. */
async function* byFile(
  batches: AsyncGenerator<RecordBatch>,
  files: readonly CandidateFile[],
): AsyncGenerator<FileChange> {
  let file: number | undefined;
  let [positions, clauses]: [number[], number[]] = [[], []];
  const change = () => ({
    file: files[file!]!,
    positions: Uint32Array.from(positions),
    clauses: Uint32Array.from(clauses),
  });
  for await (const batch of batches) {
    const [inFile, place, clause] = batch.data.children.map(({ values }) => values as ArrayLike<number | bigint>);
    for (let row = 0; row < batch.numRows; row++) {
      const next = Number(inFile![row]);
      if (next !== file) {
        if (file !== undefined) yield change();
        file = next;
        [positions, clauses] = [[], []];
      }
      positions.push(Number(place![row]));
      clauses.push(Number(clause![row]));
    }
  }
  if (file !== undefined) yield change();
}
