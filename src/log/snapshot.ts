import type { RecordBatch } from "apache-arrow";
import { DeltaError, hasCode } from "../errors.js";
import { parseSchema } from "../schema/json.js";
import type { StructType } from "../schema/types.js";
import type { ObjectStore } from "../storage/store.js";
import type { Action, AddFile, DomainMetadata, Metadata, Protocol, SetTransaction } from "./actions.js";
import { forEachAction } from "./commitFile.js";
import { checkReadable } from "./features.js";
import { commitPath } from "./names.js";
import { readCommits } from "./readCommits.js";
import { type CheckpointFiles, type LogSegment, readSegment } from "./segment.js";
import { StateBuilder, type TableState } from "./state.js";
import { Tail } from "./tail.js";

/** The columns of a live file: the fields of `add`. */
export type FileColumn = keyof AddFile;

export interface FileBatchOptions {
  /** The columns to decode; all where it's left out. */
  readonly columns?: readonly FileColumn[];
  readonly signal?: AbortSignal;
}

/** Where a snapshot's files are: in a checkpoint on storage, and in what the commits after it did. */
export interface SnapshotFiles {
  readonly store: ObjectStore;
  readonly version: number;
  readonly checkpoint: CheckpointFiles | undefined;
  readonly tail: Tail;
}

/** One version of a table. It never changes, and holds no object per file. */
export class Snapshot {
  readonly store: ObjectStore;
  readonly version: number;
  /** Checkpoints that were passed over because they can't be read. */
  readonly damagedCheckpoints: ReadonlySet<number>;
  readonly #state: TableState;
  readonly #files: SnapshotFiles;
  #schema: StructType | undefined;

  constructor(state: TableState, files: SnapshotFiles, damagedCheckpoints: ReadonlySet<number>) {
    this.store = files.store;
    this.version = files.version;
    this.damagedCheckpoints = damagedCheckpoints;
    this.#state = state;
    this.#files = files;
  }

  get protocol(): Protocol {
    return this.#state.protocol;
  }

  get metadata(): Metadata {
    return this.#state.metadata;
  }

  /** The table's schema. Throws `DELTA_INVALID_SCHEMA`. */
  get schema(): StructType {
    this.#schema ??= parseSchema(this.metadata.schemaString);
    return this.#schema;
  }

  /** By `appId`: the newest of each, whatever its number. */
  get transactions(): ReadonlyMap<string, SetTransaction> {
    return this.#state.transactions;
  }

  /** By domain, without removed ones. */
  get domainMetadata(): ReadonlyMap<string, DomainMetadata> {
    return this.#state.domainMetadata;
  }

  /**
   * The live files as Arrow batches, a column for each field of `add` asked for: `path` as the log spells it (see
   * `storePath`), `partitionValues` and `tags` map<utf8, utf8>, `size`, `modificationTime`, `baseRowId` and
   * `defaultRowCommitVersion` int64, `dataChange` bool, `stats` and `clusteringProvider` utf8, `deletionVector` a struct.
   *
   * A checkpoint is read a batch at a time, and only the columns asked for. Throws `DELTA_PARQUET_UNREADABLE` where it
   * turns out to be damaged midway and nothing else tells its files.
   */
  async *fileBatches(options: FileBatchOptions = {}): AsyncGenerator<RecordBatch> {
    const { liveFiles } = await import("./liveFiles.js");
    yield* liveFiles(this.#files, options);
  }

  /** The removed files that the log still holds, a column for each field of `remove` but `stats` and `tags`. */
  async *tombstoneBatches(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<RecordBatch> {
    const { tombstones } = await import("./liveFiles.js");
    yield* tombstones(this.#files, options);
  }

  /**
   * The next version's snapshot, from its commit. Costs the commit's actions, whatever the size of the table, and no I/O.
   *
   * Throws `DELTA_UNSUPPORTED_FEATURES_FOR_READ` where the commit makes the table unreadable for this release.
   */
  advance(version: number, actions: readonly Action[]): Snapshot {
    if (version !== this.version + 1) {
      throw new DeltaError("DELTA_INTERNAL", `Version ${version} doesn't follow version ${this.version}.`, { version });
    }
    const state = new StateBuilder(this.#state);
    for (const action of actions) state.apply(action);
    this.#files.tail.apply(version, actions);
    return this.#at(version, state);
  }

  /**
   * The newest version's snapshot: one request where nothing is new, else the new commits' and a listing.
   * Throws what {@link advance} and the store do, and `DELTA_LOG_CORRUPT`.
   */
  async refresh(signal?: AbortSignal): Promise<Snapshot> {
    const next = await getIfExists(this.store, commitPath(this.version + 1), signal);
    if (next === undefined) return this;
    const { version: newest } = await readSegment(this.store, { signal });
    const state = new StateBuilder(this.#state);
    this.#take(this.version + 1, next, state);
    for await (const { version, bytes } of readCommits(this.store, this.version + 2, newest, signal)) {
      this.#take(version, bytes, state);
    }
    return this.#at(Math.max(newest, this.version + 1), state);
  }

  #take(version: number, bytes: Uint8Array, state: StateBuilder): void {
    takeCommit(version, bytes, state, this.#files.tail);
  }

  #at(version: number, builder: StateBuilder): Snapshot {
    const state = builder.build(version);
    if (state.protocol !== this.protocol || state.metadata !== this.metadata) {
      checkReadable(state.protocol, state.metadata);
    }
    const snapshot = new Snapshot(state, { ...this.#files, version }, this.damagedCheckpoints);
    if (state.metadata === this.metadata) snapshot.#schema = this.#schema;
    return snapshot;
  }
}
