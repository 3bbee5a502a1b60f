import type { RecordBatch } from "apache-arrow";
import { DeltaError } from "../errors.js";
import type { StructType } from "../schema/types.js";
import { withVariantBytes } from "../schema/variantBytes.js";
import type { Place } from "./badValue.js";
import { buildColumn } from "./buildColumn.js";
import { makeBatch } from "./column.js";
import { checkNotNull } from "./notNull.js";
import { checkKeys, isRecord, pickColumns } from "./rowShape.js";
import { toArrowField } from "./schema.js";

/**
 * The rows as one Arrow batch, columns in the schema's order, variants as their bytes. A row's columns are its own properties and those that its
 * class defines (getters), looked up by their exact names; null, undefined and missing ones are null.
 *
 * `firstRow` is the number of rows before these, so that errors name the row of the input. Throws
 * DELTA_VALUE_OUT_OF_RANGE (row, column, value, type), DELTA_NOT_NULL_CONSTRAINT_VIOLATED (row, column),
 * DELTA_SCHEMA_MISMATCH (row, columns) where a row has keys that the schema lacks, and DELTA_INVALID_ARGUMENT (row)
 * where a row is no object.
 */
export function buildBatch(schema: StructType, rows: readonly object[], firstRow: number): RecordBatch {
  const rowOf = (index: number) => firstRow + index;
  const notARow = rows.findIndex((row) => !isRecord(row));
  if (notARow >= 0) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `Row ${rowOf(notARow)} is no object with columns as its keys.`, {
      row: rowOf(notARow),
      value: rows[notARow],
    });
  }
  checkKeys(schema, rows, { column: "", rowOf }, "");
  const values = pickColumns(schema, rows);
  const stored = withVariantBytes(schema);
  const columns = stored.fields.map((field, index) => {
    const place: Place = { column: field.name, rowOf };
    return buildColumn(field.type, values[index], place);
  });
  const batch = makeBatch(stored.fields.map(toArrowField), columns, rows.length);
  checkNotNull(batch, schema, firstRow);
  return batch;
}
