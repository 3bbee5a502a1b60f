import { type Data, DataType, DateUnit, type RecordBatch } from "apache-arrow";

// A dictionary halves the speed of writing (100 ms against 25 for a million timestamps with 14,000 values); it pays
// where values repeat. This many values tell a thousand distinct ones from many thousands.
const SAMPLE_VALUES = 4096;
const MOSTLY_DISTINCT = 0.75;

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
  const distinct = new Set<string | number>();
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

/** Something equal for equal values, by row; undefined for types where a dictionary is no question. */
function keyReader(data: Data): ((row: number) => string | number) | undefined {
  const { type, values } = data;
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const offsets: Int32Array = data.valueOffsets;
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    return (row) => bytes.toString("latin1", offsets[row]!, offsets[row + 1]!);
  }
  if (values instanceof Float64Array || values instanceof Float32Array) return (row) => values[row]!;
  const width = DataType.isDecimal(type) ? type.bitWidth / 8 : wholeNumberWidth(type);
  if (width === undefined) return undefined;
  if (values instanceof Int32Array && width === 4) return (row) => values[row]!;
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return (row) => bytes.toString("latin1", row * width, (row + 1) * width);
}

function wholeNumberWidth(type: DataType): number | undefined {
  if (DataType.isTimestamp(type)) return 8;
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? 4 : 8;
  return DataType.isInt(type) && type.bitWidth >= 32 ? type.bitWidth / 8 : undefined;
}
