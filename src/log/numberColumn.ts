/** A growing column of numbers, NaN and infinities included: off the heap, where a list of as many would be moved about. */
export class NumberColumn {
  length = 0;
  #values: Float64Array | Int32Array;

  constructor(kind: typeof Float64Array | typeof Int32Array) {
    this.#values = new kind(64);
  }

  get(row: number): number {
    return this.#values[row]!;
  }

  set(row: number, value: number): void {
    this.#values[row] = value;
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const before = this.#values;
      const Kind = before.constructor as Float64ArrayConstructor;
      this.#values = new Kind(2 * before.length);
      this.#values.set(before);
    }
    this.#values[this.length++] = value;
  }
}
