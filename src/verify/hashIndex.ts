/** 64 bits that stand for a text: two of a million texts are taken for one in 1 of 40 million tables. */
export interface Key {
  readonly high: number;
  readonly low: number;
}

/** The key of a text. */
export function keyOf(text: string): Key {
  let high = 0x811c9dc5;
  let low = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(((low << 13) | (low >>> 19)) + unit, 0x9e3779b1);
  }
  return { high: mixed(high), low: mixed(low ^ high) };
}

/** 32 bits that stand for a text, which differ for most texts that differ; never 0, which stands for none. */
export function hashOf(text: string): number {
  let hash = text.length;
  for (let i = 0; i < text.length; i++) hash = Math.imul((hash ^ text.charCodeAt(i)) + (hash >>> 15), 0x01000193);
  return mixed(hash) >>> 0 || 1;
}

function mixed(hash: number): number {
  let value = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

const FIRST_ROWS = 1024;

/** Numbers keys from 0 on in the order they come, in 16 to 28 bytes each. */
export class HashIndex {
  size = 0;
  #high = new Int32Array(FIRST_ROWS);
  #low = new Int32Array(FIRST_ROWS);
  /** A row and one more; 0 for none. */
  #slots = new Int32Array(2 * FIRST_ROWS);

  /** The row of a key, or -1. */
  find({ high, low }: Key): number {
    const mask = this.#slots.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]! - 1;
      if (row < 0 || (this.#low[row] === low && this.#high[row] === high)) return row;
    }
  }

  /** The row of a key, which is added where it is new. */
  add(key: Key): number {
    const found = this.find(key);
    if (found >= 0) return found;
    if (this.size === this.#low.length) this.#grow();
    const row = this.size++;
    this.#high[row] = key.high;
    this.#low[row] = key.low;
    this.#place(row);
    return row;
  }

  #place(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#low[row]! & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }

  #grow(): void {
    const rows = this.#low.length * 2;
    this.#high = grown(this.#high, rows);
    this.#low = grown(this.#low, rows);
    this.#slots = new Int32Array(2 * rows);
    for (let row = 0; row < this.size; row++) this.#place(row);
  }
}

/** The same numbers with room for more. */
export function grown<A extends Int32Array | Uint32Array | Uint8Array | Float64Array>(array: A, length: number): A {
  const larger = new (array.constructor as new (length: number) => A)(length);
  larger.set(array as never);
  return larger;
}
