import { DeltaError, hasCode } from "../../errors.js";
import type { AddFile } from "../../log/actions.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { hasFeature } from "../../log/features.js";
import { canonicalPath } from "../../log/paths.js";
import { property } from "../../log/properties.js";
import { protocolWith } from "../../log/protocolUpgrade.js";
import type { Snapshot } from "../../log/snapshot.js";
import { ADD_COLUMNS, addReader } from "../../read/fileActions.js";
import { change } from "../stagedChange.js";
import { type AlterOptions, alterTable } from "./alterTable.js";

/** Files that one commit gives ids to; some tens of megabytes. */
const FILES_PER_COMMIT = 50_000;
/** Others removed files meanwhile that were to get ids: those that are left are looked for again. */
const MAX_CONFLICTS = 20;

/**
 * Gives row ids to the files that have none, in commits of their own, so that row tracking can be turned on (PROTOCOL.md, Row
 * Tracking). The feature is added first: from then on every writer gives ids to its files. A crash leaves some files with ids,
 * which does no harm; doing it again goes on.
 */
export async function backfillRowIds(log: DeltaLog, options: AlterOptions): Promise<void> {
  const snapshot = await log.latest(options.signal);
  if (property(snapshot.metadata, "delta.enableRowTracking")) return;
  if (!hasFeature(snapshot.protocol, "rowTracking")) {
    await alterTable(log, options, ({ protocol }) => ({
      protocol: protocolWith(protocol, ["rowTracking"]),
      operation: "SET TBLPROPERTIES",
      operationParameters: { properties: JSON.stringify({ "delta.feature.rowTracking": "supported" }) },
    }));
  }
  for (let conflicts = 0; ; ) {
    try {
      if (!(await backfillSome(log, options))) return;
    } catch (error) {
      const isPassing = hasCode(error, "DELTA_CONCURRENT_DELETE_READ") || hasCode(error, "DELTA_CONCURRENT_APPEND");
      if (!isPassing || ++conflicts > MAX_CONFLICTS) throw error;
    }
  }
}

/** False where no file is left without ids. */
async function backfillSome(log: DeltaLog, options: AlterOptions): Promise<boolean> {
  const { staged } = await change(log, options, async (snapshot) => {
    const { metadata } = snapshot;
    if (property(metadata, "delta.rowTrackingSuspended")) {
      throw new DeltaError(
        "DELTA_INVALID_PROPERTY_VALUE",
        "Row tracking is suspended (delta.rowTrackingSuspended): unset that first.",
        { property: "delta.rowTrackingSuspended", value: "true" },
      );
    }
    const adds = await filesWithoutIds(snapshot, options.signal);
    if (adds.length === 0) return undefined;
    return {
      actions: adds.map((add) => ({ add })),
      // A file that somebody removes meanwhile must not come back.
      reads: { mayMatch: () => false, files: new Set(adds.map(({ path }) => canonicalPath(path))) },
      operation: "ROW TRACKING BACKFILL",
      operationParameters: {},
      operationMetrics: { numFiles: String(adds.length) },
      discard: async () => undefined,
    };
  });
  return staged !== undefined;
}

async function filesWithoutIds(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<AddFile[]> {
  const adds: AddFile[] = [];
  for await (const batch of snapshot.fileBatches({ columns: [...ADD_COLUMNS], signal })) {
    const ids = batch.getChild("baseRowId");
    const read = addReader(batch);
    for (let row = 0; row < batch.numRows; row++) {
      if (ids?.get(row) != null) continue;
      adds.push({ ...read(row), dataChange: false });
      if (adds.length === FILES_PER_COMMIT) return adds;
    }
  }
  return adds;
}
