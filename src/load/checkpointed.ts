import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { LOG_FOLDER } from "../log/names.js";
import type { AppendOptions } from "../ops/append.js";
import type { AppendResult } from "../ops/stagedAppend.js";
import type { InputRow, RowInput } from "../write/input.js";
import {
  type Json,
  type Progress,
  readProgress,
  removeAbandonedStates,
  removeOutdatedState,
  stageProgress,
} from "./progress.js";

/** How an append of a {@link CheckpointedJob} moves the job on. */
export interface CheckpointedAppendOptions extends Omit<AppendOptions, "txn"> {
  /** Where the job is once these rows are in the table; what {@link CheckpointedJob.offset} gives from then on. */
  readonly offset: Json;
}

/**
 * A job that reads from anywhere, a queue, a database, a web page, and appends to a table: each append commits its rows and
 * the offset it has reached as one, so that rows are neither lost nor doubled, however often the job is killed.
 */
export class CheckpointedJob<Row extends object = Record<string, unknown>> {
  readonly #log: DeltaLog;
  readonly #job: string;
  #progress: { readonly at: Progress | undefined } | undefined;

  /** @internal */
  constructor(log: DeltaLog, job: string) {
    if (job === "") throw new DeltaError("DELTA_INVALID_ARGUMENT", "A job needs a name.", { job });
    this.#log = log;
    this.#job = job;
  }

  /**
   * The offset that the job's last append reached, by this process or another; undefined before the first one. Read it
   * again after an error: the append may have been committed.
   *
   * Throws `DELTA_LOAD_PROGRESS_LOST` where the table held an offset and doesn't any more.
   */
  async offset(options: { readonly signal?: AbortSignal } = {}): Promise<Json | undefined> {
    const snapshot = await this.#log.latestIfExists(options.signal);
    const at = snapshot && (await readProgress(this.#log, snapshot, this.#job, options.signal));
    if (at !== undefined) {
      // The caller will forget what lies before the offset: a commit of a process that was killed must last, too.
      await this.#log.store.settle(LOG_FOLDER);
      await removeAbandonedStates(this.#log.store, this.#job, at, options.signal);
    }
    const state = at?.state as { readonly offset?: Json } | undefined;
    if (state !== undefined && state.offset === undefined) throw ofLoad(this.#job);
    this.#progress = { at };
    return state?.offset;
  }

  /**
   * Appends the rows that follow the offset last read, and moves the offset on. A crash leaves both or none. The first append
   * creates the table. Rows may be none: then only the offset moves.
   *
   * Throws what `Table.append` throws, and `DELTA_CONCURRENT_TRANSACTION` where another run of the job has moved on meanwhile:
   * nothing was appended; read the offset and go on from there.
   */
  async append(rows: RowInput<InputRow<Row>>, options: CheckpointedAppendOptions): Promise<AppendResult> {
    const { offset, ...rest } = options;
    checkJson(offset);
    const { append } = await loaded(() => import("../ops/append.js"), "delta-table/append");
    if (this.#progress === undefined) await this.offset(rest);
    const before = this.#progress!.at;
    const { progress, move } = await stageProgress(this.#log.store, this.#job, before, { offset }, rest.signal);
    // Until the append returns, where the job stands is for the log to say.
    this.#progress = undefined;
    const result = await append(this.#log, rows, rest, { move });
    this.#progress = { at: progress };
    await removeOutdatedState(this.#log.store, this.#job, before);
    return result;
  }
}

function ofLoad(job: string): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `"${job}" is the job of a load, which keeps its own place. Give this one another name.`,
    { job },
  );
}

function checkJson(offset: unknown): void {
  if (isJson(offset)) return;
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    "An offset is a JSON value that comes back as it was: a finite number, a text, null, or arrays and plain objects of such. Give a bigint or a Date as text.",
    { offset },
  );
}

function isJson(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== "object") return false;
  if (Array.isArray(value)) return value.every(isJson);
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isJson);
}
