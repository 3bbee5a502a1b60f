import { DeltaError, hasCode } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { LOG_FOLDER } from "../log/names.js";
import { property } from "../log/properties.js";
import { commitAppend } from "../ops/stagedAppend.js";
import { runtime } from "../runtime.js";
import type { StorageOptions } from "../storage/open.js";
import { checkMove } from "../write/transactionMove.js";
import type { BatchRead, FinishedFile } from "./batchReader.js";
import type { BatchSink } from "./batchSink.js";
import type { LoadTarget } from "./batchTarget.js";
import { addBooks, type Books, bookMetrics, NO_BOOKS } from "./books.js";
import { contentHashOf } from "./contentHash.js";
import { commitLetters, type LetterPlace, type LetterWriter, letterLog } from "./deadLetters.js";
import { DoneFiles, NO_FILES, outdatedSegments, segmentPaths } from "./doneFiles.js";
import {
  type CurrentFile,
  changedOptions,
  decodeState,
  encodeState,
  type JobOptions,
  type JobState,
  optionsChanged,
} from "./jobState.js";
import type { OpenFile, Shapes } from "./openFile.js";
import {
  isOvertaken,
  type Progress,
  type Restart,
  readProgress,
  readRestart,
  removeAbandonedStates,
  removeOutdatedState,
  stageProgress,
  stateFolder,
} from "./progress.js";
import { prefixHash } from "./source/identity.js";
import type { SourceFile } from "./source/source.js";

export interface JobSettings {
  readonly options: JobOptions;
  readonly isRestart: boolean;
  readonly ignoreChange: boolean;
  readonly storage: StorageOptions;
}

/** A batch that is read and parsed, to be committed. */
export interface LoadedBatch {
  /** Undefined where no file of rows was opened. */
  readonly rows: { readonly to: LoadTarget; readonly sink: BatchSink } | undefined;
  readonly letters: LetterWriter | undefined;
  readonly letterPlace: LetterPlace | undefined;
  readonly read: BatchRead;
  readonly shapes: Shapes;
  /** True where nothing is left to load after it. */
  readonly isEnd: boolean;
}

/** Files whose ends are hashed at once. */
const HASHED_AT_ONCE = 16;

/** A load's place in its table: where it is, and the commits that move it on. */
export class LoadJob {
  readonly #log: DeltaLog;
  readonly job: string;
  readonly #storage: StorageOptions;
  #from: Progress | Restart | undefined;
  #state: JobState;
  #done: DoneFiles;

  private constructor(
    log: DeltaLog,
    job: string,
    storage: StorageOptions,
    from: Progress | Restart | undefined,
    state: JobState,
  ) {
    this.#log = log;
    this.job = job;
    this.#storage = storage;
    this.#from = from;
    this.#state = state;
    this.#done = new DoneFiles(log.store, stateFolder(job), state.files);
  }

  /**
   * Finds out where a job is. Dead letters that a crash kept from being committed are committed first.
   *
   * Throws `DELTA_LOAD_PROGRESS_LOST` and `DELTA_LOAD_OPTIONS_CHANGED`, unless the job is to begin anew or to ignore changes.
   */
  static async open(log: DeltaLog, job: string, settings: JobSettings): Promise<LoadJob> {
    const { options, isRestart, ignoreChange, storage } = settings;
    const fresh: JobState = { options, shapes: {}, files: NO_FILES, books: NO_BOOKS };
    const snapshot = await log.latestIfExists();
    if (snapshot === undefined) return new LoadJob(log, job, storage, undefined, fresh);
    // What lies before the place may be thrown away once it is known: a commit of a killed process must last, too.
    await log.store.settle(LOG_FOLDER);
    const progress = await readProgress(log, snapshot, job).catch((error: unknown) => {
      if (isRestart && hasCode(error, "DELTA_LOAD_PROGRESS_LOST")) return undefined;
      throw error;
    });
    const known = progress && decodeState(job, progress.state);
    if (progress !== undefined && known !== undefined) {
      await lateLetters(log, job, progress, known, ignoreChange || isRestart, storage);
      const used = segmentPaths(stateFolder(job), known.files);
      await removeAbandonedStates(log.store, job, progress, undefined, used);
    }
    if (isRestart) return new LoadJob(log, job, storage, await readRestart(snapshot, job), fresh);
    if (progress === undefined || known === undefined) return new LoadJob(log, job, storage, undefined, fresh);
    const changes = changedOptions(known.options, options);
    if (changes.length > 0 && !ignoreChange) throw optionsChanged(job, changes);
    return new LoadJob(log, job, storage, progress, known);
  }

  get state(): JobState {
    return this.#state;
  }

  get done(): DoneFiles {
    return this.#done;
  }

  /** True where another run has moved the job on since. */
  async isOvertaken(): Promise<boolean> {
    return this.#from !== undefined && "id" in this.#from && isOvertaken(this.#log, this.job, this.#from);
  }

  /** The step that the next commit makes. */
  get nextStep(): number {
    return (this.#from?.step ?? 0) + 1;
  }

  /**
   * Commits a batch: its rows, and the place it reaches, as one; {@link commitLetters} is to follow. Undefined where there is no
   * table and nothing to make one of.
   *
   * Throws `DELTA_CONCURRENT_TRANSACTION` where another run of the job was first, and what an append throws. Nothing is committed
   * then, unless it is `DELTA_COMMIT_OUTCOME_UNKNOWN`.
   */
  async commit(batch: LoadedBatch): Promise<{ readonly version: number; readonly books: Books } | undefined> {
    const { rows, read } = batch;
    if (rows === undefined) return undefined;
    const { store } = this.#log;
    const { adds, stored } = await rows.sink.finish();
    const { rowsRead, rowsLoaded, rowsDead, rowsFiltered } = rows.sink;
    const filesDone = read.finished.length;
    const books = { rowsRead, rowsLoaded, rowsDead, rowsFiltered, filesDone, bytesRead: read.bytesRead };
    const state = await this.#stateAfter(batch, books, rows.to);
    const { progress, move } = await stageProgress(store, this.job, this.#from, encodeState(state));
    const staged = { adds, stored, rowCount: rowsLoaded, discard: () => rows.sink.discard() };
    checkMove(rows.to.target.snapshot?.transactions, move);
    const { version } = await commitAppend(this.#log, rows.to.target, staged, {
      move,
      operation: "LOAD",
      operationParameters: this.#parameters(read),
      operationMetrics: bookMetrics(books),
    });
    await this.#tidy(state);
    [this.#from, this.#state] = [progress, state];
    this.#done = this.#done.after(state.files);
    return { version, books };
  }

  /** Commits the dead letters of the batch committed last. A failure leaves them to the next run. */
  async commitLetters(): Promise<void> {
    const { dead } = this.#state;
    if (dead === undefined || this.#from === undefined) return;
    await commitLetters(letterLog(this.#log.store, dead.location, this.#storage), this.job, this.#from.step, dead);
  }

  async #stateAfter(batch: LoadedBatch, books: Books, { target }: LoadTarget): Promise<JobState> {
    const { read, letters, letterPlace, shapes, isEnd } = batch;
    const stream = await this.#addFinished(read.finished);
    const current = read.current === undefined ? stream : await currentFile(read.current);
    const retentionMs = property(target.metadata, "deltaTable.loadRetentionDuration");
    // Not before: files that wait to be loaded may be as old.
    if (isEnd && retentionMs !== undefined) this.#done.expire(runtime.now() - retentionMs);
    const letterAdds = await letters?.finish();
    const { unfinished = { rowsRead: 0, rowsDead: 0 } } = this.#state;
    return {
      options: this.#state.options,
      shapes,
      files: await this.#done.stage(),
      current,
      books: addBooks(this.#state.books, books),
      unfinished: isEnd
        ? undefined
        : { rowsRead: unfinished.rowsRead + books.rowsRead, rowsDead: unfinished.rowsDead + books.rowsDead },
      dead:
        letterAdds === undefined || letterPlace === undefined
          ? undefined
          : { location: letterPlace, adds: letterAdds, rowCount: books.rowsDead },
    };
  }

  /** Of a stream, which may go on the next time, its place; what is behind it can't be told from another one's. */
  async #addFinished(finished: readonly FinishedFile[]): Promise<CurrentFile | undefined> {
    for (let at = 0; at < finished.length; at += HASHED_AT_ONCE) {
      await Promise.all(
        finished.slice(at, at + HASHED_AT_ONCE).map(async ({ file, records, lines }) => {
          if (file.stream !== undefined) return;
          const hash = await prefixHash(file, file.identity.sizeBytes);
          if (hash === undefined) throw changedMeanwhile(file);
          this.#done.add(file.url, file.identity, { contentHash: contentHashOf(hash), records, lines });
        }),
      );
    }
    const stream = finished.find(({ file }) => file.stream !== undefined)?.open;
    return stream?.position === undefined ? undefined : currentFile(stream);
  }

  /** What the step before left, and no snapshot needs any more. */
  async #tidy(state: JobState): Promise<void> {
    const before = this.#from;
    if (before === undefined || !("state" in before)) return;
    const { store } = this.#log;
    await removeOutdatedState(store, this.job, before);
    for (const path of outdatedSegments(stateFolder(this.job), this.#state.files, state.files)) {
      // As with the state: an error would say that the step isn't committed.
      await store.delete(path).catch((error: unknown) => {
        runtime.warn(`${store.url}: ${path} is no longer needed and could not be removed: ${error}`, "DELTA_FILE_LEFT");
      });
    }
  }

  #parameters({ ranges, finished }: BatchRead): Record<string, string> {
    const first = ranges.slice(0, SHOWN_RANGES).map(({ file, from, to }) => ({ file, from, to }));
    return {
      job: this.job,
      batch: String(this.nextStep),
      source: JSON.stringify(first),
      sourceFiles: String(new Set([...ranges.map(({ file }) => file), ...finished.map(({ file }) => file.url)]).size),
    };
  }
}

/** Files that a commit names; it says how many there are. */
const SHOWN_RANGES = 20;

async function currentFile({ file, position, storedBytes }: OpenFile): Promise<CurrentFile> {
  const hash = await prefixHash(file, storedBytes);
  if (hash === undefined || position === undefined) throw changedMeanwhile(file);
  return { url: file.url, identity: file.identity, position, storedBytes, ...hash };
}

function changedMeanwhile(file: SourceFile): DeltaError {
  return new DeltaError(
    "DELTA_LOAD_SOURCE_CHANGED",
    `${file.url} was changed while it was read. Of this batch nothing is committed; load again.`,
    { file: file.url },
  );
}

/** Commits the dead letters of the newest step if that didn't come to it. */
async function lateLetters(
  log: DeltaLog,
  job: string,
  { step }: Progress,
  { dead }: JobState,
  mayBeLost: boolean,
  storage: StorageOptions,
): Promise<void> {
  if (dead === undefined) return;
  try {
    await commitLetters(letterLog(log.store, dead.location, storage), job, step, dead);
  } catch (error) {
    if (!mayBeLost || !hasCode(error, "DELTA_LOAD_PROGRESS_LOST")) throw error;
    runtime.warn(error.message, "DELTA_LOAD_PROGRESS_LOST");
  }
}
