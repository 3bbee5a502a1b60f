import { limits } from "../../limits.js";
import type { ByteWriter } from "../byteWriter.js";
import { writeJsonString } from "../jsonString.js";
import { VariantError } from "./error.js";
import { littleEndian, type VariantNames } from "./names.js";
import {
  writeBase64,
  writeDate,
  writeDecimal,
  writeFloat,
  writeMicros,
  writeNanos,
  writeTime,
  writeUuid,
} from "./scalars.js";

const [COMMA, COLON] = [0x2c, 0x3a];
const [PRIMITIVE, SHORT_STRING, OBJECT, ARRAY] = [0, 1, 2, 3];

/** The members of an object as they are stored; `nameAt` and `writeAt` give a member's. */
export interface VariantObject {
  readonly count: number;
  /** The index of a member's name. */
  nameAt(index: number): number;
  writeAt(index: number): void;
}

/** A variant's value in bytes, which becomes JSON (parquet-format, VariantEncoding.md, Value encoding). */
export class VariantValue {
  readonly #out: ByteWriter;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #names: VariantNames;
  /** Bytes that no value was found in yet: each belongs to one, or a few bytes could tell of endlessly many. */
  #left = 0;

  constructor(out: ByteWriter, bytes: Uint8Array, names: VariantNames) {
    this.#out = out;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#names = names;
  }

  /** Writes the value in bytes `start` to `end`. Throws a {@link VariantError} where they are none. */
  write(start: number, end: number): void {
    this.#left = end - start;
    this.#value(start, end, 0);
  }

  /** The object in bytes `start` to `end`. Throws a {@link VariantError} where they are none. */
  object(start: number, end: number): VariantObject {
    this.#left = end - start;
    if (start >= end || (this.#bytes[start]! & 3) !== OBJECT) throw new VariantError("a variant's object is none");
    return this.#members(start, end, 0);
  }

  #value(at: number, end: number, depth: number): void {
    if (at >= end) throw new VariantError("a variant's value is cut");
    if (depth > limits.MAX_JSON_DEPTH)
      throw new VariantError(`a variant nests more than ${limits.MAX_JSON_DEPTH} deep`);
    const header = this.#bytes[at]!;
    switch (header & 3) {
      case PRIMITIVE:
        this.#primitive(header >> 2, at + 1, end);
        return;
      case SHORT_STRING:
        this.#text(at + 1, header >> 2, end);
        return;
      case OBJECT:
        this.#writeObject(this.#members(at, end, depth));
        return;
      case ARRAY:
        this.#array(at, end, depth);
    }
  }

  #writeObject(object: VariantObject): void {
    const out = this.#out;
    out.byte(0x7b);
    for (let i = 0; i < object.count; i++) {
      if (i > 0) out.byte(COMMA);
      this.#names.write(out, object.nameAt(i));
      out.byte(COLON);
      object.writeAt(i);
    }
    out.byte(0x7d);
  }

  #members(at: number, end: number, depth: number): VariantObject {
    const header = this.#bytes[at]! >> 2;
    const idWidth = ((header >> 2) & 3) + 1;
    const { count, next: ids } = this.#count(at + 1, (header >> 4) & 1, end);
    const places = this.#places(at, ids + count * idWidth, (header & 3) + 1, count, end);
    return {
      count,
      nameAt: (index) => littleEndian(this.#bytes, ids + index * idWidth, idWidth),
      writeAt: (index) => this.#value(places.startOf(index), places.end, depth + 1),
    };
  }

  #array(at: number, end: number, depth: number): void {
    const header = this.#bytes[at]! >> 2;
    const { count, next } = this.#count(at + 1, (header >> 2) & 1, end);
    const places = this.#places(at, next, (header & 3) + 1, count, end);
    const out = this.#out;
    out.byte(0x5b);
    for (let i = 0; i < count; i++) {
      if (i > 0) out.byte(COMMA);
      this.#value(places.startOf(i), places.end, depth + 1);
    }
    out.byte(0x5d);
  }

  #count(at: number, isLarge: number, end: number): { readonly count: number; readonly next: number } {
    const width = isLarge === 1 ? 4 : 1;
    if (at + width > end) throw new VariantError("a variant's value is cut");
    return { count: littleEndian(this.#bytes, at, width), next: at + width };
  }

  /** Where the values of an object or array begin: the offsets lie at `offsets`, the values behind them. */
  #places(at: number, offsets: number, width: number, count: number, end: number) {
    const values = offsets + (count + 1) * width;
    if (values > end) throw new VariantError("a variant's value is cut");
    this.#take(values - at);
    const last = values + littleEndian(this.#bytes, offsets + count * width, width);
    if (last > end) throw new VariantError("a variant's value is cut");
    const startOf = (index: number) => values + littleEndian(this.#bytes, offsets + index * width, width);
    return { startOf, end: last };
  }

  #primitive(type: number, at: number, end: number): void {
    if (type === BINARY || type === STRING) {
      this.#sized(type === STRING, at, end);
      return;
    }
    const primitive = FIXED[type];
    if (primitive === undefined) throw new VariantError(`a variant has a value of the unknown type ${type}`);
    const { size, write } = primitive;
    if (at + size > end) throw new VariantError("a variant's value is cut");
    this.#take(1 + size);
    write(this.#out, this.#view, at, this.#bytes);
  }

  #sized(isText: boolean, at: number, end: number): void {
    if (at + 4 > end) throw new VariantError("a variant's value is cut");
    const size = littleEndian(this.#bytes, at, 4);
    if (isText) {
      this.#text(at + 4, size, end);
      return;
    }
    if (at + 4 + size > end) throw new VariantError("a variant's value is cut");
    this.#take(5 + size);
    writeBase64(this.#out, this.#bytes, at + 4, at + 4 + size);
  }

  #text(at: number, size: number, end: number): void {
    if (at + size > end) throw new VariantError("a variant's value is cut");
    this.#take(1 + size);
    writeJsonString(this.#out, this.#bytes, at, at + size);
  }

  #take(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw new VariantError("values of a variant overlap");
  }
}

interface Fixed {
  readonly size: number;
  readonly write: (out: ByteWriter, view: DataView, at: number, bytes: Uint8Array) => void;
}

const [BINARY, STRING] = [15, 16];

/** The other primitive types, by their ids. */
const FIXED: Readonly<Record<number, Fixed>> = {
  0: { size: 0, write: (out) => out.ascii("null") },
  1: { size: 0, write: (out) => out.ascii("true") },
  2: { size: 0, write: (out) => out.ascii("false") },
  3: { size: 1, write: (out, view, at) => out.integer(view.getInt8(at)) },
  4: { size: 2, write: (out, view, at) => out.integer(view.getInt16(at, true)) },
  5: { size: 4, write: (out, view, at) => out.integer(view.getInt32(at, true)) },
  6: { size: 8, write: (out, view, at) => out.ascii(view.getBigInt64(at, true).toString()) },
  7: { size: 8, write: (out, view, at) => writeFloat(out, view.getFloat64(at, true), false) },
  8: { size: 5, write: (out, view, at) => decimal(out, view, at, BigInt(view.getInt32(at + 1, true))) },
  9: { size: 9, write: (out, view, at) => decimal(out, view, at, view.getBigInt64(at + 1, true)) },
  10: { size: 17, write: (out, view, at) => decimal(out, view, at, int128(view, at + 1)) },
  11: { size: 4, write: (out, view, at) => writeDate(out, view.getInt32(at, true)) },
  12: { size: 8, write: (out, view, at) => writeMicros(out, view.getBigInt64(at, true), "Z") },
  13: { size: 8, write: (out, view, at) => writeMicros(out, view.getBigInt64(at, true), "") },
  14: { size: 4, write: (out, view, at) => writeFloat(out, view.getFloat32(at, true), true) },
  17: { size: 8, write: (out, view, at) => writeTime(out, view.getBigInt64(at, true)) },
  18: { size: 8, write: (out, view, at) => writeNanos(out, view.getBigInt64(at, true), "Z") },
  19: { size: 8, write: (out, view, at) => writeNanos(out, view.getBigInt64(at, true), "") },
  20: { size: 16, write: (out, _, at, bytes) => writeUuid(out, bytes, at) },
};

const MAX_SCALE = 38;

/** The scale is the byte at `at`. */
function decimal(out: ByteWriter, view: DataView, at: number, unscaled: bigint): void {
  const scale = view.getUint8(at);
  if (scale > MAX_SCALE) throw new VariantError(`a variant's decimal has ${scale} digits behind the point`);
  writeDecimal(out, unscaled, scale);
}

function int128(view: DataView, at: number): bigint {
  return (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true);
}
