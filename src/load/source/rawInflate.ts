import { createInflateRaw, type InflateRaw } from "node:zlib";

/** Output is given in chunks of this size; a small entry that unpacks to gigabytes takes no more memory than that. */
const CHUNK_BYTES = 256 * 1024;

/** Deflate data without a frame around it, unpacked in the thread pool, and how many bytes of the input it took. */
export class RawInflate {
  readonly #stream: InflateRaw;
  #fedBytes = 0;
  #isBusy = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  constructor() {
    // One chunk is unpacked while the one before is used.
    this.#stream = createInflateRaw({ chunkSize: CHUNK_BYTES, readableHighWaterMark: 1 } as object);
    this.#stream.on("readable", () => this.#wake());
    this.#stream.on("error", (error) => {
      this.#error = error;
      this.#wake();
    });
  }

  /** Bytes of the input that belong to the data, as far as it was read. */
  get consumed(): number {
    return this.#stream.bytesWritten;
  }

  /** Gives more input, once `next` has said `hungry`. */
  feed(bytes: Uint8Array): void {
    this.#fedBytes += bytes.length;
    this.#isBusy = true;
    this.#stream.write(bytes, (error) => {
      this.#isBusy = false;
      this.#error ??= error ?? undefined;
      this.#wake();
    });
  }

  /** The next output. `hungry`: the input is used up. `end`: the data ends; what input is left isn't its. Throws zlib's errors. */
  async next(): Promise<Uint8Array | "hungry" | "end"> {
    for (;;) {
      const bytes: Uint8Array | null = this.#stream.read();
      if (bytes !== null) return bytes;
      if (this.#error !== undefined) throw this.#error;
      // What zlib leaves lies behind the data's end.
      if (!this.#isBusy) return this.consumed < this.#fedBytes ? "end" : "hungry";
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#stream.destroy();
  }
}
