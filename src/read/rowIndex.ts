import type { Data } from "apache-arrow";
import { makeColumn } from "../arrow/column.js";
import { toArrowType } from "../arrow/schema.js";
import type { StructField } from "../schema/types.js";

/** A row's place in its file, counted from 0 over all rows, removed ones too. It is told apart from a table's own column by identity. */
export const ROW_INDEX: StructField = { name: "_metadata.row_index", type: "long", nullable: false, metadata: {} };

const TWO_TO_32 = 2 ** 32;

/** The places of some rows, as a column. Its halves are written: a bigint a row takes five times as long. */
export function rowIndexes(length: number, placeOf: (row: number) => number): Data {
  const halves = new Uint32Array(2 * length);
  for (let row = 0; row < length; row++) {
    const place = placeOf(row);
    halves[2 * row] = place;
    halves[2 * row + 1] = place / TWO_TO_32;
  }
  return makeColumn(toArrowType("long"), length, undefined, { values: new BigInt64Array(halves.buffer) });
}

/** Reads the places of rows from such a column. */
export function rowIndexReader({ values, length }: Data): (row: number) => number {
  const { buffer, byteOffset } = values as BigInt64Array;
  const halves = new Uint32Array(buffer, byteOffset, 2 * length);
  return (row) => halves[2 * row]! + halves[2 * row + 1]! * TWO_TO_32;
}
