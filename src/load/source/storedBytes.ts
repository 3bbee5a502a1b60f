import { checkSignal } from "../../signal.js";
import type { Ranges } from "./ranges.js";

/** Stored bytes that follow each other. */
export interface StoredBytes extends AsyncDisposable {
  /** The next bytes, of any length but 0; undefined at the end. */
  read(signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /** Takes back the memory of bytes that nobody needs any more. */
  release?(bytes: Uint8Array): void;
  /** Read from the storage so far, which may be more than was given. */
  readonly bytesRead: number;
}

const LOCAL_CHUNK_BYTES = 1024 * 1024;
const REMOTE_CHUNK_BYTES = 4 * 1024 * 1024;
/** One remote read after the other would mostly wait. */
const REMOTE_READS = 4;

/**
 * Bytes `start` to `end` of a file, in chunks, of which the next are read while one is used: at first one, of remote files up to
 * four. Closes `ranges` with itself.
 */
export function storedBytes(ranges: Ranges, start: number, end: number, chunkBytes?: number): StoredBytes {
  return new RangeBytes(ranges, start, end, chunkBytes);
}

class RangeBytes implements StoredBytes {
  readonly #ranges: Ranges;
  readonly #end: number;
  readonly #chunkBytes: number;
  readonly #stop = new AbortController();
  readonly #under: Promise<Uint8Array>[] = [];
  /** Memory of chunks that were given, and of those that came back. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  readonly #free: ArrayBufferLike[] = [];
  #next: number;
  #given = 0;
  bytesRead = 0;

  constructor(ranges: Ranges, start: number, end: number, chunkBytes?: number) {
    this.#ranges = ranges;
    this.#next = start;
    this.#end = end;
    this.#chunkBytes = chunkBytes ?? (ranges.isRemote ? REMOTE_CHUNK_BYTES : LOCAL_CHUNK_BYTES);
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    checkSignal(signal, "reading a source");
    const stop = () => this.#stop.abort(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      this.#begin(1);
      const first = this.#under.shift();
      // Whoever reads only the beginning gets by with one read.
      if (this.#given > 0) this.#begin(Math.min(this.#given, this.#ranges.isRemote ? REMOTE_READS - 1 : 1));
      this.#given++;
      return await first;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  release({ buffer }: Uint8Array): void {
    if (this.#lent.delete(buffer)) this.#free.push(buffer);
  }

  #begin(count: number): void {
    while (this.#under.length < count && this.#next < this.#end) {
      const start = this.#next;
      this.#next = Math.min(start + this.#chunkBytes, this.#end);
      const free = this.#next - start === this.#chunkBytes ? this.#free.pop() : undefined;
      const reading = this.#ranges.read(start, this.#next, this.#stop.signal, free).then((bytes) => {
        this.bytesRead += bytes.length;
        if (bytes.buffer.byteLength === this.#chunkBytes) this.#lent.add(bytes.buffer);
        return bytes;
      });
      reading.catch(() => undefined);
      this.#under.push(reading);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#under);
    await this.#ranges[Symbol.asyncDispose]();
  }
}
