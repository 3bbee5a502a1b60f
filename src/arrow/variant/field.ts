import type { Field } from "apache-arrow";

/** What the Arrow field of a variant says of its texts (Arrow, Canonical Extension Types, JSON). */
export const JSON_EXTENSION: ReadonlyMap<string, string> = new Map([
  ["ARROW:extension:name", "arrow.json"],
  ["ARROW:extension:metadata", ""],
]);

/** True for a field of variants. */
export function isVariantField({ metadata }: Field): boolean {
  return metadata.get("ARROW:extension:name") === "arrow.json";
}
