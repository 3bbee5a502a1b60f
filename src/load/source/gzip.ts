import { crc32 } from "../../crc32.js";
import type { ByteQueue } from "./byteQueue.js";
import type { Decoded } from "./decoded.js";
import { cutOff, unreadable } from "./errors.js";
import { inflate, inflateSmall, SMALL_BYTES } from "./inflate.js";

const MAGIC = [0x1f, 0x8b, 8] as const;
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const HAS_CHECKSUM = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;
const RESERVED = 0xe0;

/**
 * Unpacks gzip: members that follow each other (RFC 1952), and zeros behind them. Decoding can begin at each member.
 * Throws DELTA_INPUT_UNREADABLE, after having given what comes before.
 */
export async function* gunzip(input: ByteQueue, url: string): AsyncGenerator<Decoded> {
  for (let start = input.offset, before = 0; (await input.peek(1)).length > 0; start = input.offset) {
    if ((await input.peek(1))[0] === 0) {
      await skipZeros(input, url);
      return;
    }
    await skipHeader(input, url);
    yield { restart: start };
    // Loggers write thousands of small members, after each of which a next one is as small.
    yield* unpackMember(input, url, before > 0 && before <= SMALL_BYTES);
    before = input.offset - start;
    yield { restart: input.offset };
  }
}

async function* unpackMember(input: ByteQueue, url: string, mayBeSmall: boolean): AsyncGenerator<Decoded> {
  let crc = 0;
  let sizeBytes = 0;
  const small = mayBeSmall ? await inflateSmall(input) : undefined;
  for await (const bytes of small ?? inflate(input, url)) {
    crc = crc32(bytes, crc);
    sizeBytes += bytes.length;
    yield { bytes };
  }
  const trailer = await input.takeExactly(TRAILER_BYTES);
  if (trailer === undefined) throw cutOff(url, input.offset);
  const view = new DataView(trailer.buffer, trailer.byteOffset, TRAILER_BYTES);
  if (view.getUint32(0, true) !== crc || view.getUint32(4, true) !== sizeBytes % 2 ** 32) {
    throw unreadable(
      url,
      input.offset - TRAILER_BYTES,
      "the gzip data is damaged: its checksum or its size is another",
    );
  }
}

async function skipHeader(input: ByteQueue, url: string): Promise<void> {
  const start = input.offset;
  const header = await input.takeExactly(HEADER_BYTES);
  if (header === undefined) throw cutOff(url, input.offset);
  const flags = header[3]!;
  if (MAGIC.some((byte, index) => header[index] !== byte) || (flags & RESERVED) !== 0) {
    throw unreadable(url, start, "here no gzip data begins, as it should");
  }
  if (flags & HAS_EXTRA) {
    const length = await takeOrThrow(input, 2, url);
    await takeOrThrow(input, length[0]! + 256 * length[1]!, url);
  }
  if (flags & HAS_NAME) await skipText(input, url);
  if (flags & HAS_COMMENT) await skipText(input, url);
  if (flags & HAS_CHECKSUM) await takeOrThrow(input, 2, url);
}

async function takeOrThrow(input: ByteQueue, count: number, url: string): Promise<Uint8Array> {
  const bytes = await input.takeExactly(count);
  if (bytes === undefined) throw cutOff(url, input.offset);
  return bytes;
}

/** A text that ends in a NUL. */
async function skipText(input: ByteQueue, url: string): Promise<void> {
  for (;;) {
    const chunk = await input.take();
    if (chunk === undefined) throw cutOff(url, input.offset);
    const end = chunk.indexOf(0);
    if (end < 0) continue;
    if (end + 1 < chunk.length) input.giveBack(chunk.subarray(end + 1));
    return;
  }
}

async function skipZeros(input: ByteQueue, url: string): Promise<void> {
  for (let chunk = await input.take(); chunk !== undefined; chunk = await input.take()) {
    const other = chunk.findIndex((byte) => byte !== 0);
    if (other >= 0) {
      throw unreadable(url, input.offset - chunk.length + other, "something that isn't gzip follows the gzip data");
    }
  }
}
