import type { Action, AddFile } from "../../log/actions.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { isFeatureActive } from "../../log/features.js";
import type { Snapshot } from "../../log/snapshot.js";
import { hasOpaque, type Predicate } from "../../schema/predicate.js";
import { allStored } from "../../write/stored.js";
import { AdoptedRows } from "./adoptedRows.js";
import { type CandidateFile, type CandidateFiles, removeOf, usesDeletionVectors } from "./candidateFiles.js";
import { ChangeFiles, tellsChanges } from "./changeFiles.js";
import { liveRowCount } from "./matchedRows.js";
import { RowCopies } from "./rowCopies.js";
import { RowRewriter } from "./rowRewriter.js";
import { RowRemover } from "./vectors.js";

/** The files that a change of rows writes, and the actions that put them in place of others. */
export class StagedRewrite {
  readonly rewriter: RowRewriter;
  readonly copies: RowCopies;
  readonly remover: RowRemover;
  readonly changes: ChangeFiles;
  /** Takes changed rows as files; undefined where they have to be written here. */
  readonly adopted: AdoptedRows | undefined;
  /** Whether rows are removed by deletion vectors. */
  readonly byVectors: boolean;
  readonly tellsChanges: boolean;
  readonly #snapshot: Snapshot;
  readonly #signal: AbortSignal | undefined;
  readonly #actions: Action[] = [];
  readonly #removed: AddFile[] = [];
  readonly #others: WrittenFile[] = [];
  readonly #discards: (() => Promise<void>)[] = [];

  constructor(log: DeltaLog, snapshot: Snapshot, signal?: AbortSignal) {
    this.#snapshot = snapshot;
    this.#signal = signal;
    this.rewriter = new RowRewriter(log, snapshot, signal);
    this.copies = new RowCopies(log, snapshot, signal);
    this.remover = new RowRemover(snapshot, signal);
    this.changes = new ChangeFiles(log, snapshot, signal);
    this.adopted = AdoptedRows.of(log, snapshot, signal);
    this.byVectors = usesDeletionVectors(snapshot);
    this.tellsChanges = tellsChanges(snapshot);
  }

  /** Takes files that were written elsewhere, and what removes them. */
  addFiles(files: readonly WrittenFile[], discard: () => Promise<void>): void {
    this.#others.push(...files);
    this.#discards.push(discard);
  }

  /** Takes a file out of the table; gives the number of rows it had. */
  async removeFile(file: CandidateFile): Promise<number> {
    this.#actions.push({ remove: removeOf(file.add) });
    this.#removed.push(file.add);
    return liveRowCount(this.#snapshot, file, this.#signal);
  }

  /** Takes some rows out of a file that stays. */
  async removeRows(file: CandidateFile, rows: Uint32Array): Promise<void> {
    this.#actions.push(...(await this.remover.remove(file, rows)));
  }

  /** Takes some rows out of a file, which goes where that are all. */
  async removeAny(file: CandidateFile, rows: Uint32Array): Promise<void> {
    if (rows.length === (await liveRowCount(this.#snapshot, file, this.#signal))) await this.removeFile(file);
    else await this.removeRows(file, rows);
  }

  /**
   * Whether rows for which the predicate is true may be taken by DuckDB. It isn't started for what does without, unless the new values need it; ids of
   * rows are told by who reads their files here.
   */
  takesTouched(predicate: Predicate | undefined, isComputed: boolean): boolean {
    const { protocol, metadata } = this.#snapshot;
    return (
      this.byVectors &&
      predicate !== undefined &&
      (isComputed || hasOpaque(predicate)) &&
      !isFeatureActive("rowTracking", protocol, metadata)
    );
  }

  /** Ends what was begun; throws away everything where that fails. */
  async finish(candidates: CandidateFiles): Promise<FinishedRewrite> {
    const copied = await this.copies.finish(this.rewriter);
    const [written, taken, cdc] = await Promise.all([
      this.rewriter.finish(),
      this.adopted?.finish(),
      this.changes.finish(),
      this.remover.finish(),
    ]);
    const others = this.#others;
    const adds = [...others.map(({ add }) => add), ...copied.adds, ...written.adds, ...(taken?.adds ?? [])];
    const actions: Action[] = [...this.#actions, ...adds.map((add) => ({ add })), ...cdc.actions];
    return {
      actions,
      reads: candidates.reads,
      stored: allStored([
        ...others.map(({ stored }) => stored),
        copied.stored,
        written.stored,
        taken?.stored,
        cdc.stored,
      ]),
      metrics: {
        numRemovedFiles: String(this.#removed.length),
        numRemovedBytes: String(this.#removed.reduce((sum, { size }) => sum + size, 0)),
        numAddedFiles: String(adds.length),
        numAddedBytes: String(adds.reduce((sum, { size }) => sum + size, 0)),
        numAddedChangeFiles: String(cdc.actions.length),
        numDeletionVectorsAdded: String(this.remover.addedCount),
        numDeletionVectorsUpdated: String(this.remover.updatedCount),
        numDeletionVectorsRemoved: String(this.#removed.filter(({ deletionVector }) => deletionVector).length),
      },
    };
  }

  /** Removes all files written. Only for a change that surely isn't committed. */
  async discard(): Promise<void> {
    await Promise.all([
      ...this.#discards.map((discard) => discard()),
      this.copies.discard(),
      this.rewriter.discard(),
      this.adopted?.discard(),
      this.changes.discard(),
      this.remover.discard(),
    ]);
  }
}

interface WrittenFile {
  readonly add: AddFile;
  readonly stored: Promise<void>;
}

interface FinishedRewrite {
  readonly actions: readonly Action[];
  readonly reads: CandidateFiles["reads"];
  readonly stored: Promise<void>;
  /** Counts of files, under the names that Spark gives them. */
  readonly metrics: Readonly<Record<string, string>>;
}
