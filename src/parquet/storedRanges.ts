import { closeSync, openSync, readSync } from "node:fs";

/** Parts of a file of this machine, which make up another one but for its end. */
export interface StoredRanges {
  readonly path: string;
  /** Of the other file. */
  readonly sizeBytes: number;
  /** Bytes `start` to `end` of the file, which come to `at` in the other. */
  readonly ranges: readonly { readonly start: number; readonly end: number; readonly at: number }[];
}

/** The file couldn't be read, or not all of it; the store knows how to say why. */
export class NotRead extends Error {
  override readonly name = "NotRead";
}

// Memory that is new costs more than what is read into it.
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
let kept = new Uint8Array(0);

/** The other file, whose last bytes are `tail`; they are good until the next call. Throws {@link NotRead}. */
export function readRanges({ path, sizeBytes, ranges }: StoredRanges, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = kept.length >= sizeBytes ? kept.subarray(0, sizeBytes) : new Uint8Array(sizeBytes);
  if (bytes.length > kept.length && bytes.length <= MAX_KEPT_BYTES) kept = bytes;
  try {
    const file = openSync(path, "r");
    try {
      for (const { start, end, at } of ranges) {
        for (let done = start; done < end; ) {
          const count = readSync(file, bytes, at + done - start, end - done, done);
          if (count === 0) throw new NotRead(`${path} ends at byte ${done}`);
          done += count;
        }
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw error instanceof NotRead ? error : new NotRead(String(error), { cause: error });
  }
  bytes.set(tail, sizeBytes - tail.length);
  // A Parquet file begins as it ends.
  bytes.set(tail.subarray(-4));
  return bytes;
}
