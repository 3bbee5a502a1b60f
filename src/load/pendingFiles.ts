import { DeltaError } from "../errors.js";
import { contentHashOf } from "./contentHash.js";
import { type DoneEntry, identityFields } from "./doneEntry.js";
import type { DoneFiles } from "./doneFiles.js";
import type { RecordPosition } from "./format/format.js";
import type { CurrentFile } from "./jobState.js";
import { isSameIdentity, prefixHash } from "./source/identity.js";
import { openRanges } from "./source/ranges.js";
import type { SourceFile } from "./source/source.js";

/** A file that a load has still to read, or the rest of one. */
export interface PendingFile {
  readonly file: SourceFile;
  /** Where its next record begins; undefined for a file of which nothing is read. */
  readonly from: RecordPosition | undefined;
  /** Stored bytes before that. */
  readonly storedBytes: number;
  /** True where it has changed but counts as loaded. */
  readonly isAccepted: boolean;
}

export interface PendingOptions {
  readonly ignoreChange: boolean;
  readonly job: string;
  /** Told that the half-read file is gone, where that is ignored. */
  readonly onGone: () => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The files of a listing that a job isn't done with, the half-read one first. Throws `DELTA_LOAD_SOURCE_CHANGED` where what
 * was read of a file isn't in it any more, unless changes are to be ignored. `done` gives the set as the newest commit has it.
 */
export async function* pendingFiles(
  files: AsyncIterable<SourceFile>,
  done: () => DoneFiles,
  current: CurrentFile | undefined,
  options: PendingOptions,
): AsyncGenerator<PendingFile> {
  if (current !== undefined) {
    const file = await findFile(files, current.url);
    const rest = await restOfCurrent(current, file, options);
    if (rest !== undefined) yield rest;
  }
  for await (const file of files) {
    if (file.url === current?.url) continue;
    const pending = await pendingOf(file, done(), options);
    if (pending !== undefined) yield pending;
  }
}

async function findFile(files: AsyncIterable<SourceFile>, url: string): Promise<SourceFile | undefined> {
  for await (const file of files) if (file.url === url) return file;
  return undefined;
}

async function restOfCurrent(
  current: CurrentFile,
  file: SourceFile | undefined,
  { ignoreChange, job, onGone, signal }: PendingOptions,
): Promise<PendingFile | undefined> {
  const { position, storedBytes, url } = current;
  if (file === undefined) {
    if (!ignoreChange) throw changed(job, url, "was read in part and isn't among the sources any more");
    onGone();
    return undefined;
  }
  const isSame = file.stream === undefined && isSameIdentity(current.identity, file.identity);
  if (!isSame) {
    const hash = await prefixHash(file, storedBytes, signal);
    if (hash?.head !== current.head || hash?.tail !== current.tail) {
      if (ignoreChange) return { file, from: position, storedBytes, isAccepted: true };
      throw changed(job, url, "was read in part, and what was read of it isn't in it any more");
    }
  }
  return { file, from: position, storedBytes, isAccepted: false };
}

async function pendingOf(
  file: SourceFile,
  done: DoneFiles,
  { ignoreChange, job, signal }: PendingOptions,
): Promise<PendingFile | undefined> {
  const entry = await done.find(file.url, signal);
  if (entry === undefined) {
    if (done.isExpired(file.identity)) return undefined;
    return { file, from: undefined, storedBytes: 0, isAccepted: false };
  }
  const { sizeBytes, modifiedMs, etagHash } = identityFields(file.identity);
  // An etag decides alone, since copies have times of their own.
  const isTouched =
    etagHash === 0 || entry.etagHash === 0 ? modifiedMs !== entry.modifiedMs : etagHash !== entry.etagHash;
  if (sizeBytes === entry.sizeBytes && !isTouched) return undefined;
  const hash = await prefixHash(file, entry.sizeBytes, signal);
  const isThere = hash !== undefined && contentHashOf(hash) === entry.contentHash;
  if (isThere && sizeBytes === entry.sizeBytes) return undefined;
  const rest = isThere ? await restOfGrown(file, entry, signal) : undefined;
  if (rest !== undefined) return rest;
  if (ignoreChange) return { file, from: undefined, storedBytes: 0, isAccepted: true };
  const what = isThere ? "has grown, but not by whole records" : "isn't the file any more";
  throw changed(job, file.url, `was loaded and ${what}`);
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The records appended to a file that was loaded: undefined where the last one loaded was cut off, or that can't be told. */
async function restOfGrown(
  file: SourceFile,
  { sizeBytes, records, lines }: DoneEntry,
  signal: AbortSignal | undefined,
): Promise<PendingFile | undefined> {
  const isText = file.format === "csv" || file.format === "jsonl";
  if (!isText || file.compression !== "none" || file.entry !== undefined) return undefined;
  if (sizeBytes === 0) return { file, from: undefined, storedBytes: 0, isAccepted: false };
  const [last, first, second] = await bytesAt(file, sizeBytes - 1, signal);
  let stored = sizeBytes;
  if (last === CARRIAGE_RETURN && first === LINE_FEED) stored += 1;
  else if (last !== LINE_FEED && last !== CARRIAGE_RETURN) {
    if (first === CARRIAGE_RETURN && second === LINE_FEED) stored += 2;
    else if (first === LINE_FEED || first === CARRIAGE_RETURN) stored += 1;
    else return undefined;
  }
  const from = { record: records, line: lines, bytes: { stored, decoded: 0 }, offset: stored };
  return { file, from, storedBytes: stored, isAccepted: false };
}

async function bytesAt(file: SourceFile, start: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  await using ranges = openRanges(file);
  return ranges.read(start, Math.min(start + 3, file.identity.sizeBytes), signal);
}

function changed(job: string, url: string, what: string): DeltaError {
  return new DeltaError(
    "DELTA_LOAD_SOURCE_CHANGED",
    `Job "${job}": ${url} ${what}. Choose: put the old file back; ignoreChange takes it for loaded; restart loads everything from the beginning (rows that are there come again); another job name begins beside this one.`,
    { job, file: url },
  );
}
