import type { ColumnMappingMode } from "../schema/columnMapping.js";
import type { Metadata, Protocol } from "./actions.js";
import { readerFeatures } from "./features.js";
import { property } from "./properties.js";

/**
 * How a table's columns are found in its files. The property counts only where the protocol supports the feature (PROTOCOL.md,
 * Column Mapping). Throws `DELTA_INVALID_PROPERTY_VALUE`.
 */
export function columnMappingOf(protocol: Protocol, metadata: Pick<Metadata, "configuration">): ColumnMappingMode {
  return readerFeatures(protocol).includes("columnMapping") ? property(metadata, "delta.columnMapping.mode") : "none";
}
