import { VariantError } from "./error.js";
import { littleEndian } from "./names.js";

/** A member of an object: the id of its name, and its value's bytes. */
export interface EncodedMember {
  readonly id: number;
  readonly value: Uint8Array;
}

const [PRIMITIVE, SHORT_STRING, OBJECT] = [0, 1, 2];
const [BINARY, STRING] = [15, 16];

/** Bytes behind the header of the other primitive types, by their ids. */
const SIZES = [0, 0, 0, 1, 2, 4, 8, 8, 5, 9, 17, 4, 8, 8, 4, 0, 0, 8, 8, 8, 16];

/** The members of an encoded object. Throws a {@link VariantError} where the bytes are none. */
export function membersOf(object: Uint8Array): EncodedMember[] {
  if (object.length === 0 || (object[0]! & 3) !== OBJECT) throw new VariantError("a variant's object is none");
  const { count, ids, idWidth, offsets, width, values } = objectAt(object, 0);
  return Array.from({ length: count }, (_, i) => {
    const start = values + littleEndian(object, offsets + i * width, width);
    const end = start + sizeAt(object, start);
    if (end > object.length) throw cut();
    return { id: littleEndian(object, ids + i * idWidth, idWidth), value: object.subarray(start, end) };
  });
}

/** Bytes that the value at `at` takes. */
function sizeAt(bytes: Uint8Array, at: number): number {
  const header = bytes[at];
  if (header === undefined) throw cut();
  switch (header & 3) {
    case PRIMITIVE: {
      const type = header >> 2;
      if (type === BINARY || type === STRING) return 5 + numberAt(bytes, at + 1, 4);
      const size = SIZES[type];
      if (size === undefined) throw new VariantError(`a variant has a value of the unknown type ${type}`);
      return 1 + size;
    }
    case SHORT_STRING:
      return 1 + (header >> 2);
    case OBJECT: {
      const { count, offsets, width, values } = objectAt(bytes, at);
      return values + numberAt(bytes, offsets + count * width, width) - at;
    }
    default: {
      const isLarge = ((header >> 4) & 1) === 1;
      const width = ((header >> 2) & 3) + 1;
      const count = numberAt(bytes, at + 1, isLarge ? 4 : 1);
      const offsets = at + 1 + (isLarge ? 4 : 1);
      return offsets + (count + 1) * width + numberAt(bytes, offsets + count * width, width) - at;
    }
  }
}

function objectAt(bytes: Uint8Array, at: number) {
  const header = bytes[at]! >> 2;
  const [width, idWidth] = [(header & 3) + 1, ((header >> 2) & 3) + 1];
  const countWidth = ((header >> 4) & 1) === 1 ? 4 : 1;
  const count = numberAt(bytes, at + 1, countWidth);
  const ids = at + 1 + countWidth;
  const offsets = ids + count * idWidth;
  const values = offsets + (count + 1) * width;
  if (values > bytes.length) throw cut();
  return { count, ids, idWidth, offsets, width, values };
}

function numberAt(bytes: Uint8Array, at: number, width: number): number {
  if (at + width > bytes.length) throw cut();
  return littleEndian(bytes, at, width);
}

function cut(): VariantError {
  return new VariantError("a variant's value is cut");
}
