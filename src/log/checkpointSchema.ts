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
const STATE_FIELDS: readonly StructField[] = [
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

const SIDECAR_FIELDS: readonly StructField[] = [
  field(
    "sidecar",
    struct(
      field("path", "string"),
      field("sizeInBytes", "long"),
      field("modificationTime", "long"),
      field("tags", stringMap),
    ),
  ),
  field("checkpointMetadata", struct(field("version", "long"), field("tags", stringMap))),
];

/** The actions of a V2 checkpoint's own file (PROTOCOL.md, V2 Spec), none of which is of a file. */
export const MANIFEST_STATE_FIELDS: readonly StructField[] = [...STATE_FIELDS, ...SIDECAR_FIELDS];

/** What a table wants to be told of its live files in checkpoints (PROTOCOL.md, Table Properties). */
export interface FileLayout {
  /** Statistics as JSON. */
  readonly withStats: boolean;
  /** Statistics as structs of this type. */
  readonly statsParsed?: StructType | undefined;
  /** Partition values as structs of this type. */
  readonly partitionValuesParsed?: StructType | undefined;
}

const TEXTS: FileLayout = { withStats: true };

/** The columns of file actions, all that a sidecar has. */
export function fileActionFields(layout: FileLayout): readonly StructField[] {
  const { withStats, statsParsed, partitionValuesParsed } = layout;
  const add = [
    ...ADD_FIELDS.filter(({ name }) => withStats || name !== "stats"),
    ...(statsParsed === undefined ? [] : [field("stats_parsed", statsParsed)]),
    ...(partitionValuesParsed === undefined ? [] : [field("partitionValues_parsed", partitionValuesParsed)]),
  ];
  return [field("add", struct(...add)), field("remove", struct(...REMOVE_FIELDS))];
}

/** The columns of a checkpoint of one file. */
export function checkpointFields(layout: FileLayout = TEXTS): readonly StructField[] {
  return [...STATE_FIELDS, ...fileActionFields(layout)];
}

/** The columns of a V2 checkpoint's own file: those of file actions are there for readers that want to find them, and null. */
export function manifestFields(): readonly StructField[] {
  return [...MANIFEST_STATE_FIELDS, ...fileActionFields(TEXTS)];
}
