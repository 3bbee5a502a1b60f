import { createInflateRaw, type InflateRaw, inflateRawSync } from "node:zlib";
import type { ByteQueue } from "./byteQueue.js";
import { cutOff, unreadable } from "./errors.js";

/** Output is given in chunks of this size; a small entry that unpacks to gigabytes takes no more memory than that. */
const CHUNK_BYTES = 256 * 1024;

/** Data of so many bytes is unpacked at once: a stream of its own costs as much as unpacking 30 KB. */
export const SMALL_BYTES = 64 * 1024;

/** Unpacks deflate data up to its end, and no byte further. Throws DELTA_INPUT_UNREADABLE. */
export async function* inflate(input: ByteQueue, url: string): AsyncGenerator<Uint8Array> {
  const start = input.offset;
  const data = new RawInflate();
  try {
    for (let fed: Uint8Array | undefined; ; ) {
      const next = await nextOf(data, start, url);
      if (next === "end") {
        const unused = input.offset - start - data.consumed;
        if (unused > 0) input.giveBack(fed!.subarray(fed!.length - unused));
        return;
      }
      if (next !== "hungry") {
        yield next;
        continue;
      }
      fed = await input.take();
      if (fed === undefined) throw cutOff(url, input.offset);
      data.feed(fed);
    }
  } finally {
    data.close();
  }
}

async function nextOf(data: RawInflate, start: number, url: string): ReturnType<RawInflate["next"]> {
  try {
    return await data.next();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw unreadable(url, start + data.consumed, `the compressed data is damaged (${reason})`, error);
  }
}

/**
 * Unpacks small deflate data in one call. Undefined, and nothing taken, where it isn't small, or not sound: {@link inflate}
 * then says what it is.
 */
export async function inflateSmall(input: ByteQueue): Promise<readonly Uint8Array[] | undefined> {
  const bytes = await input.peek(SMALL_BYTES);
  try {
    const done: unknown = inflateRawSync(bytes, { info: true, maxOutputLength: CHUNK_BYTES });
    const { buffer, engine } = done as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
    await input.takeExactly(engine.bytesWritten);
    return [buffer];
  } catch {
    return undefined;
  }
}

/** Deflate data without a frame around it, unpacked in the thread pool, and how many bytes of the input it took. */
class RawInflate {
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
