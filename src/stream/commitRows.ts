import { hasCode } from "../errors.js";
import type { AddFile } from "../log/actions.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { numRecordsOf } from "../log/numRecords.js";
import { storePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import { timesByVersion } from "../log/timestamps.js";
import { type ChangePlanner, changePlanner, changeTarget, insertedFile } from "../read/changeColumns.js";
import { goneFirst } from "../read/changes.js";
import { type CommitChanges, commitChanges } from "../read/commitChanges.js";
import { FeedGuard } from "../read/feedGuard.js";
import type { ScanFile } from "../read/plan.js";
import type { ReadTarget } from "../read/scan.js";
import type { ObjectStore } from "../storage/store.js";
import { type ChangeOptions, checkNames, schemaChanged, streamedFiles } from "./deltaCommit.js";

/** A file, and its place in its commit. */
interface StreamedFile {
  readonly index: number;
  readonly file: ScanFile;
}

/** The files of a commit that hold what a stream gives. */
export interface StreamedCommit {
  /** In the order of their places, unless all of them come together. */
  readonly files: AsyncIterable<StreamedFile>;
  /** All of it comes in one batch. */
  readonly isWhole: boolean;
}

/** What a stream gives of a table's history. */
export interface CommitRows {
  /** What the rows are read as. */
  readonly target: ReadTarget;
  commit(version: number, bytes: Uint8Array): Promise<StreamedCommit>;
  /** A file of the table that a stream begins with. */
  initial(file: ScanFile, version: number): Promise<ScanFile>;
}

/** The rows that were added. */
export class AddedRows implements CommitRows {
  readonly target: Snapshot;
  readonly #log: DeltaLog;
  readonly #options: ChangeOptions;
  /** Later versions say themselves what they change. */
  #isBegun: boolean;

  constructor(log: DeltaLog, reader: Snapshot, options: ChangeOptions) {
    this.target = reader;
    this.#log = log;
    this.#options = options;
    this.#isBegun = reader.columnMapping === "none";
  }

  async commit(version: number, bytes: Uint8Array): Promise<StreamedCommit> {
    await this.#begin(version);
    const adds = streamedFiles(version, bytes, this.target, this.#options);
    return { files: addedFiles(this.target.store, adds), isWhole: false };
  }

  async initial(file: ScanFile, version: number): Promise<ScanFile> {
    await this.#begin(version);
    return file;
  }

  async #begin(version: number): Promise<void> {
    if (this.#isBegun) return;
    if (version < this.target.version) checkNames(await this.#log.at({ version }), this.target);
    this.#isBegun = true;
  }
}

async function* addedFiles(store: ObjectStore, adds: readonly AddFile[]): AsyncGenerator<StreamedFile> {
  for (const [index, add] of adds.entries()) yield { index, file: scanFile(store, add) };
}

function scanFile(store: ObjectStore, { path, size, partitionValues, stats, deletionVector }: AddFile): ScanFile {
  return {
    path: storePath(store, path),
    sizeBytes: size,
    partitionValues: new Map(Object.entries(partitionValues ?? {})),
    match: "all",
    numRecords: numRecordsOf(stats ?? null),
    deletionVector,
  };
}

/** The rows that changed, and how: those of the table that a stream begins with are inserted. */
export class ChangedRows implements CommitRows {
  readonly target: ReadTarget;
  readonly #log: DeltaLog;
  readonly #reader: Snapshot;
  readonly #guard: FeedGuard;
  readonly #plan: ChangePlanner;
  /** Undefined for a version whose commit is gone. */
  #times: ReadonlyMap<number, number | undefined> = new Map();

  /** Throws `DELTA_INVALID_SCHEMA`. */
  constructor(log: DeltaLog, reader: Snapshot) {
    this.target = changeTarget(reader);
    this.#log = log;
    this.#reader = reader;
    this.#guard = new FeedGuard(reader, async (version) => (version === reader.version ? reader : log.at({ version })));
    this.#plan = changePlanner(this.target);
  }

  /** Throws what {@link FeedGuard} does, and `DELTA_SCHEMA_CHANGED` for a version that came after the stream had begun. */
  async commit(version: number, bytes: Uint8Array): Promise<StreamedCommit> {
    const changes = commitChanges(version, bytes);
    try {
      await this.#guard.take(changes);
    } catch (error) {
      const isIncompatible = hasCode(error, "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE");
      if (!isIncompatible || version <= this.#reader.version) throw error;
      throw schemaChanged(version, this.target.store.url, error.data.columns as string[]);
    }
    // Part of what a commit takes away and gives again would be a state that never was.
    const isWhole = changes.files.some(({ kind }) => kind !== "insert");
    return { files: this.#changedFiles(changes), isWhole };
  }

  async *#changedFiles({ version, files }: CommitChanges): AsyncGenerator<StreamedFile> {
    for (const change of goneFirst(files)) {
      const commit = { version, timestampMs: await this.#timeOf(version) };
      yield { index: change.index, file: (await this.#plan(change, commit))! };
    }
  }

  async initial(file: ScanFile, version: number): Promise<ScanFile> {
    return insertedFile(file, { version, timestampMs: await this.#timeOf(version) });
  }

  async #timeOf(version: number): Promise<number | undefined> {
    if (!this.#times.has(version)) {
      const latest = await this.#log.latest();
      this.#times = new Map([[version, undefined], ...(await timesByVersion(latest, { first: version }))]);
    }
    return this.#times.get(version);
  }
}
