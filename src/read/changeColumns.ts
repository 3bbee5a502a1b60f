import { DeltaError } from "../errors.js";
import type { Metadata } from "../log/actions.js";
import { numRecordsOf } from "../log/numRecords.js";
import { storePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import { fileFilter } from "../schema/skipping.js";
import type { StructField, StructType } from "../schema/types.js";
import type { ObjectStore } from "../storage/store.js";
import type { FileChange } from "./commitChanges.js";
import type { PlanOptions, ScanFile } from "./plan.js";
import type { ReadTarget } from "./scan.js";

const CHANGE_TYPE = "_change_type";
const COMMIT_VERSION = "_commit_version";
const COMMIT_TIMESTAMP = "_commit_timestamp";

/** What a change has beside the table's columns (PROTOCOL.md, Reader Requirements for AddCDCFile). */
const CHANGE_FIELDS: readonly StructField[] = [
  { name: CHANGE_TYPE, type: "string", nullable: true, metadata: {} },
  { name: COMMIT_VERSION, type: "long", nullable: true, metadata: {} },
  { name: COMMIT_TIMESTAMP, type: "timestamp", nullable: true, metadata: {} },
];
const CHANGE_COLUMNS = CHANGE_FIELDS.map(({ name }) => name);
const COLUMNS_OF_COMMIT = [COMMIT_VERSION, COMMIT_TIMESTAMP];
const STORED_TYPE: ReadonlySet<string> = new Set([CHANGE_TYPE]);

/**
 * A table whose rows are changes: the columns of the snapshot, and those of a change, which are partition columns to whoever reads the
 * files. Throws `DELTA_INVALID_SCHEMA` where the table has a column of such a name itself.
 */
export function changeTarget({ store, schema, metadata, columnMapping }: Snapshot): ReadTarget {
  checkNoChangeColumns(schema);
  const fields: StructType = { type: "struct", fields: [...schema.fields, ...CHANGE_FIELDS] };
  return {
    store,
    schema: fields,
    columnMapping,
    metadata: { ...metadata, partitionColumns: [...metadata.partitionColumns, ...CHANGE_COLUMNS] },
  };
}

/** Throws `DELTA_INVALID_SCHEMA` where a column has the name of one that changes have for themselves. */
export function checkNoChangeColumns(schema: StructType): void {
  const taken = schema.fields.find(({ name }) => CHANGE_COLUMNS.includes(name.toLowerCase()));
  if (taken === undefined) return;
  throw new DeltaError(
    "DELTA_INVALID_SCHEMA",
    `The table's column ${taken.name} has a name that changes need for themselves, so that none can be told. Give the column another name, or do without the change data feed.`,
    { column: taken.name },
  );
}

/** Makes files to scan of a commit's changes: undefined for those in which no row matches. */
export type ChangePlanner = (change: FileChange, commit: CommitFacts) => Promise<ScanFile | undefined>;

export interface CommitFacts {
  readonly version: number;
  /** Undefined where nobody knows any more. */
  readonly timestampMs: number | undefined;
}

/** Throws, when called, `DELTA_UNSUPPORTED_FILE_PATH`, `DELTA_LOG_CORRUPT`, `DELTA_CHANGE_DATA_FILE_NOT_FOUND`. */
export function changePlanner(target: ReadTarget, options: PlanOptions = {}): ChangePlanner {
  const { store, schema, metadata, columnMapping } = target;
  const { predicate, partitionTimeZone: timeZone } = options;
  const { partitionColumns } = metadata;
  const own = partitionColumns.filter((name) => !CHANGE_COLUMNS.includes(name));
  const filter = (columns: readonly string[]) =>
    predicate === undefined ? undefined : fileFilter(predicate, schema, columns, { timeZone, columnMapping });
  const matches = { derived: filter(partitionColumns), stored: filter([...own, ...COLUMNS_OF_COMMIT]) };
  return async ({ kind, file, deletionVector, within }, commit) => {
    const values = valuesOf(file, own, commit);
    if (kind !== "stored") values.set(CHANGE_TYPE, kind);
    const stats = ("stats" in file ? file.stats : undefined) ?? null;
    const match = (kind === "stored" ? matches.stored : matches.derived)?.({
      partitionValues: (column) => values.get(column) ?? null,
      stats,
    });
    if (match === "none") return undefined;
    const path = storePath(store, file.path);
    return {
      path,
      sizeBytes: file.size ?? (await sizeOf(store, path, commit)),
      partitionValues: values,
      match: match ?? "all",
      numRecords: numRecordsOf(stats),
      deletionVector,
      within,
      ...(kind === "stored" && { storedColumns: STORED_TYPE }),
    };
  };
}

/** A file of a version all of whose rows are told as inserted. */
export function insertedFile(file: ScanFile, commit: CommitFacts): ScanFile {
  const own = Object.fromEntries(file.partitionValues);
  const values = valuesOf({ path: file.path, partitionValues: own }, [], commit);
  return { ...file, partitionValues: values.set(CHANGE_TYPE, "insert") };
}

function valuesOf(
  { path, partitionValues }: { readonly path: string; readonly partitionValues?: Metadata["configuration"] | object },
  partitionColumns: readonly string[],
  { version, timestampMs }: CommitFacts,
): Map<string, string | null> {
  if ((partitionValues === undefined || partitionValues === null) && partitionColumns.length > 0) {
    throw new DeltaError(
      "DELTA_MISSING_CHANGE_DATA",
      `Version ${version} removes ${path} without saying of which partition it is, as old writers did, so its rows can't be told. Begin after that version.`,
      { version, path },
    );
  }
  return new Map<string, string | null>([
    ...Object.entries(partitionValues ?? {}),
    [COMMIT_VERSION, String(version)],
    [COMMIT_TIMESTAMP, timestampMs === undefined ? null : new Date(timestampMs).toISOString()],
  ]);
}

/** Old writers leave it out of removed files. */
async function sizeOf(store: ObjectStore, path: string, { version }: CommitFacts): Promise<number> {
  const found = await store.head(path);
  if (found === undefined) throw changeFileNotFound(path, version);
  return found.sizeBytes;
}

/** A file of changes that was vacuumed. */
export function changeFileNotFound(path: unknown, version: number | undefined, cause?: unknown): DeltaError {
  const where = version === undefined ? "" : ` of version ${version}`;
  const hint = version === undefined ? "with a later version" : `after version ${version}`;
  return new DeltaError(
    "DELTA_CHANGE_DATA_FILE_NOT_FOUND",
    `The changes${where} can't be read: ${path} is gone, most likely vacuumed. Begin ${hint}; raise delta.deletedFileRetentionDuration to keep changes longer.`,
    { path, version },
    cause,
  );
}
