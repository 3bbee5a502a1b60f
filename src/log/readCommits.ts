import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";
import type { ObjectStore } from "../storage/store.js";
import { commitPath, type LogFile } from "./names.js";

/** Requests in flight: enough to hide an object store's latency; a local store answers at once anyway. */
const AHEAD = 64;
/** Bytes that wait for their turn, about, as far as the files before them tell of those to come. */
const AHEAD_BYTES = 4 * 1024 * 1024;

/** A file of the log and its bytes. */
export interface ReadLogFile extends LogFile {
  readonly bytes: Uint8Array;
}

/** The bytes of the commits `first` to `last`, in order: see {@link readLogFiles}. */
export function readCommits(
  store: ObjectStore,
  first: number,
  last: number,
  signal?: AbortSignal,
): AsyncGenerator<ReadLogFile> {
  return readLogFiles(store, commitFiles(first, last), signal);
}

function* commitFiles(first: number, last: number): Generator<LogFile> {
  for (let version = first; version <= last; version++) yield { version, path: commitPath(version) };
}

/**
 * The bytes of some files, in order, read ahead: of each its first `COMMIT_PART_BYTES`, the rest of long ones when it's
 * their turn. Throws `DELTA_FILE_NOT_FOUND`, and `DELTA_LOG_CORRUPT` beyond `MAX_COMMIT_BYTES`.
 */
export async function* readLogFiles(
  store: ObjectStore,
  files: Iterable<LogFile>,
  signal?: AbortSignal,
): AsyncGenerator<ReadLogFile> {
  const window: { readonly file: LogFile; readonly first: Promise<Uint8Array> }[] = [];
  let typicalBytes = 0;
  const next = async () => {
    const file = await taken(store, window.shift()!, signal);
    typicalBytes = Math.max(file.bytes.length, typicalBytes * 0.9);
    return file;
  };
  try {
    for (const file of files) {
      const first = firstPart(store, file, signal);
      // An early failure waits for its turn.
      first.catch(() => undefined);
      window.push({ file, first });
      while (window.length >= AHEAD || (window.length > 1 && window.length * typicalBytes > AHEAD_BYTES))
        yield await next();
    }
    while (window.length > 0) yield await next();
  } finally {
    await Promise.allSettled(window.map(({ first }) => first));
  }
}

async function taken(
  store: ObjectStore,
  { file, first }: { readonly file: LogFile; readonly first: Promise<Uint8Array> },
  signal?: AbortSignal,
): Promise<ReadLogFile> {
  const bytes = await first;
  return { ...file, bytes: isPart(bytes) ? await whole(store, file, bytes, signal) : bytes };
}

/** The bytes of one commit. Throws as {@link readLogFiles} does. */
export function readCommit(store: ObjectStore, version: number, signal?: AbortSignal): Promise<Uint8Array> {
  return readLogFile(store, { version, path: commitPath(version) }, signal);
}

/** The bytes of one file. Throws as {@link readLogFiles} does. */
export async function readLogFile(store: ObjectStore, file: LogFile, signal?: AbortSignal): Promise<Uint8Array> {
  const { bytes } = await taken(store, { file, first: firstPart(store, file, signal) }, signal);
  return bytes;
}

/** Whether there may be more. */
function isPart(first: Uint8Array): boolean {
  return first.length >= limits.COMMIT_PART_BYTES;
}

function firstPart(store: ObjectStore, { path }: LogFile, signal?: AbortSignal): Promise<Uint8Array> {
  return store.get(path, { start: 0, end: limits.COMMIT_PART_BYTES }, signal);
}

async function whole(
  store: ObjectStore,
  { version, path }: LogFile,
  first: Uint8Array,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { MAX_COMMIT_BYTES } = limits;
  const sizeBytes = (await store.head(path, signal))?.sizeBytes ?? 0;
  if (sizeBytes > MAX_COMMIT_BYTES) {
    throw new DeltaError(
      "DELTA_LOG_CORRUPT",
      `${path} has ${sizeBytes} bytes, more than the ${MAX_COMMIT_BYTES} that a commit may have.`,
      { path, version, sizeBytes, limit: MAX_COMMIT_BYTES },
    );
  }
  return sizeBytes === first.length ? first : store.get(path, { start: 0, end: MAX_COMMIT_BYTES }, signal);
}
