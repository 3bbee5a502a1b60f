import type { RecordBatch } from "apache-arrow";
import { DeltaError, hasCode } from "../errors.js";
import { loaded } from "../lazy.js";
import { type ColumnMappingMode, checkColumnMapping } from "../schema/columnMapping.js";
import { parseSchema } from "../schema/json.js";
import { checkPartitionColumns } from "../schema/partition.js";
import type { StructType } from "../schema/types.js";
import type { ObjectStore } from "../storage/store.js";
import type { Action, DomainMetadata, Metadata, Protocol, SetTransaction } from "./actions.js";
import { columnMappingOf } from "./columnMapping.js";
import { forEachAction } from "./commitFile.js";
import { checkReadable } from "./features.js";
import { readCommit, readCommits } from "./readCommits.js";
import { type CheckpointFiles, type LogSegment, newestCommit, readSegment } from "./segment.js";
import { type FileBatchOptions, isDamage, isNoOtherWay, type SnapshotFiles } from "./snapshotFiles.js";
import { StateBuilder, type TableState } from "./state.js";
import { Tail } from "./tail.js";

/** Commits behind a checkpoint from which on reading the checkpoint is cheaper than reading the commits. */
const LONG_WAY = 100;
/** File actions; some 4 MB of memory. */
const LONG_TAIL = 10_000;

/** One version of a table. It never changes, and holds no object per file. */
export class Snapshot {
  readonly store: ObjectStore;
  readonly version: number;
  readonly #state: TableState;
  #files: SnapshotFiles;
  #schema: StructType | undefined;
  #columnMapping: ColumnMappingMode | undefined;

  constructor(state: TableState, files: SnapshotFiles) {
    this.store = files.store;
    this.version = files.version;
    this.#state = state;
    this.#files = files;
  }

  get protocol(): Protocol {
    return this.#state.protocol;
  }

  get metadata(): Metadata {
    return this.#state.metadata;
  }

  /** How columns are found in files. Throws `DELTA_INVALID_PROPERTY_VALUE`. */
  get columnMapping(): ColumnMappingMode {
    this.#columnMapping ??= columnMappingOf(this.protocol, this.metadata);
    return this.#columnMapping;
  }

  /** The table's schema. Throws `DELTA_INVALID_SCHEMA`, also where it lacks a partition column or a column's place in files. */
  get schema(): StructType {
    if (this.#schema === undefined) {
      const { schemaString, partitionColumns } = this.metadata;
      const schema = parseSchema(schemaString);
      checkPartitionColumns(schema, partitionColumns);
      checkColumnMapping(schema, this.columnMapping);
      this.#schema = schema;
    }
    return this.#schema;
  }

  /** Versions of checkpoints that were passed over because they can't be read. */
  get damagedCheckpoints(): ReadonlySet<number> {
    return this.#files.damaged;
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
    const { liveFiles } = await loaded(import("./liveFiles.js"), "delta-table/log/liveFiles");
    yield* liveFiles(this.#files, options, () => this.#elsewhere(options.signal));
  }

  /** The removed files that the log still holds, a column for each field of `remove` but `stats` and `tags`. */
  async *tombstoneBatches(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<RecordBatch> {
    const { tombstones } = await loaded(import("./liveFiles.js"), "delta-table/log/liveFiles");
    yield* tombstones(this.#files, () => this.#elsewhere(options.signal), options.signal);
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
    const next = await commitIfExists(this.store, this.version + 1, signal);
    if (next === undefined) return this;
    const { newest, checkpoint } = await newestCommit(this.store, this.version + 1, signal);
    if (checkpoint !== undefined && checkpoint - this.version > LONG_WAY) return loadSnapshot(this.store, { signal });
    const state = new StateBuilder(this.#state);
    takeCommit(this.version + 1, next, state, this.#files.tail);
    for await (const { version, bytes } of readCommits(this.store, this.version + 2, newest, signal)) {
      takeCommit(version, bytes, state, this.#files.tail);
    }
    return this.#at(newest, state);
  }

  /**
   * Lets go of the tail in favour of a checkpoint of this very version, where the tail has become long: a handle that
   * commits for weeks stays small.
   */
  rebase(checkpoint: CheckpointFiles): void {
    if (checkpoint.version !== this.version || this.#files.tail.length < LONG_TAIL) return;
    this.#files = { ...this.#files, checkpoint, tail: new Tail(this.version) };
  }

  async #elsewhere(signal?: AbortSignal): Promise<SnapshotFiles> {
    const { damaged, checkpoint } = this.#files;
    const versions = checkpoint === undefined ? damaged : new Set([...damaged, checkpoint.version]);
    return (await loadWithout(this.store, versions, this.version, signal)).#files;
  }

  #at(version: number, builder: StateBuilder): Snapshot {
    const state = builder.build(version);
    if (state.protocol !== this.protocol || state.metadata !== this.metadata) {
      checkReadable(state.protocol, state.metadata);
    }
    const snapshot = new Snapshot(state, { ...this.#files, version });
    if (state.metadata === this.metadata && state.protocol === this.protocol) snapshot.#schema = this.#schema;
    return snapshot;
  }
}

/** The snapshot of version 0, from its commit: no I/O. */
export function firstSnapshot(store: ObjectStore, actions: readonly Action[]): Snapshot {
  const state = new StateBuilder();
  for (const action of actions) state.apply(action);
  const tail = new Tail(-1);
  tail.apply(0, actions);
  return new Snapshot(state.build(0), { store, version: 0, checkpoint: undefined, tail, damaged: new Set() });
}

export interface LoadOptions {
  /** The newest version where it's left out. */
  readonly version?: number;
  /** An older snapshot of the same table: only what is newer is read. Of no use with `version`. */
  readonly base?: Snapshot;
  readonly signal?: AbortSignal;
}

/**
 * Rebuilds the state of a version from the newest checkpoint up to it and the commits that follow. A checkpoint that
 * can't be read is passed over for an older one, or for the commits where they are complete.
 *
 * Throws `DELTA_TABLE_NOT_FOUND`, `DELTA_VERSION_NOT_FOUND`, `DELTA_VERSIONS_NOT_CONTIGUOUS`, `DELTA_LOG_CORRUPT`,
 * `DELTA_STATE_RECOVER_ERROR`, `DELTA_INVALID_PROTOCOL_VERSION`, `DELTA_UNSUPPORTED_FEATURES_FOR_READ`, and
 * `DELTA_PARQUET_UNREADABLE` where a damaged checkpoint is all there is.
 */
export async function loadSnapshot(store: ObjectStore, options: LoadOptions = {}): Promise<Snapshot> {
  const { version, base, signal } = options;
  if (version !== undefined && (!Number.isSafeInteger(version) || version < 0)) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `A version is a whole number from 0 up, not ${version}.`, {
      version,
    });
  }
  if (base !== undefined && version === undefined) return base.refresh(signal);
  return loadWithout(store, new Set(), version, signal);
}

/** Loads a version as if the checkpoints of the versions `damaged` didn't exist. */
async function loadWithout(
  store: ObjectStore,
  damaged: ReadonlySet<number>,
  version: number | undefined,
  signal?: AbortSignal,
): Promise<Snapshot> {
  const segment = await readSegment(store, { version, damaged, signal });
  try {
    return await loadSegment(store, segment, damaged, signal);
  } catch (error) {
    const { checkpoint } = segment;
    if (checkpoint === undefined || !isDamage(error)) throw error;
    return loadWithout(store, new Set([...damaged, checkpoint.version]), segment.version, signal).catch((second) => {
      throw isNoOtherWay(second) ? error : second;
    });
  }
}

async function loadSegment(
  store: ObjectStore,
  { version, checkpoint, firstCommit }: LogSegment,
  damaged: ReadonlySet<number>,
  signal?: AbortSignal,
): Promise<Snapshot> {
  const state = new StateBuilder();
  const tail = new Tail(firstCommit - 1);
  if (checkpoint !== undefined) {
    const { readStateActions } = await loaded(import("./checkpointRead.js"), "delta-table/log/checkpointRead");
    for await (const action of readStateActions(store, checkpoint, signal)) state.apply(action);
  }
  for await (const commit of readCommits(store, firstCommit, version, signal)) {
    takeCommit(commit.version, commit.bytes, state, tail);
  }
  const built = state.build(version);
  checkReadable(built.protocol, built.metadata);
  return new Snapshot(built, { store, version, checkpoint, tail, damaged });
}

function takeCommit(version: number, bytes: Uint8Array, state: StateBuilder, tail: Tail): void {
  const isNew = version > tail.version;
  forEachAction(version, bytes, { commitInfo: false }, (action) => {
    if (!("add" in action) && !("remove" in action)) state.apply(action);
    else if (isNew) tail.take(version, action);
  });
  if (isNew) tail.version = version;
}

async function commitIfExists(
  store: ObjectStore,
  version: number,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    return await readCommit(store, version, signal);
  } catch (error) {
    if (hasCode(error, "DELTA_FILE_NOT_FOUND")) return undefined;
    throw error;
  }
}
