import { Data, type DataType, type Field, RecordBatch, Schema, Struct, Type } from "apache-arrow";
import type { Validity } from "./bits.js";
import { bitmapBytes, copyBits, countUnset } from "./bits.js";

type NumberArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** What a column's buffers are, before they become an Arrow `Data`. */
export interface ColumnParts {
  readonly values?: NumberArray;
  readonly offsets?: Int32Array | BigInt64Array;
  readonly children?: readonly Data[];
}

/**
 * An Arrow column of `length` values over buffers that begin with its first value.
 * Arrow's own `makeData` copies nothing either, but types each column type apart, which generic kernels can't use.
 */
export function makeColumn(
  type: DataType,
  length: number,
  validity: Validity | undefined,
  parts: ColumnParts,
  nullCount = countUnset(validity, length),
): Data {
  const packed = nullCount === 0 ? NO_BITS : packBits(validity as Validity, length);
  const buffers = [parts.offsets, parts.values, packed] as unknown as Data["buffers"];
  return new Data(type, 0, length, nullCount, buffers, parts.children?.slice());
}

const NO_BITS = new Uint8Array(0);

/** The bitmap from its first bit on; the same bytes where it already begins there. */
function packBits(validity: Validity, length: number): Uint8Array {
  if (validity.offset === 0) return validity.bits;
  const bits = new Uint8Array(bitmapBytes(length));
  copyBits(validity.bits, validity.offset, bits, 0, length);
  return bits;
}

/** The same buffers under another type of the same layout (other field names or nullability, say). */
export function retype(data: Data, type: DataType, children: readonly Data[] = data.children): Data {
  return new Data(
    type,
    data.offset,
    data.length,
    data.nullCount,
    data,
    children.slice(),
    undefined,
    data.variadicBuffers,
  );
}

/** A batch of columns that all have `length` values. */
export function makeBatch(fields: readonly Field[], columns: readonly Data[], length: number): RecordBatch {
  const schema = new Schema(fields.slice());
  const rows = makeColumn(new Struct(fields.slice()), length, undefined, { children: columns });
  return new RecordBatch(schema, rows as Data<Struct>);
}

/** Where each value of a list, map, string or binary column begins, and one more: where the last one ends. */
export function offsetsOf(data: Data): Int32Array | BigInt64Array {
  return data.valueOffsets as unknown as Int32Array | BigInt64Array;
}

/** The column at `path`, from a top-level column into nested structs; undefined where there is none. */
export function columnAt(batch: RecordBatch, path: readonly string[]): readonly Data[] | undefined {
  const columns: Data[] = [];
  let fields: readonly Field[] = batch.schema.fields;
  let children: readonly Data[] = batch.data.children;
  for (const name of path) {
    const index = fields.findIndex((field) => field.name === name);
    if (index < 0) return undefined;
    const column = children[index];
    columns.push(column);
    fields = column.typeId === Type.Struct ? (column.type as Struct).children : [];
    children = column.children;
  }
  return columns;
}
