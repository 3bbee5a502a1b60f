import type { Data, RecordBatch } from "apache-arrow";
import { DeltaError } from "../errors.js";
import type { DataType, StructType } from "../schema/types.js";
import { type Place, placeOfField, placeOfItems } from "./badValue.js";
import { intersect, isValid, type Validity, validityOf } from "./bits.js";
import { offsetsOf } from "./column.js";

/**
 * Throws DELTA_NOT_NULL_CONSTRAINT_VIOLATED with row and column where a value that the schema wants is null: in a
 * non-nullable column, a field of a struct that is there, an element or value of a list or map that has no nulls, or a
 * map's key. The batch must be conformed to the schema; rows are counted from `firstRow`.
 */
export function checkNotNull(batch: RecordBatch, schema: StructType, firstRow: number): void {
  schema.fields.forEach((field, index) => {
    const place: Place = { column: field.name, rowOf: (row) => firstRow + row };
    checkColumn(batch.data.children[index], field.type, field.nullable, place, undefined);
  });
}

/** `parents` says which of the column's values are inside something that is there. */
function checkColumn(data: Data, type: DataType, nullable: boolean, place: Place, parents: Validity | undefined): void {
  const own = validityOf(data);
  if (!nullable && own !== undefined) {
    for (let i = 0; i < data.length; i++) if (!isValid(own, i) && isValid(parents, i)) throw isNull(place, i);
  }
  if (typeof type === "string") return;
  const present = intersect(own, parents, data.length);
  if (type.type === "struct") {
    type.fields.forEach((field, index) => {
      checkColumn(data.children[index], field.type, field.nullable, placeOfField(place, field.name), present);
    });
    return;
  }
  const offsets = (offsetsOf(data) as Int32Array).subarray(0, data.length + 1);
  const items = data.children[0].slice(offsets[0] ?? 0, (offsets[data.length] ?? 0) - (offsets[0] ?? 0));
  const starts = offsets.map((offset) => offset - offsets[0]);
  if (type.type === "array") {
    checkItems(items, type.elementType, type.containsNull, placeOfItems(place, "element", starts));
  } else {
    checkItems(items.children[0], type.keyType, false, placeOfItems(place, "key", starts));
    checkItems(items.children[1], type.valueType, type.valueContainsNull, placeOfItems(place, "value", starts));
  }
}

/** Items below a null list are no rows' values; our own builders and kernels leave none there. */
function checkItems(items: Data, type: DataType, nullable: boolean, place: Place): void {
  checkColumn(items, type, nullable, place, undefined);
}

function isNull(place: Place, index: number): DeltaError {
  const row = place.rowOf(index);
  return new DeltaError(
    "DELTA_NOT_NULL_CONSTRAINT_VIOLATED",
    `Row ${row} has no value in column "${place.column}", which allows no nulls.`,
    { row, column: place.column },
  );
}
