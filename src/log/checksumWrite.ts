import { hasCode } from "../errors.js";
import { exactJson } from "../schema/exactJson.js";
import type { ObjectStore } from "../storage/store.js";
import type { CommitInfo } from "./actions.js";
import { readVersionChecksum, type VersionChecksum } from "./checksumFile.js";
import { isFeatureActive } from "./features.js";
import type { FileTotals } from "./fileTotals.js";
import { checksumPath } from "./names.js";
import { property } from "./properties.js";
import type { Snapshot } from "./snapshot.js";

/** So many progress marks and domains are told at most: each commit writes all of them. */
const MAX_LISTED = 100;

/** The checksum of the snapshot's version (PROTOCOL.md, Version Checksum File Schema), as its commit and its totals give it. */
export function versionChecksum(snapshot: Snapshot, totals: FileTotals, commitInfo: CommitInfo): VersionChecksum {
  const { protocol, metadata, transactions, domainMetadata } = snapshot;
  const { txnId, inCommitTimestamp } = commitInfo;
  const isTimed = isFeatureActive("inCommitTimestamp", protocol, metadata) && inCommitTimestamp !== undefined;
  // What one writer has forgotten already another may still hold on to.
  const forgets = property(metadata, "delta.setTransactionRetentionDuration") !== undefined;
  return {
    ...(txnId === undefined ? {} : { txnId }),
    tableSizeBytes: totals.sizeBytes,
    numFiles: totals.fileCount,
    numMetadata: 1,
    numProtocol: 1,
    ...(isTimed ? { inCommitTimestampOpt: inCommitTimestamp } : {}),
    ...(forgets || transactions.size > MAX_LISTED ? {} : { setTransactions: [...transactions.values()] }),
    ...(domainMetadata.size > MAX_LISTED ? {} : { domainMetadata: [...domainMetadata.values()] }),
    metadata,
    protocol,
  };
}

/** Writes the checksum of a version unless there is one (PROTOCOL.md, Version Checksum File): never over another. */
export async function writeChecksum(store: ObjectStore, version: number, checksum: VersionChecksum): Promise<void> {
  await store.putHint(checksumPath(version), new TextEncoder().encode(`${exactJson(checksum)}\n`));
}

/** The totals that a version's checksum tells; undefined where it is gone, or torn by a power cut. */
export async function totalsOf(
  store: ObjectStore,
  version: number,
  signal?: AbortSignal,
): Promise<FileTotals | undefined> {
  const checksum = await readVersionChecksum(store, version, signal).catch((error: unknown) => {
    if (hasCode(error, "DELTA_LOG_CORRUPT")) return undefined;
    throw error;
  });
  return checksum && { version, fileCount: checksum.numFiles, sizeBytes: checksum.tableSizeBytes };
}
