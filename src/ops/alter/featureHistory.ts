import type { Action } from "../../log/actions.js";
import { forEachAction } from "../../log/commitFile.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { LOG_FOLDER, parseLogPath } from "../../log/names.js";
import { readCommits } from "../../log/readCommits.js";
import { checkpointsIn } from "../../log/segment.js";
import type { Snapshot } from "../../log/snapshot.js";
import { runsOf } from "../../log/timestamps.js";
import type { Removal } from "./removals.js";

/** Whether a version that the log still has, the newest one aside, uses a feature. Reads every commit. */
export async function isInHistory(
  log: DeltaLog,
  { version: newest }: Snapshot,
  { usedBy, areIn }: Removal,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (usedBy === undefined) return false;
  const paths = await log.store.listNames(LOG_FOLDER, undefined, signal);
  const [first] = checkpointsIn(paths);
  if (first !== undefined) {
    const oldest = await log.at({ version: first.version }, signal);
    if (usedBy({ metaData: oldest.metadata }) || (await areIn?.(oldest, signal))) return true;
  }
  const versions = paths.flatMap((path) => {
    const name = parseLogPath(path);
    return name?.kind === "commit" && name.version <= newest ? [name.version] : [];
  });
  let isUsed = false;
  const visit = (action: Action) => {
    isUsed ||= usedBy(action);
  };
  for (const run of runsOf(versions)) {
    for await (const { version, bytes } of readCommits(log.store, run.first, run.last, signal)) {
      forEachAction(version, bytes, { commitInfo: false }, visit);
      if (isUsed) return true;
    }
  }
  return false;
}
