import type { Field } from "apache-arrow";

/** What the Arrow field of a variant says of its texts (Arrow, Canonical Extension Types, JSON). */
export const JSON_EXTENSION: ReadonlyMap<string, string> = new Map([
  ["ARROW:extension:name", "arrow.json"],
  ["ARROW:extension:metadata", ""],
]);

/** What the field of a variant says of its bytes. It isn't Arrow's own name for them, which Parquet writers may make something of. */
export const BYTES_EXTENSION: ReadonlyMap<string, string> = new Map([["delta:type", "variant"]]);

/** True for a field of variants as JSON. */
export function isVariantField({ metadata }: Field): boolean {
  return metadata.get("ARROW:extension:name") === "arrow.json";
}

/** True for a field of variants as bytes. */
export function isVariantBytesField({ metadata }: Field): boolean {
  return metadata.get("delta:type") === "variant";
}

/** Names that others give to variants' bytes. */
const FOREIGN_NAMES: ReadonlySet<string | undefined> = new Set(["arrow.parquet.variant", "parquet.variant"]);

/** True for a field of variants as bytes, made here or elsewhere. */
export function saysVariantBytes(field: Field): boolean {
  return isVariantBytesField(field) || FOREIGN_NAMES.has(field.metadata.get("ARROW:extension:name"));
}
