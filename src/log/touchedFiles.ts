import type { Tail } from "./tail.js";

const SLASH = 47;
const PERCENT = 37;
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

  /** Whether the path, UTF-8 bytes `start` to `end`, needs a look at {@link has}. */
  mayHave(bytes: Uint8Array, start: number, end: number): boolean {
    const hash = lastPartHash(bytes, start, end);
    return hash === undefined || this.#isNoted(hash);
  }

  /** Whether a commit of the tail acted on the logical file. */
  has(key: string): boolean {
    return this.#tail.hasTouched(key, this.#version);
  }

  #note(key: string): void {
    const newline = key.lastIndexOf("\n");
    const path = newline === -1 ? key : key.slice(0, newline);
    const bytes = encoder.encode(path.slice(path.lastIndexOf("/") + 1));
    let hash = SEED;
    for (let i = bytes.length - 1; i >= 0; i--) hash = step(hash, bytes[i]!);
    const bit = spread(hash) & this.#mask;
    this.#bits[bit >> 3]! |= 1 << (bit & 7);
  }

  #isNoted(hash: number): boolean {
    const bit = hash & this.#mask;
    return ((this.#bits[bit >> 3]! >> (bit & 7)) & 1) === 1;
  }
}

const SEED = 0x811c9dc5 | 0;

/** FNV-1a. */
function step(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

/** Undefined where other spellings of the path may have another last part: with escapes, dots, or none at all. */
function lastPartHash(bytes: Uint8Array, start: number, end: number): number | undefined {
  let hash = SEED;
  let at = end - 1;
  for (; at >= start; at--) {
    const byte = bytes[at]!;
    if (byte === SLASH) break;
    if (byte === PERCENT) return undefined;
    hash = step(hash, byte);
  }
  return end - 1 - at <= 2 ? undefined : spread(hash);
}
