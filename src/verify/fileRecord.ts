import type { RecordBatch } from "apache-arrow";
import type { AddFile, RemoveFile } from "../log/actions.js";
import { descriptorReader } from "../log/deletionVectors/descriptors.js";
import { fileKey } from "../log/tail.js";
import { mapReader } from "../read/maps.js";
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

/** Reads the live files of a batch that has all columns of `add`, a row at a time. */
export function addReader(batch: RecordBatch): (row: number) => AddFile {
  const read = readers(batch);
  const partitionValues = mapReader(batch, "partitionValues");
  const tags = mapReader(batch, "tags");
  return (row) => {
    const tagMap = tags(row);
    return {
      path: read.text("path", row) ?? "",
      partitionValues: Object.fromEntries(partitionValues(row)),
      size: read.number("size", row) ?? Number.NaN,
      modificationTime: read.number("modificationTime", row) ?? Number.NaN,
      dataChange: false,
      stats: read.text("stats", row),
      tags: tagMap.size === 0 ? undefined : Object.fromEntries(tagMap),
      deletionVector: read.vector(row),
      baseRowId: read.number("baseRowId", row),
      defaultRowCommitVersion: read.number("defaultRowCommitVersion", row),
      clusteringProvider: read.text("clusteringProvider", row),
    } as AddFile;
  };
}

/** Reads the tombstones of a batch likewise: their path, deletion vector and time. */
export function removeReader(batch: RecordBatch): (row: number) => RemoveFile {
  const read = readers(batch);
  return (row) =>
    ({
      path: read.text("path", row) ?? "",
      deletionTimestamp: read.number("deletionTimestamp", row),
      dataChange: false,
      deletionVector: read.vector(row),
    }) as RemoveFile;
}

function readers(batch: RecordBatch) {
  const columns = new Map(batch.schema.fields.map(({ name }) => [name, batch.getChild(name)]));
  const value = (name: string, row: number): unknown => columns.get(name)?.get(row) ?? undefined;
  return {
    text: (name: string, row: number) => value(name, row) as string | undefined,
    number: (name: string, row: number) => {
      const found = value(name, row);
      return found === undefined ? undefined : Number(found);
    },
    vector: descriptorReader(batch),
  };
}
