import type { Metadata } from "./actions.js";

/** What decides whether a feature is in use. */
export type TableDescription = Pick<Metadata, "schemaString" | "configuration">;

/** `refusedWhenActive`: a table may list the feature as long as it doesn't use it. */
export type Support = "supported" | "refused" | "refusedWhenActive";

/** A table feature as this release treats it (PROTOCOL.md, Table Features). */
export interface FeatureRow {
  readonly name: string;
  readonly kind: "readerWriter" | "writer";
  /** The versions that imply the feature without listing it. */
  readonly legacy?: { readonly minReaderVersion: number; readonly minWriterVersion: number };
  /** The table property that turns it on. */
  readonly property?: string;
  readonly isActive: (table: TableDescription) => boolean;
  readonly read: Support;
  /** Of appends: other verbs decide for themselves. */
  readonly write: Support;
}

type Activity = Pick<FeatureRow, "isActive" | "property">;

const never: Activity = { isActive: () => false };

function whenTrue(property: string): Activity {
  return { property, isActive: ({ configuration }) => configuration[property]?.toLowerCase() === "true" };
}

function whenFieldMetadata(key: string): Activity {
  const pattern = new RegExp(`"${key.replaceAll(".", "\\.")}"\\s*:`);
  return { isActive: ({ schemaString }) => pattern.test(schemaString) };
}

function whenType(type: string): Activity {
  const pattern = new RegExp(`"(?:type|elementType|keyType|valueType)"\\s*:\\s*"${type}"`);
  return { isActive: ({ schemaString }) => pattern.test(schemaString) };
}

const checkConstraints: Activity = {
  isActive: ({ configuration }) => Object.keys(configuration).some((key) => key.startsWith("delta.constraints.")),
};

const columnMapping: Activity = {
  property: "delta.columnMapping.mode",
  isActive: ({ configuration }) => (configuration["delta.columnMapping.mode"] ?? "none") !== "none",
};

const v2Checkpoint: Activity = {
  property: "delta.checkpointPolicy",
  isActive: ({ configuration }) => (configuration["delta.checkpointPolicy"] ?? "classic") !== "classic",
};

const legacy = (minReaderVersion: number, minWriterVersion: number) => ({
  legacy: { minReaderVersion, minWriterVersion },
});
const writer = { kind: "writer", read: "supported" } as const;
const readerWriter = { kind: "readerWriter" } as const;
const refused = { read: "refused", write: "refused" } as const;

/** Every table feature known, and what this release does about it. Features that aren't here are refused. */
export const FEATURES: readonly FeatureRow[] = [
  { name: "appendOnly", ...writer, ...legacy(1, 2), ...whenTrue("delta.appendOnly"), write: "supported" },
  {
    name: "invariants",
    ...writer,
    ...legacy(1, 2),
    ...whenFieldMetadata("delta.invariants"),
    write: "refusedWhenActive",
  },
  { name: "checkConstraints", ...writer, ...legacy(1, 3), ...checkConstraints, write: "refusedWhenActive" },
  // An append's added files are its inserts: no change files are due.
  {
    name: "changeDataFeed",
    ...writer,
    ...legacy(1, 4),
    ...whenTrue("delta.enableChangeDataFeed"),
    write: "supported",
  },
  {
    name: "generatedColumns",
    ...writer,
    ...legacy(1, 4),
    ...whenFieldMetadata("delta.generationExpression"),
    write: "refusedWhenActive",
  },
  {
    name: "columnMapping",
    ...readerWriter,
    ...legacy(2, 5),
    ...columnMapping,
    read: "supported",
    write: "refusedWhenActive",
  },
  {
    name: "identityColumns",
    ...writer,
    ...legacy(1, 6),
    ...whenFieldMetadata("delta.identity.step"),
    write: "refusedWhenActive",
  },
  { name: "timestampNtz", ...readerWriter, ...whenType("timestamp_ntz"), read: "supported", write: "supported" },
  // An append adds files without deletion vectors, which nothing more is asked of.
  {
    name: "deletionVectors",
    ...readerWriter,
    ...whenTrue("delta.enableDeletionVectors"),
    read: "supported",
    write: "supported",
  },
  // Checkpoints of V1 may be written here as well.
  { name: "v2Checkpoint", ...readerWriter, ...v2Checkpoint, read: "supported", write: "supported" },
  { name: "vacuumProtocolCheck", ...readerWriter, ...never, read: "supported", write: "supported" },
  { name: "typeWidening", ...readerWriter, ...whenTrue("delta.enableTypeWidening"), ...refused },
  { name: "typeWidening-preview", ...readerWriter, ...never, ...refused },
  { name: "variantType", ...readerWriter, ...whenType("variant"), ...refused },
  { name: "variantType-preview", ...readerWriter, ...never, ...refused },
  { name: "variantShredding", ...readerWriter, ...whenTrue("delta.enableVariantShredding"), ...refused },
  { name: "variantShredding-preview", ...readerWriter, ...never, ...refused },
  { name: "catalogManaged", ...readerWriter, ...never, ...refused },
  { name: "catalogOwned-preview", ...readerWriter, ...never, ...refused },
  { name: "domainMetadata", ...writer, ...never, write: "supported" },
  // Every added file would need a row id, even where the property is off.
  { name: "rowTracking", ...writer, ...whenTrue("delta.enableRowTracking"), write: "refused" },
  { name: "clustering", ...writer, ...never, write: "refused" },
  {
    name: "inCommitTimestamp",
    ...writer,
    ...whenTrue("delta.enableInCommitTimestamps"),
    write: "refusedWhenActive",
  },
  { name: "allowColumnDefaults", ...writer, ...whenFieldMetadata("CURRENT_DEFAULT"), write: "refusedWhenActive" },
  { name: "icebergCompatV1", ...writer, ...whenTrue("delta.enableIcebergCompatV1"), write: "refusedWhenActive" },
  { name: "icebergCompatV2", ...writer, ...whenTrue("delta.enableIcebergCompatV2"), write: "refusedWhenActive" },
  { name: "checkpointProtection", ...writer, ...never, write: "refused" },
  { name: "materializePartitionColumns", ...writer, ...never, write: "refused" },
];
