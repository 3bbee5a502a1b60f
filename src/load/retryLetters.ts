import { DeltaError, hasCode } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { commitAppend } from "../ops/stagedAppend.js";
import { checkSignal } from "../signal.js";
import { checkMove } from "../write/transactionMove.js";
import { BadLimit } from "./badLimit.js";
import { BatchSink } from "./batchSink.js";
import { openLoadTarget } from "./batchTarget.js";
import { bookMetrics, NO_BOOKS } from "./books.js";
import type { ParseOptions } from "./format/format.js";
import { decodeState } from "./jobState.js";
import { LetterBatch, type LetterText } from "./letterBatch.js";
import { type DeadLettersOptions, listLetters } from "./letterList.js";
import { type LoadOptions, parseOptionsOf, withJobOptions } from "./loadOptions.js";
import { readProgress, removeOutdatedState, stageProgress } from "./progress.js";
import { letterNumber, RetriedLetters, retryJob } from "./retriedLetters.js";

export interface RetryOptions extends DeadLettersOptions, ParseOptions {
  /** Only these letters, with the text that they should have had. By default all, as they are. */
  readonly mended?: Iterable<MendedLetter> | AsyncIterable<MendedLetter>;
}

export interface MendedLetter {
  readonly id: string;
  /** The record as it should be, without a line end. */
  readonly raw: string | Uint8Array;
}

export interface RetryResult {
  /** Letters that are rows of the table now. */
  readonly rowsLoaded: number;
  /** Letters that the job's `where` keeps out, and that are done with. */
  readonly rowsFiltered: number;
  /** Letters that are dead still. */
  readonly rowsDead: number;
  /** The version that holds the last of the rows; undefined where none was loaded. */
  readonly version: number | undefined;
}

/** Of one commit. */
const LETTERS_AT_ONCE = 10_000;
const BYTES_AT_ONCE = 64 * 1024 * 1024;

/** Implements `Table.retryDeadLetters`; see there. */
export async function retryLetters(log: DeltaLog, options: RetryOptions = {}): Promise<RetryResult> {
  const mended = options.mended === undefined ? undefined : await mendedTexts(options.mended);
  let result: RetryResult = { rowsLoaded: 0, rowsFiltered: 0, rowsDead: 0, version: undefined };
  for await (const { job, letters } of batches(log, options, mended)) {
    const one = await retryBatch(log, job, letters, options);
    result = {
      rowsLoaded: result.rowsLoaded + one.rowsLoaded,
      rowsFiltered: result.rowsFiltered + one.rowsFiltered,
      rowsDead: result.rowsDead + one.rowsDead,
      version: one.version ?? result.version,
    };
  }
  return result;
}

interface LettersOfJob {
  readonly job: string;
  readonly letters: readonly LetterText[];
}

async function* batches(
  log: DeltaLog,
  options: RetryOptions,
  mended: ReadonlyMap<string, Uint8Array> | undefined,
): AsyncGenerator<LettersOfJob> {
  let [job, letters, bytes]: [string, LetterText[], number] = ["", [], 0];
  for await (const letter of listLetters(log, options)) {
    const raw = mended === undefined ? letter.raw : mended.get(letter.id);
    if (raw === undefined) continue;
    if (letters.length > 0 && (letter.job !== job || letters.length >= LETTERS_AT_ONCE || bytes >= BYTES_AT_ONCE)) {
      yield { job, letters };
      [letters, bytes] = [[], 0];
    }
    job = letter.job;
    bytes += raw.length;
    letters.push({ id: letter.id, parser: letter.parser, raw });
  }
  if (letters.length > 0) yield { job, letters };
}

/** Loads letters of one job, with the note that they are loaded, as one commit. */
async function retryBatch(
  log: DeltaLog,
  job: string,
  letters: readonly LetterText[],
  options: RetryOptions,
): Promise<RetryResult> {
  checkSignal(options.signal, "loading dead letters");
  const snapshot = await log.latest();
  const name = retryJob(job);
  const before = await readProgress(log, snapshot, name);
  const retried = RetriedLetters.of(job, before?.state);
  const due = letters.filter(({ id }) => {
    const { step, number } = letterNumber(id);
    return !retried.has(step, number);
  });
  const to = await openLoadTarget(log, undefined, await jobOptions(log, job));
  const rejected = new Set<number>();
  const taker = {
    add: async (_file: string, _parser: string, bad: { readonly record: number }) => void rejected.add(bad.record),
  };
  const sink = new BatchSink(to.sink, taker, new BadLimit({ maxBadRecords: Number.MAX_SAFE_INTEGER }, 0));
  try {
    const batch = new LetterBatch(sink, rejected, parseOptionsOf(options));
    const loaded: string[] = [];
    for (const group of byParser(due)) loaded.push(...(await batch.parse(group)));
    const { rowsLoaded, rowsFiltered } = sink;
    const rowsDead = due.length - loaded.length;
    const { adds, stored } = await sink.finish();
    if (loaded.length === 0) return { rowsLoaded, rowsFiltered, rowsDead, version: undefined };
    const state = retried.with(loaded.map(letterNumber)).toJson();
    const { progress, move } = await stageProgress(log.store, name, before, state);
    checkMove(to.target.snapshot?.transactions, move);
    const staged = { adds, stored, rowCount: rowsLoaded, discard: () => sink.discard() };
    const { version } = await commitAppend(log, to.target, staged, {
      move,
      operation: "LOAD",
      operationParameters: { job: name, batch: String(progress.step) },
      operationMetrics: bookMetrics({ ...NO_BOOKS, rowsRead: loaded.length, rowsLoaded, rowsFiltered }),
    });
    await removeOutdatedState(log.store, name, before);
    return { rowsLoaded, rowsFiltered, rowsDead, version };
  } catch (error) {
    if (!hasCode(error, "DELTA_COMMIT_OUTCOME_UNKNOWN")) await sink.discard();
    throw error;
  }
}

/** What the job kept out stays out. */
async function jobOptions(log: DeltaLog, job: string): Promise<LoadOptions<object>> {
  const progress = await readProgress(log, await log.latest(), job);
  return progress === undefined ? {} : withJobOptions({}, decodeState(job, progress.state).options);
}

function byParser(letters: readonly LetterText[]): LetterText[][] {
  const groups = new Map<string, LetterText[]>();
  for (const letter of letters) {
    const group = groups.get(letter.parser);
    if (group === undefined) groups.set(letter.parser, [letter]);
    else group.push(letter);
  }
  return [...groups.values()];
}

async function mendedTexts(
  mended: Iterable<MendedLetter> | AsyncIterable<MendedLetter>,
): Promise<Map<string, Uint8Array>> {
  const texts = new Map<string, Uint8Array>();
  for await (const { id, raw } of mended) {
    if (typeof id !== "string" || !(typeof raw === "string" || raw instanceof Uint8Array)) {
      throw new DeltaError(
        "DELTA_INVALID_ARGUMENT",
        "A mended letter has the id of the dead one, and raw, the text that it should have had.",
        { id },
      );
    }
    texts.set(id, typeof raw === "string" ? Buffer.from(raw) : raw);
  }
  return texts;
}
