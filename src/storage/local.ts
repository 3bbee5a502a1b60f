import fs from "node:fs";
import path from "node:path";
import { DeltaError } from "../errors.js";
import { abortedError, checkSignal } from "../signal.js";
import { checkPath, checkPrefix, checkRange } from "./arguments.js";
import { turnNowAndThen } from "./eventLoop.js";
import { claimName, isTaken } from "./localClaim.js";
import { removeEmptyFolders } from "./localEmptyFolders.js";
import { folderGone, isMissing, localError } from "./localErrors.js";
import {
  isTempName,
  openNew,
  readBytes,
  type StagedFile,
  stage,
  statFile,
  syncFolder,
  unlinkQuietly,
  writeNew,
} from "./localFiles.js";
import { Folders } from "./localFolders.js";
import { Links } from "./localLinks.js";
import { listFileNames, listFiles } from "./localList.js";
import type { ByteRange, ObjectMeta, ObjectStore, PutOutcome, RangedContent, WrittenObject } from "./store.js";

/**
 * A folder of the local file system as a store; no I/O happens here, and a missing folder is made by the first write.
 *
 * With `fsync` (the default) an object survives a power cut once its call returned. Without it everything stays atomic
 * between processes, but a power cut may lose or empty what was written last.
 *
 * `putIfAbsent` needs hard links: `DELTA_HARD_LINKS_UNSUPPORTED` where the file system has none. Where the disk fails
 * after the object is visible and before it is durable, it throws `DELTA_COMMIT_OUTCOME_UNKNOWN`.
 *
 * A symbolic link below the root that leads out of it is refused, `DELTA_UNSUPPORTED_FILE_PATH`, unless `followLinks`
 * is given.
 *
 * A folder in which the store has seen or claimed files isn't made anew when it is gone: whoever removed it, or unmounted its
 * disk, meant something by that. `DELTA_STORAGE_FAILED` until it is back.
 */
export function localStore(root: string, options: { fsync?: boolean; followLinks?: boolean } = {}): ObjectStore {
  return new LocalStore(path.resolve(root), options.fsync ?? true, options.followLinks ?? false);
}

class LocalStore implements ObjectStore {
  readonly url: string;
  readonly #made: Folders;
  /** Full paths of folders that must be there. */
  readonly #folders = new Set<string>();
  readonly #links: Links;

  constructor(root: string, durable: boolean, followLinks: boolean) {
    this.url = root;
    this.#made = new Folders(durable);
    this.#links = new Links(root, followLinks);
  }

  async get(at: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    const file = this.#file(at);
    if (range) checkRange(range);
    checkSignal(signal, `reading ${file}`);
    const turn = turnNowAndThen();
    if (turn) await turn;
    try {
      return await readBytes(file, this.#links, range, signal);
    } catch (error) {
      if (isMissing(error)) this.#checkFolders();
      throw localError(error, "read", file);
    }
  }

  async put(at: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#replace(at, bytes, signal);
  }

  async #replace(at: string, content: Uint8Array | RangedContent, signal?: AbortSignal): Promise<void> {
    const file = this.#file(at);
    try {
      this.#checkFolders();
      const { temp, folder } = await this.#stage(file, content, signal);
      renameTo(file, temp);
      if (this.#made.durable) await syncFolder(folder);
    } catch (error) {
      throw localError(error, "write", file);
    }
  }

  async putFrom(at: string, content: RangedContent, signal?: AbortSignal): Promise<void> {
    await this.#replace(at, content, signal);
  }

  async putNew(at: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const file = this.#file(at);
    try {
      checkSignal(signal, `writing ${file}`);
      this.#checkFolders();
      await writeNew(file, parts, this.#made, signal);
    } catch (error) {
      throw localError(error, "write", file);
    }
  }

  async putNewBy(
    at: string,
    write: (localPath: string) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<WrittenObject> {
    const file = this.#file(at);
    const failed = (error: unknown) => {
      throw localError(error, "write", file);
    };
    checkSignal(signal, `writing ${file}`);
    this.#checkFolders();
    const open = await openNew(file, this.#made).catch(failed);
    try {
      // What it throws is its own.
      await write(file);
    } catch (error) {
      open.discard();
      throw error;
    }
    const { sizeBytes, stored } = open.flush();
    const told = stored.catch(failed);
    // It is heard of where it is waited for.
    told.catch(() => undefined);
    return { sizeBytes, stored: told };
  }

  async putIfAbsent(
    at: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
    after?: Promise<unknown>,
  ): Promise<PutOutcome> {
    const file = this.#file(at);
    try {
      this.#checkFolders();
      if (isTaken(file)) return "exists";
      const { temp, folder } = await this.#stage(file, bytes, signal);
      // On ext4 the flushes of the staged file and of those it names make one journal commit.
      await after?.catch((error: unknown) => {
        unlinkQuietly(temp);
        throw error;
      });
      const outcome = await claimName(temp, file, this.#made.durable);
      if (outcome === "created") this.#folders.add(folder);
      return outcome;
    } catch (error) {
      throw localError(error, "write", file, { written: false });
    }
  }

  async putHint(at: string, bytes: Uint8Array): Promise<void> {
    const file = this.#file(at);
    try {
      this.#checkFolders();
      if (isTaken(file)) return;
      // Two callers at the very same moment may both find nothing there; a link would cost twice the rename.
      const { temp } = await stage(file, bytes, this.#made, { flushes: false });
      renameTo(file, temp);
    } catch (error) {
      throw localError(error, "write", file);
    }
  }

  list(
    prefix: string,
    startAfter = "",
    signal?: AbortSignal,
    enters?: (folder: string) => boolean,
  ): AsyncGenerator<ObjectMeta> {
    const check = () => {
      this.#checkFolder(prefix);
      checkSignal(signal, `listing ${this.url}`);
    };
    return listFiles(this.url, prefix, { check, startAfter, signal, enters });
  }

  async listNames(prefix: string, startAfter = "", signal?: AbortSignal): Promise<string[]> {
    this.#checkFolder(prefix);
    checkSignal(signal, `listing ${this.url}`);
    const names = await listFileNames(this.url, prefix, startAfter);
    if (names.length > 0) this.#folders.add(path.resolve(this.url, prefix));
    else this.#checkFolders();
    return names;
  }

  async head(at: string, signal?: AbortSignal): Promise<ObjectMeta | undefined> {
    const file = this.#file(at);
    checkSignal(signal, `looking at ${file}`);
    try {
      const stat = statFile(file);
      return stat && { path: at, ...stat };
    } catch (error) {
      throw localError(error, "look at", file);
    }
  }

  async delete(at: string, signal?: AbortSignal): Promise<void> {
    const file = this.#file(at);
    checkSignal(signal, `deleting ${file}`);
    try {
      await fs.promises.unlink(file);
    } catch (error) {
      if (isMissing(error) || fs.statSync(file, { throwIfNoEntry: false })?.isDirectory()) return;
      throw localError(error, "delete", file);
    }
  }

  async removeEmptyFolders(
    beforeMs: number,
    enters: (folder: string) => boolean,
    signal?: AbortSignal,
  ): Promise<number> {
    checkSignal(signal, `looking for empty folders in ${this.url}`);
    return removeEmptyFolders(this.url, beforeMs, enters, signal);
  }

  localPath(at: string): string | undefined {
    const file = this.#file(at);
    return fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
  }

  async settle(prefix: string): Promise<void> {
    this.#checkFolder(prefix);
    const folder = path.join(this.url, prefix);
    try {
      if (this.#made.durable) await syncFolder(folder);
    } catch (error) {
      if (!isMissing(error)) throw localError(error, "flush", folder);
    }
  }

  async sweep(prefix: string, beforeMs: number): Promise<void> {
    this.#checkFolder(prefix);
    const folder = path.join(this.url, prefix);
    try {
      for (const name of await fs.promises.readdir(folder)) {
        const file = path.join(folder, name);
        const written = isTempName(name) ? statFile(file)?.modifiedMs : undefined;
        if (written !== undefined && written < beforeMs) unlinkQuietly(file);
      }
    } catch (error) {
      if (!isMissing(error)) throw localError(error, "list", folder);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #stage(file: string, content: Uint8Array | RangedContent, signal?: AbortSignal): Promise<StagedFile> {
    if (signal?.aborted) throw abortedError(signal, `writing ${file}`);
    return stage(file, content, this.#made, { flushes: this.#made.durable, signal });
  }

  #checkFolders(): void {
    for (const folder of this.#folders) if (!fs.existsSync(folder)) throw folderGone(folder);
  }

  #file(at: string): string {
    checkPath(at);
    checkSeparators(at);
    const file = path.join(this.url, at);
    try {
      this.#links.checkFolder(path.dirname(file));
    } catch (error) {
      throw localError(error, "look at", file);
    }
    return file;
  }

  #checkFolder(prefix: string): void {
    checkPrefix(prefix);
    checkSeparators(prefix);
    const folder = path.join(this.url, prefix);
    try {
      this.#links.checkFolder(path.resolve(folder));
    } catch (error) {
      throw localError(error, "list", folder);
    }
  }
}

function renameTo(file: string, temp: string): void {
  try {
    fs.renameSync(temp, file);
  } catch (error) {
    unlinkQuietly(temp);
    throw error;
  }
}

/** A backslash parts folders on Windows, so that `..\` would lead out of the root. */
function checkSeparators(at: string): void {
  if (path.sep === "\\" && at.includes("\\")) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `Use "/" between the parts of ${JSON.stringify(at)}.`, { path: at });
  }
}
