import { existsSync } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "../../runtime.js";

/** Where a process finds the files it has open, also those that have no name any more. */
const OPEN_FILES = "/proc/self/fd";

/**
 * A file for what goes through DuckDB. Where the system allows it, it has no name, so that nothing is left of it however the
 * process ends; otherwise only its owner may read it.
 */
export class TemporaryFile implements AsyncDisposable {
  /** Good in this process only. */
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #name: string | undefined;

  private constructor(handle: FileHandle, path: string, name: string | undefined) {
    this.#handle = handle;
    this.path = path;
    this.#name = name;
  }

  static async create(): Promise<TemporaryFile> {
    const name = join(tmpdir(), `delta-table-load-${runtime.randomUUID()}`);
    const handle = await open(name, "wx+", 0o600);
    const path = `${OPEN_FILES}/${handle.fd}`;
    if (!existsSync(path)) return new TemporaryFile(handle, name, name);
    await unlink(name);
    return new TemporaryFile(handle, path, undefined);
  }

  /** Appends the bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += (await this.#handle.write(bytes, done, bytes.length - done)).bytesWritten;
    }
  }

  /** All of it. */
  async read(): Promise<Uint8Array> {
    const { size } = await this.#handle.stat();
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size; ) {
      const { bytesRead } = await this.#handle.read(bytes, done, size - done, done);
      if (bytesRead === 0) return bytes.subarray(0, done);
      done += bytesRead;
    }
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
    if (this.#name !== undefined) await unlink(this.#name);
  }
}
