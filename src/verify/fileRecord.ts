import type { RecordBatch } from "apache-arrow";
import type { AddFile, RemoveFile } from "../log/actions.js";
import { descriptorReader } from "../log/deletionVectors/descriptors.js";
import { fileKey } from "../log/tail.js";
import { hashOf, type Key, keyOf } from "./hashIndex.js";

/** The fields of `add` that a checkpoint repeats as they are, but for those that have a column of their own. */
export const HASHED_FIELDS = [
  "partitionValues",
  "stats",
  "tags",
  "deletionVector",
  "baseRowId",
  "defaultRowCommitVersion",
  "clusteringProvider",
] as const;

/** What is kept of an add or a remove: enough to tell whether two are the same. */
export interface FileRecord {
  /** Of the logical file: path and deletion vector. */
  readonly key: Key;
  /** Bytes; NaN for none. */
  readonly size: number;
  /** `modificationTime` or `deletionTimestamp`; NaN for none. */
  readonly time: number;
  /** Rows that the deletion vector removes. */
  readonly cardinality: number;
  /** A hash of each of {@link HASHED_FIELDS}; 0 where there is none. */
  readonly hashes: readonly number[];
}

/** The record of a file action. Fields that aren't what they should be count as missing. */
export function recordOf(file: AddFile | RemoveFile, time: number | undefined): FileRecord {
  const vector = file.deletionVector ?? undefined;
  return {
    key: keyOf(fileKey(file.path, vector)),
    size: numberOf(file.size),
    time: numberOf(time),
    cardinality: vector === undefined ? 0 : numberOf(vector.cardinality) || 0,
    hashes: HASHED_FIELDS.map((field) => hashOfField((file as unknown as Record<string, unknown>)[field])),
  };
}

function numberOf(value: unknown): number {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : Number.NaN;
}

/** Equal for objects whose members come in another order, and for null, "" and no member at all. */
function hashOfField(value: unknown): number {
  if (value === undefined || value === null || value === "") return 0;
  if (typeof value !== "object") return hashOf(String(value));
  let sum = 0;
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined && member !== null && member !== "") sum = (sum + hashOf(`${name}\n${member}`)) >>> 0;
  }
  return sum;
}

/** Reads the tombstones of a batch, a row at a time: their path, deletion vector and time. */
export function removeReader(batch: RecordBatch): (row: number) => RemoveFile {
  const [paths, times] = [batch.getChild("path"), batch.getChild("deletionTimestamp")];
  const deletionVectors = descriptorReader(batch);
  return (row) => {
    const time = times?.get(row) ?? undefined;
    return {
      path: paths?.get(row) ?? "",
      deletionTimestamp: time === undefined ? undefined : Number(time),
      dataChange: false,
      deletionVector: deletionVectors(row),
    };
  };
}
