import { Buffer } from "node:buffer";
import type { ExactDecimal } from "../../schema/decimal.js";
import { compareBytes } from "../bytes.js";
import { VariantError } from "./error.js";

/** Ids of primitive types (parquet-format, VariantEncoding.md, Value encoding). */
export const PRIMITIVE = {
  null: 0,
  true: 1,
  false: 2,
  int8: 3,
  int16: 4,
  int32: 5,
  int64: 6,
  double: 7,
  decimal4: 8,
  decimal8: 9,
  decimal16: 10,
  date: 11,
  timestamp: 12,
  timestampNtz: 13,
  float: 14,
  binary: 15,
  string: 16,
  time: 17,
  timestampNanos: 18,
  timestampNtzNanos: 19,
  uuid: 20,
} as const;

const [SHORT_STRING, OBJECT, ARRAY] = [1, 2, 3];
const VERSION = 1;
const MAX_SHORT_STRING = 63;
/** What Spark 4.0 reads at most, of a value as of its names. */
const MAX_BYTES = 16 * 1024 * 1024;
/** What later releases of Spark write at most. Few bytes that overlap could stand for endlessly many. */
const MAX_KNOWN_BYTES = 8 * MAX_BYTES;
const MAX_DIGITS = 38;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** A member of an object: the id of its name, and where its value begins behind the object's start. */
export interface WrittenMember {
  readonly id: number;
  readonly offset: number;
}

/**
 * Writes variants' binary form, one after the other (parquet-format, VariantEncoding.md). An array or object is written as its values,
 * which it is then wrapped around.
 */
export class VariantWriter {
  #bytes = Buffer.allocUnsafe(256);
  #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  #length = 0;
  #start = 0;
  readonly #ids = new Map<string, number>();
  readonly #names: Buffer[] = [];

  /** Bytes written so far, of all values. */
  get length(): number {
    return this.#length;
  }

  /** Begins a variant, whose names are its own; it knows some already. */
  begin(names: readonly Buffer[] = []): void {
    this.#start = this.#length;
    this.#ids.clear();
    this.#names.length = 0;
    for (const [id, name] of names.entries()) {
      const key = name.toString("latin1");
      // Of a name that is there twice, the first one counts.
      if (!this.#ids.has(key)) this.#ids.set(key, id);
      this.#names.push(name);
    }
  }

  /**
   * The names of the variant that was written: its metadata. Throws a {@link VariantError} where it is larger than what others read, unless
   * one of them wrote it.
   */
  end(isKnown = false): Uint8Array {
    const most = isKnown ? MAX_KNOWN_BYTES : MAX_BYTES;
    const metadata = namesBytes(this.#names);
    if (Math.max(this.#length - this.#start, metadata.length) > most) throw tooLarge();
    return metadata;
  }

  /** The id of a name in the variant. */
  nameId(name: string): number {
    if (LONE_SURROGATE.test(name)) throw new VariantError("a name has half of a surrogate pair");
    return this.idOf(Buffer.from(name));
  }

  idOf(name: Buffer): number {
    const key = name.toString("latin1");
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#names.push(name) - 1;
    this.#ids.set(key, id);
    return id;
  }

  /** All bytes written; the writer is of no use afterwards. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  null(): void {
    this.#header(PRIMITIVE.null, 0);
  }

  boolean(value: boolean): void {
    this.#header(value ? PRIMITIVE.true : PRIMITIVE.false, 0);
  }

  /** An integer in the smallest type that holds it, beyond 64 bits a decimal; false, and nothing is written, where none does. */
  integer(value: bigint): boolean {
    if (value === BigInt.asIntN(8, value)) this.int8(Number(value));
    else if (value === BigInt.asIntN(16, value)) this.int16(Number(value));
    else if (value === BigInt.asIntN(32, value)) this.int32(PRIMITIVE.int32, Number(value));
    else if (value === BigInt.asIntN(64, value)) this.int64(PRIMITIVE.int64, value);
    else return this.decimal({ unscaled: value, scale: 0 });
    return true;
  }

  int8(value: number): void {
    const at = this.#header(PRIMITIVE.int8, 1);
    this.#view.setInt8(at, value);
  }

  int16(value: number): void {
    const at = this.#header(PRIMITIVE.int16, 2);
    this.#view.setInt16(at, value, true);
  }

  /** A primitive of 32 bits: an integer or a date. */
  int32(type: number, value: number): void {
    const at = this.#header(type, 4);
    this.#view.setInt32(at, value, true);
  }

  /** A primitive of 64 bits: an integer or a time. */
  int64(type: number, value: bigint): void {
    const at = this.#header(type, 8);
    this.#view.setBigInt64(at, value, true);
  }

  float(value: number): void {
    const at = this.#header(PRIMITIVE.float, 4);
    this.#view.setFloat32(at, value, true);
  }

  double(value: number): void {
    const at = this.#header(PRIMITIVE.double, 8);
    this.#view.setFloat64(at, value, true);
  }

  /** In the smallest decimal type that holds it; false, and nothing is written, where none does. */
  decimal(value: ExactDecimal): boolean {
    const digits = Math.max((value.unscaled < 0n ? -value.unscaled : value.unscaled).toString().length, value.scale);
    if (digits > MAX_DIGITS) return false;
    this.decimalOf(digits, value);
    return true;
  }

  /** As a type of so many digits has it. */
  decimalOf(digits: number, { unscaled, scale }: ExactDecimal): void {
    const [type, size] =
      digits <= 9 ? [PRIMITIVE.decimal4, 4] : digits <= 18 ? [PRIMITIVE.decimal8, 8] : [PRIMITIVE.decimal16, 16];
    const at = this.#header(type, 1 + size);
    this.#view.setUint8(at, scale);
    if (size === 4) this.#view.setInt32(at + 1, Number(unscaled), true);
    else this.#view.setBigInt64(at + 1, BigInt.asIntN(64, unscaled), true);
    if (size === 16) this.#view.setBigInt64(at + 9, unscaled >> 64n, true);
  }

  text(text: string): void {
    if (LONE_SURROGATE.test(text)) throw new VariantError("it has half of a surrogate pair");
    const size = Buffer.byteLength(text);
    const at = this.#textHeader(size);
    this.#bytes.write(text, at);
  }

  /** UTF-8. */
  textBytes(bytes: Uint8Array): void {
    const at = this.#textHeader(bytes.length);
    this.#bytes.set(bytes, at);
  }

  binary(bytes: Uint8Array): void {
    const at = this.#header(PRIMITIVE.binary, 4 + bytes.length);
    this.#view.setUint32(at, bytes.length, true);
    this.#bytes.set(bytes, at + 4);
  }

  uuid(bytes: Uint8Array): void {
    const at = this.#header(PRIMITIVE.uuid, 16);
    this.#bytes.set(bytes, at);
  }

  /** A value that is encoded already, by the same names. */
  encoded(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Makes an object of what was written from `start` on. Throws a {@link VariantError} where two members have one name. */
  wrapObject(start: number, members: readonly WrittenMember[]): void {
    const names = this.#names;
    const sorted = [...members].sort((a, b) => compareNames(names[a.id]!, names[b.id]!));
    for (let i = 1; i < sorted.length; i++) {
      const name = names[sorted[i]!.id]!;
      if (name.equals(names[sorted[i - 1]!.id]!)) throw new VariantError(`it has the name ${name} twice`);
    }
    const size = this.#length - start;
    const [idWidth, width] = [widthOf(sorted.reduce((most, { id }) => Math.max(most, id), 0)), widthOf(size)];
    const isLarge = sorted.length > 0xff ? 1 : 0;
    const header = OBJECT | (((isLarge << 4) | ((idWidth - 1) << 2) | (width - 1)) << 2);
    let at = this.#wrap(start, header, isLarge, sorted.length, sorted.length * idWidth + (sorted.length + 1) * width);
    for (const { id } of sorted) at = this.#bytes.writeUIntLE(id, at, idWidth);
    for (const { offset } of sorted) at = this.#bytes.writeUIntLE(offset, at, width);
    this.#bytes.writeUIntLE(size, at, width);
  }

  /** Makes an array of what was written from `start` on; `offsets` is where its items begin behind it. */
  wrapArray(start: number, offsets: readonly number[]): void {
    const size = this.#length - start;
    const width = widthOf(size);
    const isLarge = offsets.length > 0xff ? 1 : 0;
    const header = ARRAY | (((isLarge << 2) | (width - 1)) << 2);
    let at = this.#wrap(start, header, isLarge, offsets.length, (offsets.length + 1) * width);
    for (const offset of offsets) at = this.#bytes.writeUIntLE(offset, at, width);
    this.#bytes.writeUIntLE(size, at, width);
  }

  /** Puts a header with room for `rest` bytes before what was written from `start` on; where that room is. */
  #wrap(start: number, header: number, isLarge: number, count: number, rest: number): number {
    const countWidth = isLarge === 1 ? 4 : 1;
    const size = 1 + countWidth + rest;
    const end = this.#length;
    this.#reserve(size);
    this.#bytes.copyWithin(start + size, start, end);
    this.#bytes[start] = header;
    return this.#bytes.writeUIntLE(count, start + 1, countWidth);
  }

  #textHeader(size: number): number {
    if (size <= MAX_SHORT_STRING) {
      const at = this.#reserve(1 + size);
      this.#bytes[at] = SHORT_STRING | (size << 2);
      return at + 1;
    }
    const at = this.#header(PRIMITIVE.string, 4 + size);
    this.#view.setUint32(at, size, true);
    return at + 4;
  }

  /** Where the value's `size` bytes are to go. */
  #header(type: number, size: number): number {
    const at = this.#reserve(1 + size);
    this.#bytes[at] = type << 2;
    return at + 1;
  }

  #reserve(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed - this.#start > MAX_KNOWN_BYTES) throw tooLarge();
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer, larger.byteOffset, larger.byteLength);
    }
    this.#length = needed;
    return at;
  }
}

/** Metadata of these names, in this order. */
function namesBytes(names: readonly Buffer[]): Uint8Array {
  const size = names.reduce((sum, { length }) => sum + length, 0);
  const width = widthOf(Math.max(size, names.length));
  const out = Buffer.allocUnsafe(1 + width * (names.length + 2) + size);
  out[0] = VERSION | ((width - 1) << 6);
  let at = out.writeUIntLE(names.length, 1, width);
  let offset = 0;
  for (const name of names) {
    at = out.writeUIntLE(offset, at, width);
    offset += name.length;
  }
  at = out.writeUIntLE(offset, at, width);
  for (const name of names) at += name.copy(out, at);
  return out;
}

/** Bytes that an unsigned integer takes. */
function widthOf(value: number): number {
  if (value <= 0xff) return 1;
  if (value <= 0xffff) return 2;
  return value <= 0xffffff ? 3 : 4;
}

function compareNames(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length);
}

function tooLarge(): VariantError {
  return new VariantError("it takes more than 16 MiB, which is more than others read");
}
