import type { Action, AddFile, Metadata } from "../../log/actions.js";
import { descriptorReader } from "../../log/deletionVectors/descriptors.js";
import { deletionVectorPath } from "../../log/deletionVectors/storage.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { encodePath } from "../../log/paths.js";
import { property } from "../../log/properties.js";
import type { Snapshot } from "../../log/snapshot.js";
import { runtime } from "../../runtime.js";
import type { ReadSet } from "../../write/conflicts.js";
import { optimize } from "../optimize/optimize.js";
import { change } from "../stagedChange.js";
import { insideTable } from "../vacuum/keptFiles.js";
import { filesWithIds, removeRowIds, untracked, withoutHighWaterMark } from "./removeRowIds.js";
import { setProperties, unsetProperties } from "./setProperties.js";

/** A feature of which no version from now on shall hold anything. */
export interface Traces {
  /** Whether readers have to know it, so that versions before have to be kept apart from those after. */
  readonly asksReaders: boolean;
  /** Turns the feature off and writes what uses it anew, in versions of their own. A crash leaves some of it; doing it again goes on. */
  readonly remove: (log: DeltaLog, signal: AbortSignal | undefined) => Promise<void>;
  /** Whether files of the newest version use it. */
  readonly areIn: (snapshot: Snapshot, signal: AbortSignal | undefined) => Promise<boolean>;
  /** Whether a file that somebody adds meanwhile uses it. */
  readonly reads: ReadSet;
  /** What the version that drops it takes away beside. */
  readonly rest?: (snapshot: Snapshot) => { readonly metadata: Metadata; readonly actions: readonly Action[] };
}

/** The features that can be dropped this way. */
export const TRACES: ReadonlyMap<string, Traces> = new Map<string, Traces>([
  [
    "deletionVectors",
    {
      asksReaders: true,
      remove: removeVectors,
      areIn: hasVectors,
      reads: { mayMatch: ({ deletionVector }: AddFile) => deletionVector !== undefined, files: new Set() },
    },
  ],
  [
    "v2Checkpoint",
    {
      asksReaders: true,
      remove: toClassic,
      areIn: async () => false,
      reads: { mayMatch: () => false, files: new Set() },
    },
  ],
  [
    "rowTracking",
    {
      asksReaders: false,
      remove: removeRowIds,
      areIn: async (snapshot, signal) => (await filesWithIds(snapshot, 1, signal)).length > 0,
      reads: { mayMatch: ({ baseRowId }: AddFile) => baseRowId !== undefined, files: new Set() },
      rest: (snapshot) => ({ metadata: untracked(snapshot.metadata), actions: withoutHighWaterMark(snapshot) }),
    },
  ],
]);

async function toClassic(log: DeltaLog, signal: AbortSignal | undefined): Promise<void> {
  const { metadata } = await log.latest(signal);
  if (property(metadata, "delta.checkpointPolicy") === "classic") return;
  await setProperties(log, { "delta.checkpointPolicy": "classic" }, { signal });
}

/** Whoever writes vectors loses to the version that turns them off, so that none come after it. */
async function removeVectors(log: DeltaLog, signal: AbortSignal | undefined): Promise<void> {
  const { metadata } = await log.latest(signal);
  if (property(metadata, "delta.enableDeletionVectors")) {
    await unsetProperties(log, ["delta.enableDeletionVectors"], { ifExists: true, signal });
  }
  await optimize(log, { purge: true, signal });
  await keepVectorFiles(log, signal);
}

async function hasVectors(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<boolean> {
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
