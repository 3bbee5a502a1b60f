import { descriptorReader } from "../../log/deletionVectors/descriptors.js";
import { deletionVectorPath } from "../../log/deletionVectors/storage.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { encodePath } from "../../log/paths.js";
import { property } from "../../log/properties.js";
import type { Snapshot } from "../../log/snapshot.js";
import { runtime } from "../../runtime.js";
import { optimize } from "../optimize/optimize.js";
import { change } from "../stagedChange.js";
import { insideTable } from "../vacuum/keptFiles.js";
import { unsetProperties } from "./setProperties.js";

/** Whoever writes vectors loses to the version that turns them off, so that none come after it. */
export async function removeVectors(log: DeltaLog, signal: AbortSignal | undefined): Promise<boolean> {
  const { metadata } = await log.latest(signal);
  const isOn = property(metadata, "delta.enableDeletionVectors");
  if (isOn) await unsetProperties(log, ["delta.enableDeletionVectors"], { ifExists: true, signal });
  const { removedFileCount } = await optimize(log, { purge: true, signal });
  await keepVectorFiles(log, signal);
  return isOn || removedFileCount > 0;
}

/** Whether files of a version have deletion vectors. */
export async function hasVectors(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<boolean> {
  for await (const batch of snapshot.fileBatches({ columns: ["path", "deletionVector"], signal })) {
    const vectors = descriptorReader(batch);
    for (let row = 0; row < batch.numRows; row++) if (vectors(row) !== undefined) return true;
  }
  return false;
}

/**
 * Notes the files of removed files' vectors as removed now, so that a vacuum that knows nothing of vectors keeps them as long
 * as older versions need them.
 */
async function keepVectorFiles(log: DeltaLog, signal: AbortSignal | undefined): Promise<void> {
  await change(log, { signal }, async (snapshot) => {
    const paths = await vectorFiles(snapshot, signal);
    if (paths.length === 0) return undefined;
    const deletionTimestamp = runtime.now();
    return {
      actions: paths.map((path) => ({ remove: { path, deletionTimestamp, dataChange: false } })),
      reads: undefined,
      operation: "Deletion Vector Tombstones",
      operationParameters: {},
      operationMetrics: {},
      discard: async () => undefined,
    };
  });
}

/** The files in the table with vectors of files that were removed, as far as they aren't noted yet. */
async function vectorFiles(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<string[]> {
  const files = new Set<string>();
  for await (const batch of snapshot.tombstoneBatches({ ...(signal && { signal }) })) {
    const vectors = descriptorReader(batch);
    for (let row = 0; row < batch.numRows; row++) {
      const vector = vectors(row);
      const path = vector && insideTable(() => deletionVectorPath(snapshot.store, vector));
      if (path !== undefined) files.add(encodePath(path));
    }
  }
  if (files.size === 0) return [];
  for await (const batch of snapshot.tombstoneBatches({ ...(signal && { signal }) })) {
    const paths = batch.getChild("path")!;
    for (let row = 0; row < batch.numRows; row++) files.delete(String(paths.get(row)));
  }
  return [...files];
}
