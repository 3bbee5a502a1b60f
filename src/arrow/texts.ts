import { isAscii, isUtf8 } from "node:buffer";
import type { Data, RecordBatch } from "apache-arrow";
import type { DataType, StructType } from "../schema/types.js";
import { badValue, type Place, placeOfField, placeOfItems } from "./badValue.js";
import { offsetsOf } from "./column.js";

/**
 * Throws DELTA_VALUE_OUT_OF_RANGE with row and column where a text isn't UTF-8: nobody could read the data file that it
 * would be in. The batch must be conformed to the schema; rows are counted from `firstRow`.
 */
export function checkTexts(batch: RecordBatch, schema: StructType, firstRow: number): void {
  schema.fields.forEach((field, index) => {
    checkColumn(batch.data.children[index], field.type, { column: field.name, rowOf: (row) => firstRow + row });
  });
}

function checkColumn(data: Data, type: DataType, place: Place): void {
  if (type === "string") checkText(data, place);
  if (typeof type === "string") return;
  if (type.type === "struct") {
    type.fields.forEach((field, index) => {
      checkColumn(data.children[index], field.type, placeOfField(place, field.name));
    });
    return;
  }
  const offsets = (offsetsOf(data) as Int32Array).subarray(0, data.length + 1);
  const first = offsets[0] ?? 0;
  const items = data.children[0].slice(first, (offsets[data.length] ?? first) - first);
  const starts = offsets.map((offset) => offset - first);
  if (type.type === "array") checkColumn(items, type.elementType, placeOfItems(place, "element", starts));
  else {
    checkColumn(items.children[0], type.keyType, placeOfItems(place, "key", starts));
    checkColumn(items.children[1], type.valueType, placeOfItems(place, "value", starts));
  }
}

function checkText(data: Data, place: Place): void {
  if (data.length === 0) return;
  const offsets = offsetsOf(data) as Int32Array;
  const bytes = data.values as unknown as Uint8Array;
  const all = bytes.subarray(offsets[0], offsets[data.length]);
  if (isAscii(all)) return;
  const isSound = isUtf8(all);
  for (let i = 0; i < data.length; i++) {
    const [start, end] = [offsets[i], offsets[i + 1]];
    // Texts are sound one by one where all together are, and none begins within a character.
    const isBad = isSound ? start < end && (bytes[start] & 0xc0) === 0x80 : !isUtf8(bytes.subarray(start, end));
    if (isBad) throw badValue(place, i, bytes.subarray(start, end), "string", "it isn't UTF-8");
  }
}
