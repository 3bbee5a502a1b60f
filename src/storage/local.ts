import fs from "node:fs";
import path from "node:path";
import { DeltaError } from "../errors.js";
import { abortedError, checkSignal } from "../signal.js";
import { checkPath, checkPrefix, checkRange } from "./arguments.js";
import { turnNowAndThen } from "./eventLoop.js";
import { hardLinksUnsupported, isMissing, localError, systemCode } from "./localErrors.js";
import { readBytes, type StagedFile, stage, statFile, syncFolder, unlinkQuietly, writeNew } from "./localFiles.js";
import { listFileNames, listFiles } from "./localList.js";
import type { ByteRange, ObjectMeta, ObjectStore, PutOutcome } from "./store.js";

const NO_HARD_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL"];

/**
 * A folder of the local file system as a store; no I/O happens here, and a missing folder is made by the first write.
 *
 * With `fsync` (the default) an object survives a power cut once its call returned. Without it everything stays atomic
 * between processes, but a power cut may lose or empty what was written last.
 *
 * `putIfAbsent` needs hard links: `DELTA_HARD_LINKS_UNSUPPORTED` where the file system has none.
 */
export function localStore(root: string, options: { fsync?: boolean } = {}): ObjectStore {
  return new LocalStore(path.resolve(root), options.fsync ?? true);
}

class LocalStore implements ObjectStore {
  readonly url: string;
  readonly #durable: boolean;

  constructor(root: string, durable: boolean) {
    this.url = root;
    this.#durable = durable;
  }

  async get(at: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    const file = this.#file(at);
    if (range) checkRange(range);
    checkSignal(signal, `reading ${file}`);
    const turn = turnNowAndThen();
    if (turn) await turn;
    try {
      return await readBytes(file, range, signal);
    } catch (error) {
      throw localError(error, "read", file);
    }
  }

  async put(at: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const file = this.#file(at);
    try {
      const { temp, folder } = await this.#stage(file, bytes, signal);
      try {
        fs.renameSync(temp, file);
      } catch (error) {
        unlinkQuietly(temp);
        throw error;
      }
      if (this.#durable) await syncFolder(folder);
    } catch (error) {
      throw localError(error, "write", file);
    }
  }

  async putNew(at: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const file = this.#file(at);
    try {
      checkSignal(signal, `writing ${file}`);
      await writeNew(file, parts, this.#durable, signal);
    } catch (error) {
      throw localError(error, "write", file);
    }
  }

  async putIfAbsent(at: string, bytes: Uint8Array, signal?: AbortSignal): Promise<PutOutcome> {
    const file = this.#file(at);
    try {
      if (fs.existsSync(file)) return "exists";
      const { temp, folder } = await this.#stage(file, bytes, signal);
      try {
        fs.linkSync(temp, file);
      } catch (error) {
        const system = systemCode(error);
        if (system === "EEXIST") return "exists";
        throw NO_HARD_LINKS.includes(system) ? hardLinksUnsupported(error, file) : error;
      } finally {
        unlinkQuietly(temp);
      }
      return this.#durable ? await settle(folder) : "created";
    } catch (error) {
      throw localError(error, "write", file);
    }
  }

  async *list(prefix: string, startAfter = "", signal?: AbortSignal): AsyncGenerator<ObjectMeta> {
    this.#checkFolder(prefix);
    checkSignal(signal, `listing ${this.url}`);
    yield* listFiles(this.url, prefix, startAfter, signal);
  }

  async listNames(prefix: string, startAfter = "", signal?: AbortSignal): Promise<string[]> {
    this.#checkFolder(prefix);
    checkSignal(signal, `listing ${this.url}`);
    return listFileNames(this.url, prefix, startAfter);
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

  async [Symbol.asyncDispose](): Promise<void> {}

  #stage(file: string, bytes: Uint8Array, signal?: AbortSignal): Promise<StagedFile> {
    if (signal?.aborted) throw abortedError(signal, `writing ${file}`);
    return stage(file, bytes, this.#durable, signal);
  }

  #file(at: string): string {
    checkPath(at);
    checkSeparators(at);
    return path.join(this.url, at);
  }

  #checkFolder(prefix: string): void {
    checkPrefix(prefix);
    checkSeparators(prefix);
  }
}

/** A backslash parts folders on Windows, so that `..\` would lead out of the root. */
function checkSeparators(at: string): void {
  if (path.sep === "\\" && at.includes("\\")) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `Use "/" between the parts of ${JSON.stringify(at)}.`, { path: at });
  }
}

/** After the claim: everybody sees the object, so a folder that can't be flushed leaves doubt, not a failure. */
async function settle(folder: string): Promise<PutOutcome> {
  try {
    await syncFolder(folder);
    return "created";
  } catch {
    return "unknown";
  }
}
