import { Data, Type } from "apache-arrow";
import { bitmapBytes, copyBits, isSet, type Validity, validityOf } from "./bits.js";
import { makeColumn, offsetsOf } from "./column.js";
import { unsupported } from "./unsupported.js";

/**
 * The values at `indices`. Dictionaries and the blocks behind string views are shared, all else is copied. Throws
 * DELTA_INVALID_SCHEMA for unions.
 */
export function takeValues(data: Data, indices: Uint32Array): Data {
  const validity = takeValidity(validityOf(data), indices);
  const length = indices.length;
  switch (data.typeId) {
    case Type.Null:
      return makeColumn(data.type, length, undefined, {}, 0).clone(data.type, 0, length, length);
    case Type.Bool: {
      const source: Validity = { bits: data.values as unknown as Uint8Array, offset: data.offset };
      return makeColumn(data.type, length, validity, { values: takeBits(source, indices) });
    }
    case Type.Utf8:
    case Type.Binary:
    case Type.LargeUtf8:
    case Type.LargeBinary:
      return makeColumn(data.type, length, validity, takeBytes(data, indices));
    case Type.List:
    case Type.LargeList:
    case Type.Map: {
      const { offsets, items } = takeLists(offsetsOf(data), indices);
      return makeColumn(data.type, length, validity, { offsets, children: [takeValues(data.children[0], items)] });
    }
    case Type.FixedSizeList: {
      const items = new Uint32Array(length * data.stride);
      for (let i = 0; i < items.length; i++) {
        const slot = Math.floor(i / data.stride);
        items[i] = indices[slot] * data.stride + (i - slot * data.stride);
      }
      return makeColumn(data.type, length, validity, { children: [takeValues(data.children[0], items)] });
    }
    case Type.Struct: {
      const children = data.children.map((child) => takeValues(child, indices));
      return makeColumn(data.type, length, validity, { children });
    }
    case Type.Union:
      throw unsupported(data.type);
    default: {
      const taken = makeColumn(data.type, length, validity, { values: takeFixed(data, indices) });
      return keepShared(taken, data);
    }
  }
}

/** Gives a column the dictionary or the string blocks of the one that its values come from. */
export function keepShared(column: Data, source: Data): Data {
  if (source.variadicBuffers.length > 0) {
    return new Data(column.type, 0, column.length, column.nullCount, column.buffers, [], undefined, [
      ...source.variadicBuffers,
    ]);
  }
  if (source.dictionary !== undefined) column.dictionary = source.dictionary;
  return column;
}

function takeValidity(validity: Validity | undefined, indices: Uint32Array): Validity | undefined {
  return validity && { bits: takeBits(validity, indices), offset: 0 };
}

function takeBits(source: Validity, indices: Uint32Array): Uint8Array {
  const bits = new Uint8Array(bitmapBytes(indices.length));
  for (let i = 0; i < indices.length; ) {
    const end = endOfRun(indices, i);
    const from = indices[i];
    if (end - i > SHORT_RUN) copyBits(source.bits, source.offset + from, bits, i, end - i);
    else for (let k = i; k < end; k++) if (isSet(source, indices[k])) bits[k >> 3] |= 1 << (k & 7);
    i = end;
  }
  return bits;
}

/** Up to this many values a loop is faster than a call for all of them. */
const SHORT_RUN = 8;

/** Where indices stop following each other one by one: rows that are kept mostly lie together. */
function endOfRun(indices: Uint32Array, start: number): number {
  const first = indices[start] - start;
  let end = start + 1;
  while (end < indices.length && indices[end] - end === first) end++;
  return end;
}

function takeFixed(data: Data, indices: Uint32Array): Int32Array {
  const values = data.values as unknown as Int32Array;
  const out = new (values.constructor as Int32ArrayConstructor)(indices.length * data.stride);
  const bytes = values.BYTES_PER_ELEMENT * data.stride;
  const isAligned = [bytes, values.byteOffset, values.byteLength].every((size) => size % 4 === 0);
  if (isAligned) takeUnits(words(values), words(out), bytes / 4, indices);
  else takeUnits(values, out, data.stride, indices);
  return out;
}

/** The same memory, four bytes at a time: of wider types each value would be an object of its own. */
function words({ buffer, byteOffset, byteLength }: Int32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

function takeUnits(values: Int32Array, out: Int32Array, units: number, indices: Uint32Array): void {
  for (let i = 0; i < indices.length; ) {
    const end = endOfRun(indices, i);
    const from = indices[i] * units;
    const [at, length] = [i * units, (end - i) * units];
    if (end - i > SHORT_RUN) out.set(values.subarray(from, from + length), at);
    else for (let k = 0; k < length; k++) out[at + k] = values[from + k];
    i = end;
  }
}

/** Up to this many bytes a loop is faster than `TypedArray.set`. */
const SHORT_BYTES = 32;

function takeBytes(data: Data, indices: Uint32Array): { values: Uint8Array; offsets: Int32Array | BigInt64Array } {
  const from = numbersOf(offsetsOf(data));
  const source = data.values as unknown as Uint8Array;
  const offsets = new Int32Array(indices.length + 1);
  let total = 0;
  for (let i = 0; i < indices.length; i++) {
    total += from[indices[i] + 1] - from[indices[i]];
    offsets[i + 1] = total;
  }
  const values = new Uint8Array(total);
  for (let i = 0, at = 0; i < indices.length; ) {
    const last = endOfRun(indices, i);
    const start = from[indices[i]];
    const end = from[indices[last - 1] + 1];
    if (end - start > SHORT_BYTES) {
      values.set(source.subarray(start, end), at);
      at += end - start;
    } else for (let k = start; k < end; k++) values[at++] = source[k];
    i = last;
  }
  return { values, offsets: sameWidth(offsets, offsetsOf(data)) };
}

function takeLists(source: Int32Array | BigInt64Array, indices: Uint32Array) {
  const from = numbersOf(source);
  const offsets = new Int32Array(indices.length + 1);
  for (let i = 0; i < indices.length; i++) {
    offsets[i + 1] = offsets[i] + from[indices[i] + 1] - from[indices[i]];
  }
  const items = new Uint32Array(offsets[indices.length]);
  for (let i = 0, at = 0; i < indices.length; i++) {
    for (let k = from[indices[i]]; k < from[indices[i] + 1]; k++) items[at++] = k;
  }
  return { offsets: sameWidth(offsets, source), items };
}

/** Offsets as numbers: themselves where they are 32 bits wide. */
export function numbersOf(offsets: Int32Array | BigInt64Array): Int32Array | Float64Array {
  return offsets instanceof Int32Array ? offsets : Float64Array.from(offsets, Number);
}

/** Offsets as wide as the type that they are for wants them. */
export function sameWidth(offsets: Int32Array, like: Int32Array | BigInt64Array): Int32Array | BigInt64Array {
  return like instanceof Int32Array ? offsets : BigInt64Array.from(offsets, BigInt);
}
