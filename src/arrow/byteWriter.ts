const HEX = "0123456789abcdef";
const BILLION = 1_000_000_000;
const [ZERO, MINUS] = [0x30, 0x2d];

/** Text as UTF-8 bytes that grow as they are written: no string is built on the way out of the columns. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written so far; the writer goes on with new memory, so the bytes are the caller's. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafeSlow(this.#capacity);
    this.#length = 0;
    return taken;
  }

  /** What was written so far, valid until the next write, which begins anew. */
  reuse(): Uint8Array {
    const written = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return written;
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    // Short pieces: a loop is quicker than a call of set().
    if (bytes.length > 32) this.#bytes.set(bytes, this.#length);
    else for (let i = 0; i < bytes.length; i++) this.#bytes[this.#length + i] = bytes[i]!;
    this.#length += bytes.length;
  }

  /** Characters below 128 only. */
  ascii(text: string): void {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length + i] = text.charCodeAt(i);
    this.#length += text.length;
  }

  /** A safe integer in decimal digits. */
  integer(value: number): void {
    if (value < 0) {
      this.byte(MINUS);
      this.integer(-value);
    } else if (value < BILLION) this.#digits(value, countDigits(value));
    else {
      const low = value % BILLION;
      this.integer((value - low) / BILLION);
      this.#digits(low, 9);
    }
  }

  /** A whole number below 1,000,000,000 with at least `count` digits, zeros before it. */
  padded(value: number, count: number): void {
    this.#digits(value, Math.max(count, countDigits(value)));
  }

  #digits(value: number, count: number): void {
    this.#reserve(count);
    const out = this.#bytes;
    const end = this.#length + count;
    // 32-bit division, many times as fast as that of doubles.
    for (let rest = value | 0, at = end - 1; at >= this.#length; at--) {
      const quotient = (rest / 10) | 0;
      out[at] = ZERO + (rest - quotient * 10);
      rest = quotient;
    }
    this.#length = end;
  }

  /** `\u0000` … `\uffff`. */
  unicodeEscape(unit: number): void {
    this.ascii("\\u");
    for (let shift = 12; shift >= 0; shift -= 4) this.byte(HEX.charCodeAt((unit >> shift) & 15));
  }

  /**
   * Copies bytes `start` to `end` of `source` until one that `special` marks; where it stopped (`end` if none is special).
   */
  copyPlain(source: Uint8Array, start: number, end: number, special: Uint8Array): number {
    this.#reserve(end - start);
    const out = this.#bytes;
    let at = this.#length;
    let i = start;
    for (; i < end; i++) {
      const byte = source[i]!;
      if (special[byte] !== 0) break;
      out[at++] = byte;
    }
    this.#length = at;
    return i;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

function countDigits(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}
