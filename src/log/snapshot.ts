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
import { type FileTotals, NO_FILES, totalsAfter } from "./fileTotals.js";
import { tellPassedOver } from "./passedOver.js";
import { readCommit, readCommits } from "./readCommits.js";
import { rebuild } from "./rebuild.js";
import { rowTotal } from "./rowTotal.js";
import { type CheckpointFiles, newestCommit } from "./segment.js";
import { type FileBatchOptions, isDamage, isNoOtherWay, type SnapshotFiles } from "./snapshotFiles.js";
import { StateBuilder, type TableState } from "./state.js";
import { Tail } from "./tail.js";

/** Commits behind a checkpoint from which on reading the checkpoint is cheaper than reading the commits. */
const LONG_WAY = 100;
/** File actions; some 4 MB of memory. */
const LONG_TAIL = 10_000;

/** Passes if a version of this protocol and metadata may be read; throws otherwise. */
export type ReadCheck = (protocol: Protocol, metadata: Metadata) => void;

/** One version of a table. It never changes, and holds no object per file. */
export class Snapshot {
  readonly store: ObjectStore;
  readonly version: number;
  /** What this version, and those that follow from it, have passed. */
  readonly check: ReadCheck;
  readonly #state: TableState;
  #files: SnapshotFiles;
  #schema: StructType | undefined;
  #columnMapping: ColumnMappingMode | undefined;
  #totals: FileTotals | undefined | "unasked" = "unasked";

  constructor(state: TableState, files: SnapshotFiles, check: ReadCheck = checkReadable) {
    this.store = files.store;
    this.version = files.version;
    this.check = check;
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

  /** Paths of files of the log that were passed over because they can't be read. */
  get damagedFiles(): ReadonlySet<string> {
    return this.#files.damaged;
  }

  /** The live files' number and size, as far as that is known without reading a checkpoint. */
  get totals(): FileTotals | undefined {
    if (this.#totals === "unasked") {
      const { totals, tail, checkpoint } = this.#files;
      this.#totals = totals && totalsAfter(totals, tail, this.version, checkpoint === undefined);
    }
    return this.#totals;
  }

  /** Where its files are: for what reads a checkpoint otherwise than {@link fileBatches} does. */
  get files(): SnapshotFiles {
    return this.#files;
  }

  /** The rows by statistics, where commits alone tell the files and these tell them; see {@link rowTotal}. Costs the commits' actions. */
  get rowCount(): number | undefined {
    const { checkpoint, tail } = this.#files;
    return checkpoint === undefined ? rowTotal(tail, this.version) : undefined;
  }

  /** Takes over totals of this version or an older one; undefined: that no version checksum tells any. */
  learnTotals(totals: FileTotals | undefined): void {
    this.#files = { ...this.#files, totals, checksum: undefined };
    this.#totals = "unasked";
  }

  /** The version of a checksum that may tell {@link totals} where nothing else does. */
  get checksumVersion(): number | undefined {
    return this.#files.checksum;
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
    const { liveFiles } = await loaded(() => import("./liveFiles.js"), "delta-table/log/liveFiles");
    yield* liveFiles(this.#files, options, (damage) => this.#elsewhere(damage, options.signal));
  }

  /** The removed files that the log still holds, a column for each field of `remove` but `stats` and `tags`. */
  async *tombstoneBatches(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<RecordBatch> {
    const { tombstones } = await loaded(() => import("./liveFiles.js"), "delta-table/log/liveFiles");
    yield* tombstones(this.#files, (damage) => this.#elsewhere(damage, options.signal), options.signal);
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
   * What the table would be after these actions, which nobody has committed: a snapshot that has nothing to do with others of
   * the table. Costs the commits since the last checkpoint, and no I/O.
   */
  supposing(actions: readonly Action[]): Snapshot {
    const alone = { ...this.#files, tail: this.#files.tail.fork(this.version) };
    return new Snapshot(this.#state, alone, this.check).advance(this.version + 1, actions);
  }

  /**
   * The newest version's snapshot: one request where nothing is new, else the new commits' and a listing. Where a commit is
   * damaged or gone, it's rebuilt as for one who comes to the table now: see {@link rebuild}, also for what that throws.
   */
  async refresh(signal?: AbortSignal): Promise<Snapshot> {
    try {
      const next = await commitIfExists(this.store, this.version + 1, signal);
      return next === undefined ? this : await this.#goOn(next, signal);
    } catch (error) {
      if (!isDamage(error) && !isNoOtherWay(error)) throw error;
      return loadSnapshot(this.store, { check: this.check, signal });
    }
  }

  /** The newest version's snapshot, from the bytes of the commit after this one and those that follow. */
  async #goOn(next: Uint8Array, signal?: AbortSignal): Promise<Snapshot> {
    const { newest, checkpoint = newest } = await newestCommit(this.store, this.version + 1, signal);
    if (checkpoint > newest || checkpoint - this.version > LONG_WAY) {
      return loadSnapshot(this.store, { check: this.check, signal });
    }
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
    const { totals } = this;
    this.#files = { ...this.#files, checkpoint, tail: new Tail(this.version), totals, checksum: undefined };
  }

  /** Throws the damage where nothing takes the checkpoint's place. */
  async #elsewhere(damage: DeltaError, signal?: AbortSignal): Promise<SnapshotFiles> {
    const { damaged, checkpoint } = this.#files;
    const gone = checkpoint?.paths ?? [];
    const options = { version: this.version, damaged: new Set([...damaged, ...gone]), signal };
    const { files } = await rebuild(this.store, options).catch((second: unknown) => {
      throw isNoOtherWay(second) ? damage : second;
    });
    for (const path of gone) tellPassedOver(this.store, path, damage.message);
    return files;
  }

  #at(version: number, builder: StateBuilder): Snapshot {
    const state = builder.build(version);
    if (state.protocol !== this.protocol || state.metadata !== this.metadata) {
      this.check(state.protocol, state.metadata);
    }
    const isPartitioned = state.metadata.partitionColumns.length > 0;
    const totals = this.#totals === "unasked" ? this.#files.totals : this.#totals;
    const snapshot = new Snapshot(state, { ...this.#files, version, isPartitioned, totals }, this.check);
    if (state.metadata === this.metadata && state.protocol === this.protocol) snapshot.#schema = this.#schema;
    return snapshot;
  }
}

/** The snapshot of version 0, from its commit: no I/O. */
export function firstSnapshot(store: ObjectStore, actions: readonly Action[]): Snapshot {
  const builder = new StateBuilder();
  for (const action of actions) builder.apply(action);
  const state = builder.build(0);
  const tail = new Tail(-1);
  tail.apply(0, actions);
  const isPartitioned = state.metadata.partitionColumns.length > 0;
  return new Snapshot(state, {
    store,
    version: 0,
    checkpoint: undefined,
    tail,
    isPartitioned,
    totals: NO_FILES,
    damaged: new Set(),
  });
}

export interface LoadOptions {
  /** The newest version where it's left out. */
  readonly version?: number;
  /** An older snapshot of the same table: only what is newer is read. Of no use with `version`. */
  readonly base?: Snapshot;
  /** What the version has to pass; by default `checkReadable`. With `base`, its own. */
  readonly check?: ReadCheck;
  readonly signal?: AbortSignal;
}

/**
 * Rebuilds the state of a version from the newest checkpoint up to it and the commits that follow: see {@link rebuild}, also
 * for what it throws beside `DELTA_INVALID_PROTOCOL_VERSION` and `DELTA_UNSUPPORTED_FEATURES_FOR_READ`.
 */
export async function loadSnapshot(store: ObjectStore, options: LoadOptions = {}): Promise<Snapshot> {
  const { version, base, check = checkReadable, signal } = options;
  if (version !== undefined && (!Number.isSafeInteger(version) || version < 0)) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `A version is a whole number from 0 up, not ${version}.`, {
      version,
    });
  }
  if (base !== undefined && version === undefined) return base.refresh(signal);
  const { state, files } = await rebuild(store, { version, signal });
  check(state.protocol, state.metadata);
  return new Snapshot(state, files, check);
}

function takeCommit(version: number, bytes: Uint8Array, state: StateBuilder, tail: Tail): void {
  const isNew = version > tail.version;
  try {
    forEachAction(version, bytes, { commitInfo: false }, (action) => {
      if (!("add" in action) && !("remove" in action)) state.apply(action);
      else if (isNew) tail.take(version, action);
    });
  } catch (error) {
    // Another commit may come to have this number.
    if (isNew) tail.forgetTaken();
    throw error;
  }
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
