import { isDeepStrictEqual } from "node:util";
import { DeltaError } from "../errors.js";
import type { AddFile } from "../log/actions.js";
import { VERSION } from "../version.js";
import type { Books } from "./books.js";
import type { DoneFilesState } from "./doneFiles.js";
import type { RecordPosition, SourceShape } from "./format/format.js";
import type { Json } from "./progress.js";
import type { SourceIdentity } from "./source/source.js";

/** The form that a state is written in. */
const STATE_FORMAT = 1;

/** What decides which rows a source's bytes become; a job keeps to it. Options that weren't given are left out. */
export type JobOptions = { readonly [option: string]: Json };

/** How far a load is: what its commits keep beside the rows. */
export interface JobState {
  readonly options: JobOptions;
  /** Of the job's files, found out at the first of each kind. */
  readonly shapes: { readonly [kind: string]: SourceShape };
  readonly files: DoneFilesState;
  /** The file that is read in part. */
  readonly current?: CurrentFile | undefined;
  /** Over all the job's commits. */
  readonly books: Books;
  /** Where a run hasn't come to its end: what it, and those that went on for it, have read so far. */
  readonly unfinished?: { readonly rowsRead: number; readonly rowsDead: number } | undefined;
  /** The dead letters of this step, which are committed after it. */
  readonly dead?: StagedLetters | undefined;
}

export interface CurrentFile {
  readonly url: string;
  readonly identity: SourceIdentity;
  readonly position: RecordPosition;
  /** Bytes of the stored file that the records before the position came from, from its beginning on. */
  readonly storedBytes: number;
  /** Stand for the first and the last of them. */
  readonly head: string;
  readonly tail: string;
}

export interface StagedLetters {
  /** Where the table of dead letters is: below this table, or a location of its own. */
  readonly location: { readonly below: string } | { readonly url: string };
  readonly adds: readonly AddFile[];
  readonly rowCount: number;
}

/** The state's form in its file. */
export function encodeState(state: JobState): Json {
  return JSON.parse(JSON.stringify({ format: STATE_FORMAT, madeBy: `delta-table/${VERSION}`, ...state }));
}

/**
 * The state that a job's progress holds. Throws `DELTA_LOAD_OPTIONS_CHANGED` where another release wrote it in a form that this
 * one doesn't know, and `DELTA_INVALID_ARGUMENT` where the job is none of a load.
 */
export function decodeState(job: string, json: Json): JobState {
  const { format, madeBy, ...state } = json as unknown as JobState & {
    readonly format?: number;
    readonly madeBy?: string;
  };
  if (format === undefined) {
    throw new DeltaError(
      "DELTA_INVALID_ARGUMENT",
      `"${job}" is the job of a program that keeps an offset of its own. Give the load another job name.`,
      { job },
    );
  }
  if (format !== STATE_FORMAT) {
    throw optionsChanged(job, [{ option: "state format", job: format, now: STATE_FORMAT }], madeBy);
  }
  return state;
}

/** An option that a run gives otherwise than the job has it; undefined where one of them lacks it. */
export interface OptionChange {
  readonly option: string;
  readonly job: Json | undefined;
  readonly now: Json | undefined;
}

/** Which options differ, by their names. */
export function changedOptions(job: JobOptions, now: JobOptions): OptionChange[] {
  const names = [...new Set([...Object.keys(job), ...Object.keys(now)])].sort();
  return names
    .filter((name) => !isDeepStrictEqual(job[name], now[name]))
    .map((option) => ({ option, job: job[option], now: now[option] }));
}

/** The error of a run whose options aren't the job's. */
export function optionsChanged(job: string, changes: readonly OptionChange[], madeBy?: string): DeltaError {
  const list = changes.map(({ option, job, now }) => `${option} (it was ${said(job)}, now it is ${said(now)})`);
  const by = madeBy === undefined ? "" : `, made by ${madeBy}`;
  return new DeltaError(
    "DELTA_LOAD_OPTIONS_CHANGED",
    `Job "${job}"${by} has loaded with other options: ${list.join("; ")}. Give them as they were; or choose: ignoreChange goes on with the job's own, restart loads everything from the beginning (rows that are there come again), another job name begins beside it.`,
    { job, changes, madeBy },
  );
}

function said(value: Json | undefined): string {
  return value === undefined ? "not given" : JSON.stringify(value);
}
