import { Data, Type } from "apache-arrow";
import { bitmapBytes, isSet, type Validity, validityOf } from "./bits.js";
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
  for (let i = 0; i < indices.length; i++) if (isSet(source, indices[i])) bits[i >> 3] |= 1 << (i & 7);
  return bits;
}

function takeFixed(data: Data, indices: Uint32Array): Int32Array {
  const values = data.values as unknown as Int32Array;
  const { stride } = data;
  const out = new (values.constructor as Int32ArrayConstructor)(indices.length * stride);
  if (stride === 1) for (let i = 0; i < indices.length; i++) out[i] = values[indices[i]];
  else {
    for (let i = 0, at = 0; i < indices.length; i++) {
      const from = indices[i] * stride;
      for (let k = 0; k < stride; k++) out[at++] = values[from + k];
    }
  }
  return out;
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
  for (let i = 0, at = 0; i < indices.length; i++) {
    const start = from[indices[i]];
    const end = from[indices[i] + 1];
    if (end - start > SHORT_BYTES) {
      values.set(source.subarray(start, end), at);
      at += end - start;
    } else for (let k = start; k < end; k++) values[at++] = source[k];
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
