import type { ArchiveEntry } from "./archive.js";
import { ByteQueue } from "./byteQueue.js";
import type { Decoded } from "./decoded.js";
import { unreadable } from "./errors.js";
import { gunzip } from "./gzip.js";
import type { SourceFile } from "./source.js";
import { unzipEntry } from "./zipEntry.js";
import { unzstd } from "./zstd.js";
import { isSkippableFrame, isZstdFrame } from "./zstdFrame.js";

/** How stored bytes become a file's bytes. */
export interface Codec {
  /** True where stored bytes are the file's own. */
  readonly isPlain: boolean;
  decode(input: ByteQueue, url: string): AsyncGenerator<Decoded>;
}

const PLAIN: Codec = { isPlain: true, decode: plain };
const GZIP: Codec = { isPlain: false, decode: gunzip };
const ZSTD: Codec = { isPlain: false, decode: unzstd };

async function* plain(input: ByteQueue): AsyncGenerator<Decoded> {
  for (let bytes = await input.take(); bytes !== undefined; bytes = await input.take()) yield { bytes };
}

/**
 * How a file is compressed, by its first bytes: tools that fetch files may unpack them and leave them their name.
 * Throws DELTA_INPUT_UNREADABLE where a compressed file's name stands for something else.
 */
export async function codecOf(file: SourceFile, input: ByteQueue): Promise<Codec> {
  const { entry, url, compression } = file;
  if (entry !== undefined) return { isPlain: false, decode: (archive) => entryBytes(archive, file, entry) };
  const first = await input.peek(SHOWN_BYTES);
  if (first[0] === 0x1f && first[1] === 0x8b) return GZIP;
  if (isZstdFrame(first)) return ZSTD;
  if (compression === "none" || first.length === 0) return PLAIN;
  if (compression === "zstd" && isSkippableFrame(first)) return ZSTD;
  if (isText(first)) return PLAIN;
  throw unreadable(url, input.offset, `its name says ${compression}, and its bytes say something else`);
}

const SHOWN_BYTES = 512;

function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}

/** A file in an archive can be compressed once more by itself. */
async function* entryBytes(archive: ByteQueue, file: SourceFile, entry: ArchiveEntry): AsyncGenerator<Decoded> {
  const unzipped = unzipEntry(archive, entry, file.url);
  const read = async () => {
    const next = await unzipped.next();
    return next.done ? undefined : next.value;
  };
  try {
    const queue = new ByteQueue({ read }, 0);
    const codec = await codecOf({ ...file, entry: undefined }, queue);
    for await (const { bytes } of codec.decode(queue, file.url)) if (bytes !== undefined) yield { bytes };
  } finally {
    await unzipped.return(undefined);
  }
}
