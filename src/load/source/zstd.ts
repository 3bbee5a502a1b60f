import type { ZSTDDecoder } from "zstddec/stream";
import { loaded } from "../../lazy.js";
import type { ByteQueue } from "./byteQueue.js";
import type { Decoded } from "./decoded.js";
import { cutOff, unreadable } from "./errors.js";
import { isSkippableFrame, isZstdFrame, MAX_HEADER_BYTES, type ZstdFrame, zstdFrame } from "./zstdFrame.js";

const SKIPPABLE_HEADER_BYTES = 8;
const BLOCK_HEADER_BYTES = 3;
const MAX_BLOCK_BYTES = 128 * 1024;
const CHECKSUM_BYTES = 4;
/** What the zstd tool takes, unless it is told otherwise. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;

/**
 * Unpacks zstd: frames that follow each other (RFC 8878). Decoding can begin at each frame.
 * Throws DELTA_INPUT_UNREADABLE, after having given what comes before.
 */
export async function* unzstd(input: ByteQueue, url: string): AsyncGenerator<Decoded> {
  const decoders = await zstd();
  for (let magic = await input.peek(4); magic.length > 0; magic = await input.peek(4)) {
    if (isSkippableFrame(magic)) await skipFrame(input, url);
    else {
      yield { restart: input.offset };
      for await (const bytes of unpackFrame(decoders, input, url)) yield { bytes };
    }
    yield { restart: input.offset };
  }
}

let library: Promise<ZSTDDecoder> | undefined;

function zstd(): Promise<ZSTDDecoder> {
  library ??= newDecoder().catch((error: unknown) => {
    library = undefined;
    throw error;
  });
  return library;
}

async function newDecoder(): Promise<ZSTDDecoder> {
  const { ZSTDDecoder } = await loaded(() => import("zstddec/stream"), "zstddec");
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return decoder;
}

async function* unpackFrame(decoders: ZSTDDecoder, input: ByteQueue, url: string): AsyncGenerator<Uint8Array> {
  const frame = await headerOf(input, url);
  const decoder = new FrameDecoder(decoders);
  try {
    let before = input.offset;
    for await (const piece of piecesOf(input, frame, url)) {
      const bytes = decoder.decode(piece);
      if (bytes === undefined) throw unreadable(url, before, "the zstd data is damaged");
      before = input.offset - piece.length;
      yield bytes;
    }
  } finally {
    decoder.close();
  }
  if (!decoder.isWhole) throw unreadable(url, input.offset, "the zstd data is damaged: its checksum is another");
}

/**
 * Decodes a frame piece by piece: the header, each block, the checksum. The library wants its input from an iterable that never
 * waits; given one piece, it gives the output of that piece and only then asks for another.
 */
class FrameDecoder {
  readonly #pieces: Uint8Array[] = [];
  readonly #output: Generator<Uint8Array>;
  /** True once the frame has been decoded, and its checksum was right. */
  isWhole = false;

  constructor(decoders: ZSTDDecoder) {
    this.#output = decoders.decodeStreaming(this.#given());
  }

  /** Undefined where the piece before was refused; the library doesn't say so, and offers it again. */
  decode(piece: Uint8Array): Uint8Array | undefined {
    this.#pieces.push(piece);
    const bytes = this.#output.next().value as Uint8Array;
    return this.#pieces.length === 0 ? bytes : undefined;
  }

  /** Frees the library's memory, unless a piece was refused. */
  close(): void {
    this.#pieces.length = 0;
    try {
      this.isWhole = this.#output.next().done ?? false;
    } catch {
      this.isWhole = false;
    }
  }

  *#given(): Generator<Uint8Array> {
    for (let piece = this.#pieces.shift(); piece !== undefined; piece = this.#pieces.shift()) yield piece;
  }
}

async function headerOf(input: ByteQueue, url: string): Promise<ZstdFrame> {
  const bytes = await input.peek(MAX_HEADER_BYTES);
  const frame = zstdFrame(bytes);
  if (frame === undefined) throw cutOff(url, input.offset);
  if (!isZstdFrame(bytes)) throw unreadable(url, input.offset, "here no zstd data begins, as it should");
  if (frame.needsDictionary) throw unreadable(url, input.offset, "the zstd data needs a dictionary");
  if (frame.windowBytes > MAX_WINDOW_BYTES) {
    const window = `${frame.windowBytes} bytes of memory`;
    throw unreadable(url, input.offset, `the zstd data needs ${window}; compress it without --long or --ultra`);
  }
  return frame;
}

async function* piecesOf(input: ByteQueue, frame: ZstdFrame, url: string): AsyncGenerator<Uint8Array> {
  yield await take(input, frame.headerBytes, url);
  for (let isLast = false; !isLast; ) {
    const header = await input.peek(BLOCK_HEADER_BYTES);
    if (header.length < BLOCK_HEADER_BYTES) throw cutOff(url, input.offset);
    const fields = header[0]! + header[1]! * 256 + header[2]! * 65536;
    isLast = (fields & 1) !== 0;
    const type = (fields >> 1) & 3;
    // One byte that is repeated.
    const sizeBytes = type === 1 ? 1 : fields >> 3;
    if (type === 3 || sizeBytes > MAX_BLOCK_BYTES) throw unreadable(url, input.offset, "the zstd data is damaged");
    yield await take(input, BLOCK_HEADER_BYTES + sizeBytes, url);
  }
  if (frame.hasChecksum) yield await take(input, CHECKSUM_BYTES, url);
}

async function skipFrame(input: ByteQueue, url: string): Promise<void> {
  const header = await take(input, SKIPPABLE_HEADER_BYTES, url);
  const view = new DataView(header.buffer, header.byteOffset, SKIPPABLE_HEADER_BYTES);
  for (let left = view.getUint32(4, true); left > 0; ) {
    const bytes = await input.take();
    if (bytes === undefined) throw cutOff(url, input.offset);
    if (bytes.length > left) input.giveBack(bytes.subarray(left));
    left -= Math.min(bytes.length, left);
  }
}

async function take(input: ByteQueue, count: number, url: string): Promise<Uint8Array> {
  const bytes = await input.takeExactly(count);
  if (bytes === undefined) throw cutOff(url, input.offset);
  return bytes;
}
