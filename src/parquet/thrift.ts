import { limits } from "../limits.js";
import { BINARY, BYTE, DOUBLE, FALSE, I16, I32, I64, LIST, STRUCT, TRUE } from "./thriftTypes.js";

// Parquet's own footers nest 7 deep.
const MAX_DEPTH = 32;
/** A struct becomes an object, which takes about as much as so many numbers. */
const STRUCT_VALUES = 5;

/** A struct's field as it was written; a boolean's value is its type. */
export interface ThriftField {
  readonly type: number;
  readonly value: Uint8Array;
}

/** Walks Thrift structs without building anything. Every length is held against the bytes that are there. */
export class ThriftWalker {
  readonly #bytes: Uint8Array;
  #offset: number;
  #values = 0;

  /** Walks the struct, or reads the value, that begins at `offset`; `bytes` ends where the struct may end at most. */
  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  /** Where the next byte is read. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Goes to the end of the struct, giving each of its fields' ids and types; what `onField` doesn't read is skipped.
   * Throws a RangeError for anything that isn't Thrift, reaches beyond the bytes, or has more than `MAX_FOOTER_VALUES`.
   */
  struct(onField?: (id: number, type: number) => boolean, depth = 0): void {
    if (depth > MAX_DEPTH) throw new RangeError("Thrift structs nest too deep");
    this.#count(STRUCT_VALUES);
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

  /** Goes to the end of the struct; its fields by their ids, in their order. */
  fields(): Map<number, ThriftField> {
    const fields = new Map<number, ThriftField>();
    this.struct((id, type) => {
      fields.set(id, { type, value: this.#value(type) });
      return true;
    });
    return fields;
  }

  /** Goes to the end of the list; its elements' bytes. */
  elements(): Uint8Array[] {
    const { type, count } = this.#listHeader();
    return Array.from({ length: count }, () => this.#value(type, true));
  }

  #value(type: number, inList = false): Uint8Array {
    const start = this.#offset;
    this.#skip(type, 0, inList);
    return this.#bytes.subarray(start, this.#offset);
  }

  #count(values: number): void {
    this.#values += values;
    if (this.#values > limits.MAX_FOOTER_VALUES) throw new RangeError("Thrift data holds too many values");
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
    this.#count(1);
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
    const { type, count } = this.#listHeader();
    for (let i = 0; i < count; i++) this.#skip(type, depth, true);
  }

  #listHeader(): { readonly type: number; readonly count: number } {
    const header = this.#byte();
    const count = header >> 4 === 15 ? this.#varint() : header >> 4;
    // Each element takes a byte at least, so a lying count is found here, before anybody makes room for it.
    if (count > this.#bytes.length - this.#offset) throw new RangeError("a Thrift list is longer than its data");
    return { type: header & 15, count };
  }
}
