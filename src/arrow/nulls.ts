import type { Validity } from "./bits.js";
import { allSet } from "./bits.js";

/** Collects which values of a column under construction are null; it costs nothing until the first one. */
export class Nulls {
  readonly #length: number;
  #bits: Uint8Array | undefined;
  count = 0;

  constructor(length: number) {
    this.#length = length;
  }

  /** Notes that the value at `index` (each at most once) is null. */
  add(index: number): void {
    this.#bits ??= allSet(this.#length);
    this.#bits[index >> 3] &= ~(1 << (index & 7));
    this.count++;
  }

  get validity(): Validity | undefined {
    return this.#bits && { bits: this.#bits, offset: 0 };
  }
}
