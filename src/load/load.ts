import { DeltaError, hasCode } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { schemaFrom } from "../ops/schemaOption.js";
import type { StructType } from "../schema/types.js";
import { Batch } from "./batch.js";
import { BatchReader } from "./batchReader.js";
import { addBooks, type Books, NO_BOOKS } from "./books.js";
import { LoadJob } from "./loadJob.js";
import {
  checkLoadOptions,
  DEFAULT_BATCH_BYTES,
  jobOptionsOf,
  type LoadOptions,
  type LoadResult,
  type LoadSource,
  parseOptionsOf,
  withJobOptions,
} from "./loadOptions.js";
import { FileOpener } from "./openFile.js";
import { defaultJob, type OpenSource, openSource } from "./openSource.js";
import { pendingFiles } from "./pendingFiles.js";
import { PendingQueue } from "./pendingQueue.js";

const MAX_AHEAD_BYTES = 16 * 1024 * 1024;
const MIN_CHUNK_BYTES = 4096;

/** Implements `Table.load`; see there. `open` gives the source's files. */
export async function load<Row extends object>(
  log: DeltaLog,
  source: LoadSource,
  options: LoadOptions<Row> = {},
  open: OpenSource = openSource,
): Promise<LoadResult> {
  const given = options as LoadOptions<object>;
  checkLoadOptions(given);
  return new Load(log, source, given.job ?? defaultJob(source), given, open).run();
}

/**
 * How much of a batch are its records, how much is read at once, and how much of the next batch's records is read ahead. The rest, some chunks,
 * is read behind those and at the file's beginning to know it again: a batch is all that a run reads and a crash makes the next one read
 * again.
 */
function cutsOf(batchBytes: number) {
  const restBytes = Math.min(batchBytes >> 3, MAX_AHEAD_BYTES);
  const chunkBytes = Math.max(restBytes >> 3, MIN_CHUNK_BYTES);
  return { recordBytes: batchBytes - restBytes, chunkBytes, aheadBytes: restBytes >> 1 };
}

/** One run of a load. */
class Load {
  readonly #log: DeltaLog;
  readonly #source: LoadSource;
  readonly #name: string;
  readonly #options: LoadOptions<object>;
  readonly #open: OpenSource;
  readonly #skipped = new Set<string>();
  #job: LoadJob | undefined;
  #books: Books = NO_BOOKS;
  #batches = 0;
  #version: number | undefined;
  #letters: string | undefined;

  constructor(log: DeltaLog, source: LoadSource, name: string, options: LoadOptions<object>, open: OpenSource) {
    this.#log = log;
    this.#source = source;
    this.#name = name;
    this.#options = options;
    this.#open = open;
  }

  async run(): Promise<LoadResult> {
    for (;;) {
      const isRestart = this.#options.restart === true && this.#batches === 0;
      try {
        await this.#goOn(isRestart);
        return await this.#result();
      } catch (error) {
        // Two restarts would double the rows.
        if (isRestart || !(await this.#isOvertaken(error))) throw error;
      }
    }
  }

  /** True where another run of the job was first: this one goes on from where that is. */
  async #isOvertaken(error: unknown): Promise<boolean> {
    if (hasCode(error, "DELTA_CONCURRENT_TRANSACTION")) return true;
    // Another writer changed the table's constraints or gave out identity values: the batch is read and checked again.
    if (hasCode(error, "DELTA_METADATA_CHANGED") && error.data.rules === true) {
      await this.#log.latest();
      return true;
    }
    // The other may have removed what this one was about to read.
    return hasCode(error, "DELTA_LOAD_PROGRESS_LOST") && (await this.#job?.isOvertaken()) === true;
  }

  /** Loads from where the table has the job, to the end. */
  async #goOn(isRestart: boolean): Promise<void> {
    const { ignoreChange = false, storage = {} } = this.#options;
    const wanted = jobOptionsOf(this.#options);
    this.#job = undefined;
    const job = await LoadJob.open(this.#log, this.#name, { options: wanted, isRestart, ignoreChange, storage });
    this.#job = job;
    const options = withJobOptions(this.#options, job.state.options);
    await using files = this.#open(this.#source, options.format, storage, (url) => this.#skipped.add(url));
    let isForgotten = false;
    const onGone = () => {
      isForgotten = true;
    };
    const pending = pendingFiles(files, () => job.done, job.state.current, { ignoreChange, job: this.#name, onGone });
    const queue = new PendingQueue(pending);
    const { recordBytes, chunkBytes, aheadBytes } = cutsOf(options.batchBytes ?? DEFAULT_BATCH_BYTES);
    const knownSchema = () => this.#knownSchema();
    const opener = new FileOpener(parseOptionsOf(options), job.state.shapes, knownSchema, chunkBytes);
    await using reader = new BatchReader(queue, opener, aheadBytes);
    await queue.begin();
    while (isForgotten || !(await reader.isAtEnd())) {
      if (options.signal?.aborted) throw this.#stopped();
      const isCommitted = await this.#nextBatch({ job, reader, opener, queue, options, recordBytes }, isForgotten);
      if (!isCommitted) return;
      isForgotten = false;
    }
  }

  /**
   * False where there is nothing to commit, and never will be: no table, and nothing to make one of. With `isForgotten` it commits
   * also where nothing is left to read: the job isn't in the middle of a file any more.
   */
  async #nextBatch(stage: Stage, isForgotten: boolean): Promise<boolean> {
    const { job, reader, opener, queue, options, recordBytes } = stage;
    const batch = new Batch(this.#log, job, options, recordBytes, () => this.#tell(queue, batch));
    let committed: { readonly version: number; readonly books: Books } | undefined;
    try {
      const read = await reader.read(recordBytes, batch, () => options.signal?.aborted === true);
      if (!isForgotten && read.finished.length === 0 && read.ranges.length === 0) return true;
      batch.checkLimit();
      const isEnd = await reader.isAtEnd();
      committed = await job.commit({ ...(await batch.loaded()), read, shapes: opener.shapes, isEnd });
    } catch (error) {
      if (!hasCode(error, "DELTA_COMMIT_OUTCOME_UNKNOWN")) await batch.discard();
      throw error;
    }
    if (committed === undefined) return false;
    this.#batches++;
    this.#version = committed.version;
    this.#books = addBooks(this.#books, committed.books);
    if (committed.books.rowsDead > 0) this.#letters = batch.lettersUrl;
    // From here on the batch's files belong to a commit.
    await job.commitLetters();
    this.#tell(queue);
    return true;
  }

  /** `batch` is what is read and parsed, but not committed. */
  #tell(queue: PendingQueue, batch?: Batch): void {
    const books = batch === undefined ? this.#books : addBooks(this.#books, batch.books);
    this.#options.onProgress?.({
      job: this.#name,
      ...books,
      isCommitted: batch === undefined,
      version: this.#version,
      filesTotal: queue.total?.files,
      bytesTotal: queue.total?.bytes,
    });
  }

  #knownSchema(): StructType | undefined {
    const { schema } = this.#options;
    return this.#log.known?.schema ?? (schema === undefined ? undefined : schemaFrom(schema));
  }

  async #result(): Promise<LoadResult> {
    return {
      job: this.#name,
      ...this.#books,
      version: this.#version ?? (await this.#log.latestIfExists())?.version,
      batches: this.#batches,
      isUpToDate: this.#batches === 0,
      deadLetters: this.#letters,
      filesSkipped: this.#skipped.size,
    };
  }

  #stopped(): DeltaError {
    const reached =
      this.#version === undefined ? "before a commit" : `after version ${this.#version}, which holds all that was read`;
    return new DeltaError(
      "DELTA_ABORTED",
      `The load "${this.#name}" was stopped ${reached}. Load again in the same way to go on from there.`,
      { job: this.#name, version: this.#version, ...this.#books },
      this.#options.signal?.reason,
    );
  }
}

interface Stage {
  readonly job: LoadJob;
  readonly reader: BatchReader;
  readonly opener: FileOpener;
  readonly queue: PendingQueue;
  readonly options: LoadOptions<object>;
  /** Bytes of records in a batch. */
  readonly recordBytes: number;
}
