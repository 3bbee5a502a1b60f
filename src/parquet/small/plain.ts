import { type Data, Type } from "apache-arrow";
import { offsetsOf } from "../../arrow/column.js";
import type { ParquetNode } from "../fileSchema.js";

/** The place of each slot's value in its column, -1 for none; `all` where slot i has value i. */
export type Places = "all" | "none" | Int32Array;

/** A column chunk's values, nulls left out (parquet-format, Encodings.md, Plain). */
export class PlainValues {
  readonly #element: ParquetNode["element"];
  #bytes = new Uint8Array(256);
  #length = 0;
  #bits = 0;

  constructor({ element }: ParquetNode) {
    this.#element = element;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  add(data: Data, places: Places, slotCount: number): void {
    if (places === "none") return;
    const rowAt = places === "all" ? (i: number) => i : (i: number) => places[i]!;
    const type: Type = data.typeId;
    if (type === Type.Bool) this.#addBits(data, slotCount, rowAt);
    else if (type === Type.Utf8 || type === Type.Binary) this.#addTexts(data, slotCount, rowAt);
    else if (type === Type.Decimal) this.#addDecimals(data, slotCount, rowAt);
    else this.#addNumbers(data, slotCount, rowAt, places === "all");
  }

  #addBits({ values, offset }: Data, rows: number, rowAt: (i: number) => number): void {
    for (let i = 0; i < rows; i++) {
      const row = rowAt(i);
      if (row < 0) continue;
      if ((this.#bits & 7) === 0) {
        this.#reserve(1);
        this.#bytes[this.#length++] = 0;
      }
      const bit = offset + row;
      this.#bytes[this.#length - 1]! |= ((values[bit >> 3] >> (bit & 7)) & 1) << (this.#bits++ & 7);
    }
  }

  #addTexts(data: Data, rows: number, rowAt: (i: number) => number): void {
    const offsets = offsetsOf(data) as Int32Array;
    const values = data.values as unknown as Uint8Array;
    for (let i = 0; i < rows; i++) {
      const row = rowAt(i);
      if (row < 0) continue;
      const start = offsets[row]!;
      const size = offsets[row + 1]! - start;
      this.#reserve(4 + size);
      const bytes = this.#bytes;
      bytes[this.#length++] = size;
      bytes[this.#length++] = size >> 8;
      bytes[this.#length++] = size >> 16;
      bytes[this.#length++] = size >> 24;
      if (size > 32) bytes.set(values.subarray(start, start + size), this.#length);
      else for (let k = 0; k < size; k++) bytes[this.#length + k] = values[start + k]!;
      this.#length += size;
    }
  }

  /** Whole numbers of 8 and 16 bits are widened to 32. */
  #addNumbers({ values }: Data, rows: number, rowAt: (i: number) => number, isAll: boolean): void {
    const width = Math.max(values.BYTES_PER_ELEMENT, 4);
    this.#reserve(rows * width);
    const wide = values.BYTES_PER_ELEMENT < 4 ? Int32Array.from(values as Int8Array) : values;
    const source = new Uint8Array(wide.buffer, wide.byteOffset, wide.byteLength);
    if (isAll) {
      this.#bytes.set(source.subarray(0, rows * width), this.#length);
      this.#length += rows * width;
      return;
    }
    for (let i = 0; i < rows; i++) {
      const row = rowAt(i);
      if (row < 0) continue;
      for (let k = row * width; k < (row + 1) * width; k++) this.#bytes[this.#length++] = source[k]!;
    }
  }

  /** 128 bits with the lowest first become 32, 64, or as many bytes as the precision takes, the highest first. */
  #addDecimals({ values }: Data, rows: number, rowAt: (i: number) => number): void {
    const source = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const { type, type_length: length = 0 } = this.#element;
    const width = type === "INT32" ? 4 : type === "INT64" ? 8 : length;
    this.#reserve(rows * width);
    for (let i = 0; i < rows; i++) {
      const row = rowAt(i);
      if (row < 0) continue;
      const first = type === "FIXED_LEN_BYTE_ARRAY" ? row * 16 + width - 1 : row * 16;
      const step = type === "FIXED_LEN_BYTE_ARRAY" ? -1 : 1;
      for (let k = 0; k < width; k++) this.#bytes[this.#length++] = source[first + step * k]!;
    }
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + count, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
