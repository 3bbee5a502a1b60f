import { type Data, Type } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { bitmapBytes, copyBits, setBits, type Validity, validityOf } from "./bits.js";
import { makeColumn, offsetsOf } from "./column.js";
import { keepShared, numbersOf, sameWidth } from "./takeValues.js";
import { unsupported } from "./unsupported.js";

/**
 * The values of all columns (at least one, of one type), one after the other. Throws DELTA_INVALID_ARGUMENT where text
 * would pass 2 GiB, and DELTA_INVALID_SCHEMA for unions, views and unlike dictionaries.
 */
export function concatValues(parts: readonly Data[]): Data {
  const [first] = parts;
  if (parts.length === 1) return first;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const validity = concatValidity(parts, length);
  switch (first.typeId) {
    case Type.Null:
      return makeColumn(first.type, length, undefined, {}, 0).clone(first.type, 0, length, length);
    case Type.Bool: {
      const values = new Uint8Array(bitmapBytes(length));
      let at = 0;
      for (const part of parts) {
        copyBits(part.values as unknown as Uint8Array, part.offset, values, at, part.length);
        at += part.length;
      }
      return makeColumn(first.type, length, validity, { values });
    }
    case Type.Utf8:
    case Type.Binary:
    case Type.LargeUtf8:
    case Type.LargeBinary: {
      const { offsets, ranges } = concatOffsets(parts, length);
      const values = new Uint8Array(ranges.reduce((sum, [start, end]) => sum + end - start, 0));
      let at = 0;
      parts.forEach((part, index) => {
        const bytes = (part.values as unknown as Uint8Array).subarray(...ranges[index]);
        values.set(bytes, at);
        at += bytes.length;
      });
      return makeColumn(first.type, length, validity, { values, offsets });
    }
    case Type.List:
    case Type.LargeList:
    case Type.Map: {
      const { offsets, ranges } = concatOffsets(parts, length);
      const items = parts.map((part, index) => {
        const [start, end] = ranges[index];
        return part.children[0].slice(start, end - start);
      });
      return makeColumn(first.type, length, validity, { offsets, children: [concatValues(items)] });
    }
    case Type.FixedSizeList:
    case Type.Struct: {
      const children = first.children.map((_, index) => concatValues(parts.map((part) => part.children[index])));
      return makeColumn(first.type, length, validity, { children });
    }
    case Type.Union:
    case Type.Utf8View:
    case Type.BinaryView:
      throw unsupported(first.type);
    default: {
      if (parts.some((part) => part.dictionary !== first.dictionary)) throw unsupported(first.type);
      const values = first.values as unknown as Int32Array;
      const out = new (values.constructor as Int32ArrayConstructor)(length * first.stride);
      let at = 0;
      for (const part of parts) {
        out.set((part.values as unknown as Int32Array).subarray(0, part.length * part.stride), at);
        at += part.length * part.stride;
      }
      return keepShared(makeColumn(first.type, length, validity, { values: out }), first);
    }
  }
}

function concatValidity(parts: readonly Data[], length: number): Validity | undefined {
  const validities = parts.map(validityOf);
  if (validities.every((validity) => validity === undefined)) return undefined;
  const bits = new Uint8Array(bitmapBytes(length));
  let at = 0;
  parts.forEach((part, index) => {
    const validity = validities[index];
    if (validity === undefined) setBits(bits, at, part.length);
    else copyBits(validity.bits, validity.offset, bits, at, part.length);
    at += part.length;
  });
  return { bits, offset: 0 };
}

function concatOffsets(parts: readonly Data[], length: number) {
  const offsets = new Int32Array(length + 1);
  const ranges: [number, number][] = [];
  let at = 0;
  let base = 0;
  for (const part of parts) {
    const from = numbersOf(offsetsOf(part));
    const start = from[0] ?? 0;
    const end = from[part.length] ?? start;
    if (base + end - start > 2_147_483_647) throw tooLarge();
    for (let i = 0; i < part.length; i++) offsets[++at] = base + from[i + 1] - start;
    ranges.push([start, end]);
    base += end - start;
  }
  return { offsets: sameWidth(offsets, offsetsOf(parts[0])), ranges };
}

function tooLarge(): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    "The batches hold more than 2 GiB of text in one column; join fewer of them.",
  );
}
