import type { StoredBytes } from "./storedBytes.js";

/** Stored bytes that a decoder takes as it needs them, and of which it can give some back. */
export class ByteQueue {
  readonly #bytes: Pick<StoredBytes, "read">;
  #chunk: Uint8Array = new Uint8Array(0);
  /** In the stored file, of the next byte. */
  offset: number;
  /** Stops the reading that is under way. */
  signal: AbortSignal | undefined;

  constructor(bytes: Pick<StoredBytes, "read">, offset: number) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  /** Whatever comes next, of any length but 0; undefined at the end. */
  async take(): Promise<Uint8Array | undefined> {
    const chunk = this.#chunk.length > 0 ? this.#chunk : await this.#bytes.read(this.signal);
    this.#chunk = new Uint8Array(0);
    this.offset += chunk?.length ?? 0;
    return chunk;
  }

  /** Puts back the last bytes taken. */
  giveBack(bytes: Uint8Array): void {
    this.#chunk = this.#chunk.length === 0 ? bytes : Buffer.concat([bytes, this.#chunk]);
    this.offset -= bytes.length;
  }

  /** The next `count` bytes, left where they are; fewer where the file ends. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#chunk.length < count) {
      const more = await this.#bytes.read(this.signal);
      if (more === undefined) break;
      this.#chunk = this.#chunk.length === 0 ? more : Buffer.concat([this.#chunk, more]);
    }
    return this.#chunk.subarray(0, count);
  }

  /** The next `count` bytes; undefined, and nothing taken, where the file ends before. */
  async takeExactly(count: number): Promise<Uint8Array | undefined> {
    const bytes = await this.peek(count);
    if (bytes.length < count) return undefined;
    this.#chunk = this.#chunk.subarray(count);
    this.offset += count;
    return bytes;
  }
}
