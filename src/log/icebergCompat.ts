import { DeltaError } from "../errors.js";
import { parseSchema } from "../schema/json.js";
import { isIcebergWidening, typeChangesOf } from "../schema/typeChanges.js";
import type { DataType } from "../schema/types.js";
import type { Metadata, Protocol } from "./actions.js";
import { columnMappingOf } from "./columnMapping.js";
import { hasFeature, isFeatureActive } from "./features.js";
import { property } from "./properties.js";

const COMPATS = ["icebergCompatV1", "icebergCompatV2"] as const;

/** Whether a table can be taken for one of Iceberg's. */
export function isIcebergCompatible(protocol: Protocol, metadata: Metadata): boolean {
  return COMPATS.some((name) => isFeatureActive(name, protocol, metadata));
}

/** Whether data files hold the partition columns too (PROTOCOL.md, Materialize Partition Columns, Iceberg Compatibility). */
export function materializesPartitions(protocol: Protocol, metadata: Metadata): boolean {
  if (metadata.partitionColumns.length === 0) return false;
  return (
    property(metadata, "delta.writePartitionColumnsToParquet") ||
    hasFeature(protocol, "materializePartitionColumns") ||
    isIcebergCompatible(protocol, metadata)
  );
}

/**
 * Passes if a table has what Iceberg wants where its properties say so (PROTOCOL.md, Iceberg Compatibility V1, V2). Throws
 * `DELTA_ICEBERG_COMPAT_VIOLATION`.
 */
export function checkIcebergCompat(protocol: Protocol, metadata: Metadata): void {
  const active = COMPATS.filter((name) => isFeatureActive(name, protocol, metadata));
  const [compat] = active;
  if (compat === undefined) return;
  if (active.length > 1) throw violation(compat, "the two versions of compatibility exclude each other");
  if (columnMappingOf(protocol, metadata) === "none") throw violation(compat, "delta.columnMapping.mode must be set");
  const hasVectors =
    compat === "icebergCompatV1"
      ? hasFeature(protocol, "deletionVectors")
      : isFeatureActive("deletionVectors", protocol, metadata);
  if (hasVectors) throw violation(compat, "there may be no deletion vectors");
  const schema = parseSchema(metadata.schemaString);
  const refused = refusedType(schema, compat === "icebergCompatV1");
  if (refused !== undefined) throw violation(compat, `it can have no columns of type ${refused}`);
  const change = typeChangesOf(schema).find(({ from, to }) => !isIcebergWidening(from, to));
  if (change !== undefined) throw violation(compat, `Iceberg can't widen ${change.from} to ${change.to}`);
}

/** Throws `DELTA_ICEBERG_COMPAT_VIOLATION` where such a table would be partitioned by other columns. */
export function checkIcebergPartitions(
  { protocol, metadata }: { readonly protocol: Protocol; readonly metadata: Metadata },
  partitionColumns: readonly string[],
): void {
  if (!isIcebergCompatible(protocol, metadata)) return;
  const isSame = metadata.partitionColumns.join("\0") === partitionColumns.join("\0");
  if (!isSame) throw violation("icebergCompat", "its partition columns can't change");
}

function refusedType(type: DataType, isFirst: boolean): string | undefined {
  if (typeof type === "string") return /^(variant|void|geo)/.test(type) ? type : undefined;
  if (type.type === "struct") {
    for (const field of type.fields) {
      const refused = refusedType(field.type, isFirst);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }
  if (isFirst) return type.type;
  if (type.type === "array") return refusedType(type.elementType, isFirst);
  return refusedType(type.keyType, isFirst) ?? refusedType(type.valueType, isFirst);
}

function violation(compat: string, why: string): DeltaError {
  return new DeltaError(
    "DELTA_ICEBERG_COMPAT_VIOLATION",
    `The table is to be compatible with Iceberg (${compat}): ${why}.`,
    { feature: compat },
  );
}
