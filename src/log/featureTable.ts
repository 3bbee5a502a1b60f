import type { Metadata } from "./actions.js";

/** What decides whether a feature is in use. */
export type TableDescription = Pick<Metadata, "schemaString" | "configuration">;

/**
 * What this release does about a table that lists a feature.
 *
 * - `refusedWhenActive`: a table may list it as long as it doesn't use it.
 * - `refusedByPath`: where it is in use, only a catalog knows the whole table, so that whoever opens it by its path must say that
 *   this will do.
 */
export type Support = "supported" | "refused" | "refusedWhenActive" | "refusedByPath";

/** A table feature as this release treats it (PROTOCOL.md, Table Features). */
export interface FeatureRow {
  readonly name: string;
  readonly kind: "readerWriter" | "writer";
  /** The versions that imply the feature without listing it. */
  readonly legacy?: { readonly minReaderVersion: number; readonly minWriterVersion: number };
  /** Features that a table with this one has too. */
  readonly needs?: readonly string[];
  /** The table property that turns it on. */
  readonly property?: string;
  /** Whether a table's metadata uses it; undefined where a table that lists the feature uses it thereby. */
  readonly isActive?: (table: TableDescription) => boolean;
  readonly read: Support;
  /** Of every verb that commits; `alter` decides for itself what it can change under a feature. */
  readonly write: Support;
  /** What it means for whoever reads the table, this release or another; without a full stop. */
  readonly reading: string;
  /** What it means for whoever writes to the table. */
  readonly writing: string;
}

type Activity = Pick<FeatureRow, "isActive" | "property">;

function whenTrue(property: string): Activity {
  return { property, isActive: ({ configuration }) => configuration[property]?.toLowerCase() === "true" };
}

function whenSet(property: string): Activity {
  return { property, isActive: ({ configuration }) => (configuration[property] ?? "") !== "" };
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
const writer = { kind: "writer", read: "supported", reading: "only writers have to know it" } as const;
const readerWriter = { kind: "readerWriter" } as const;
const readOnly = { read: "supported", write: "refused" } as const;
const refused = { read: "refused", write: "refused" } as const;

const typeWidening = {
  read: "supported",
  write: "supported",
  reading: "values of files from before a column's type was widened are given in the wider type",
  writing: "files have the wider types",
} as const;
const variantType = {
  read: "supported",
  write: "supported",
  reading: "values of type variant are decoded from their binary form",
  writing: "values of type variant are encoded in their binary form",
} as const;
const variantShredding = {
  read: "supported",
  write: "supported",
  needs: ["variantType"],
  reading: "values of type variant are put together from the typed columns that they are spread over",
  writing: "values of type variant may be spread over typed columns",
} as const;
const catalogManaged = {
  ...readerWriter,
  read: "refusedByPath",
  write: "refused",
  reading: "a catalog says which commits count: by its path only those are seen that it has published",
  writing: "the catalog makes the commits",
} as const;
const collations = {
  ...writer,
  ...whenFieldMetadata("__COLLATIONS"),
  write: "refusedWhenActive",
  reading: "texts are compared byte by byte, not by their column's collation",
  writing: "the columns' collations are kept",
} as const;
const geospatial = {
  ...readerWriter,
  ...readOnly,
  reading: "columns may be of the types geometry and geography, which are given as well-known binary",
  writing: "statistics of geometries are bounding boxes",
} as const;
const icebergCompat = {
  ...writer,
  needs: ["columnMapping"],
  write: "supported",
  writing: "files have ids for all fields, partition columns in them, and no deletion vectors",
} as const;
const icebergWriterCompat = {
  ...writer,
  write: "refusedWhenActive",
  writing: "physical names come from column ids, and what Iceberg lacks isn't used",
} as const;

/** Every table feature known, and what this release does about it. Features that aren't here are refused. */
export const FEATURES: readonly FeatureRow[] = [
  {
    name: "appendOnly",
    ...writer,
    ...legacy(1, 2),
    ...whenTrue("delta.appendOnly"),
    write: "supported",
    writing: "rows are only added, never changed or removed",
  },
  {
    name: "invariants",
    ...writer,
    ...legacy(1, 2),
    ...whenFieldMetadata("delta.invariants"),
    write: "supported",
    writing: "rows are checked against the columns' invariants, which are SQL",
  },
  {
    name: "checkConstraints",
    ...writer,
    ...legacy(1, 3),
    ...checkConstraints,
    write: "supported",
    writing: "rows are checked against the table's CHECK constraints, which are SQL",
  },
  {
    name: "changeDataFeed",
    ...writer,
    ...legacy(1, 4),
    ...whenTrue("delta.enableChangeDataFeed"),
    write: "supported",
    reading: "change files tell what a commit changed; rows are read without them",
    writing: "added files are the inserts, and need no change files",
  },
  {
    name: "generatedColumns",
    ...writer,
    ...legacy(1, 4),
    ...whenFieldMetadata("delta.generationExpression"),
    write: "supported",
    writing: "values are what the columns' expressions give, which are SQL",
  },
  {
    name: "columnMapping",
    ...readerWriter,
    ...legacy(2, 5),
    ...columnMapping,
    read: "supported",
    write: "supported",
    reading: "columns are found by physical names or ids, not by their own names",
    writing: "files, statistics and partition values have physical names and ids",
  },
  {
    name: "identityColumns",
    ...writer,
    ...legacy(1, 6),
    ...whenFieldMetadata("delta.identity.step"),
    write: "supported",
    writing: "values are generated, and the last one is committed with them",
  },
  {
    name: "timestampNtz",
    ...readerWriter,
    ...whenType("timestamp_ntz"),
    read: "supported",
    write: "supported",
    reading: "columns may hold times of day and date without a zone",
    writing: "such times are written without a zone",
  },
  {
    name: "deletionVectors",
    ...readerWriter,
    ...whenTrue("delta.enableDeletionVectors"),
    read: "supported",
    write: "supported",
    reading: "rows that a file's deletion vector names are left out, also where no new vectors may be written",
    writing: "rows may be removed by deletion vectors instead of writing their files anew",
  },
  {
    name: "v2Checkpoint",
    ...readerWriter,
    ...v2Checkpoint,
    // Checkpoints of V1 may be written here as well.
    read: "supported",
    write: "supported",
    reading: "checkpoints may have names of their own and sidecar files",
    writing: "checkpoints aren't cut into parts",
  },
  {
    name: "vacuumProtocolCheck",
    ...readerWriter,
    read: "supported",
    write: "supported",
    reading: "nothing changes",
    writing: "files are cleaned up only by who may write",
  },
  { name: "typeWidening", ...readerWriter, ...whenTrue("delta.enableTypeWidening"), ...typeWidening },
  { name: "typeWidening-preview", ...readerWriter, ...typeWidening },
  { name: "variantType", ...readerWriter, ...whenType("variant"), ...variantType },
  { name: "variantType-preview", ...readerWriter, ...variantType },
  {
    name: "variantShredding",
    ...readerWriter,
    ...whenTrue("delta.enableVariantShredding"),
    ...variantShredding,
  },
  { name: "variantShredding-preview", ...readerWriter, ...variantShredding },
  { name: "catalogManaged", ...catalogManaged },
  { name: "catalogOwned-preview", ...catalogManaged },
  {
    name: "coordinatedCommits-preview",
    ...catalogManaged,
    ...whenSet("delta.coordinatedCommits.commitCoordinator-preview"),
    kind: "writer",
    write: "refusedWhenActive",
    reading: "a coordinator says which commits count: by its path only those are seen that were copied to the log",
    writing: "the coordinator makes the commits",
  },
  {
    name: "domainMetadata",
    ...writer,
    write: "supported",
    writing: "configurations of domains are kept, known or not",
  },
  {
    name: "rowTracking",
    ...writer,
    ...whenTrue("delta.enableRowTracking"),
    needs: ["domainMetadata"],
    write: "supported",
    reading: "rows have ids and the version of their last change, which rows can be read without",
    writing: "added files have row ids, and the highest one is committed with them",
  },
  {
    name: "clustering",
    ...writer,
    needs: ["domainMetadata"],
    write: "supported",
    writing: "added files have statistics of the columns that the table is clustered by",
  },
  {
    name: "inCommitTimestamp",
    ...writer,
    ...whenTrue("delta.enableInCommitTimestamps"),
    write: "supported",
    reading: "the time of a version is the one in its commit, not that of its file",
    writing: "commits hold their time, later than that of the commit before",
  },
  {
    name: "allowColumnDefaults",
    ...writer,
    ...whenFieldMetadata("CURRENT_DEFAULT"),
    write: "supported",
    writing: "columns that rows leave out get their default values, which are SQL",
  },
  { name: "icebergCompatV1", ...icebergCompat, ...whenTrue("delta.enableIcebergCompatV1") },
  { name: "icebergCompatV2", ...icebergCompat, ...whenTrue("delta.enableIcebergCompatV2") },
  {
    name: "icebergCompatV3",
    ...icebergCompat,
    ...whenTrue("delta.enableIcebergCompatV3"),
    needs: ["columnMapping", "rowTracking"],
    writing: "files have ids for all fields and for the columns of row tracking, and partition columns in them",
  },
  { name: "icebergWriterCompatV1", ...icebergWriterCompat, ...whenTrue("delta.enableIcebergWriterCompatV1") },
  { name: "icebergWriterCompatV3", ...icebergWriterCompat, ...whenTrue("delta.enableIcebergWriterCompatV3") },
  {
    name: "checkpointProtection",
    ...writer,
    // Checkpoints are of the newest version only.
    write: "supported",
    writing: "checkpoints and commits from before a dropped feature are cleaned up together or not at all",
  },
  {
    name: "materializePartitionColumns",
    ...writer,
    write: "supported",
    reading: "partition values come from the log all the same, also where files hold them too",
    writing: "files hold the partition columns too",
  },
  {
    name: "columnMappingUsageTracking",
    ...writer,
    // Columns aren't renamed or dropped where it is.
    write: "supported",
    writing: "it is recorded that a column was renamed or dropped",
  },
  { name: "collations", ...collations },
  { name: "collations-preview", ...collations },
  {
    name: "timestampNanos",
    ...readerWriter,
    ...refused,
    reading: "columns may hold times to the nanosecond",
    writing: "such times keep their nanoseconds",
  },
  {
    name: "materializedVoidType",
    ...readerWriter,
    ...readOnly,
    reading: "columns of type void may be in files, always null",
    writing: "columns of type void stand in files where nothing else tells of what holds them",
  },
  { name: "geospatial", ...geospatial },
  { name: "geospatial-dev", ...geospatial },
  {
    name: "redirectReaderWriter-preview",
    ...readerWriter,
    ...whenSet("delta.redirectReaderWriter-preview"),
    read: "refusedWhenActive",
    write: "refusedWhenActive",
    reading: "the rows are in another table, which a catalog knows",
    writing: "rows go to another table, which a catalog knows",
  },
  {
    name: "redirectWriterOnly-preview",
    ...writer,
    ...whenSet("delta.redirectWriterOnly-preview"),
    write: "refusedWhenActive",
    reading: "newer rows may be in another table, which a catalog knows",
    writing: "rows go to another table, which a catalog knows",
  },
  {
    name: "adaptiveMetadata-preview",
    ...readerWriter,
    ...refused,
    reading: "files are listed in a tree of manifests instead of checkpoints",
    writing: "files are listed in a tree of manifests instead of checkpoints",
  },
];
