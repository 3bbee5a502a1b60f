import { type Data, type DataType, type FixedSizeList, type RecordBatch, Type } from "apache-arrow";
import { bitmapBytes } from "./bits.js";
import { offsetsOf } from "./column.js";

const FIXED_WIDTH: ReadonlySet<Type> = new Set([
  ...[Type.Int, Type.Float, Type.Decimal, Type.Date, Type.Time, Type.Timestamp, Type.Duration, Type.FixedSizeBinary],
]);
const BYTES: ReadonlySet<Type> = new Set([Type.Utf8, Type.LargeUtf8, Type.Binary, Type.LargeBinary]);
const VIEWS: ReadonlySet<Type> = new Set([Type.Utf8View, Type.BinaryView]);
const LISTS: ReadonlySet<Type> = new Set([Type.List, Type.LargeList, Type.Map]);

const VIEW_BYTES = 16;
/** A view's value that is no longer stands in the view itself. */
const INLINE_BYTES = 12;

/**
 * Throws a RangeError where a batch that another program wrote says more than its buffers hold: the kernels trust
 * offsets, lengths and indices.
 */
export function checkLayout(batch: RecordBatch): void {
  for (const [index, column] of batch.data.children.entries()) {
    if (column.length !== batch.numRows) wrong(`column ${index} has ${column.length} of ${batch.numRows} rows`);
    checkColumn(column);
  }
}

function checkColumn(data: Data): void {
  const { typeId, length, nullCount } = data;
  if (!(nullCount >= 0 && nullCount <= length)) wrong(`a column has ${nullCount} nulls in ${length} rows`);
  if (nullCount > 0 && typeId !== Type.Null) atLeast(data.nullBitmap, bitmapBytes(length));
  if (FIXED_WIDTH.has(typeId)) atLeast(data.values, length * data.stride);
  else if (typeId === Type.Bool) atLeast(data.values, bitmapBytes(length));
  else if (BYTES.has(typeId)) checkOffsets(data, bytesOf(data).length);
  else if (LISTS.has(typeId)) checkOffsets(data, childOf(data).length);
  else if (VIEWS.has(typeId)) checkViews(data);
  else if (typeId === Type.Struct) for (const child of data.children) checkLength(child, length);
  else if (typeId === Type.FixedSizeList) checkLength(childOf(data), length * (data.type as FixedSizeList).listSize);
  else if (typeId === Type.Dictionary) checkIndices(data);
  for (const child of data.children) checkColumn(child);
}

function checkOffsets(data: Data, size: number): void {
  const offsets = offsetsOf(data);
  if (data.length === 0) return;
  atLeast(offsets, data.length + 1);
  let before = 0;
  for (let i = 0; i <= data.length; i++) {
    const offset = Number(offsets[i]);
    if (offset < before || offset > size) wrong("a value lies outside of its column");
    before = offset;
  }
}

function checkViews(data: Data): void {
  const views = bytesOf(data);
  atLeast(views, data.length * VIEW_BYTES);
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength);
  for (let i = 0; i < data.length; i++) {
    if (!data.getValid(i)) continue;
    const size = view.getInt32(i * VIEW_BYTES, true);
    if (size < 0) wrong("a value has a negative length");
    if (size <= INLINE_BYTES) continue;
    const buffer = data.variadicBuffers[view.getInt32(i * VIEW_BYTES + 8, true)];
    const start = view.getInt32(i * VIEW_BYTES + 12, true);
    if (buffer === undefined || start < 0 || start + size > buffer.length) wrong("a value lies outside of its column");
  }
}

function checkIndices(data: Data): void {
  atLeast(data.values, data.length);
  const { dictionary } = data;
  const indices = data.values as unknown as ArrayLike<number | bigint>;
  for (let i = 0; i < data.length; i++) {
    if (!data.getValid(i)) continue;
    const index = Number(indices[i]);
    if (!(index >= 0 && index < (dictionary?.length ?? 0))) wrong("an index lies outside of its dictionary");
  }
  for (const part of dictionary?.data ?? []) checkColumn(part);
}

function childOf(data: Data): Data {
  return data.children[0] ?? wrong("a list has no items");
}

function bytesOf(data: Data): Uint8Array {
  return (data.values as unknown as Uint8Array | undefined) ?? new Uint8Array(0);
}

function checkLength(data: Data<DataType>, count: number): void {
  if (data.length < count) wrong(`a column has ${data.length} of ${count} values`);
}

function atLeast(buffer: ArrayLike<unknown> | undefined, count: number): void {
  if ((buffer?.length ?? 0) < count) wrong(`a column has ${buffer?.length ?? 0} of ${count} values`);
}

function wrong(what: string): never {
  throw new RangeError(what);
}
