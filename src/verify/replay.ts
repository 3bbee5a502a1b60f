import { DeltaError } from "../errors.js";
import type { CommitInfo, Metadata } from "../log/actions.js";
import { forEachAction } from "../log/commitFile.js";
import type { Compaction } from "../log/compactions.js";
import { commitPath } from "../log/names.js";
import { readCommits } from "../log/readCommits.js";
import { StateBuilder, type TableState } from "../log/state.js";
import { fileKey } from "../log/tail.js";
import { runsOf } from "../log/timestamps.js";
import { checkSignal } from "../signal.js";
import type { ObjectStore } from "../storage/store.js";
import {
  CheckpointComparison,
  compareCheckpointState,
  type FileVisitor,
  readWholeCheckpoint,
} from "./checkpointCheck.js";
import { checkChecksum } from "./checksumCheck.js";
import { CommitCheck, type History } from "./commitCheck.js";
import { checkCompaction } from "./compactionCheck.js";
import { recordOf } from "./fileRecord.js";
import { FileTable } from "./fileTable.js";
import type { Findings } from "./findings.js";
import type { CheckpointFacts } from "./lastCheckpointCheck.js";
import { locateFiles } from "./locate.js";
import type { ListedCheckpoint, LogFiles } from "./logFiles.js";
import { PartitionCheck } from "./partitionCheck.js";
import type { References } from "./references.js";
import { tableShape } from "./tableShape.js";

/** What replaying the log to a version gave. */
export interface Replayed {
  /** Undefined where no chain of commits from version 0 or a checkpoint leads to the version. */
  readonly files: FileTable | undefined;
  readonly commits: number;
  readonly checksums: number;
  readonly checkpoints: readonly CheckpointFacts[];
  readonly compactions: number;
  /** Paths of checkpoints and compactions that can't be read. */
  readonly damaged: ReadonlySet<string>;
}

/**
 * Replays the log up to `version` in one pass, from the oldest commit on: each commit is checked, and each checkpoint and
 * version checksum compared with the state that the commits up to it give. Where commits are missing, a checkpoint
 * behind the gap gives a new state to start from.
 */
export class Replay {
  readonly #store: ObjectStore;
  readonly #log: LogFiles;
  readonly #references: References;
  readonly #findings: Findings;
  readonly #signal: AbortSignal | undefined;
  readonly #partition: PartitionCheck;

  readonly #history: { -readonly [K in keyof History]: History[K] };
  #state: StateBuilder | undefined;
  #metadata: Metadata | undefined;
  /** Where {@link History.files} begins: a checkpoint, or version 0. */
  #base: ListedCheckpoint | undefined;
  #commitInfo: CommitInfo | undefined;
  readonly #checkpoints: CheckpointFacts[] = [];
  readonly #damaged = new Set<string>();
  readonly #checkpointsOf = new Map<number, ListedCheckpoint[]>();
  /** The version that the state is of. */
  #at = -1;
  #commits = 0;
  #checksums = 0;

  constructor(store: ObjectStore, log: LogFiles, references: References, findings: Findings, signal?: AbortSignal) {
    this.#store = store;
    this.#log = log;
    this.#references = references;
    this.#findings = findings;
    this.#signal = signal;
    this.#partition = new PartitionCheck(findings);
    this.#history = {
      files: undefined,
      vectorRows: new Map(),
      transactionIds: new Map(),
      inCommitTimestamp: undefined,
    };
    for (const checkpoint of log.checkpoints) {
      this.#checkpointsOf.set(checkpoint.version, [...(this.#checkpointsOf.get(checkpoint.version) ?? []), checkpoint]);
    }
  }

  /** `onCommit` hears of each commit, with how many there were. */
  async run(version: number, onCommit: (done: number) => void): Promise<Replayed> {
    const commits = this.#log.commits.filter((commit) => commit <= version);
    const known = new Set(commits);
    const bare = [...this.#checkpointsOf.keys(), ...this.#log.checksums].filter(
      (at) => at <= version && !known.has(at),
    );
    const withoutCommit = [...new Set(bare)].sort((a, b) => a - b);
    for (const { first, last } of runsOf(commits)) {
      while (withoutCommit[0] !== undefined && withoutCommit[0] < first) await this.#checkBare(withoutCommit.shift()!);
      for await (const commit of readCommits(this.#store, first, last, this.#signal)) {
        if (commit.version !== this.#at + 1) this.#forget();
        this.#takeCommit(commit.version, commit.bytes);
        onCommit(++this.#commits);
        await this.#checkVersion(commit.version);
      }
    }
    for (const at of withoutCommit) await this.#checkBare(at);
    const compactions = this.#log.compactions.filter(({ endVersion }) => endVersion <= version);
    for (const compaction of compactions) await this.#checkCompaction(compaction, known);
    return {
      files: this.#at === version ? this.#history.files : undefined,
      commits: this.#commits,
      checksums: this.#checksums,
      checkpoints: this.#checkpoints,
      compactions: compactions.length,
      damaged: this.#damaged,
    };
  }

  #takeCommit(version: number, bytes: Uint8Array): void {
    checkSignal(this.#signal, `verifying ${this.#store.url}`);
    if (version === 0) this.#begin();
    this.#at = version;
    const check = new CommitCheck(version, this.#history, this.#partition, this.#findings);
    try {
      // Actions have no order: what the partition values should be comes first, wherever it stands.
      if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(METADATA))
        this.#readMetadata(version, bytes);
      forEachAction(version, bytes, { commitInfo: true }, (action) => {
        this.#state?.apply(action);
        check.visit(action);
        if ("add" in action) this.#references.add(action.add.path, action.add.deletionVector);
        else if ("remove" in action) this.#references.add(action.remove.path, action.remove.deletionVector);
        else if ("cdc" in action) this.#references.add(action.cdc.path);
      });
    } catch (error) {
      if (!(error instanceof DeltaError) || error.code !== "DELTA_LOG_CORRUPT") throw error;
      this.#findings.add("commit-malformed", error.message, { version, path: commitPath(version) }, error.data);
      this.#forget();
      return;
    }
    check.finish(this.#metadata);
    this.#commitInfo = check.commitInfo;
  }

  #readMetadata(version: number, bytes: Uint8Array): void {
    forEachAction(version, bytes, { commitInfo: false }, (action) => {
      if ("metaData" in action) this.#setMetadata(version, action.metaData);
    });
  }

  /** A version whose commit isn't there. */
  async #checkBare(version: number): Promise<void> {
    this.#forget();
    this.#at = version;
    await this.#checkVersion(version);
  }

  #begin(): void {
    this.#state = new StateBuilder();
    this.#history.files = new FileTable();
    this.#history.vectorRows.clear();
    this.#base = undefined;
  }

  #forget(): void {
    this.#state = undefined;
    this.#history.files = undefined;
    this.#history.vectorRows.clear();
    this.#metadata = undefined;
    this.#partition.shape = undefined;
    this.#commitInfo = undefined;
  }

  #setMetadata(version: number, metadata: Metadata): void {
    const complete = {
      ...metadata,
      partitionColumns: metadata.partitionColumns ?? [],
      configuration: metadata.configuration ?? {},
    };
    this.#metadata = complete;
    this.#partition.shape = tableShape(complete, version, this.#findings);
  }

  /** Compares the checkpoints and the checksum of a version with its state, or takes the state from a checkpoint. */
  async #checkVersion(version: number): Promise<void> {
    for (const checkpoint of this.#checkpointsOf.get(version) ?? []) await this.#checkCheckpoint(checkpoint);
    if (!this.#log.checksums.has(version)) return;
    this.#checksums++;
    const state = this.#builtState(version);
    const { files } = this.#history;
    const replayed = state && files && { version, state, files, commitInfo: this.#commitInfo };
    await checkChecksum(this.#store, version, replayed, this.#findings, this.#signal);
  }

  async #checkCompaction(compaction: Compaction, commits: ReadonlySet<number>): Promise<void> {
    const forgetsTransactions = this.#metadata?.configuration["delta.setTransactionRetentionDuration"] !== undefined;
    const options = { commits, forgetsTransactions, findings: this.#findings, signal: this.#signal };
    if (!(await checkCompaction(this.#store, compaction, options))) this.#damaged.add(compaction.path);
  }

  async #checkCheckpoint(checkpoint: ListedCheckpoint): Promise<void> {
    const { version, paths } = checkpoint;
    const { files } = this.#history;
    const replayed = this.#builtState(version);
    const comparison =
      files && replayed && new CheckpointComparison(checkpoint, files, this.#references, this.#findings);
    const base = comparison === undefined ? new BaseFiles(version, this.#references) : undefined;
    const visitor = comparison ?? base!;
    const content = await readWholeCheckpoint(this.#store, checkpoint, visitor, this.#findings, this.#signal);
    if (content === undefined) {
      for (const path of paths) this.#damaged.add(path);
      return;
    }
    const { actionCount, addCount, sizeBytes, state } = content;
    this.#checkpoints.push({ version, sizeBytes, parts: paths.length, actionCount, addCount });
    if (comparison !== undefined && files !== undefined && replayed !== undefined) {
      compareCheckpointState(replayed, state, checkpoint, this.#findings);
      await this.#reportMissing(checkpoint, comparison, files, state);
    } else this.#startFrom(checkpoint, state, base!);
  }

  #startFrom(checkpoint: ListedCheckpoint, state: TableState, base: BaseFiles): void {
    this.#base = checkpoint;
    this.#state = new StateBuilder(state);
    this.#history.files = base.files;
    for (const [path, row] of base.vectorRows) this.#history.vectorRows.set(path, row);
    this.#setMetadata(checkpoint.version, state.metadata);
  }

  async #reportMissing(
    checkpoint: ListedCheckpoint,
    comparison: CheckpointComparison,
    files: FileTable,
    state: TableState,
  ): Promise<void> {
    const { version } = checkpoint;
    const [code, tombstoneCode] = ["checkpoint-file-missing", "checkpoint-tombstone-missing"] as const;
    const wanted = new Map<number, boolean>();
    let [live, removed] = [this.#findings.room(code), this.#findings.room(tombstoneCode)];
    const report = (isLive: boolean, path: string | undefined, since: number) => {
      const what = isLive ? "lacks a file that the commits have" : "lacks a tombstone that hasn't expired";
      const message = `The checkpoint of version ${version} ${what}.`;
      this.#findings.add(
        isLive ? code : tombstoneCode,
        message,
        { version, path },
        { since, checkpoint: checkpoint.paths[0] },
      );
    };
    for (const { row, isLive } of comparison.missing(state)) {
      // Paths are looked up only for those that will be shown.
      if ((isLive ? live-- : removed--) > 0) wanted.set(row, isLive);
      else report(isLive, undefined, files.version(row));
    }
    if (wanted.size === 0) return;
    const paths = await locateFiles(this.#store, files, wanted.keys(), this.#base, this.#signal);
    for (const [row, isLive] of wanted) report(isLive, paths.get(row), files.version(row));
  }

  /** The state that the commits up to `version` give; undefined where it isn't known or lacks an action. */
  #builtState(version: number): TableState | undefined {
    try {
      return this.#state?.build(version);
    } catch (error) {
      if (error instanceof DeltaError && error.code === "DELTA_STATE_RECOVER_ERROR") return undefined;
      throw error;
    }
  }
}

const METADATA = '"metaData"';

/** The files of a checkpoint that replay starts from. */
class BaseFiles implements FileVisitor {
  readonly files = new FileTable();
  readonly vectorRows = new Map<string, number>();
  readonly #version: number;
  readonly #references: References;

  constructor(version: number, references: References) {
    this.#version = version;
    this.#references = references;
  }

  add(add: Parameters<FileVisitor["add"]>[0]): void {
    this.#references.add(add.path, add.deletionVector);
    const row = this.files.put(recordOf(add, add.modificationTime), "live", this.#version);
    if (add.deletionVector) this.vectorRows.set(fileKey(add.path), row);
  }

  remove(remove: Parameters<FileVisitor["remove"]>[0]): void {
    this.#references.add(remove.path, remove.deletionVector);
    this.files.put(recordOf(remove, remove.deletionTimestamp), "removed", this.#version);
  }
}
