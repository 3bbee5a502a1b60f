import type { Data } from "apache-arrow";
import { makeColumn } from "../arrow/column.js";
import { toArrowType } from "../arrow/schema.js";
import type { StructField } from "../schema/types.js";

/** A row's place in its file, counted from 0 over all rows, removed ones too. It is told apart from a table's own column by identity. */
export const ROW_INDEX: StructField = { name: "_metadata.row_index", type: "long", nullable: false, metadata: {} };

/** The places of some rows, as a column. */
export function rowIndexes(length: number, placeOf: (row: number) => number): Data {
  const values = new BigInt64Array(length);
  for (let row = 0; row < length; row++) values[row] = BigInt(placeOf(row));
  return makeColumn(toArrowType("long"), length, undefined, { values });
}
