import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import type { StructField } from "../../schema/types.js";
import { checkSignal } from "../../signal.js";
import { type DuckdbConnection, quoteName } from "../duckdb.js";
import { inSql } from "../evaluate.js";
import { spoolCopy } from "../parquetCopy.js";
import { FILE, POSITION } from "../removedRows.js";
import { spooledRows } from "../spooledRows.js";
import type { MergeValue } from "./values.js";

/** Which rows a clause is about. */
export type ClauseKind = "matched" | "notMatched" | "notMatchedBySource";

/** What the join has to know of a clause. */
export interface JoinClause {
  readonly kind: ClauseKind;
  readonly action: "update" | "delete" | "insert";
  /** SQL; undefined where it holds for every row. */
  readonly condition: string | undefined;
  readonly values: readonly MergeValue[];
}

/** A source row's number. It travels with the rows. */
export const SOURCE_ROW: StructField = { name: "merge: row", type: "long", nullable: false, metadata: {} };

const [file, position, row] = [FILE, POSITION, SOURCE_ROW].map(({ name }) => quoteName(name));
const TARGET_ROW = `target.${file} AS file, target.${position} AS pos`;
const OF_TARGET = (other: string) => `${other}.file = target.${file} AND ${other}.pos = target.${position}`;

export interface MergeInput {
  readonly db: DuckdbConnection;
  readonly folder: string;
  /** What to select each side's rows from. */
  readonly target: string;
  readonly source: string;
  /** SQL. */
  readonly on: string;
  /** As it was given. */
  readonly onText: string;
  readonly clauses: readonly JoinClause[];
  readonly signal?: AbortSignal | undefined;
}

/** Rows by the clause that they go by, as {@link MergeJoin.match} found them. */
export interface MatchCounts {
  /** For each clause, the target rows or, of an insert, the source rows that it is for. */
  readonly byClause: readonly number[];
  /** Target rows that more than one source row would change. */
  readonly ambiguous: number;
}

/** Finds by DuckDB what becomes of each row of a merge, and its new values. */
export class MergeJoin {
  readonly #input: MergeInput;

  constructor(input: MergeInput) {
    this.#input = input;
  }

  /** Joins the two sides and finds each row's clause. Throws `DELTA_INVALID_PREDICATE` where a condition fails on a row. */
  async match(): Promise<MatchCounts> {
    const { target, source, on, onText, clauses } = this.#input;
    const matched = this.#clauseOf("matched");
    await this.#run(
      onText,
      `CREATE TABLE pairs AS SELECT ${TARGET_ROW}, source.${row} AS source_row, ${matched} AS clause
       FROM ${target} AS target JOIN ${source} AS source ON (${on})`,
    );
    const [[ambiguous]] = (await this.#run(
      onText,
      `SELECT count(*) FROM (SELECT 1 FROM pairs WHERE clause IS NOT NULL GROUP BY file, pos HAVING count(*) > 1)`,
    )) as [[unknown]];
    const touched = [
      // Whoever deletes a row twice deletes it once.
      `SELECT file, pos, min(source_row) AS source_row, min(clause) AS clause
       FROM pairs WHERE clause IS NOT NULL GROUP BY file, pos`,
    ];
    if (clauses.some(({ kind }) => kind === "notMatchedBySource")) {
      touched.push(
        `SELECT ${TARGET_ROW}, NULL AS source_row, ${this.#clauseOf("notMatchedBySource")} AS clause
         FROM ${target} AS target ANTI JOIN pairs ON (${OF_TARGET("pairs")})`,
      );
    }
    await this.#run(
      onText,
      `CREATE TABLE touched AS SELECT * FROM (${touched.join(" UNION ALL ")}) WHERE clause IS NOT NULL`,
    );
    await this.#run(
      onText,
      `CREATE TABLE unmatched AS SELECT * FROM (
         SELECT source.${row} AS source_row, ${this.#clauseOf("notMatched")} AS clause
         FROM ${source} AS source ANTI JOIN pairs ON (pairs.source_row = source.${row})
       ) WHERE clause IS NOT NULL`,
    );
    const [numbers = [], counts = []] = (await this.#run(
      onText,
      "SELECT clause, count(*) FROM (SELECT clause FROM touched UNION ALL SELECT clause FROM unmatched) GROUP BY clause",
    )) as Partial<readonly [readonly number[], readonly unknown[]]>;
    const byClause = clauses.map((_, clause) => Number(counts[numbers.indexOf(clause)] ?? 0));
    return { byClause, ambiguous: Number(ambiguous) };
  }

  /** The target rows that clauses are for, in the order of files and places: batches of file, place and clause. */
  touched(): AsyncGenerator<RecordBatch> {
    return this.#rows("touched", "SELECT file, pos, clause FROM touched ORDER BY file, pos", "");
  }

  /** Numbers of the files that have such rows. */
  async touchedFiles(): Promise<readonly number[]> {
    const [files = []] = await this.#run("", "SELECT DISTINCT file FROM touched");
    return files as readonly number[];
  }

  /** Columns of the rows of {@link MergeJoin.touched}, in that order; `rows` is what to select them from. */
  touchedRows(rows: string, columns: readonly string[]): AsyncGenerator<RecordBatch> {
    const list = columns.map((name) => `target.${quoteName(name)}`).join(", ");
    const select = `SELECT ${list} FROM (${rows}) AS target JOIN touched AS found ON (${OF_TARGET("found")})`;
    return this.#rows("touched-rows", `${select} ORDER BY found.file, found.pos`, "");
  }

  /** The new values that a clause gives, in the order of {@link MergeJoin.touched} or, of an insert, of the source. */
  values(clause: number): AsyncGenerator<RecordBatch> {
    const { clauses, target, source } = this.#input;
    const { kind, values } = clauses[clause]!;
    const columns = values.map((value) => `${value.sql} AS ${quoteName(value.field.name)}`);
    const needs = (side: "target" | "source") => values.some((value) => (value.columns.get(side)?.size ?? 0) > 0);
    const from = [kind === "notMatched" ? "unmatched AS found" : "touched AS found"];
    if (kind !== "notMatched" && needs("target")) from.push(`${target} AS target ON (${OF_TARGET("found")})`);
    if (needs("source")) from.push(`${source} AS source ON (source.${row} = found.source_row)`);
    const order = kind === "notMatched" ? "found.source_row" : "found.file, found.pos";
    const select = `SELECT ${columns.join(", ")} FROM ${from.join(" JOIN ")} WHERE found.clause = ${clause} ORDER BY ${order}`;
    return this.#rows(`values-${clause}`, select, values.map(({ text }) => text).join(", "));
  }

  /** Each row's clause of a kind, null where none holds. */
  #clauseOf(kind: ClauseKind): string {
    const cases = this.#input.clauses.flatMap((clause, i) => {
      return clause.kind === kind ? [`WHEN ${clause.condition ?? "true"} THEN ${i}`] : [];
    });
    return cases.length === 0 ? "CAST(NULL AS INTEGER)" : `CAST(CASE ${cases.join(" ")} END AS INTEGER)`;
  }

  async *#rows(name: string, select: string, text: string): AsyncGenerator<RecordBatch> {
    const { folder, signal } = this.#input;
    const path = `${name}.parquet`;
    await this.#run(text, spoolCopy(select, join(folder, path)));
    yield* spooledRows(folder, path, signal);
  }

  async #run(text: string, sql: string): Promise<readonly (readonly unknown[])[]> {
    const { db, signal } = this.#input;
    checkSignal(signal, "merge");
    const stop = () => db.interrupt();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await inSql(text, () => db.columns(sql));
    } catch (error) {
      checkSignal(signal, "merge");
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}
