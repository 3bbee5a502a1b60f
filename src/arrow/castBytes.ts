import { type Data, type DataType, Type } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { isValid, validityOf } from "./bits.js";
import { makeColumn, offsetsOf, retype } from "./column.js";
import { numbersOf } from "./takeValues.js";

/**
 * A string or binary column of any layout (32 or 64-bit offsets, views, fixed size) as the plain one, `target`. Bytes are
 * copied only out of views. Throws DELTA_INVALID_ARGUMENT where they pass 2 GiB.
 */
export function plainBytes(data: Data, target: DataType): Data {
  switch (data.typeId) {
    case Type.Utf8:
    case Type.Binary:
      return retype(data, target);
    case Type.LargeUtf8:
    case Type.LargeBinary:
      return fromLarge(data, target);
    case Type.FixedSizeBinary: {
      const offsets = Int32Array.from({ length: data.length + 1 }, (_, index) => index * data.stride);
      const values = data.values as unknown as Uint8Array;
      return makeColumn(target, data.length, validityOf(data), { offsets, values }, data.nullCount);
    }
    default:
      return fromViews(data, target);
  }
}

function fromLarge(data: Data, target: DataType): Data {
  const from = numbersOf(offsetsOf(data));
  const start = from[0] ?? 0;
  const end = from[data.length] ?? start;
  if (end - start > 2_147_483_647) throw tooLarge();
  const offsets = new Int32Array(data.length + 1);
  for (let i = 1; i <= data.length; i++) offsets[i] = from[i] - start;
  const values = (data.values as unknown as Uint8Array).subarray(start, end);
  return makeColumn(target, data.length, validityOf(data), { offsets, values }, data.nullCount);
}

/** A view is 16 bytes: the length, then up to 12 bytes of text, or its first four, its block and where it begins there. */
function fromViews(data: Data, target: DataType): Data {
  const bytes = data.values as unknown as Uint8Array;
  const views = new DataView(bytes.buffer, bytes.byteOffset, 16 * data.length);
  const validity = validityOf(data);
  const offsets = new Int32Array(data.length + 1);
  let total = 0;
  for (let i = 0; i < data.length; i++) {
    if (isValid(validity, i)) total += views.getInt32(16 * i, true);
    if (total > 2_147_483_647) throw tooLarge();
    offsets[i + 1] = total;
  }
  const values = new Uint8Array(total);
  for (let i = 0; i < data.length; i++) {
    const size = offsets[i + 1] - offsets[i];
    if (size === 0) continue;
    const inline = size <= 12;
    const from = inline ? bytes : data.variadicBuffers[views.getInt32(16 * i + 8, true)];
    const start = inline ? 16 * i + 4 : views.getInt32(16 * i + 12, true);
    values.set(from.subarray(start, start + size), offsets[i]);
  }
  return makeColumn(target, data.length, validity, { offsets, values }, data.nullCount);
}

function tooLarge(): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    "A column of the batch holds more than 2 GiB of text or bytes; give smaller batches.",
  );
}
