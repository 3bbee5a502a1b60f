import type { Data, RecordBatch } from "apache-arrow";
import { offsetsOf } from "../arrow/column.js";

export const NO_VALUES: ReadonlyMap<string, string | null> = new Map();

/** Reads a map<utf8, utf8> column of a batch, a row at a time. */
export function mapReader(batch: RecordBatch, column: string): (row: number) => ReadonlyMap<string, string | null> {
  const index = batch.schema.fields.findIndex((field) => field.name === column);
  if (index < 0) return () => NO_VALUES;
  return mapsOf(batch.data.children[index]);
}

/** The same for a column alone. */
export function mapsOf(map: Data): (row: number) => ReadonlyMap<string, string | null> {
  const entries = map.children[0];
  const keys = textReader(entries.children[0]);
  const values = textReader(entries.children[1]);
  return (row) => {
    const result = new Map<string, string | null>();
    if (!map.getValid(row)) return result;
    for (let i = map.valueOffsets[row]; i < map.valueOffsets[row + 1]; i++) result.set(keys(i)!, values(i));
    return result;
  };
}

/** Arrow's own way to read a text would take a byte order mark at its begin away. */
function textReader(data: Data): (index: number) => string | null {
  const offsets = offsetsOf(data) as Int32Array;
  const { buffer, byteOffset, byteLength } = data.values as Uint8Array;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return (index) => (data.getValid(index) ? bytes.toString("utf8", offsets[index], offsets[index + 1]) : null);
}
