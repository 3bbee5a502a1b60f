import { hasCode } from "../../errors.js";
import type { Action, AddFile, Metadata } from "../../log/actions.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { canonicalPath } from "../../log/paths.js";
import { property } from "../../log/properties.js";
import type { Snapshot } from "../../log/snapshot.js";
import { ADD_COLUMNS, addReader } from "../../read/fileActions.js";
import { change } from "../stagedChange.js";
import { setProperties } from "./setProperties.js";

/** Files that one commit takes ids from; some tens of megabytes. */
const FILES_PER_COMMIT = 50_000;
/** Others removed files meanwhile that were to lose ids: those that are left are looked for again. */
const MAX_CONFLICTS = 20;

const DOMAIN = "delta.rowTracking";
const PROPERTIES = [
  "delta.enableRowTracking",
  "delta.rowTrackingSuspended",
  "delta.rowTracking.materializedRowIdColumnName",
  "delta.rowTracking.materializedRowCommitVersionColumnName",
];

/**
 * Suspends row tracking, so that nobody gives ids any more, then takes them from the files that have some, in commits of their own. A
 * crash leaves some files with ids, which does no harm; doing it again goes on.
 */
export async function removeRowIds(log: DeltaLog, signal: AbortSignal | undefined): Promise<boolean> {
  const { metadata } = await log.latest(signal);
  if (!property(metadata, "delta.rowTrackingSuspended")) {
    const suspended = { "delta.enableRowTracking": "false", "delta.rowTrackingSuspended": "true" };
    await setProperties(log, suspended, { signal });
  }
  for (let conflicts = 0; ; ) {
    try {
      if (!(await removeSome(log, signal))) return true;
    } catch (error) {
      if (!hasCode(error, "DELTA_CONCURRENT_DELETE_READ") || ++conflicts > MAX_CONFLICTS) throw error;
    }
  }
}

/** The metadata of a table that never tracked rows. */
export function untracked(metadata: Metadata): Metadata {
  const kept = Object.entries(metadata.configuration).filter(([name]) => !PROPERTIES.includes(name));
  return { ...metadata, configuration: Object.fromEntries(kept) };
}

/** What takes the highest id away. */
export function withoutHighWaterMark({ domainMetadata }: Snapshot): Action[] {
  const domain = domainMetadata.get(DOMAIN);
  return domain === undefined ? [] : [{ domainMetadata: { ...domain, removed: true } }];
}

/** Files with ids, at most so many. */
export async function filesWithIds(
  snapshot: Snapshot,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<AddFile[]> {
  const adds: AddFile[] = [];
  for await (const batch of snapshot.fileBatches({ columns: [...ADD_COLUMNS], signal })) {
    const columns = [batch.getChild("baseRowId"), batch.getChild("defaultRowCommitVersion")];
    const read = addReader(batch);
    for (let row = 0; row < batch.numRows; row++) {
      if (columns.every((column) => column?.get(row) == null)) continue;
      adds.push(read(row));
      if (adds.length === limit) return adds;
    }
  }
  return adds;
}

/** False where no file is left with ids. */
async function removeSome(log: DeltaLog, signal: AbortSignal | undefined): Promise<boolean> {
  const { staged } = await change(log, { signal }, async (snapshot) => {
    const adds = await filesWithIds(snapshot, FILES_PER_COMMIT, signal);
    if (adds.length === 0) return undefined;
    return {
      actions: adds.map(({ baseRowId: _, defaultRowCommitVersion: __, ...add }) => ({
        add: { ...add, dataChange: false },
      })),
      // A file that somebody removes meanwhile must not come back.
      reads: { mayMatch: () => false, files: new Set(adds.map(({ path }) => canonicalPath(path))) },
      operation: "ROW TRACKING UNBACKFILL",
      operationParameters: {},
      operationMetrics: { numFiles: String(adds.length) },
      discard: async () => undefined,
    };
  });
  return staged !== undefined;
}
