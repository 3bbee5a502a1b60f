import { DeltaError } from "../errors.js";
import type { Action } from "../log/actions.js";
import { deletionVectorPath } from "../log/deletionVectors/storage.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkWritable } from "../log/features.js";
import { canonicalPath, storePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import { composedActions } from "../write/composedActions.js";
import type { ReadSet } from "../write/conflicts.js";
import type { InputRow, RowInput } from "../write/input.js";
import { allStored } from "../write/stored.js";
import type { AppendOptions } from "./append.js";
import { type DeleteResult, stageDelete } from "./delete.js";
import { type MergeOptions, type MergeResult, stageMerge } from "./merge.js";
import { type OverwriteOptions, type OverwriteResult, stageOverwrite } from "./overwrite.js";
import { CandidateFiles } from "./rewrite/candidateFiles.js";
import { tellsChanges } from "./rewrite/changeFiles.js";
import { rowsOf, Scan, type ScanOptions } from "./scan.js";
import type { AppendResult } from "./stagedAppend.js";
import { type ChangeResult, type CommitOptions, change, type StagedChange } from "./stagedChange.js";
import { stageInsert } from "./stagedInsert.js";
import { stageUpdate, type UpdateOptions, type UpdateResult } from "./update.js";
import { predicateOf, type WhereOption } from "./where.js";

type Uncommitted<Result> = Omit<Result, keyof ChangeResult>;
type WithoutCommit<Options> = Omit<Options, keyof CommitOptions>;

/**
 * Several changes of a table that become visible together, as one version. Each sees what those before it did; nobody else does.
 * Its methods are those of `Table`; they run one after the other.
 */
export class TableTransaction<Row extends object = Record<string, unknown>> {
  readonly #log: DeltaLog;
  readonly #signal: AbortSignal | undefined;
  readonly #staged: StagedChange[] = [];
  readonly #reads: ReadSet[] = [];
  /** Canonical paths of files that it wrote itself. */
  readonly #own = new Set<string>();
  #snapshot: Snapshot;
  #turn: Promise<unknown> = Promise.resolve();
  #isOpen = true;

  /** @internal */
  constructor(log: DeltaLog, snapshot: Snapshot, signal: AbortSignal | undefined) {
    this.#log = log;
    this.#snapshot = snapshot;
    this.#signal = signal;
  }

  /** As `Table.append`, but for a table that is there. */
  append(
    rows: RowInput<InputRow<Row>>,
    options: Pick<AppendOptions, "schema" | "mergeSchema" | "onProgress"> = {},
  ): Promise<Uncommitted<AppendResult>> {
    return this.#inTurn(async (snapshot) => {
      const all = { ...options, signal: this.#signal };
      const staged = await stageInsert(this.#log, snapshot, rows, all, tellsChanges(snapshot));
      await this.#take(staged);
      const { rowCount, fileCount, sizeBytes } = staged;
      return { rowCount, fileCount, sizeBytes };
    });
  }

  /** As `Table.overwrite`, but for a table that is there. */
  overwrite(
    rows: RowInput<InputRow<Row>>,
    options: WithoutCommit<OverwriteOptions<Row>> = {},
  ): Promise<Uncommitted<OverwriteResult>> {
    return this.#inTurn(async (snapshot) => {
      const all = { ...options, signal: this.#signal };
      const staged = await stageOverwrite(this.#log, snapshot, rows, all, tellsChanges(snapshot));
      await this.#take(staged);
      const { rowCount, fileCount, sizeBytes, removedFileCount } = staged;
      return { rowCount, fileCount, sizeBytes, removedFileCount };
    });
  }

  /** As `Table.delete`. */
  delete(where?: WhereOption<Row>): Promise<Uncommitted<DeleteResult>> {
    return this.#inTurn(async (snapshot) => {
      const staged = await stageDelete(this.#log, snapshot, where, {
        signal: this.#signal,
        tells: tellsChanges(snapshot),
      });
      if (staged !== undefined) await this.#take(staged);
      else await this.#read(snapshot, where);
      const { deletedRowCount = 0, copiedRowCount = 0 } = staged ?? {};
      return { deletedRowCount, copiedRowCount };
    });
  }

  /** As `Table.update`. */
  update(options: WithoutCommit<UpdateOptions<Row>>): Promise<Uncommitted<UpdateResult>> {
    return this.#inTurn(async (snapshot) => {
      const staged = await stageUpdate(this.#log, snapshot, { ...options, signal: this.#signal });
      if (staged !== undefined) await this.#take(staged);
      else await this.#read(snapshot, options.where);
      const { updatedRowCount = 0, copiedRowCount = 0 } = staged ?? {};
      return { updatedRowCount, copiedRowCount };
    });
  }

  /** As `Table.merge`. */
  merge(source: RowInput<object>, options: WithoutCommit<MergeOptions<Row>>): Promise<Uncommitted<MergeResult>> {
    return this.#inTurn(async (snapshot) => {
      const all = { ...options, signal: this.#signal } as MergeOptions<Row>;
      const staged = await stageMerge(this.#log, snapshot, source, all, tellsChanges(snapshot));
      await this.#take(staged);
      return staged.counts;
    });
  }

  /** As `Table.toArray`: the rows as they are within the transaction, on which its outcome depends from now on. */
  toArray(options: Omit<ScanOptions<Row>, "signal"> = {}): Promise<Row[]> {
    return this.#scan(options, (scan) => scan.toArray());
  }

  /** As `Table.count`: of the rows as they are within the transaction, on which its outcome depends from now on. */
  count(options: Omit<ScanOptions<Row>, "signal"> = {}): Promise<number> {
    return this.#scan(options, (scan) => scan.count());
  }

  /** @internal Ends it; what there is to commit. */
  async finish(): Promise<StagedChange | undefined> {
    await this.#turn;
    this.#isOpen = false;
    if (this.#staged.length === 0) return undefined;
    const { actions, dropped } = composedActions(this.#staged.flatMap((staged) => staged.actions));
    const stored = allStored(this.#staged.map((staged) => staged.stored));
    await stored;
    const kept = new Set(actions.flatMap((action) => filesOf(this.#log, action)));
    const unused = dropped.flatMap((add) => filesOf(this.#log, { add })).filter((path) => !kept.has(path));
    await Promise.all([...new Set(unused)].map((path) => this.#log.store.delete(path)));
    const [only] = this.#staged;
    const operations = this.#staged.map(({ operation }) => operation);
    const isOne = this.#staged.length === 1 && only !== undefined;
    return {
      actions,
      reads: unionOf(this.#reads, this.#own),
      operation: isOne ? only.operation : "TRANSACTION",
      operationParameters: isOne ? only.operationParameters : { operations: JSON.stringify(operations) },
      operationMetrics: sumOf(this.#staged.map(({ operationMetrics }) => operationMetrics)),
      stored,
      discard: () => this.discard(),
    };
  }

  /** @internal Removes all files written. */
  async discard(): Promise<void> {
    this.#isOpen = false;
    await this.#turn.catch(() => undefined);
    await Promise.all(this.#staged.map((staged) => staged.discard()));
  }

  async #scan<T>(options: Omit<ScanOptions<Row>, "signal">, read: (scan: Scan<Row>) => Promise<T>): Promise<T> {
    return this.#inTurn(async (snapshot) => {
      await this.#read(snapshot, options.where);
      return read(new Scan<Row>(async () => rowsOf(snapshot), { ...options, signal: this.#signal }));
    });
  }

  async #read(snapshot: Snapshot, where: WhereOption<Row> | undefined): Promise<void> {
    const candidates = new CandidateFiles(snapshot, await predicateOf(where, snapshot.schema), this.#signal);
    for await (const _ of candidates) {
      // Each is noted as it comes.
    }
    this.#reads.push(candidates.reads);
  }

  async #take(staged: StagedChange): Promise<void> {
    this.#staged.push(staged);
    // The next change may read them.
    await staged.stored;
    if (staged.reads !== undefined) this.#reads.push(staged.reads);
    if (tellsChanges(this.#snapshot)) this.#checkNotOwn(staged);
    for (const action of staged.actions) if ("add" in action) this.#own.add(canonicalPath(action.add.path));
    this.#snapshot = this.#snapshot.supposing(staged.actions);
  }

  /** Changes of changes would have to be told as one. */
  #checkNotOwn({ actions }: StagedChange): void {
    for (const action of actions) {
      if (!("remove" in action) || !this.#own.has(canonicalPath(action.remove.path))) continue;
      throw new DeltaError(
        "DELTA_INVALID_ARGUMENT",
        `${this.#log.store.url} tells its changes, and this transaction would change rows that it has written itself. Use two transactions.`,
        { path: action.remove.path },
      );
    }
  }

  #inTurn<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const mine = this.#turn.then(() => {
      if (this.#isOpen) return work(this.#snapshot);
      throw new DeltaError(
        "DELTA_INVALID_ARGUMENT",
        "The transaction has ended. Await its calls within its function.",
        {},
      );
    });
    this.#turn = mine;
    // Its caller is told; where nobody listens, the transaction fails by it.
    mine.catch(() => undefined);
    return mine;
  }
}

/** Implements `Table.transaction`; see there. */
export async function transaction<Row extends object, T>(
  log: DeltaLog,
  work: (tx: TableTransaction<Row>) => Promise<T>,
  options: CommitOptions = {},
): Promise<ChangeResult & { readonly value: T | undefined }> {
  let value: T | undefined;
  const { staged: _, ...result } = await change(log, options, async (snapshot) => {
    checkWritable(snapshot.protocol, snapshot.metadata);
    const tx = new TableTransaction<Row>(log, snapshot, options.signal);
    try {
      value = await work(tx);
      return await tx.finish();
    } catch (error) {
      await tx.discard();
      throw error;
    }
  });
  return { ...result, value };
}

/** Undefined where nothing was read. Files that the transaction wrote itself are nobody else's. */
function unionOf(reads: readonly ReadSet[], own: ReadonlySet<string>): ReadSet | undefined {
  if (reads.length === 0) return undefined;
  const files = new Set<string>();
  let all = false;
  for (const read of reads) {
    if (read.files === "all") all = true;
    else for (const path of read.files) if (!own.has(path)) files.add(path);
  }
  return { mayMatch: (add) => reads.some((read) => read.mayMatch(add)), files: all ? "all" : files };
}

/** The files on storage that an action names, deletion vectors among them. */
function filesOf({ store }: DeltaLog, action: Action): string[] {
  const file = "add" in action ? action.add : "remove" in action ? action.remove : undefined;
  if (file === undefined) return [];
  const vector = file.deletionVector && deletionVectorPath(store, file.deletionVector);
  return [storePath(store, file.path), ...(vector === undefined ? [] : [vector])];
}

function sumOf(metrics: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const sums: Record<string, number> = {};
  for (const metric of metrics) {
    for (const [name, value] of Object.entries(metric)) sums[name] = (sums[name] ?? 0) + Number(value);
  }
  return Object.fromEntries(Object.entries(sums).map(([name, value]) => [name, String(value)]));
}
