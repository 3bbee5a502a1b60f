import { crc32 } from "../../crc32.js";
import type { ArchiveEntry } from "./archive.js";
import type { ByteQueue } from "./byteQueue.js";
import { unreadable } from "./errors.js";
import { inflate } from "./inflate.js";

const SIGNATURE = 0x04034b50;
const HEADER_BYTES = 30;

/**
 * Unpacks one file of a zip archive, from its header on (APPNOTE 4.3.7). Throws DELTA_INPUT_UNREADABLE, after having given what
 * comes before.
 */
export async function* unzipEntry(input: ByteQueue, entry: ArchiveEntry, url: string): AsyncGenerator<Uint8Array> {
  const header = await input.takeExactly(HEADER_BYTES);
  const view = header && new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  if (view?.getUint32(0, true) !== SIGNATURE) {
    throw unreadable(url, entry.offset, "here the archive's directory says that a file begins, and there is none");
  }
  await input.takeExactly(view.getUint16(26, true) + view.getUint16(28, true));
  const start = input.offset;
  let crc = 0;
  let sizeBytes = 0;
  for await (const bytes of entry.method === 0 ? stored(input, entry) : inflate(input, url)) {
    crc = crc32(bytes, crc);
    sizeBytes += bytes.length;
    yield bytes;
  }
  if (input.offset - start === entry.compressedBytes && sizeBytes === entry.sizeBytes && crc === entry.crc32) return;
  throw unreadable(url, input.offset, "the archive is damaged: the file's checksum or its size is another");
}

async function* stored(input: ByteQueue, { compressedBytes }: ArchiveEntry): AsyncGenerator<Uint8Array> {
  for (let left = compressedBytes; left > 0; ) {
    const bytes = await input.take();
    if (bytes === undefined) return;
    const own = bytes.subarray(0, left);
    if (own.length < bytes.length) input.giveBack(bytes.subarray(left));
    left -= own.length;
    yield own;
  }
}
