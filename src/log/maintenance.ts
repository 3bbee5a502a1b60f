import { hasCode } from "../errors.js";
import { runtime } from "../runtime.js";
import type { ObjectStore } from "../storage/store.js";
import type { CommitInfo } from "./actions.js";
import { putCheckpoint } from "./checkpoint.js";
import { totalsOf, versionChecksum, writeChecksum } from "./checksumWrite.js";
import type { DeltaLog } from "./deltaLog.js";
import { cleanUpLog, cleanUpLogDaily, isCleanedUp } from "./logCleanup.js";
import { property } from "./properties.js";
import type { Snapshot } from "./snapshot.js";

/**
 * What keeps a log short and quick to read, once a version is committed: its version checksum and, every
 * `delta.checkpointInterval` versions, a checkpoint, after which expired versions go. None of it can take the commit back: what this throws is worth a warning,
 * and a later commit makes up for it. The checksum is under way when this resolves, and `_last_checkpoint` may be; the handle's next commit waits for it.
 */
export async function maintain(log: DeltaLog, snapshot: Snapshot, commitInfo: CommitInfo): Promise<void> {
  const { store } = log;
  const { version, metadata } = snapshot;
  const isDue = version > 0 && version % property(metadata, "delta.checkpointInterval") === 0;
  const isTold = await leaveChecksum(log, snapshot, commitInfo);
  if (!isDue) return;
  const { pointed } = await putCheckpoint(store, snapshot);
  // What is cleaned up must not be what readers are still pointed at.
  if (!isCleanedUp(snapshot)) await pointed;
  else log.alongside(pointed.catch((error: unknown) => checkpointFailed(store, version, error)));
  if (!isTold) await leaveChecksum(log, snapshot, commitInfo);
  await letGo(snapshot, { limit: MAX_REMOVED });
}

/** Tells that a commit stands without its checkpoint. */
export function checkpointFailed(store: ObjectStore, version: number, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  runtime.warn(
    `${store.url}: version ${version} is committed, but its checkpoint could not be written: ${reason}`,
    "DELTA_CHECKPOINT_FAILED",
  );
}

/** Cleans the log up behind a checkpoint, with a `limit` once a day ({@link cleanUpLogDaily}); but what fails is a warning. */
export async function letGo(
  snapshot: Snapshot,
  { limit, signal }: { readonly limit?: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  try {
    if (limit === undefined) await cleanUpLog(snapshot, { signal });
    else await cleanUpLogDaily(snapshot, limit);
  } catch (error) {
    if (hasCode(error, "DELTA_ABORTED")) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    runtime.warn(
      `${snapshot.store.url}: expired versions could not be removed from the log: ${reason}`,
      "DELTA_LOG_CLEANUP_FAILED",
    );
  }
}

/** So many files are removed after a commit at most: what has piled up goes little by little. */
const MAX_REMOVED = 1000;

/** Starts writing the version's checksum where its totals are known, or an older checksum tells them. */
async function leaveChecksum(log: DeltaLog, snapshot: Snapshot, commitInfo: CommitInfo): Promise<boolean> {
  const { store } = log;
  const { version, checksumVersion } = snapshot;
  const failed = (error: unknown) => {
    if (toldOf.has(store)) return;
    toldOf.add(store);
    const reason = error instanceof Error ? error.message : String(error);
    runtime.warn(
      `${store.url}: version ${version} is committed, but its version checksum could not be written: ${reason}`,
      "DELTA_CHECKSUM_FAILED",
    );
  };
  try {
    if (snapshot.totals === undefined && checksumVersion !== undefined) {
      snapshot.learnTotals(await totalsOf(store, checksumVersion));
    }
    const { totals } = snapshot;
    if (totals === undefined) return false;
    const checksum = versionChecksum(snapshot, totals, commitInfo);
    log.alongside(writeChecksum(store, version, checksum).catch(failed));
    return true;
  } catch (error) {
    failed(error);
    return false;
  }
}

/** Stores of which it was told that checksums can't be written: it would be told at each commit. */
const toldOf = new WeakSet<object>();
