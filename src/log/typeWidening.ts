import type { Metadata, Protocol } from "./actions.js";
import { hasFeature } from "./features.js";
import { property } from "./properties.js";

/** Whether types of columns may be widened: only while the table's property says so (PROTOCOL.md, Type Widening). */
export function allowsWidening(protocol: Protocol, metadata: Pick<Metadata, "configuration">): boolean {
  return property(metadata, "delta.enableTypeWidening") && hasTypeWidening(protocol);
}

/** Whether files may hold columns in types that were theirs before. */
export function hasTypeWidening(protocol: Protocol): boolean {
  return hasFeature(protocol, "typeWidening") || hasFeature(protocol, "typeWidening-preview");
}
