import type { ThriftField } from "./thrift.js";
import { BINARY, BYTE, FALSE, I16, I32, I64, LIST, STRUCT, TRUE } from "./thriftTypes.js";

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

  i16Field(id: number, value: number): void {
    this.#field(id, I16);
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

  /**
   * Fields as they are, in their order, whatever they mean. One with an edit is left to that, which gets its value and
   * writes the field, changed.
   */
  copiedFields(
    fields: ReadonlyMap<number, ThriftField>,
    edits: Readonly<Record<number, (value: Uint8Array) => void>>,
  ): void {
    for (const [id, { type, value }] of fields) {
      const edit = edits[id];
      if (edit === undefined) {
        this.#field(id, type);
        this.#raw(value);
      } else {
        edit(value);
      }
    }
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
    if (value.length < 64 && this.#ascii(value)) return;
    const bytes = new TextEncoder().encode(value);
    this.#varint(bytes.length);
    this.#raw(bytes);
  }

  /** Writes a short text if it is ASCII, as names are: an encoder costs more than all of their bytes. */
  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(1 + length);
    const start = this.#length + 1;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) return false;
      this.#bytes[start + i] = code;
    }
    this.#bytes[this.#length] = length;
    this.#length = start + length;
    return true;
  }

  #raw(bytes: Uint8Array): void {
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
