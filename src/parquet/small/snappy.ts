// The format, by google/snappy's format_description.txt: the size, then literals and copies of what stands up to 64 KiB back.

const BLOCK_BYTES = 1 << 16;
const HASH_BITS = 12;
/** Of its last bytes a block only makes a literal: a match is looked for four bytes at a time. */
const MARGIN = 15;

const table = new Uint16Array(1 << HASH_BITS);

/** Compresses bytes as one raw Snappy block: greedy, with one table of four-byte words. */
export function compressSnappy(input: Uint8Array): Uint8Array {
  const out = new Writer(32 + input.length + Math.ceil(input.length / 6));
  out.varint(input.length);
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  for (let start = 0; start < input.length; start += BLOCK_BYTES) {
    compressBlock(input, view, start, Math.min(start + BLOCK_BYTES, input.length), out);
  }
  return out.finish();
}

function compressBlock(input: Uint8Array, view: DataView, start: number, end: number, out: Writer): void {
  const limit = end - MARGIN;
  if (start + 1 < limit) table.fill(0);
  let literal = start;
  let at = start + 1;
  // Where nothing repeats, ever larger steps are made: what can't be compressed passes quickly.
  let misses = 32;
  while (at < limit) {
    const word = view.getUint32(at, true);
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS);
    const candidate = start + table[hash]!;
    table[hash] = at - start;
    if (candidate >= at || view.getUint32(candidate, true) !== word) {
      at += misses++ >> 5;
      continue;
    }
    let length = 4;
    while (at + length < end && input[candidate + length] === input[at + length]) length++;
    if (at > literal) out.literal(input, literal, at);
    out.copy(at - candidate, length);
    at += length;
    literal = at;
    misses = 32;
  }
  if (end > literal) out.literal(input, literal, end);
}

class Writer {
  readonly #bytes: Uint8Array;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 128; rest >>>= 7) this.#bytes[this.#length++] = (rest & 127) | 128;
    this.#bytes[this.#length++] = rest;
  }

  literal(input: Uint8Array, start: number, end: number): void {
    const last = end - start - 1;
    const bytes = this.#bytes;
    if (last < 60) bytes[this.#length++] = last << 2;
    else if (last < 256) {
      bytes[this.#length++] = 60 << 2;
      bytes[this.#length++] = last;
    } else {
      bytes[this.#length++] = 61 << 2;
      bytes[this.#length++] = last;
      bytes[this.#length++] = last >> 8;
    }
    bytes.set(input.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  copy(distance: number, length: number): void {
    let left = length;
    // No copy is shorter than four bytes, which has the shortest form.
    for (; left >= 68; left -= 64) this.#longCopy(distance, 64);
    if (left > 64) {
      this.#longCopy(distance, 60);
      left -= 60;
    }
    if (left >= 12 || distance >= 2048) this.#longCopy(distance, left);
    else {
      this.#bytes[this.#length++] = 1 | ((left - 4) << 2) | ((distance >> 8) << 5);
      this.#bytes[this.#length++] = distance;
    }
  }

  #longCopy(distance: number, length: number): void {
    this.#bytes[this.#length++] = 2 | ((length - 1) << 2);
    this.#bytes[this.#length++] = distance;
    this.#bytes[this.#length++] = distance >> 8;
  }
}
