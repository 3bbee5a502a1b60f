import { abortedError } from "../../signal.js";
import { ByteQueue } from "./byteQueue.js";
import { type Codec, codecOf } from "./codecs.js";
import { Decoder } from "./decoder.js";
import { byteOrderMark, type Encoding, encodingOf, type Transcoder, transcoder } from "./encoding.js";
import { sourceChanged, unreadable } from "./errors.js";
import { Positions } from "./positions.js";
import { openRanges } from "./ranges.js";
import type { BytePosition, ByteReader, SourceFile } from "./source.js";
import { type StoredBytes, storedBytes } from "./storedBytes.js";

export interface OpenBytesOptions {
  /** Of a text format: `utf-8` (default), `utf-16le`, `utf-16be`, `latin1`, `windows-1252`. A byte order mark overrules it. */
  readonly encoding?: string | undefined;
  /** Of the stored file, read at once. */
  readonly chunkBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Of the stored file: enough for a magic number and, unpacked, for a byte order mark. */
const BEGINNING_BYTES = 256 * 1024;
/** Of a file that isn't compressed the first of them is enough. */
const BEGINNING_CHUNK_BYTES = 16 * 1024;
const LONGEST_MARK = 3;

/**
 * Opens a file's bytes at a position that an earlier reader gave, or at its beginning: decompressed and, of CSV and JSON lines, as UTF-8
 * without a byte order mark. What lies between the nearest restart and the position is unpacked and dropped by the first read.
 *
 * Throws DELTA_INVALID_ARGUMENT (encoding), DELTA_FILE_NOT_FOUND, DELTA_ACCESS_DENIED; reading throws DELTA_INPUT_UNREADABLE (file,
 * offset) where the bytes are damaged or cut off, after what comes before, and DELTA_LOAD_SOURCE_CHANGED.
 */
export async function openBytes(
  file: SourceFile,
  from: BytePosition | undefined,
  options: OpenBytesOptions = {},
): Promise<ByteReader> {
  const asked = isText(file) ? encodingOf(options.encoding) : undefined;
  const start = file.entry?.offset ?? 0;
  const { stored, decoded } = from ?? { stored: start, decoded: 0 };
  // Within the file neither its magic number nor its byte order mark can be seen.
  const beginning = stored === start ? undefined : await beginningOf(file, asked, options.signal);
  const bytes = openStored(file, stored, options.chunkBytes);
  try {
    const queue = new ByteQueue(bytes, stored);
    queue.signal = options.signal;
    const codec = beginning?.codec ?? (await codecOf(file, queue));
    const reader = new SourceBytes(file.url, bytes, queue, codec);
    await reader.begin(decoded, beginning === undefined, beginning?.encoding ?? asked);
    return reader;
  } catch (error) {
    await bytes[Symbol.asyncDispose]();
    throw error;
  }
}

function isText({ format }: SourceFile): boolean {
  return format === "csv" || format === "jsonl";
}

function openStored(file: SourceFile, from: number, chunkBytes?: number): StoredBytes {
  const { stream, entry, identity } = file;
  if (stream !== undefined) return stream.from(from);
  // That deflate data ends shows in the byte behind it; behind an archive's last file comes its directory.
  const end = entry === undefined ? identity.sizeBytes : entry.end + 1;
  if (from > end) throw sourceChanged(file.url, "is shorter than what was read of it");
  return storedBytes(openRanges(file), from, end, chunkBytes);
}

interface Beginning {
  readonly codec: Codec;
  readonly encoding: Encoding | undefined;
}

/** How a file is written that isn't read from its beginning. */
async function beginningOf(file: SourceFile, asked: Encoding | undefined, signal?: AbortSignal): Promise<Beginning> {
  const end = Math.min(BEGINNING_BYTES, file.identity.sizeBytes);
  await using bytes = file.stream?.from(0) ?? storedBytes(openRanges(file), 0, end, BEGINNING_CHUNK_BYTES);
  const queue = new ByteQueue(bytes, 0);
  queue.signal = signal;
  const codec = await codecOf(file, queue);
  if (asked === undefined) return { codec, encoding: undefined };
  const first = new Decoder(codec.decode(queue, file.url));
  const mark = byteOrderMark(await first.peek(LONGEST_MARK));
  await first.close();
  return { codec, encoding: mark?.encoding ?? asked };
}

class SourceBytes implements ByteReader {
  readonly #url: string;
  readonly #bytes: StoredBytes;
  readonly #queue: ByteQueue;
  readonly #decoder: Decoder;
  readonly #positions: Positions;
  readonly #isPlain: boolean;
  #transcoder: Transcoder | undefined;
  /** Decompressed bytes before the position that this reader begins with. */
  #skipped = 0;
  #isAtEnd = false;
  #isClosed = false;

  constructor(url: string, bytes: StoredBytes, queue: ByteQueue, codec: Codec) {
    this.#url = url;
    this.#bytes = bytes;
    this.#queue = queue;
    this.#isPlain = codec.isPlain;
    this.#positions = new Positions(queue.offset, codec.isPlain);
    this.#decoder = new Decoder(codec.decode(queue, url), (stored, decoded) =>
      this.#positions.addRestart(stored, decoded),
    );
  }

  async begin(decoded: number, isAtStart: boolean, asked: Encoding | undefined): Promise<void> {
    const isMarked = isAtStart && asked !== undefined;
    const mark = isMarked ? byteOrderMark(await this.#decoder.peek(LONGEST_MARK)) : undefined;
    this.#skipped = Math.max(decoded, mark?.length ?? 0);
    if (asked !== undefined) this.#transcoder = transcoder(mark?.encoding ?? asked);
    this.#positions.begin(this.#skipped, this.#transcoder);
  }

  get storedBytesRead(): number {
    return this.#bytes.bytesRead;
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    this.#queue.signal = signal;
    while (!this.#isAtEnd) {
      const bytes = await this.#decoder.next();
      // What was broken off must not look like a file's end.
      if (this.#isClosed) throw abortedError(signal, `reading ${this.#url}, which was closed`);
      const given = bytes === undefined ? this.#end() : this.#give(bytes);
      if (given === undefined || given.length === 0) continue;
      this.#positions.add(given);
      return given;
    }
    return undefined;
  }

  release(bytes: Uint8Array): void {
    // Of others the decoder or the positions may still need them.
    if (this.#isPlain && this.#transcoder === undefined) this.#bytes.release?.(bytes);
  }

  positionAt(offset: number): BytePosition {
    return this.#positions.at(offset);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#bytes[Symbol.asyncDispose]();
    await this.#decoder.close();
  }

  #give(bytes: Uint8Array): Uint8Array | undefined {
    const skipped = Math.min(this.#skipped, bytes.length);
    this.#skipped -= skipped;
    const own = bytes.subarray(skipped);
    return own.length === 0 || this.#transcoder === undefined ? own : this.#transcoder.decode(own);
  }

  #end(): Uint8Array | undefined {
    if (this.#skipped > 0) throw sourceChanged(this.#url, "is shorter than what was read of it");
    const last = this.#transcoder?.end();
    if (this.#transcoder !== undefined && this.#transcoder.pending > 0) {
      throw unreadable(this.#url, this.#queue.offset, "the text ends within a character");
    }
    this.#isAtEnd = true;
    return last;
  }
}
