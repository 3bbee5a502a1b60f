import { buildBatch } from "../arrow/build.js";
import { DeltaError } from "../errors.js";
import { DeltaLog } from "../log/deltaLog.js";
import { storePath } from "../log/paths.js";
import { commitAppend, dataFileWriter, isRecorded, openTarget, skippedAt } from "../ops/stagedAppend.js";
import { runtime } from "../runtime.js";
import { schemaOf } from "../schema/literal.js";
import { storeBelow } from "../storage/below.js";
import { openStore, type StorageOptions } from "../storage/open.js";
import type { ObjectStore } from "../storage/store.js";
import type { DataFileWriter, StagedFiles } from "../write/dataFiles.js";
import type { BadRecord } from "./format/format.js";
import type { StagedLetters } from "./jobState.js";
import { stepAppId } from "./progress.js";

/** The folder of dead letters below a table; by its underscore no part of the table. */
const FOLDER = "_dead_letters/";

/** The columns of a table of dead letters. */
const LETTER_SCHEMA = schemaOf({
  job: "string",
  /** The step of the job that met the record. */
  batch: "long",
  /** JOB/batch/n: a letter's own name. */
  id: "string",
  file: "string",
  byte_offset: "long",
  line: "long",
  record: "long",
  column: "string",
  code: "string",
  reason: "string",
  /** The record as it was in the file, without its line end. */
  raw: "binary",
  /** JSON: how it was parsed, for those who parse it again. */
  parser: "string",
  loaded_at: "timestamp",
});

/** Where a job's dead letters go, as its state holds it. */
export type LetterPlace = StagedLetters["location"];

export function letterPlace(option: string | URL | undefined): LetterPlace {
  return option === undefined ? { below: FOLDER } : { url: String(option) };
}

/** The log of the table of dead letters at a place. Its store needn't be disposed of where it is the table's. */
export function letterLog(store: ObjectStore, place: LetterPlace, storage: StorageOptions): DeltaLog {
  return new DeltaLog("below" in place ? storeBelow(store, place.below) : openStore(place.url, storage));
}

const ROWS_AT_A_TIME = 1000;
const BYTES_AT_A_TIME = 8 * 1024 * 1024;

/** Writes the dead letters of one step, to be committed after it. */
export class LetterWriter {
  readonly #log: DeltaLog;
  readonly #job: string;
  readonly #step: number;
  readonly #loadedAt = new Date(runtime.now());
  #writer: DataFileWriter | undefined;
  #rows: object[] = [];
  #bytes = 0;
  rowCount = 0;

  constructor(log: DeltaLog, job: string, step: number) {
    this.#log = log;
    this.#job = job;
    this.#step = step;
  }

  async add(file: string, parser: string, bad: BadRecord): Promise<void> {
    this.#rows.push({
      job: this.#job,
      batch: BigInt(this.#step),
      id: `${this.#job}/${this.#step}/${this.rowCount++}`,
      file,
      byte_offset: bad.byteOffset === undefined ? null : BigInt(bad.byteOffset),
      line: bad.line === undefined ? null : BigInt(bad.line),
      record: BigInt(bad.record),
      column: bad.column ?? null,
      code: bad.code,
      reason: bad.reason,
      raw: bad.raw,
      parser,
      loaded_at: this.#loadedAt,
    });
    this.#bytes += bad.raw.length;
    if (this.#rows.length >= ROWS_AT_A_TIME || this.#bytes >= BYTES_AT_A_TIME) await this.#flush();
  }

  /** The files of the letters, durable; undefined where there are none. */
  async finish(): Promise<StagedFiles["adds"] | undefined> {
    await this.#flush();
    const staged = await this.#writer?.finish();
    await staged?.stored;
    return staged?.adds;
  }

  async discard(): Promise<void> {
    await this.#writer?.discard();
  }

  async #flush(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return;
    [this.#rows, this.#bytes] = [[], 0];
    this.#writer ??= dataFileWriter(this.#log, await openTarget(this.#log, { schema: LETTER_SCHEMA }));
    await this.#writer.write(buildBatch(LETTER_SCHEMA, rows, 0));
  }
}

/**
 * Commits the dead letters of a job's step, unless they are committed already. Throws `DELTA_LOAD_PROGRESS_LOST` where their files
 * are gone, and what a commit throws.
 */
export async function commitLetters(log: DeltaLog, job: string, step: number, letters: StagedLetters): Promise<void> {
  // What is committed is looked for where the commit begins: another run may be doing the same.
  const target = await openTarget(log, { schema: LETTER_SCHEMA });
  const txn = { appId: stepAppId(job), version: step };
  if (target.snapshot !== undefined && isRecorded(target.snapshot, txn)) {
    await skippedAt(target.snapshot);
    return;
  }
  const { adds, rowCount } = letters;
  for (const add of adds) {
    if ((await log.store.head(storePath(log.store, add.path))) === undefined)
      throw lettersLost(log, job, step, rowCount);
  }
  // Kept whatever happens: the next run commits them.
  const staged = { adds, stored: Promise.resolve(), rowCount, discard: async () => undefined };
  await commitAppend(log, target, staged, {
    txn,
    operation: "LOAD",
    operationParameters: { job, batch: String(step), deadLetters: "true" },
  });
}

function lettersLost(log: DeltaLog, job: string, step: number, rowCount: number): DeltaError {
  return new DeltaError(
    "DELTA_LOAD_PROGRESS_LOST",
    `Job "${job}": ${rowCount} dead letters of batch ${step} were staged in ${log.store.url} and are gone. The rows of the batch are in the table. To go on without these letters, ignore the change.`,
    { job, batch: step, rowCount },
  );
}
