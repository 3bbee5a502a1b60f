/** The types of Thrift's compact protocol that Parquet uses. */
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

// Parquet's own footers nest 7 deep.
const MAX_DEPTH = 32;

/** Walks Thrift structs without building anything. Every length is held against the bytes that are there. */
export class ThriftWalker {
  readonly #bytes: Uint8Array;
  #offset: number;

  /** Walks the struct that begins at `offset`; `bytes` ends where the struct may end at most. */
  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  /**
   * Goes to the end of the struct, giving each of its fields' ids and types; what `onField` doesn't read is skipped.
   * Throws a RangeError for anything that isn't Thrift or reaches beyond the bytes.
   */
  struct(onField?: (id: number, type: number) => boolean, depth = 0): void {
    if (depth > MAX_DEPTH) throw new RangeError("Thrift structs nest too deep");
    let id = 0;
    for (;;) {
      const header = this.#byte();
      const type = header & 15;
      if (type === 0) return;
      const delta = header >> 4;
      id = delta === 0 ? this.zigzag() : id + delta;
      if (onField?.(id, type) !== true) this.#skip(type, depth);
    }
  }

  /** A zigzag-coded integer. */
  zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset++];
    if (byte === undefined) throw new RangeError("Thrift data ends too early");
    return byte;
  }

  #varint(): number {
    let value = 0;
    for (let i = 0, scale = 1; i < 10; i++, scale *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new RangeError("a Thrift integer has more than 64 bits");
  }

  #advance(count: number): void {
    if (count > this.#bytes.length - this.#offset) throw new RangeError("a Thrift length reaches beyond its data");
    this.#offset += count;
  }

  #skip(type: number, depth: number, inList = false): void {
    switch (type) {
      case TRUE:
      case FALSE:
        if (inList) this.#advance(1);
        return;
      case BYTE:
        this.#advance(1);
        return;
      case I16:
      case I32:
      case I64:
        this.#varint();
        return;
      case DOUBLE:
        this.#advance(8);
        return;
      case BINARY:
        this.#advance(this.#varint());
        return;
      case LIST:
        this.#skipList(depth + 1);
        return;
      case STRUCT:
        this.struct(undefined, depth + 1);
        return;
      default:
        throw new RangeError(`Thrift type ${type} doesn't occur in Parquet`);
    }
  }

  #skipList(depth: number): void {
    if (depth > MAX_DEPTH) throw new RangeError("Thrift lists nest too deep");
    const header = this.#byte();
    const count = header >> 4 === 15 ? this.#varint() : header >> 4;
    // Each element takes a byte at least, so a lying count is found here, before anybody makes room for it.
    if (count > this.#bytes.length - this.#offset) throw new RangeError("a Thrift list is longer than its data");
    for (let i = 0; i < count; i++) this.#skip(header & 15, depth, true);
  }
}

/** Writes Thrift's compact protocol: fields in rising order of their ids, as Parquet footers need them. */
export class ThriftWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  #lastId = 0;
  readonly #lastIds: number[] = [];

  /** What was written so far. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A struct as a list's element, or the outermost one. */
  struct(write: () => void): void {
    this.#lastIds.push(this.#lastId);
    this.#lastId = 0;
    write();
    this.#byte(0);
    this.#lastId = this.#lastIds.pop() ?? 0;
  }

  structField(id: number, write: () => void): void {
    this.#field(id, STRUCT);
    this.struct(write);
  }

  /** A list of structs: `write` is called for each item, between the struct's borders. */
  structsField<T>(id: number, items: readonly T[], write: (item: T) => void): void {
    this.#list(id, STRUCT, items.length);
    for (const item of items) this.struct(() => write(item));
  }

  /** An absent value writes nothing, here and below. */
  i32Field(id: number, value: number | undefined): void {
    if (value === undefined) return;
    this.#field(id, I32);
    this.#zigzag(value);
  }

  i64Field(id: number, value: number | undefined): void {
    if (value === undefined) return;
    this.#field(id, I64);
    this.#zigzag(value);
  }

  i8Field(id: number, value: number): void {
    this.#field(id, BYTE);
    this.#byte(value);
  }

  boolField(id: number, value: boolean): void {
    this.#field(id, value ? TRUE : FALSE);
  }

  stringField(id: number, value: string | undefined): void {
    if (value === undefined) return;
    this.#field(id, BINARY);
    this.#string(value);
  }

  stringsField(id: number, values: readonly string[]): void {
    this.#list(id, BINARY, values.length);
    for (const value of values) this.#string(value);
  }

  i32sField(id: number, values: readonly number[]): void {
    this.#list(id, I32, values.length);
    for (const value of values) this.#zigzag(value);
  }

  #field(id: number, type: number): void {
    const delta = id - this.#lastId;
    if (delta > 0 && delta <= 15) {
      this.#byte((delta << 4) | type);
    } else {
      this.#byte(type);
      this.#zigzag(id);
    }
    this.#lastId = id;
  }

  #list(id: number, type: number, count: number): void {
    this.#field(id, LIST);
    if (count < 15) {
      this.#byte((count << 4) | type);
    } else {
      this.#byte(0xf0 | type);
      this.#varint(count);
    }
  }

  #string(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.#varint(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #zigzag(value: number): void {
    this.#varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#byte(rest);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + count, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
