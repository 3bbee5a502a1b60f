import { type Data, type RecordBatch, Type } from "apache-arrow";
import { bitmapBytes } from "./bits.js";
import { offsetsOf } from "./column.js";

/** The bytes that the batch's own rows take in its buffers: a slice counts its part only. */
export function batchByteLength(batch: RecordBatch): number {
  return batch.data.children.reduce((sum, column) => sum + byteLengthOf(column), 0);
}

function byteLengthOf(data: Data): number {
  const { length } = data;
  if (data.typeId === Type.Null || length === 0) return 0;
  let bytes = data.nullCount > 0 ? bitmapBytes(length) : 0;
  if (data.typeId === Type.Struct || data.typeId === Type.FixedSizeList) {
    return data.children.reduce((sum, child) => sum + byteLengthOf(child), bytes);
  }
  if (data.typeId === Type.Bool) return bytes + bitmapBytes(length);
  const offsets = offsetsOf(data);
  if (offsets !== undefined && offsets.length > 0) {
    const start = Number(offsets[0]);
    const size = Number(offsets[length]) - start;
    bytes += (length + 1) * offsets.BYTES_PER_ELEMENT;
    return bytes + (data.children.length > 0 ? byteLengthOf(data.children[0].slice(start, size)) : size);
  }
  if (data.typeId === Type.Utf8View || data.typeId === Type.BinaryView) return bytes + 16 * length + viewBytes(data);
  const values = data.values as unknown as Uint8Array;
  return bytes + length * data.stride * values.BYTES_PER_ELEMENT;
}

/** Texts of up to 12 bytes stand in the views themselves. */
function viewBytes(data: Data): number {
  const views = data.values as unknown as Uint8Array;
  const words = new DataView(views.buffer, views.byteOffset, 16 * data.length);
  let bytes = 0;
  for (let i = 0; i < data.length; i++) {
    const size = words.getInt32(16 * i, true);
    if (size > 12) bytes += size;
  }
  return bytes;
}
