import type { MapType, StructField, StructType } from "../schema/types.js";

// PROTOCOL.md, Checkpoint Schema, with the fields of the Actions chapter that its example leaves out.

type Type = StructField["type"];

const field = (name: string, type: Type): StructField => ({ name, type, nullable: true, metadata: {} });
const struct = (...fields: readonly StructField[]): StructType => ({ type: "struct", fields });
const strings = { type: "array", elementType: "string", containsNull: false } as const;
const stringMap: MapType = { type: "map", keyType: "string", valueType: "string", valueContainsNull: true };

const deletionVector = field(
  "deletionVector",
  struct(
    field("storageType", "string"),
    field("pathOrInlineDv", "string"),
    field("offset", "integer"),
    field("sizeInBytes", "integer"),
    field("cardinality", "long"),
  ),
);

/** Of a live file or a tombstone, as text. */
export const PARTITION_VALUES = field("partitionValues", stringMap);

/** The columns of a live file. */
export const ADD_FIELDS: readonly StructField[] = [
  field("path", "string"),
  PARTITION_VALUES,
  field("size", "long"),
  field("modificationTime", "long"),
  field("dataChange", "boolean"),
  field("stats", "string"),
  field("tags", stringMap),
  deletionVector,
  field("baseRowId", "long"),
  field("defaultRowCommitVersion", "long"),
  field("clusteringProvider", "string"),
];

/** The columns of a tombstone, which has neither statistics nor tags. */
export const REMOVE_FIELDS: readonly StructField[] = [
  field("path", "string"),
  field("deletionTimestamp", "long"),
  field("dataChange", "boolean"),
  field("extendedFileMetadata", "boolean"),
  PARTITION_VALUES,
  field("size", "long"),
  deletionVector,
  field("baseRowId", "long"),
  field("defaultRowCommitVersion", "long"),
];

/** The actions of a checkpoint that aren't of files. */
export const STATE_FIELDS: readonly StructField[] = [
  field("txn", struct(field("appId", "string"), field("version", "long"), field("lastUpdated", "long"))),
  field(
    "metaData",
    struct(
      field("id", "string"),
      field("name", "string"),
      field("description", "string"),
      field("format", struct(field("provider", "string"), field("options", stringMap))),
      field("schemaString", "string"),
      field("partitionColumns", strings),
      field("createdTime", "long"),
      field("configuration", stringMap),
    ),
  ),
  field(
    "protocol",
    struct(
      field("minReaderVersion", "integer"),
      field("minWriterVersion", "integer"),
      field("readerFeatures", strings),
      field("writerFeatures", strings),
    ),
  ),
  field(
    "domainMetadata",
    struct(field("domain", "string"), field("configuration", "string"), field("removed", "boolean")),
  ),
];

/** A checkpoint's columns; without `stats` where the table keeps its statistics out of checkpoints. */
export function checkpointFields(withStats: boolean): readonly StructField[] {
  return withStats ? WITH_STATS : WITHOUT_STATS;
}

// Made once each, by which the columns are known again.
const WITH_STATS = fieldsOf(ADD_FIELDS);
const WITHOUT_STATS = fieldsOf(ADD_FIELDS.filter(({ name }) => name !== "stats"));

function fieldsOf(add: readonly StructField[]): readonly StructField[] {
  const [txn, ...rest] = STATE_FIELDS;
  return [txn!, field("add", struct(...add)), field("remove", struct(...REMOVE_FIELDS)), ...rest];
}
