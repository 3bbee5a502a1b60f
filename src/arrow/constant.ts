import { type DataType as ArrowType, type Data, type Field, Type } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";
import { parseDecimalType } from "../schema/decimal.js";
import type { Literal } from "../schema/predicate.js";
import type { DataType } from "../schema/types.js";
import { allSet, bitmapBytes } from "./bits.js";
import { storeInt128 } from "./buildNumbers.js";
import { makeColumn } from "./column.js";
import { toArrowType } from "./schema.js";

/**
 * A column that has one value `length` times, null included: a partition column's. `value` is in the column's own domain
 * (see {@link Literal}). No dictionary is used; the buffers are filled at the speed of memory.
 * Throws DELTA_LIMIT_EXCEEDED where the column's text would pass `MAX_CONSTANT_COLUMN_BYTES`.
 */
export function constantVector(type: DataType, value: Literal | null, length: number): Data {
  const arrowType = toArrowType(type);
  if (value === null) return nullColumn(arrowType, length);
  if (typeof value === "string" || value instanceof Uint8Array) {
    return repeatBytes(arrowType, typeof value === "string" ? Buffer.from(value) : value, length);
  }
  if (typeof value === "boolean") {
    const values = value ? allSet(length) : new Uint8Array(bitmapBytes(length));
    return makeColumn(arrowType, length, undefined, { values });
  }
  if (typeof type === "string" && parseDecimalType(type)) {
    const quads = new BigUint64Array(2 * length);
    if (length > 0) storeInt128(quads, 0, BigInt(value));
    return makeColumn(arrowType, length, undefined, { values: new Uint32Array(repeatFirst(quads, 2).buffer) });
  }
  if (typeof value === "bigint") {
    return makeColumn(arrowType, length, undefined, { values: new BigInt64Array(length).fill(value) });
  }
  const values = new (arrowType.ArrayType as Float64ArrayConstructor)(length).fill(value);
  return makeColumn(arrowType, length, undefined, { values });
}

function repeatBytes(type: ArrowType, value: Uint8Array, length: number): Data {
  const { MAX_CONSTANT_COLUMN_BYTES } = limits;
  if (value.length * length > MAX_CONSTANT_COLUMN_BYTES) {
    throw new DeltaError(
      "DELTA_LIMIT_EXCEEDED",
      `A partition value of ${value.length} bytes, repeated for ${length} rows, passes ${MAX_CONSTANT_COLUMN_BYTES} bytes. Read the table without its column.`,
      { limit: "MAX_CONSTANT_COLUMN_BYTES", value: value.length * length },
    );
  }
  const offsets = new Int32Array(length + 1);
  for (let i = 1; i <= length; i++) offsets[i] = i * value.length;
  const values = new Uint8Array(value.length * length);
  if (length > 0) values.set(value);
  return makeColumn(type, length, undefined, { offsets, values: repeatFirst(values, value.length) });
}

/** Fills an array with its first `count` items, doubling what is there. */
function repeatFirst<A extends Uint8Array | BigUint64Array>(array: A, count: number): A {
  for (let done = count; done > 0 && done < array.length; done *= 2) array.copyWithin(done, 0, done);
  return array;
}

/** A column of nulls, of any type that batches of a Delta schema have. */
export function nullColumn(type: ArrowType, length: number): Data {
  const validity = { bits: new Uint8Array(bitmapBytes(length)), offset: 0 };
  const children = (type.children as readonly Field[] | null) ?? [];
  if (type.typeId === Type.Null) return makeColumn(type, length, undefined, {}).clone(type, 0, length, length);
  if (type.typeId === Type.Struct) {
    const columns = children.map((child) => nullColumn(child.type, length));
    return makeColumn(type, length, validity, { children: columns }, length);
  }
  const offsets = new Int32Array(length + 1);
  if (type.typeId === Type.List || type.typeId === Type.Map) {
    const items = children.map((child) => nullColumn(child.type, 0));
    return makeColumn(type, length, validity, { offsets, children: items }, length);
  }
  if (type.typeId === Type.Utf8 || type.typeId === Type.Binary) {
    return makeColumn(type, length, validity, { offsets, values: new Uint8Array(0) }, length);
  }
  const stride = type.typeId === Type.Decimal ? 4 : 1;
  const size = type.typeId === Type.Bool ? bitmapBytes(length) : length * stride;
  const values = new (type.ArrayType as Uint8ArrayConstructor)(size);
  return makeColumn(type, length, validity, { values }, length);
}
