import type { Readable } from "node:stream";
import { DeltaError } from "../../errors.js";
import { checkSignal } from "../../signal.js";
import { sourceChanged } from "./errors.js";
import type { StoredBytes } from "./storedBytes.js";

/** The first bytes of a stream that are kept, so that a file's beginning can be looked at before it is read. */
const KEPT_BYTES = 16 * 1024 * 1024;

/** Bytes that come once, in order; those at the beginning can be read again. */
export class InputStream {
  readonly #name: string;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #readable: Readable;
  /** From the stream's beginning on, up to `#keptBytes`. */
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** Bytes taken from the stream. */
  #taken = 0;

  constructor(readable: Readable, name: string) {
    this.#readable = readable;
    this.#chunks = readable[Symbol.asyncIterator]();
    this.#name = name;
  }

  /**
   * The bytes from `offset` on; those before are read and dropped. Reading throws DELTA_INVALID_ARGUMENT where they are gone already:
   * only the first 16 MiB can be read twice.
   */
  from(offset: number): StoredBytes {
    let at = 0;
    const bytes = {
      bytesRead: 0,
      read: async (signal?: AbortSignal): Promise<Uint8Array | undefined> => {
        for (;;) {
          const chunk = await this.#at(at, signal);
          if (chunk === undefined && at < offset) throw sourceChanged(this.#name, "ends before what was read of it");
          if (chunk === undefined) return undefined;
          const skipped = Math.min(Math.max(offset - at, 0), chunk.length);
          at += chunk.length;
          bytes.bytesRead += chunk.length;
          if (skipped < chunk.length) return chunk.subarray(skipped);
        }
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
    return bytes;
  }

  /** The first `count` bytes; undefined where the stream has fewer. */
  async beginning(count: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const bytes = this.from(0);
    const found: Uint8Array[] = [];
    let length = 0;
    while (length < count) {
      const chunk = await bytes.read(signal);
      if (chunk === undefined) return undefined;
      found.push(chunk);
      length += chunk.length;
    }
    return Buffer.concat(found).subarray(0, count);
  }

  /** Stops the stream. */
  close(): void {
    this.#readable.destroy();
  }

  async #at(offset: number, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    checkSignal(signal, `reading ${this.#name}`);
    let start = 0;
    for (const chunk of this.#kept) {
      if (start <= offset && offset < start + chunk.length) return chunk.subarray(offset - start);
      start += chunk.length;
    }
    if (offset !== this.#taken) {
      throw new DeltaError(
        "DELTA_INVALID_ARGUMENT",
        `${this.#name} is a stream, and what comes before byte ${this.#taken} can't be read again.`,
        { offset },
      );
    }
    return this.#next(signal);
  }

  async #next(signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const stop = () => this.#readable.destroy();
    signal?.addEventListener("abort", stop, { once: true });
    let next: IteratorResult<Uint8Array>;
    try {
      next = await this.#chunks.next();
    } catch (error) {
      checkSignal(signal, `reading ${this.#name}`);
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    checkSignal(signal, `reading ${this.#name}`);
    if (next.done) return undefined;
    const chunk = next.value;
    if (this.#taken === this.#keptBytes && this.#keptBytes + chunk.length <= KEPT_BYTES) {
      this.#kept.push(chunk);
      this.#keptBytes += chunk.length;
    }
    this.#taken += chunk.length;
    return chunk;
  }
}
