import type { ByteQueue } from "./byteQueue.js";
import type { Decoded } from "./decoded.js";
import { unreadable } from "./errors.js";

/** Unpacks zstd. */
export async function* unzstd(input: ByteQueue, url: string): AsyncGenerator<Decoded> {
  yield { restart: input.offset };
  throw unreadable(url, input.offset, "zstd is not read yet");
}
