import type { RecordBatch } from "apache-arrow";
import { DeltaError } from "../../errors.js";
import type { StructType } from "../../schema/types.js";
import { holdsVariants } from "../../schema/variantBytes.js";
import { conformBatch } from "../conform.js";
import { VariantError } from "./error.js";

/**
 * Throws DELTA_VALUE_OUT_OF_RANGE (row, column) where bytes are no variant: nobody could read them. The batch has variants as bytes; rows
 * are counted from `firstRow`.
 */
export function checkVariants(batch: RecordBatch, schema: StructType, firstRow: number): void {
  for (const field of schema.fields) {
    if (!holdsVariants(field.type)) continue;
    const one: StructType = { type: "struct", fields: [field] };
    if (isSound(batch, one)) continue;
    // Found by halving.
    let [start, end] = [0, batch.numRows];
    while (end - start > 1) {
      const middle = (start + end) >> 1;
      if (isSound(batch.slice(start, middle), one)) start = middle;
      else end = middle;
    }
    const [row, column] = [firstRow + start, field.name];
    throw new DeltaError("DELTA_VALUE_OUT_OF_RANGE", `Row ${row}, column "${column}": the bytes are no variant.`, {
      row,
      column,
      type: "variant",
    });
  }
}

function isSound(batch: RecordBatch, schema: StructType): boolean {
  try {
    conformBatch(batch, schema);
    return true;
  } catch (error) {
    if (error instanceof VariantError) return false;
    throw error;
  }
}
