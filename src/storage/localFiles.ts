import fs from "node:fs";
import path from "node:path";
import { DeltaError } from "../errors.js";
import { runtime } from "../runtime.js";
import { checkSignal } from "../signal.js";
import { isMissing, systemCode } from "./localErrors.js";
import type { Folders } from "./localFolders.js";
import type { Links } from "./localLinks.js";
import type { ByteRange, RangedContent, WrittenObject } from "./store.js";

// Measured on Node 20 and ext4: a trip through the thread pool costs 60 to 190 µs, a call on a cached small file 3 to 20.
// So small reads (15 µs against 190) and all of open, write, link, rename and close of small files are synchronous. A
// whole durable claim takes 0.30 ms so, 0.42 with asynchronous fsyncs, 0.64 with promises throughout. fsync stays
// asynchronous all the same: on a disk that really flushes it takes milliseconds, in which the process should go on, and
// fsyncs that overlap share one flush. Keeping the folder's descriptor open for its fsync saves nothing (0.291 against 0.295).

/** Up to here, one synchronous call moves the bytes (about 0.1 ms from or to the page cache). */
const SYNC_BYTES = 256 * 1024;
const CHUNK_BYTES = 8 * 1024 * 1024;

const TEMP_NAME = /^\.delta-[0-9a-f-]{36}\.tmp$/;

/** True for the name of a file that is being written, or that a crash left: it holds nothing anybody refers to. */
export function isTempName(name: string): boolean {
  return name.startsWith(".delta-") && TEMP_NAME.test(name);
}

/** Reads a file, or a range of it cut at its end; a link only where `links` lets it. */
export async function readBytes(
  file: string,
  links: Links,
  range?: ByteRange,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const fd = openFile(file, links);
  try {
    const stat = fs.fstatSync(fd);
    // A pipe or a device has no end.
    if (!stat.isFile()) {
      const what = stat.isDirectory() ? "a folder" : "a pipe or a device";
      throw new DeltaError("DELTA_FILE_NOT_FOUND", `${file} is ${what}, not a file.`, { path: file });
    }
    const sizeBytes = stat.size;
    const start = Math.min(range?.start ?? 0, sizeBytes);
    const length = Math.min(range?.end ?? sizeBytes, sizeBytes) - start;
    // Its own memory, not a slice of Node's pool: callers hand the buffer to workers and to WebAssembly.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    const read = length <= SYNC_BYTES ? readSync : readAsync;
    let done = 0;
    while (done < length) {
      const count = await read(fd, bytes, done, Math.min(CHUNK_BYTES, length - done), start + done);
      if (count === 0) return bytes.slice(0, done);
      done += count;
      if (done < length) checkSignal(signal, `reading ${file}`);
    }
    return bytes;
  } finally {
    fs.closeSync(fd);
  }
}

function openFile(file: string, links: Links): number {
  if (process.platform === "win32" && fs.lstatSync(file).isSymbolicLink()) return fs.openSync(links.target(file), "r");
  try {
    return fs.openSync(file, links.openFlags);
  } catch (error) {
    if (!LINK_FOUND.has(systemCode(error))) throw error;
    return fs.openSync(links.target(file), links.openFlags);
  }
}

/** What opening a link fails with where it isn't to be followed; on FreeBSD EMLINK. */
const LINK_FOUND = new Set(["ELOOP", "EMLINK"]);

function readSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number {
  return fs.readSync(fd, bytes, offset, length, position);
}

function readAsync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, bytes, offset, length, position, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** What {@link stage} made: a complete file under a hidden name, next to its target. */
export interface StagedFile {
  readonly temp: string;
  readonly folder: string;
}

/**
 * Writes the bytes to a hidden file in `target`'s folder, durably where it `flushes`; makes the folder if need be. A failure
 * leaves nothing.
 *
 * Flushed, what is in the folder by then is durable afterwards too: a name that others gave, and haven't flushed or never will, must not be
 * lost where ours, which follows from it, survives. On ext4 the two flushes are one journal commit.
 */
export async function stage(
  target: string,
  content: Uint8Array | RangedContent,
  folders: Folders,
  { flushes, signal }: { readonly flushes: boolean; readonly signal?: AbortSignal | undefined },
): Promise<StagedFile> {
  const folder = path.dirname(target);
  const temp = path.join(folder, `.delta-${runtime.randomUUID()}.tmp`);
  const fd = await folders.createFile(temp);
  let open = true;
  try {
    if (content instanceof Uint8Array) await writeBytes(fd, content, target, signal);
    else for await (const bytes of chunksOf(content)) await writeBytes(fd, bytes, target, signal);
    if (flushes) await bothSettled(fsync(fd), syncFolder(folder));
    open = false;
    fs.closeSync(fd);
  } catch (error) {
    if (open) closeQuietly(fd);
    unlinkQuietly(temp);
    throw error;
  }
  return { temp, folder };
}

/**
 * Writes the parts to a new file under its own name. The flushes of the file and of its folder overlap, which on ext4
 * makes one journal commit of them: 4.3 ms for a durable append where staging and renaming takes 12. A failure leaves nothing.
 */
export async function writeNew(
  file: string,
  parts: readonly Uint8Array[],
  folders: Folders,
  signal?: AbortSignal,
): Promise<void> {
  const folder = path.dirname(file);
  const fd = await folders.createFile(file);
  try {
    try {
      for (const part of parts) await writeBytes(fd, part, file, signal);
      if (folders.durable) await bothSettled(fsync(fd), syncFolder(folder));
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    unlinkQuietly(file);
    throw error;
  }
}

/** A new file that somebody else writes to. */
export interface OpenFile {
  /** Begins to make what was written durable. */
  flush(): WrittenObject;
  discard(): void;
}

/** Makes an empty file, and its folder if need be. */
export async function openNew(file: string, folders: Folders): Promise<OpenFile> {
  const fd = await folders.createFile(file);
  return {
    flush: () => {
      const sizeBytes = fs.fstatSync(fd).size;
      const flushed = folders.durable ? bothSettled(fsync(fd), syncFolder(path.dirname(file))) : Promise.resolve();
      return { sizeBytes, stored: flushed.finally(() => fs.closeSync(fd)) };
    },
    discard: () => {
      closeQuietly(fd);
      unlinkQuietly(file);
    },
  };
}

async function* chunksOf(content: RangedContent): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.sizeBytes; start += CHUNK_BYTES) {
    yield content.read({ start, end: Math.min(start + CHUNK_BYTES, content.sizeBytes) });
  }
}

/** Waits for both also when one fails: a descriptor in use must not be closed. */
async function bothSettled(first: Promise<void>, second: Promise<void>): Promise<void> {
  for (const outcome of await Promise.allSettled([first, second])) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

async function writeBytes(fd: number, bytes: Uint8Array, target: string, signal?: AbortSignal): Promise<void> {
  const write = bytes.length <= SYNC_BYTES ? writeSync : writeAsync;
  for (let done = 0; done < bytes.length; ) {
    checkSignal(signal, `writing ${target}`);
    done += await write(fd, bytes, done, Math.min(CHUNK_BYTES, bytes.length - done));
  }
}

function writeSync(fd: number, bytes: Uint8Array, offset: number, length: number): number {
  return fs.writeSync(fd, bytes, offset, length);
}

function writeAsync(fd: number, bytes: Uint8Array, offset: number, length: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(fd, bytes, offset, length, null, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** Flushes what a descriptor stands for. */
export function fsync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(fd, (error) => (error ? reject(error) : resolve()));
  });
}

/** Makes the entries of a folder durable, where the platform can (Windows and some network file systems can't). */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const fd = fs.openSync(folder, "r");
  try {
    await fsync(fd);
  } catch (error) {
    if (!isUnsyncable(error)) throw error;
  } finally {
    fs.closeSync(fd);
  }
}

/** What a file system answers that knows no flushing of folders. */
export function isUnsyncable(error: unknown): boolean {
  return ["EINVAL", "ENOTSUP", "EISDIR"].includes(systemCode(error));
}

/** Removes a file that holds nothing of value; one that stays behind is hidden and does no harm. */
export function unlinkQuietly(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {
    return;
  }
}

/** Closes a descriptor of which nothing more is to be learnt. */
export function closeQuietly(fd: number): void {
  try {
    fs.closeSync(fd);
  } catch {
    return;
  }
}

/** Size and time of a file; undefined where there is none, or something else than a file. */
export function statFile(file: string): { sizeBytes: number; modifiedMs: number } | undefined {
  try {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) return undefined;
    return { sizeBytes: stat.size, modifiedMs: Math.floor(stat.mtimeMs) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
