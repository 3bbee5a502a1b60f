import { hasCode } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { rowsOf, Scan } from "../ops/scan.js";
import type { StorageOptions } from "../storage/open.js";
import { letterLog, letterPlace } from "./deadLetters.js";
import type { BadRecordCode } from "./format/format.js";
import { readProgress } from "./progress.js";
import { letterNumber, RetriedLetters, retryJob } from "./retriedLetters.js";

export interface DeadLettersOptions {
  /** Of this job only; of all by default. */
  readonly job?: string;
  /** Where they are, if not below the table. */
  readonly deadLetters?: string | URL;
  /** How the place of `deadLetters` is reached. */
  readonly storage?: StorageOptions;
  readonly signal?: AbortSignal;
}

/** A record that a load couldn't load. */
export interface DeadLetter {
  /** The letter's own name: its job, the batch that met it, and a number. */
  readonly id: string;
  readonly job: string;
  readonly batch: bigint;
  readonly file: string;
  /** In the decoded file, of text formats: where the record begins; its first line, from 1 on. */
  readonly byte_offset: bigint | null;
  readonly line: bigint | null;
  /** From 0 on. */
  readonly record: bigint;
  readonly column: string | null;
  readonly code: BadRecordCode;
  readonly reason: string;
  /** The record as it is in the file, without its line end. */
  readonly raw: Uint8Array;
  /** JSON: how it was parsed. */
  readonly parser: string;
  readonly loaded_at: Date;
}

/** The dead letters of a table that have not been loaded since, in the order they came. */
export async function* listLetters(log: DeltaLog, options: DeadLettersOptions = {}): AsyncGenerator<DeadLetter> {
  const { job, deadLetters, storage = {}, signal } = options;
  const letters = letterLog(log.store, letterPlace(deadLetters), storage);
  const scan = new Scan<Record<string, unknown>>(async () => rowsOf(await letters.latest(signal)), {
    signal,
    ...(job === undefined ? {} : { where: { job } }),
  });
  const retried = new Map<string, RetriedLetters>();
  try {
    for await (const row of scan.rows()) {
      const letter = row as unknown as DeadLetter;
      let known = retried.get(letter.job);
      if (known === undefined) {
        known = await readRetried(log, letter.job, signal);
        retried.set(letter.job, known);
      }
      const { step, number } = letterNumber(letter.id);
      if (!known.has(step, number)) yield letter;
    }
  } catch (error) {
    // No job of the table has had a bad record.
    if (!hasCode(error, "DELTA_TABLE_NOT_FOUND")) throw error;
  }
}

async function readRetried(log: DeltaLog, job: string, signal: AbortSignal | undefined): Promise<RetriedLetters> {
  const snapshot = await log.latestIfExists(signal);
  const progress = snapshot && (await readProgress(log, snapshot, retryJob(job), signal));
  return RetriedLetters.of(job, progress?.state);
}
