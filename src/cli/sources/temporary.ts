import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** A folder for files that go when the command ends. It is made when the first one is. */
export class TemporaryFolder implements AsyncDisposable {
  #folder: Promise<string> | undefined;
  #files = 0;

  /** Writes the bytes to a new file and gives its path. */
  async spool(bytes: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "delta-table-"));
    const path = join(await this.#folder, `input-${this.#files++}`);
    await pipeline(Readable.from(bytes), createWriteStream(path), { signal });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }
}
