import type { Tail } from "./tail.js";

const SLASH = 47;
const PERCENT = 37;
/** A last part of up to so many bytes may be one that other spellings of the path lack: "", "." or "..". */
const DOTS = 2;
/** More lengths than this take longer to try than the last part takes to find. */
const FEW_LENGTHS = 4;
const encoder = new TextEncoder();

/**
 * Finds the rows of a checkpoint that later commits touched, without a map of the table and almost without making
 * strings: the bytes of a path's last part are hashed and looked up in a small bitmap of the touched paths. Only where
 * that says "maybe" is the path decoded. The last part is the same in all spellings of a path, unless it holds escapes.
 */
export class TouchedFiles {
  readonly #tail: Tail;
  readonly #version: number;
  readonly #bits: Uint8Array;
  readonly #mask: number;
  /** Of the touched paths' last parts, in bytes. */
  readonly #lengths = new Set<number>();

  constructor(tail: Tail, version: number) {
    this.#tail = tail;
    this.#version = version;
    // At 32 bits a path, one row in 32 is decoded in vain.
    const size = 2 ** Math.max(13, Math.ceil(Math.log2(Math.max(1, tail.length) * 32)));
    this.#bits = new Uint8Array(size / 8);
    this.#mask = size - 1;
    for (const key of tail.keys()) this.#note(key);
  }

  /** Whether there can be any. */
  get isEmpty(): boolean {
    return this.#tail.length === 0;
  }

  /** The rows whose paths, UTF-8 bytes from one offset to the next, need a look at {@link has}. */
  mayHave(bytes: Uint8Array, offsets: ArrayLike<number | bigint>, rowCount: number): number[] {
    const first = Number(offsets[0]);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const hasEscapes = buffer.subarray(first, Number(offsets[rowCount])).includes(PERCENT);
    const lengths = hasEscapes || this.#lengths.size > FEW_LENGTHS ? undefined : [...this.#lengths];
    const view = viewOf(bytes);
    const rows: number[] = [];
    let start = first;
    for (let row = 0; row < rowCount; row++) {
      const end = Number(offsets[row + 1]);
      if (lengths === undefined ? this.#mayBeLast(view, start, end) : this.#mayEndWith(lengths, view, start, end)) {
        rows.push(row);
      }
      start = end;
    }
    return rows;
  }

  /** Whether a commit of the tail acted on the logical file. */
  has(key: string): boolean {
    return this.#tail.hasTouched(key, this.#version);
  }

  #note(key: string): void {
    const newline = key.lastIndexOf("\n");
    const path = newline === -1 ? key : key.slice(0, newline);
    const bytes = encoder.encode(path.slice(path.lastIndexOf("/") + 1));
    this.#lengths.add(bytes.length);
    const bit = hashOf(viewOf(bytes), 0, bytes.length) & this.#mask;
    this.#bits[bit >> 3]! |= 1 << (bit & 7);
  }

  #isNoted(view: DataView, start: number, end: number): boolean {
    const bit = hashOf(view, start, end) & this.#mask;
    return ((this.#bits[bit >> 3]! >> (bit & 7)) & 1) === 1;
  }

  /** For any path: looks for where its last part begins. */
  #mayBeLast(view: DataView, start: number, end: number): boolean {
    let at = end;
    for (; at > start; at--) {
      const byte = view.getUint8(at - 1);
      if (byte === SLASH) break;
      if (byte === PERCENT) return true;
    }
    return end - at <= DOTS || this.#isNoted(view, at, end);
  }

  /** For a path without escapes: looks only whether a last part of these lengths begins there; three times faster. */
  #mayEndWith(lengths: readonly number[], view: DataView, start: number, end: number): boolean {
    for (const length of lengths) {
      const at = end - length;
      const begins = at === start || (at > start && view.getUint8(at - 1) === SLASH);
      if (begins && this.#isNoted(view, at, end)) return true;
    }
    for (let at = end; at >= end - DOTS; at--) {
      if (at <= start || view.getUint8(at - 1) === SLASH) return true;
    }
    return false;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Four bytes a step. */
function hashOf(view: DataView, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = step(hash, view.getInt32(at, true));
  for (; at < end; at++) hash = step(hash, view.getUint8(at));
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

function step(hash: number, word: number): number {
  return Math.imul(((hash << 13) | (hash >>> 19)) ^ word, 0x9e3779b1);
}
