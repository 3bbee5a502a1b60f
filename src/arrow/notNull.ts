import type { Data, RecordBatch } from "apache-arrow";
import { DeltaError } from "../errors.js";
import type { DataType, StructType } from "../schema/types.js";
import { type Place, placeOfField, placeOfItems } from "./badValue.js";
import { bitmapBytes, intersect, isValid, setBits, type Validity, validityOf } from "./bits.js";
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
  const first = offsets[0] ?? 0;
  const items = data.children[0].slice(first, (offsets[data.length] ?? first) - first);
  const starts = offsets.map((offset) => offset - first);
  const itemsPresent = present && validityOfItems(present, starts);
  if (type.type === "array") {
    const elements = placeOfItems(place, "element", starts);
    checkColumn(items, type.elementType, type.containsNull, elements, itemsPresent);
  } else {
    const [keys, values] = items.children;
    checkColumn(keys, type.keyType, false, placeOfItems(place, "key", starts), itemsPresent);
    checkColumn(values, type.valueType, type.valueContainsNull, placeOfItems(place, "value", starts), itemsPresent);
  }
}

/** Arrow allows items below a null list; they are no row's values. */
function validityOfItems(lists: Validity, starts: Int32Array): Validity {
  const bits = new Uint8Array(bitmapBytes(starts[starts.length - 1]));
  for (let i = 0; i + 1 < starts.length; i++) {
    if (isValid(lists, i)) setBits(bits, starts[i], starts[i + 1] - starts[i]);
  }
  return { bits, offset: 0 };
}

function isNull(place: Place, index: number): DeltaError {
  const row = place.rowOf(index);
  return new DeltaError(
    "DELTA_NOT_NULL_CONSTRAINT_VIOLATED",
    `Row ${row} has no value in column "${place.column}", which allows no nulls.`,
    { row, column: place.column },
  );
}
