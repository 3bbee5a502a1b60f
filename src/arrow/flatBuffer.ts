/**
 * A table of a FlatBuffer, of which every place is looked at before it is used. Arrow's own reader trusts them: a list that says
 * it has 2^31 items gets them, made of zeros.
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;
  readonly #fields: number;
  readonly #fieldsBytes: number;

  /** Throws a RangeError where there is no table at `at`, as do all methods for what lies outside of the buffer. */
  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
    this.#fields = at - view.getInt32(at, true);
    this.#fieldsBytes = view.getUint16(this.#fields, true);
  }

  /** The table that a buffer begins with. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  has(field: number): boolean {
    return this.#placeOf(field) !== undefined;
  }

  byte(field: number): number {
    const at = this.#placeOf(field);
    return at === undefined ? 0 : this.#view.getUint8(at);
  }

  int64(field: number): bigint {
    const at = this.#placeOf(field);
    return at === undefined ? 0n : this.#view.getBigInt64(at, true);
  }

  table(field: number): FlatTable | undefined {
    const at = this.#placeOf(field);
    return at === undefined ? undefined : new FlatTable(this.#view, at + this.#view.getUint32(at, true));
  }

  tables(field: number): FlatTable[] {
    const { start, count } = this.list(field, 4);
    return Array.from({ length: count }, (_, i) => {
      const at = start + 4 * i;
      return new FlatTable(this.#view, at + this.#view.getUint32(at, true));
    });
  }

  /** A list of items of so many bytes, all of which are there. A text is a list of bytes. */
  list(field: number, itemBytes: number): { readonly start: number; readonly count: number } {
    const at = this.#placeOf(field);
    if (at === undefined) return { start: 0, count: 0 };
    const list = at + this.#view.getUint32(at, true);
    const count = this.#view.getUint32(list, true);
    const start = list + 4;
    if (count * itemBytes > this.#view.byteLength - start) throw new RangeError("a list is longer than its data");
    return { start, count };
  }

  /** The items of a list of structs, which stand in the list itself. */
  structs(field: number, itemBytes: number): DataView[] {
    const { start, count } = this.list(field, itemBytes);
    const { buffer, byteOffset } = this.#view;
    return Array.from({ length: count }, (_, i) => new DataView(buffer, byteOffset + start + i * itemBytes, itemBytes));
  }

  #placeOf(field: number): number | undefined {
    const entry = 4 + 2 * field;
    if (entry + 2 > this.#fieldsBytes) return undefined;
    const offset = this.#view.getUint16(this.#fields + entry, true);
    return offset === 0 ? undefined : this.#at + offset;
  }
}
