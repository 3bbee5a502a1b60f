import { hasCode } from "../errors.js";
import type { CommitInfo } from "../log/actions.js";
import { readVersionChecksum, type VersionChecksum } from "../log/checksumFile.js";
import { checksumPath } from "../log/names.js";
import { decodePath } from "../log/paths.js";
import type { TableState } from "../log/state.js";
import { stateDifferences } from "../log/stateDifferences.js";
import type { ObjectStore } from "../storage/store.js";
import { nameOf } from "./checkpointCheck.js";
import { recordOf } from "./fileRecord.js";
import type { FileTable } from "./fileTable.js";
import type { Findings } from "./findings.js";

/** A version as replay has it. */
export interface ReplayedVersion {
  readonly version: number;
  readonly state: TableState;
  readonly files: FileTable;
  /** Of the version's commit; undefined where it isn't there. */
  readonly commitInfo: CommitInfo | undefined;
}

/**
 * Compares a version checksum with the replayed version (PROTOCOL.md, State Validation). Where the version couldn't be
 * replayed, only its form is checked.
 */
export async function checkChecksum(
  store: ObjectStore,
  version: number,
  replayed: ReplayedVersion | undefined,
  findings: Findings,
  signal?: AbortSignal,
): Promise<void> {
  const path = checksumPath(version);
  let checksum: VersionChecksum | undefined;
  try {
    checksum = await readVersionChecksum(store, version, signal);
  } catch (error) {
    if (!hasCode(error, "DELTA_LOG_CORRUPT")) throw error;
    findings.add("checksum-malformed", error.message, { version, path }, error.data);
    return;
  }
  if (checksum === undefined) return;
  const differ = (field: string, expected: unknown, found: unknown) => {
    const message = `${path} says ${field} ${shown(found)}, but the commits say ${shown(expected)}.`;
    findings.add("checksum-differs", message, { version, path }, { field, expected, found });
  };
  for (const field of ["numMetadata", "numProtocol"] as const) {
    if (checksum[field] !== 1) differ(field, 1, checksum[field]);
  }
  if (replayed === undefined) return;
  compareNumbers(checksum, replayed, differ);
  compareState(checksum, replayed, differ);
  compareHistograms(checksum, replayed, differ);
  if (checksum.allFiles !== undefined) compareFiles(checksum.allFiles, replayed, differ);
}

type Differ = (field: string, expected: unknown, found: unknown) => void;

function shown(value: unknown): string {
  return typeof value === "object" && value !== null ? "otherwise" : String(value);
}

function compareNumbers(checksum: VersionChecksum, { files, commitInfo }: ReplayedVersion, differ: Differ): void {
  const expected: Partial<Record<keyof VersionChecksum, unknown>> = {
    numFiles: files.liveCount,
    tableSizeBytes: files.liveBytes,
    numDeletionVectorsOpt: files.vectorCount,
    numDeletedRecordsOpt: files.deletedRows,
    ...(commitInfo?.txnId === undefined ? {} : { txnId: commitInfo.txnId }),
    ...(commitInfo?.inCommitTimestamp === undefined ? {} : { inCommitTimestampOpt: commitInfo.inCommitTimestamp }),
  };
  for (const [field, value] of Object.entries(expected)) {
    const found = checksum[field as keyof VersionChecksum];
    if (found !== undefined && found !== value) differ(field, value, found);
  }
}

function compareState(checksum: VersionChecksum, { state }: ReplayedVersion, differ: Differ): void {
  const { protocol, metadata, setTransactions, domainMetadata } = checksum;
  const stated = {
    protocol,
    metadata,
    ...(setTransactions && { transactions: new Map(setTransactions.map((txn) => [txn.appId, txn])) }),
    ...(domainMetadata && { domainMetadata: new Map(domainMetadata.map((domain) => [domain.domain, domain])) }),
  };
  const retains = state.metadata.configuration["delta.setTransactionRetentionDuration"] !== undefined;
  for (const difference of stateDifferences(state, stated, () => retains)) {
    differ(nameOf(difference), difference.expected, difference.found);
  }
}

function compareHistograms(checksum: VersionChecksum, { files }: ReplayedVersion, differ: Differ): void {
  const { fileSizeHistogram, deletedRecordCountsHistogramOpt } = checksum;
  if (fileSizeHistogram !== undefined) {
    const { fileCounts, totalBytes } = files.histogram(fileSizeHistogram.sortedBinBoundaries);
    if (String(fileCounts) !== String(fileSizeHistogram.fileCounts)) {
      differ("fileSizeHistogram.fileCounts", [...fileCounts], fileSizeHistogram.fileCounts);
    }
    if (String(totalBytes) !== String(fileSizeHistogram.totalBytes)) {
      differ("fileSizeHistogram.totalBytes", [...totalBytes], fileSizeHistogram.totalBytes);
    }
  }
  const bins = deletedRecordCountsHistogramOpt?.deletedRecordCounts;
  if (bins !== undefined && String(bins) !== String(files.deletedRowBins)) {
    differ("deletedRecordCountsHistogramOpt", [...files.deletedRowBins], bins);
  }
}

function compareFiles(
  allFiles: NonNullable<VersionChecksum["allFiles"]>,
  { files }: ReplayedVersion,
  differ: Differ,
): void {
  files.beginComparison();
  for (const add of allFiles) {
    const record = recordOf(add, add.modificationTime);
    const row = files.find(record.key);
    const path = decodePath(add.path);
    if (row < 0 || files.state(row) !== "live") differ("allFiles", "nothing", path);
    else if (!files.meet(row)) differ("allFiles", "one", `two of ${path}`);
    else {
      const fields = files.differences(row, record);
      if (fields.length > 0) differ("allFiles", "something else", `${fields.join(", ")} of ${path}`);
    }
  }
  const [missing] = files.unmet("live");
  if (missing !== undefined) differ("allFiles", files.liveCount, allFiles.length);
}
