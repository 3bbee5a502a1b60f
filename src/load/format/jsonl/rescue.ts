import { buildColumn } from "../../../arrow/buildColumn.js";
import { DeltaError } from "../../../errors.js";
import type { StructField, StructType } from "../../../schema/types.js";
import { JsonNumber } from "./jsonNumbers.js";
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
    const converted = jsonConverter(field.type, field.name)(value);
    buildColumn(field.type, [converted], { column: field.name, rowOf: () => 0 });
    return { value: converted };
  } catch (error) {
    if (error instanceof DeltaError) return undefined;
    throw error;
  }
}

/** JSON of a parsed value; numbers keep their digits. */
function jsonText(value: unknown): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value === "object" && value !== null) return jsonOfEntries(Object.entries(value));
  return JSON.stringify(value);
}

function jsonOfEntries(entries: readonly (readonly [string, unknown])[]): string {
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`).join(",")}}`;
}
