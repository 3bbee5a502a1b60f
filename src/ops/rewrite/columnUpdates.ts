import { loaded } from "../../lazy.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { isFeatureActive } from "../../log/features.js";
import type { Snapshot } from "../../log/snapshot.js";
import { hasOpaque, type Predicate } from "../../schema/predicate.js";
import type { ReplacedFile } from "../../sql/replacedColumns.js";
import type { Assignments } from "../assignments.js";
import { dataFileOptions } from "../stagedAppend.js";
import type { CandidateFile } from "./candidateFiles.js";
import type { MatchedRows } from "./matchedRows.js";
import { hasDuckdb, WORTH_BYTES } from "./rowCopies.js";
import type { StagedRewrite } from "./stagedRewrite.js";

/** Bytes of a file from which on it pays to leave its other columns alone, where DuckDB is there anyway. */
const SMALL_BYTES = 256 * 1024;

/** A file that waits for its new values. */
interface Waiting {
  readonly file: CandidateFile;
  readonly rows: MatchedRows;
}

/**
 * Gives rows other values in some columns by writing those columns of their files anew, by DuckDB, and copying the bytes of the others:
 * of files on this machine whose columns of the change are plain.
 */
export class ColumnUpdates {
  readonly #log: DeltaLog;
  readonly #snapshot: Snapshot;
  readonly #predicate: Predicate | undefined;
  readonly #assignments: Assignments;
  /** Whether the change needs DuckDB anyway. */
  readonly #isLoaded: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #waiting: Waiting[] = [];

  /** Undefined where rows have more to them than their values, or the values are no SQL. */
  static async of(
    log: DeltaLog,
    snapshot: Snapshot,
    predicate: Predicate | undefined,
    assignments: Assignments,
    signal?: AbortSignal,
  ): Promise<ColumnUpdates | undefined> {
    const { store, schema, protocol, metadata, columnMapping } = snapshot;
    const { whole, columns, isComputed } = assignments;
    if (whole === undefined || log.store.putNewBy === undefined || store.localPath === undefined) return undefined;
    if (columnMapping !== "none" || metadata.partitionColumns.some((name) => columns.has(name))) return undefined;
    const isTold = (["rowTracking", "changeDataFeed"] as const).some((name) =>
      isFeatureActive(name, protocol, metadata),
    );
    if (isTold) return undefined;
    const { isCopiedType } = await loaded(() => import("../../sql/copiedRows.js"), "delta-table/sql");
    const isPlain = schema.fields.every(({ name, type }) => !columns.has(name) || isCopiedType(type));
    if (!isPlain) return undefined;
    const isLoaded = isComputed || (predicate !== undefined && hasOpaque(predicate));
    return new ColumnUpdates(log, snapshot, predicate, assignments, isLoaded, signal);
  }

  private constructor(
    log: DeltaLog,
    snapshot: Snapshot,
    predicate: Predicate | undefined,
    assignments: Assignments,
    isLoaded: boolean,
    signal: AbortSignal | undefined,
  ) {
    this.#log = log;
    this.#snapshot = snapshot;
    this.#predicate = predicate;
    this.#assignments = assignments;
    this.#isLoaded = isLoaded;
    this.#signal = signal;
  }

  /** Takes a file, of which these rows are touched; false where it isn't for this. */
  async take(file: CandidateFile, rows: MatchedRows): Promise<boolean> {
    if (
      file.sizeBytes < (this.#isLoaded ? SMALL_BYTES : WORTH_BYTES) ||
      file.deletionVector !== undefined ||
      file.add.stats === undefined
    )
      return false;
    if (!this.#isLoaded && !(await hasDuckdb())) return false;
    this.#waiting.push({ file, rows });
    return true;
  }

  /** Puts the new files in the place of the old ones; those that are left, `update` gets. Gives the rows of the files that were put. */
  async finish(
    rewrite: StagedRewrite,
    update: (file: CandidateFile, rows: MatchedRows) => Promise<void>,
  ): Promise<{ readonly updated: number; readonly copied: number }> {
    const waiting = this.#waiting.splice(0);
    const counts = { updated: 0, copied: 0 };
    if (waiting.length === 0) return counts;
    const { protocol, metadata, schema, domainMetadata } = this.#snapshot;
    const domains = [...domainMetadata.values()];
    const options = dataFileOptions({ snapshot: undefined, protocol, metadata, schema, domains });
    const { replaceColumns, discardCopies } = await replacing();
    const files = waiting.map(
      ({ file, rows }): ReplacedFile => ({
        ...file,
        stats: file.add.stats,
        partition: file.add.partitionValues,
        isWhole: rows === "all",
      }),
    );
    const written = await replaceColumns(
      this.#snapshot,
      this.#log.store,
      { ...options, ...(this.#signal && { signal: this.#signal }) },
      files,
      { predicate: this.#predicate, ...this.#assignments.whole!, named: this.#assignments.named },
    );
    rewrite.addFiles(
      written.flatMap((copy) => copy ?? []),
      () => discardCopies(this.#log.store, written),
    );
    for (const [i, { file, rows }] of waiting.entries()) {
      if (written[i] === undefined) await update(file, rows);
      else {
        const live = await rewrite.removeFile(file);
        counts.updated += rows === "all" ? live : rows.length;
        counts.copied += rows === "all" ? 0 : live - rows.length;
      }
    }
    return counts;
  }
}

async function replacing() {
  const [{ replaceColumns }, { discardCopies }] = await Promise.all([
    loaded(() => import("../../sql/replacedColumns.js"), "delta-table/sql"),
    loaded(() => import("../../sql/copiedRows.js"), "delta-table/sql"),
  ]);
  return { replaceColumns, discardCopies };
}
