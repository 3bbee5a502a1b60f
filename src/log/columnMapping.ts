import { runtime } from "../runtime.js";
import { type AssignedSchema, assignColumnMapping } from "../schema/assignMapping.js";
import type { ColumnMappingMode } from "../schema/columnMapping.js";
import { schemaToJson } from "../schema/json.js";
import type { StructType } from "../schema/types.js";
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

/** The highest column id that the table has ever given; never set by hand. */
export const MAX_COLUMN_ID = "delta.columnMapping.maxColumnId";

/** A schema, and the metadata that has it. */
export interface MappedMetadata {
  readonly schema: StructType;
  readonly metadata: Metadata;
}

/**
 * The metadata with this schema, in which every column has its place in files where the table maps columns: new ones get an
 * unguessable name and the next id (PROTOCOL.md, Writer Requirements for Column Mapping). Throws `DELTA_INVALID_PROPERTY_VALUE`.
 */
export function withMappedSchema(metadata: Metadata, schema: StructType, mode: ColumnMappingMode): MappedMetadata {
  const nested = wantsNestedIds(metadata);
  if (mode === "none") return { schema, metadata: { ...metadata, schemaString: schemaToJson(schema) } };
  const maxColumnId = property(metadata, MAX_COLUMN_ID) ?? 0;
  const nameOf = () => `col-${runtime.randomUUID()}`;
  return withAssigned(metadata, assignColumnMapping(schema, { maxColumnId, nameOf, nested }));
}

/** The metadata of a table that begins to map its columns: they keep the names that files have for them already. */
export function withNewMapping(metadata: Metadata, schema: StructType): MappedMetadata {
  const nested = wantsNestedIds(metadata);
  return withAssigned(metadata, assignColumnMapping(schema, { maxColumnId: 0, nameOf: ({ name }) => name, nested }));
}

/** Whether elements, keys and values have ids too (PROTOCOL.md, Iceberg Compatibility V2). */
function wantsNestedIds(metadata: Metadata): boolean {
  return property(metadata, "delta.enableIcebergCompatV2") || property(metadata, "delta.enableIcebergCompatV3");
}

function withAssigned(metadata: Metadata, { schema, maxColumnId }: AssignedSchema): MappedMetadata {
  const configuration = { ...metadata.configuration, [MAX_COLUMN_ID]: String(maxColumnId) };
  return { schema, metadata: { ...metadata, schemaString: schemaToJson(schema), configuration } };
}
