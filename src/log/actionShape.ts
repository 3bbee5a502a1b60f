/** The actions that a commit may hold; others are of no concern to us. */
export type ActionKey = "add" | "remove" | "txn" | "commitInfo" | "metaData" | "protocol" | "domainMetadata" | "cdc";

/** The actions that a checkpoint may hold beside those of commits (PROTOCOL.md, V2 Spec). */
export type CheckpointKey = "sidecar" | "checkpointMetadata";

interface FieldRow {
  readonly name: string;
  readonly isRequired: boolean;
  readonly fits: (value: unknown) => boolean;
  /** Completes "isn't". */
  readonly expects: string;
}

type Type = Pick<FieldRow, "fits" | "expects">;

const text: Type = { fits: (value) => typeof value === "string", expects: "a text" };
const flag: Type = { fits: (value) => typeof value === "boolean", expects: "true or false" };
const integer: Type = { fits: (value) => Number.isSafeInteger(value), expects: "a whole number" };
const count: Type = { fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0, expects: "a count" };
const int: Type = { fits: (value) => count.fits(value) && (value as number) < 2 ** 31, expects: "a count of 32 bits" };
const long: Type = { fits: isLong, expects: "a whole number of 64 bits" };
const texts: Type = { fits: isTextList, expects: "an array of texts" };
const textMap: Type = { fits: isTextMap, expects: "an object of texts" };
const format: Type = {
  fits: (value) => isObject(value) && typeof value.provider === "string",
  expects: "an object with a provider",
};
const deletionVector: Type = {
  fits: (value) =>
    isObject(value) &&
    text.fits(value.storageType) &&
    text.fits(value.pathOrInlineDv) &&
    (isMissing(value.offset) || int.fits(value.offset)) &&
    int.fits(value.sizeInBytes) &&
    count.fits(value.cardinality),
  expects: "a deletion vector's descriptor",
};

function required(name: string, type: Type): FieldRow {
  return { name, isRequired: true, ...type };
}

function optional(name: string, type: Type): FieldRow {
  return { name, isRequired: false, ...type };
}

/** Fields that all actions on files may have. Old writers leave out what they have nothing to say about. */
const FILE_FIELDS = [
  required("path", text),
  optional("partitionValues", textMap),
  optional("dataChange", flag),
  optional("tags", textMap),
];
const LOGICAL_FILE_FIELDS = [
  optional("stats", text),
  optional("deletionVector", deletionVector),
  optional("baseRowId", integer),
  optional("defaultRowCommitVersion", integer),
];

/** PROTOCOL.md, Actions: what this package reads of each. */
const COMMIT_FIELDS: Readonly<Record<ActionKey, readonly FieldRow[]>> = {
  add: [
    ...FILE_FIELDS,
    ...LOGICAL_FILE_FIELDS,
    required("size", count),
    optional("modificationTime", integer),
    optional("clusteringProvider", text),
  ],
  remove: [
    ...FILE_FIELDS,
    ...LOGICAL_FILE_FIELDS,
    optional("size", count),
    optional("deletionTimestamp", integer),
    optional("extendedFileMetadata", flag),
  ],
  cdc: [...FILE_FIELDS, optional("size", count)],
  txn: [required("appId", text), required("version", long), optional("lastUpdated", integer)],
  // Whatever its writer likes: it is looked at where it is used.
  commitInfo: [],
  metaData: [
    optional("id", text),
    optional("name", text),
    optional("description", text),
    optional("format", format),
    optional("schemaString", text),
    optional("partitionColumns", texts),
    optional("configuration", textMap),
    optional("createdTime", integer),
  ],
  protocol: [
    // Of which numbers there are, the check of features tells.
    optional("minReaderVersion", { fits: (value) => typeof value === "number", expects: "a number" }),
    optional("minWriterVersion", { fits: (value) => typeof value === "number", expects: "a number" }),
    optional("readerFeatures", texts),
    optional("writerFeatures", texts),
  ],
  domainMetadata: [required("domain", text), optional("configuration", text), optional("removed", flag)],
};

const CHECKPOINT_FIELDS: Readonly<Record<CheckpointKey, readonly FieldRow[]>> = {
  sidecar: [required("path", text), required("sizeInBytes", count)],
  checkpointMetadata: [required("version", count)],
};

const FIELDS: Readonly<Record<ActionKey | CheckpointKey, readonly FieldRow[]>> = {
  ...COMMIT_FIELDS,
  ...CHECKPOINT_FIELDS,
};

export function isActionKey(name: string): name is ActionKey {
  return Object.hasOwn(COMMIT_FIELDS, name);
}

export function isCheckpointKey(name: string): name is ActionKey | CheckpointKey {
  return Object.hasOwn(FIELDS, name);
}

/**
 * What is wrong with an action's fields, to complete "it has …"; undefined where all are of their types. So nobody behind
 * this has to doubt what {@link Action} says.
 */
export function flawOf(key: ActionKey | CheckpointKey, body: unknown): string | undefined {
  if (!isObject(body)) return `no object as its ${key}`;
  // Nearly all actions are of this kind: asking for each field by its name takes a tenth of the time.
  if (key === "add" && isPlainAdd(body)) return undefined;
  for (const { name, isRequired, fits, expects } of FIELDS[key]) {
    const value = body[name];
    if (isMissing(value)) {
      if (isRequired) return `a ${key} without its ${name}`;
    } else if (!fits(value)) return `a ${key} whose ${name} isn't ${expects}`;
  }
  return undefined;
}

function isPlainAdd(add: Record<string, unknown>): boolean {
  return (
    typeof add.path === "string" &&
    Number.isSafeInteger(add.size) &&
    (add.size as number) >= 0 &&
    Number.isSafeInteger(add.modificationTime) &&
    typeof add.dataChange === "boolean" &&
    typeof add.stats === "string" &&
    isTextMap(add.partitionValues) &&
    isMissing(add.tags) &&
    isMissing(add.deletionVector) &&
    isMissing(add.baseRowId) &&
    isMissing(add.defaultRowCommitVersion) &&
    isMissing(add.clusteringProvider)
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}

function isLong(value: unknown): boolean {
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value;
  return typeof value === "number" && Number.isInteger(value) && value >= -(2 ** 63) && value <= 2 ** 63;
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isTextMap(value: unknown): boolean {
  if (!isObject(value)) return false;
  for (const key in value) {
    const item = value[key];
    if (typeof item !== "string" && item !== null) return false;
  }
  return true;
}
