import type { PendingFile } from "./pendingFiles.js";

/** Files that are looked at before their turn, so that it is known how much there is to do. */
const MAX_AHEAD = 100_000;

/** The files that a load has still to read, in their order. */
export class PendingQueue implements AsyncDisposable {
  readonly #files: AsyncGenerator<PendingFile>;
  readonly #ahead: PendingFile[] = [];
  #next = 0;
  #isListed = false;
  #filesTotal = 0;
  #bytesTotal = 0;

  constructor(files: AsyncGenerator<PendingFile>) {
    this.#files = files;
  }

  /** Lists as far as is sensible. */
  async begin(): Promise<void> {
    while (!this.#isListed && this.#ahead.length < MAX_AHEAD) await this.#list();
  }

  /** The files and stored bytes of the whole queue, and of what was taken from it; undefined while they aren't known. */
  get total(): { readonly files: number; readonly bytes: number } | undefined {
    return this.#isListed ? { files: this.#filesTotal, bytes: this.#bytesTotal } : undefined;
  }

  /** The next file, which stays the next one; undefined at the end. */
  async peek(): Promise<PendingFile | undefined> {
    while (!this.#isListed && this.#next === this.#ahead.length) {
      [this.#ahead.length, this.#next] = [0, 0];
      await this.#list();
    }
    return this.#ahead[this.#next];
  }

  async take(): Promise<PendingFile | undefined> {
    const file = await this.peek();
    if (file !== undefined) this.#next++;
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files.return(undefined);
  }

  async #list(): Promise<void> {
    const { value, done } = await this.#files.next();
    if (done) {
      this.#isListed = true;
      return;
    }
    this.#ahead.push(value);
    this.#filesTotal++;
    this.#bytesTotal += leftBytes(value);
  }
}

/** Stored bytes that are still to be read. Of a format without byte positions it isn't known how many they are. */
function leftBytes({ file, from, storedBytes }: PendingFile): number {
  const { sizeBytes } = file.identity;
  return from?.bytes === undefined ? sizeBytes : Math.max(0, sizeBytes - storedBytes);
}
