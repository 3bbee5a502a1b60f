import { JsonNumber } from "./jsonNumbers.js";

/** JSON of a parsed value; numbers that were kept have their digits. */
export function jsonText(value: unknown): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value === "object" && value !== null) return jsonOfEntries(Object.entries(value));
  return JSON.stringify(value);
}

export function jsonOfEntries(entries: readonly (readonly [string, unknown])[]): string {
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`).join(",")}}`;
}
