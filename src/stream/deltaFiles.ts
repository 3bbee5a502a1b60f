import { DeltaError, hasCode } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { LOG_FOLDER, parseLogPath } from "../log/names.js";
import { readCommits } from "../log/readCommits.js";
import type { Snapshot } from "../log/snapshot.js";
import type { ScanFile } from "../read/plan.js";
import type { CommitRows, StreamedCommit } from "./commitRows.js";
import { BEFORE_FILES, type DeltaOffset, isAfter } from "./deltaOffset.js";
import { InitialFiles } from "./initialFiles.js";
import type { TriggerLimits } from "./limits.js";

/** A file at its place in the history; or, at the end of a version's files, the place before the next version's. */
export interface PlacedFile {
  readonly version: number;
  readonly index: number;
  readonly isInitialSnapshot: boolean;
  /** Undefined at the end of a version. */
  readonly file: ScanFile | undefined;
  /** It comes in the same batch as the one before it. */
  readonly continues: boolean;
}

/** Commits read together where no option says how much a batch takes. */
const COMMITS_AHEAD = 1000;

/** The files of a table in the order in which a stream reads them. */
export class DeltaFiles {
  readonly #log: DeltaLog;
  readonly #reader: Snapshot;
  readonly #rows: CommitRows;
  readonly #limits: TriggerLimits;
  /** Kept from batch to batch. */
  #initial: InitialFiles | undefined;

  /** Rows are read with the schema of `reader`. */
  constructor(log: DeltaLog, reader: Snapshot, rows: CommitRows, limits: TriggerLimits) {
    this.#log = log;
    this.#reader = reader;
    this.#rows = rows;
    this.#limits = limits;
  }

  /**
   * The files after `from`, up to the end of `lastVersion`. Throws what {@link CommitRows} does at the version it is about, and
   * `DELTA_STREAM_DATA_LOST` where the log doesn't hold a version any more.
   */
  async *after(from: DeltaOffset, lastVersion: number): AsyncGenerator<PlacedFile> {
    let version = from.version;
    if (from.isInitialSnapshot) {
      const files = await this.#initialFiles(version);
      for (let index = Math.max(0, from.index + 1); index < files.length; index++) {
        const file = await this.#rows.initial(files.at(index), version);
        yield { version, index, isInitialSnapshot: true, file, continues: false };
      }
      yield endOf(version);
      version++;
    }
    this.#initial = undefined;
    yield* this.#added(from, version, lastVersion);
  }

  async *#added(from: DeltaOffset, first: number, last: number): AsyncGenerator<PlacedFile> {
    for await (const { version, bytes } of this.#commits(first, last)) {
      const { files, isWhole } = await this.#rowsOf(version, bytes);
      let continues = false;
      for await (const { index, file } of files) {
        if (!isAfter(from, version, index)) continue;
        yield { version, index, isInitialSnapshot: false, file, continues };
        continues = isWhole;
      }
      yield endOf(version);
    }
  }

  async #rowsOf(version: number, bytes: Uint8Array): Promise<StreamedCommit> {
    try {
      return await this.#rows.commit(version, bytes);
    } catch (error) {
      throw hasCode(error, "DELTA_VERSION_NOT_FOUND") ? this.#stateLost(error, version) : error;
    }
  }

  #stateLost(error: DeltaError, version: number): DeltaError {
    return dataLost(this.#reader.store.url, version, error.data.earliest as number | undefined, error);
  }

  /** The commits, read ahead as far as one batch may come. */
  async *#commits(
    first: number,
    last: number,
  ): AsyncGenerator<{ readonly version: number; readonly bytes: Uint8Array }> {
    const { maxFilesPerTrigger: ahead = COMMITS_AHEAD } = this.#limits;
    for (let from = first; from <= last; from += ahead) {
      let version = from;
      try {
        for await (const commit of readCommits(this.#reader.store, from, Math.min(last, from + ahead - 1))) {
          yield commit;
          version++;
        }
      } catch (error) {
        throw hasCode(error, "DELTA_FILE_NOT_FOUND") ? await this.#lost(error, version) : error;
      }
    }
  }

  async #initialFiles(version: number): Promise<InitialFiles> {
    if (this.#initial?.version !== version) this.#initial = await InitialFiles.load(await this.#snapshotAt(version));
    return this.#initial;
  }

  async #snapshotAt(version: number): Promise<Snapshot> {
    if (version === this.#reader.version) return this.#reader;
    try {
      return await this.#log.at({ version });
    } catch (error) {
      throw hasCode(error, "DELTA_VERSION_NOT_FOUND") ? this.#stateLost(error, version) : error;
    }
  }

  async #lost(error: unknown, version: number): Promise<DeltaError> {
    const { store } = this.#reader;
    const names = (await store.listNames(LOG_FOLDER)).map(parseLogPath);
    const earliest = names.find((name) => name?.kind === "commit")?.version;
    return dataLost(store.url, version, earliest, error);
  }
}

function endOf(version: number): PlacedFile {
  return { version: version + 1, index: BEFORE_FILES, isInitialSnapshot: false, file: undefined, continues: true };
}

function dataLost(url: string, version: number, earliest: number | undefined, cause: unknown): DeltaError {
  const left = earliest === undefined ? "" : ` What is left begins with version ${earliest}.`;
  return new DeltaError(
    "DELTA_STREAM_DATA_LOST",
    `The stream comes to version ${version} of ${url}, which the log doesn't hold any more: it was cleaned up before it was read.${left} Nothing was skipped. Begin a new stream with another checkpoint folder (startingVersion: ${earliest ?? 0} for what is left, or none for the whole table), and raise delta.logRetentionDuration of the source.`,
    { version, earliest },
    cause,
  );
}
