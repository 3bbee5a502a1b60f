import { DeltaError, hasCode } from "../errors.js";
import { limits } from "../limits.js";
import { parseExactJson } from "../schema/exactJson.js";
import { isJsonBomb } from "../schema/jsonScan.js";
import type { ObjectStore } from "../storage/store.js";
import type { AddFile, DomainMetadata, Metadata, Protocol, SetTransaction } from "./actions.js";
import { checksumPath } from "./names.js";

/** What a version's state should be (PROTOCOL.md, Version Checksum File Schema). */
export interface VersionChecksum {
  /** Of the commit. */
  readonly txnId?: string;
  /** The sum of the live files' sizes, in bytes. */
  readonly tableSizeBytes: number;
  /** Live files. */
  readonly numFiles: number;
  /** Must be 1. */
  readonly numMetadata: number;
  /** Must be 1. */
  readonly numProtocol: number;
  /** Milliseconds since the epoch; there exactly if in-commit timestamps are on. */
  readonly inCommitTimestampOpt?: number;
  readonly setTransactions?: readonly SetTransaction[];
  /** Without removed ones. */
  readonly domainMetadata?: readonly DomainMetadata[];
  readonly metadata: Metadata;
  readonly protocol: Protocol;
  readonly fileSizeHistogram?: FileSizeHistogram;
  /** All live files. */
  readonly allFiles?: readonly AddFile[];
  /** Rows that deletion vectors remove. */
  readonly numDeletedRecordsOpt?: number;
  /** Live files that have a deletion vector. */
  readonly numDeletionVectorsOpt?: number;
  readonly deletedRecordCountsHistogramOpt?: DeletedRecordCountsHistogram;
}

/** PROTOCOL.md, File Size Histogram Schema: bin i is of files from `sortedBinBoundaries[i]` bytes up to the next boundary. */
export interface FileSizeHistogram {
  readonly sortedBinBoundaries: readonly number[];
  readonly fileCounts: readonly number[];
  readonly totalBytes: readonly number[];
}

/** PROTOCOL.md, Deleted Record Counts Histogram Schema: files in ten bins, by how many of their rows are deleted. */
export interface DeletedRecordCountsHistogram {
  readonly deletedRecordCounts: readonly number[];
}

/**
 * The checksum of a version, or undefined where its writer left none. Throws `DELTA_LOG_CORRUPT` for one that isn't of the
 * protocol's form, which readers must do without, and what the store throws.
 */
export async function readVersionChecksum(
  store: ObjectStore,
  version: number,
  signal?: AbortSignal,
): Promise<VersionChecksum | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await store.get(checksumPath(version), { start: 0, end: limits.MAX_COMMIT_LINE_BYTES + 1 }, signal);
  } catch (error) {
    if (hasCode(error, "DELTA_FILE_NOT_FOUND")) return undefined;
    throw error;
  }
  return parseVersionChecksum(version, bytes);
}

/**
 * Reads the bytes of a checksum file. Throws `DELTA_LOG_CORRUPT`, with the flaw's field in `data.field`.
 * @testonly
 */
export function parseVersionChecksum(version: number, bytes: Uint8Array): VersionChecksum {
  const { MAX_COMMIT_LINE_BYTES } = limits;
  if (bytes.length > MAX_COMMIT_LINE_BYTES) throw malformed(version, `has more than ${MAX_COMMIT_LINE_BYTES} bytes`);
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (isJsonBomb(text)) throw malformed(version, "holds too many values, or nests them too deep");
    value = parseExactJson(text);
  } catch (cause) {
    throw cause instanceof DeltaError ? cause : malformed(version, "isn't JSON", undefined, cause);
  }
  if (!isObject(value)) throw malformed(version, "isn't a JSON object");
  // Writers give null for what they leave out.
  const members = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
  for (const [field, { isValid, isRequired }] of Object.entries(FIELDS)) {
    if (members[field] === undefined ? isRequired : !isValid(members[field])) {
      const flaw = members[field] === undefined ? "lacks" : "has a value that doesn't fit in";
      throw malformed(version, `${flaw} ${field}`, field);
    }
  }
  return members as unknown as VersionChecksum;
}

interface FieldRow {
  readonly isValid: (value: unknown) => boolean;
  readonly isRequired: boolean;
}

const required = (isValid: (value: unknown) => boolean): FieldRow => ({ isValid, isRequired: true });
const optional = (isValid: (value: unknown) => boolean): FieldRow => ({ isValid, isRequired: false });

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown) => typeof value === "string";
const isInteger = (value: unknown) => typeof value === "bigint" || Number.isSafeInteger(value);
const isArrayOf = (isValid: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(isValid);
const isObjectWith = (fields: Readonly<Record<string, (value: unknown) => boolean>>) => (value: unknown) =>
  isObject(value) && Object.entries(fields).every(([name, isValid]) => isValid(value[name]));

function isHistogram(value: unknown): boolean {
  const counts = isArrayOf(isCount);
  if (!isObjectWith({ sortedBinBoundaries: counts, fileCounts: counts, totalBytes: counts })(value)) return false;
  const { sortedBinBoundaries, fileCounts, totalBytes } = value as FileSizeHistogram;
  const isSorted = sortedBinBoundaries.every((boundary, i) =>
    i === 0 ? boundary === 0 : boundary > sortedBinBoundaries[i - 1]!,
  );
  return isSorted && fileCounts.length === sortedBinBoundaries.length && totalBytes.length === fileCounts.length;
}

const FIELDS: Readonly<Record<keyof VersionChecksum, FieldRow>> = {
  txnId: optional(isText),
  tableSizeBytes: required(isCount),
  numFiles: required(isCount),
  numMetadata: required(isCount),
  numProtocol: required(isCount),
  inCommitTimestampOpt: optional(isInteger),
  setTransactions: optional(isArrayOf(isObjectWith({ appId: isText, version: isInteger }))),
  domainMetadata: optional(isArrayOf(isObjectWith({ domain: isText }))),
  metadata: required(isObjectWith({ id: isText, schemaString: isText })),
  protocol: required(isObjectWith({ minReaderVersion: isCount, minWriterVersion: isCount })),
  fileSizeHistogram: optional(isHistogram),
  allFiles: optional(isArrayOf(isObjectWith({ path: isText, size: isCount }))),
  numDeletedRecordsOpt: optional(isCount),
  numDeletionVectorsOpt: optional(isCount),
  deletedRecordCountsHistogramOpt: optional(
    isObjectWith({
      deletedRecordCounts: (counts) => isArrayOf(isCount)(counts) && (counts as unknown[]).length === 10,
    }),
  ),
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(version: number, flaw: string, field?: string, cause?: unknown): DeltaError {
  const path = checksumPath(version);
  return new DeltaError("DELTA_LOG_CORRUPT", `The version checksum ${path} ${flaw}.`, { path, version, field }, cause);
}
