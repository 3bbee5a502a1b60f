import fs from "node:fs";
import path from "node:path";
import { isMissing, localError } from "../../storage/localErrors.js";
import type { ObjectStore } from "../../storage/store.js";
import { sourceChanged } from "./errors.js";
import type { SourceIdentity } from "./source.js";

/** Bytes of a stored file by their place, all of one content: a file that is replaced meanwhile is noticed, or read on as it was. */
export interface Ranges extends AsyncDisposable {
  /** True where a call costs a network's round trip. */
  readonly isRemote: boolean;
  /**
   * Bytes `start` to `end`, both within the file as it was listed. They may come in `memory`, which is as large as they are. Throws
   * DELTA_LOAD_SOURCE_CHANGED.
   */
  read(start: number, end: number, signal?: AbortSignal, memory?: ArrayBufferLike): Promise<Uint8Array>;
}

/** Where a stored file lies, and what was known of it when it was listed. */
export interface StoredFile {
  readonly url: string;
  readonly store: ObjectStore;
  readonly path: string;
  readonly identity: SourceIdentity;
}

/** Opens a stored file. Throws DELTA_FILE_NOT_FOUND, DELTA_ACCESS_DENIED, DELTA_LOAD_SOURCE_CHANGED. */
export function openRanges(file: StoredFile): Ranges {
  return path.isAbsolute(file.store.url) ? new LocalRanges(file) : new StoreRanges(file);
}

class StoreRanges implements Ranges {
  readonly isRemote = true;
  readonly #file: StoredFile;

  constructor(file: StoredFile) {
    this.#file = file;
  }

  async read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    const { store, path: at, url, identity } = this.#file;
    if (start === end) return new Uint8Array(0);
    const bytes = await store.get(at, { start, end, etag: identity.etag }, signal);
    if (bytes.length < end - start) throw shrunk(url);
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** One descriptor for all reads: a file that takes the name doesn't get mixed in. */
class LocalRanges implements Ranges {
  readonly isRemote = false;
  readonly #url: string;
  readonly #path: string;
  readonly #fd: number;
  #reading = 0;
  #isClosing = false;

  constructor({ url, store, path: at, identity }: StoredFile) {
    this.#url = url;
    this.#path = path.join(store.url, at);
    this.#fd = this.#open(identity);
  }

  #open({ sizeBytes, modifiedMs }: SourceIdentity): number {
    let fd: number;
    try {
      fd = fs.openSync(this.#path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
    } catch (error) {
      throw isMissing(error) ? localError(error, "read", this.#path) : localError(error, "open", this.#path);
    }
    const now = fs.fstatSync(fd);
    // A file that has grown may have been appended to; its first bytes are still those that were listed.
    const isChanged = now.size === sizeBytes && Math.floor(now.mtimeMs) !== modifiedMs;
    if (now.isFile() && now.size >= sizeBytes && !isChanged) return fd;
    fs.closeSync(fd);
    throw now.size < sizeBytes ? shrunk(this.#url) : sourceChanged(this.#url, "was written since it was listed");
  }

  async read(start: number, end: number, _signal?: AbortSignal, memory?: ArrayBufferLike): Promise<Uint8Array> {
    const bytes = memory === undefined ? Buffer.allocUnsafeSlow(end - start) : new Uint8Array(memory);
    this.#reading++;
    try {
      for (let done = 0; done < bytes.length; ) {
        const count = await this.#readSome(bytes, done, start + done);
        if (count === 0) throw shrunk(this.#url);
        done += count;
      }
    } catch (error) {
      throw localError(error, "read", this.#path);
    } finally {
      this.#reading--;
      if (this.#isClosing) this.#closeUnlessReading();
    }
    return bytes;
  }

  #readSome(bytes: Uint8Array, offset: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, bytes, offset, bytes.length - offset, position, (error, count) =>
        error ? reject(error) : resolve(count),
      );
    });
  }

  #closeUnlessReading(): void {
    if (this.#reading === 0) fs.closeSync(this.#fd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#closeUnlessReading();
  }
}

function shrunk(url: string): Error {
  return sourceChanged(url, "is shorter than when it was listed");
}
