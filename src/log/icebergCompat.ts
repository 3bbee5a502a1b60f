import { DeltaError } from "../errors.js";
import { parseSchema } from "../schema/json.js";
import { isIcebergWidening, typeChangesOf } from "../schema/typeChanges.js";
import type { DataType, StructField } from "../schema/types.js";
import type { Metadata, Protocol } from "./actions.js";
import { columnMappingOf } from "./columnMapping.js";
import { hasFeature, isFeatureActive } from "./features.js";
import { property } from "./properties.js";

/** What a version of compatibility asks for, beside what all do (PROTOCOL.md, Iceberg Compatibility; of V3, its RFC). */
interface Compat {
  readonly name: "icebergCompatV1" | "icebergCompatV2" | "icebergCompatV3";
  readonly hasVectors: (protocol: Protocol, metadata: Metadata) => boolean;
  /** Matches the types that columns can't have. */
  readonly lacks: RegExp;
  readonly tracksRows?: boolean;
  readonly literalDefaults?: boolean;
}

const COMPATS: readonly Compat[] = [
  {
    name: "icebergCompatV1",
    hasVectors: (protocol) => hasFeature(protocol, "deletionVectors"),
    lacks: /^(?:variant|void|null|geo|array$|map$)/,
  },
  {
    name: "icebergCompatV2",
    hasVectors: (protocol, metadata) => isFeatureActive("deletionVectors", protocol, metadata),
    lacks: /^(?:variant|void|null|geo)/,
  },
  {
    name: "icebergCompatV3",
    hasVectors: () => false,
    lacks: /^(?:void|null)/,
    tracksRows: true,
    literalDefaults: true,
  },
];

/** A default that is one value: a number, a text, a date and the like. */
const LITERAL =
  /^\s*(?:null|true|false|(?:date|timestamp|timestamp_ntz|x)?\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|[-+]?\s*(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?:[lsydf]|bd)?)\s*$/i;

/** Whether a table can be taken for one of Iceberg's. */
export function isIcebergCompatible(protocol: Protocol, metadata: Metadata): boolean {
  return COMPATS.some(({ name }) => isFeatureActive(name, protocol, metadata));
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
 * Passes if a table has what Iceberg wants where its properties say so (PROTOCOL.md, Iceberg Compatibility V1, V2; V3's RFC). Throws
 * `DELTA_ICEBERG_COMPAT_VIOLATION`.
 */
export function checkIcebergCompat(protocol: Protocol, metadata: Metadata): void {
  const [compat, ...others] = COMPATS.filter(({ name }) => isFeatureActive(name, protocol, metadata));
  if (compat === undefined) return;
  const { name } = compat;
  if (others.length > 0) throw violation(name, "versions of compatibility exclude each other");
  if (columnMappingOf(protocol, metadata) === "none") throw violation(name, "delta.columnMapping.mode must be set");
  if (compat.hasVectors(protocol, metadata)) throw violation(name, "there may be no deletion vectors");
  if (compat.tracksRows && !isFeatureActive("rowTracking", protocol, metadata)) {
    throw violation(name, "delta.enableRowTracking must be true");
  }
  const schema = parseSchema(metadata.schemaString);
  const refused = refusedType(schema, compat.lacks);
  if (refused !== undefined) throw violation(name, `it can have no columns of type ${refused}`);
  const isOther = ({ metadata: { CURRENT_DEFAULT: value } }: StructField) =>
    value !== undefined && !LITERAL.test(String(value));
  const computed = compat.literalDefaults ? schema.fields.find(isOther) : undefined;
  if (computed !== undefined) throw violation(name, `the default of column "${computed.name}" isn't a literal`);
  const change = typeChangesOf(schema).find(({ from, to }) => !isIcebergWidening(from, to));
  if (change !== undefined) throw violation(name, `Iceberg can't widen ${change.from} to ${change.to}`);
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

function refusedType(type: DataType, lacks: RegExp): string | undefined {
  const name = typeof type === "string" ? type : type.type;
  if (lacks.test(name)) return name;
  return partsOf(type)
    .map((part) => refusedType(part, lacks))
    .find((refused) => refused !== undefined);
}

function partsOf(type: DataType): readonly DataType[] {
  if (typeof type === "string") return [];
  if (type.type === "struct") return type.fields.map((field) => field.type);
  return type.type === "array" ? [type.elementType] : [type.keyType, type.valueType];
}

function violation(compat: string, why: string): DeltaError {
  return new DeltaError(
    "DELTA_ICEBERG_COMPAT_VIOLATION",
    `The table is to be compatible with Iceberg (${compat}): ${why}.`,
    { feature: compat },
  );
}
