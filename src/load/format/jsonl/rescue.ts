import { buildColumn } from "../../../arrow/buildColumn.js";
import { DeltaError } from "../../../errors.js";
import type { StructField, StructType } from "../../../schema/types.js";
import { jsonOfEntries, jsonText } from "./jsonText.js";
import { jsonConverter } from "./jsonValues.js";

/**
 * A row with those of an object's values that fit their columns, and the JSON of all others in the column `rescued`. `parse` gives the object
 * anew at each call, since converting changes it.
 */
export function rescueRow(
  parse: () => Record<string, unknown>,
  schema: StructType,
  rescued: string,
): Record<string, unknown> {
  const found = parse();
  const shown = parse();
  const row: [string, unknown][] = [];
  const others: [string, unknown][] = [];
  for (const [name, value] of Object.entries(found)) {
    const field = schema.fields.find((each) => each.name === name && name !== rescued);
    const taken = field && fitting(field, value);
    if (taken === undefined) others.push([name, shown[name]]);
    else row.push([name, taken.value]);
  }
  if (others.length > 0) row.push([rescued, jsonOfEntries(others)]);
  return Object.fromEntries(row);
}

function fitting(field: StructField, value: unknown): { readonly value: unknown } | undefined {
  try {
    const converted = jsonConverter(field.type, field.name, jsonText)(value);
    buildColumn(field.type, [converted], { column: field.name, rowOf: () => 0 });
    return { value: converted };
  } catch (error) {
    if (error instanceof DeltaError) return undefined;
    throw error;
  }
}
