import { DeltaError } from "../../errors.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { truncateHistory } from "../../log/logCleanup.js";
import { LOG_FOLDER, parseLogPath } from "../../log/names.js";
import { property } from "../../log/properties.js";
import { checkpointsIn } from "../../log/segment.js";
import type { Snapshot } from "../../log/snapshot.js";
import { alterTable } from "./alterTable.js";
import { protectHistory } from "./protectHistory.js";

/** The property that names the version before which versions go together or not at all (PROTOCOL.md, Checkpoint Protection). */
export const PROTECTED = "delta.requireCheckpointProtectionBeforeVersion";

/**
 * Removes the versions that are protected, and then the property. Throws
 * `DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD` where some are too young to go.
 */
export async function removeProtection(log: DeltaLog, signal: AbortSignal | undefined): Promise<boolean> {
  const before = await log.latest(signal);
  if (!(await isTruncated(before, signal))) {
    // What is removed lies before a checkpoint.
    await protectHistory(log, signal, 1);
    const snapshot = await log.latest(signal);
    await truncateHistory(snapshot, signal);
    if (!(await isTruncated(snapshot, signal))) {
      throw new DeltaError(
        "DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD",
        `The log still has versions of ${log.store.url} that use features which were dropped. Do it again once they are older than delta.dropFeatureTruncateHistory.retentionDuration.`,
        { feature: "checkpointProtection", beforeVersion: property(snapshot.metadata, PROTECTED) },
      );
    }
  }
  await alterTable(log, { signal }, ({ metadata }) => {
    const { [PROTECTED]: value, ...configuration } = metadata.configuration;
    if (value === undefined) return undefined;
    return {
      metadata: { ...metadata, configuration },
      operation: "UNSET TBLPROPERTIES",
      operationParameters: { properties: JSON.stringify([PROTECTED]), ifExists: "true" },
    };
  });
  return false;
}

/** Whether the log has nothing left of the versions that are protected. */
async function isTruncated({ store, metadata }: Snapshot, signal: AbortSignal | undefined): Promise<boolean> {
  const before = property(metadata, PROTECTED);
  if (before <= 0) return true;
  const paths = await store.listNames(LOG_FOLDER, undefined, signal);
  const isOlder = (path: string) => {
    const name = parseLogPath(path);
    return name?.kind === "commit" && name.version < before;
  };
  const [first] = checkpointsIn(paths);
  return first !== undefined && first.version >= before && !paths.some(isOlder);
}
