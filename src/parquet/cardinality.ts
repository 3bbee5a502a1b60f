import { type Data, DataType, DateUnit, type RecordBatch } from "apache-arrow";

// A dictionary halves the speed of writing (100 ms against 25 for a million timestamps with 14,000 values); it pays
// where values repeat. This many values tell a thousand distinct ones from many thousands.
const SAMPLE_VALUES = 4096;
const MOSTLY_DISTINCT = 0.75;
/** Of a text, at either end. */
const HASHED_BYTES = 64;

/**
 * The top-level columns whose sampled values are mostly distinct, so that a dictionary would only cost time and space.
 * Nested columns aren't judged: the writer takes their properties as one.
 */
export function highCardinalityColumns(batches: readonly RecordBatch[]): string[] {
  const [first] = batches;
  if (first === undefined) return [];
  return first.schema.fields.filter((_, index) => isMostlyDistinct(batches, index)).map((field) => field.name);
}

function isMostlyDistinct(batches: readonly RecordBatch[], column: number): boolean {
  const rowCount = batches.reduce((sum, batch) => sum + batch.numRows, 0);
  // An odd step, so that a pattern of two, four … rows in the data doesn't pass for distinct or equal values.
  const step = Math.floor(rowCount / SAMPLE_VALUES) | 1;
  const distinct = new Set<number>();
  let sampled = 0;
  let row = 0;
  for (const batch of batches) {
    const data = batch.data.children[column]!;
    const keyOf = keyReader(data);
    if (keyOf === undefined) return false;
    for (; row < data.length; row += step) {
      if (data.nullable && !data.getValid(row)) continue;
      distinct.add(keyOf(row));
      sampled++;
    }
    row -= data.length;
  }
  return distinct.size > sampled * MOSTLY_DISTINCT;
}

/** A number that is the same for equal values, and hardly ever for others, by row; undefined for types where a dictionary is no question. */
function keyReader(data: Data): ((row: number) => number) | undefined {
  const { type, values } = data;
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const offsets: Int32Array = data.valueOffsets;
    const bytes = values as unknown as Uint8Array;
    return (row) => hashOf(bytes, offsets[row]!, offsets[row + 1]!);
  }
  if (values instanceof Float64Array || values instanceof Float32Array) return (row) => values[row]!;
  const words = wholeNumberWords(type);
  if (words === undefined) return undefined;
  const halves = new Int32Array(values.buffer, values.byteOffset, values.byteLength >> 2);
  if (words === 1) return (row) => halves[row]!;
  // Of decimals the lowest half of the digits: the highest hardly differ.
  return (row) => halves[row * words + 1]! * 0x1_0000_0000 + (halves[row * words]! >>> 0);
}

/** 53 bits of FNV-1a over the ends, which tell long texts apart well enough. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let low = end - start;
  let high = 0x811c9dc5;
  const from = Math.max(start, end - HASHED_BYTES);
  for (let i = start; i < Math.min(from, start + HASHED_BYTES); i++) low = Math.imul(low ^ bytes[i]!, 0x01000193);
  for (let i = from; i < end; i++) {
    low = Math.imul(low ^ bytes[i]!, 0x01000193);
    high = Math.imul(high ^ low, 0x85ebca6b);
  }
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0);
}

/** 32-bit words of a value. */
function wholeNumberWords(type: DataType): number | undefined {
  if (DataType.isDecimal(type)) return type.bitWidth / 32;
  if (DataType.isTimestamp(type)) return 2;
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? 1 : 2;
  return DataType.isInt(type) && type.bitWidth >= 32 ? type.bitWidth / 32 : undefined;
}
