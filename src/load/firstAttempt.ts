import { forEachAction } from "../log/commitFile.js";
import { LOG_FOLDER, parseLogPath } from "../log/names.js";
import { readCommits } from "../log/readCommits.js";
import type { Snapshot } from "../log/snapshot.js";
import type { ObjectMeta } from "../storage/store.js";

/** Clocks differ, and a copied table's files have the times of the copying, in any order. */
const MARGIN_MS = 24 * 3600 * 1000;

/**
 * True where the log shows that no step of `appId` was ever committed: what is in the job's folder, `left`, was written by a first
 * attempt that failed, was killed, or is under way in another process. A step's commit is younger than its files, so the log needs to reach
 * back to a day before the oldest of them; where it doesn't, nobody can tell.
 */
export async function isFirstAttempt(
  snapshot: Snapshot,
  appId: string,
  left: readonly ObjectMeta[],
  signal?: AbortSignal,
): Promise<boolean> {
  const since = Math.min(...left.map(({ modifiedMs }) => modifiedMs)) - MARGIN_MS;
  let first: number | undefined;
  for await (const { path, modifiedMs } of snapshot.store.list(LOG_FOLDER, undefined, signal, () => false)) {
    const name = parseLogPath(path);
    if (name?.kind !== "commit") continue;
    if (first === undefined && name.version > 0 && modifiedMs >= since) return false;
    if (first !== undefined && modifiedMs >= since) break;
    first = name.version;
  }
  if (first === undefined || first > snapshot.version) return false;
  let isCommitted = false;
  for await (const { version, bytes } of readCommits(snapshot.store, first, snapshot.version, signal)) {
    forEachAction(version, bytes, { commitInfo: false }, (action) => {
      if ("txn" in action && action.txn.appId === appId) isCommitted = true;
    });
    if (isCommitted) return false;
  }
  return true;
}
