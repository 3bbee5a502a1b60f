import { loaded } from "../lazy.js";
import { runtime } from "../runtime.js";
import type { ObjectStore } from "../storage/store.js";
import { isFeatureActive } from "./features.js";
import { LOG_FOLDER, parseLogPath, SIDECAR_FOLDER } from "./names.js";
import { sidecarPath } from "./paths.js";
import { property } from "./properties.js";
import { type CheckpointFiles, checkpointsIn } from "./segment.js";
import type { Snapshot } from "./snapshot.js";
import { newestCommitBy } from "./timestamps.js";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Deletions under way at a time. */
const PARALLEL = 16;

/**
 * Removes versions from the log that `delta.logRetentionDuration` lets go of, where `delta.enableExpiredLogCleanup` is on, at
 * most `limit` files of them; returns how many (PROTOCOL.md, Metadata Cleanup).
 *
 * What is kept: the newest checkpoint that isn't newer than the last commit before the day on which the retention begins, that
 * version's commit, and everything after it. So each version that is younger than the retention can still be read. The
 * checkpoint is looked at before anything is removed. The oldest files go first: a crash leaves a log of which less is removed.
 * Then go sidecars that no checkpoint names, and temporary files, once a day old.
 *
 * Throws what the store throws, and `DELTA_PARQUET_UNREADABLE`, `DELTA_LOG_CORRUPT` or `DELTA_FILE_NOT_FOUND` where that checkpoint is
 * damaged: then nothing was removed.
 */
export async function cleanUpLog(
  snapshot: Snapshot,
  options: { readonly limit?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<number> {
  const { metadata } = snapshot;
  if (!property(metadata, "delta.enableExpiredLogCleanup")) return 0;
  return removeBefore(snapshot, cutoffFor(snapshot), options);
}

/**
 * As {@link cleanUpLog} behind a commit's checkpoint, at most `limit` files, but only once a day and store, or as long as there is something left to
 * remove: whatever is committed afterwards is younger than what that day lets go of. A log of many files takes long to list.
 */
export async function cleanUpLogDaily(snapshot: Snapshot, limit: number): Promise<void> {
  const cutoffMs = cutoffFor(snapshot);
  if (isCleanedUp(snapshot)) return;
  if ((await cleanUpLog(snapshot, { limit })) < limit) cleanedUp.set(snapshot.store, cutoffMs);
}

/** Whether {@link cleanUpLogDaily} has nothing to do. */
export function isCleanedUp(snapshot: Snapshot): boolean {
  return cleanedUp.get(snapshot.store) === cutoffFor(snapshot);
}

function cutoffFor({ metadata }: Snapshot): number {
  return startOfDay(runtime.now() - property(metadata, "delta.logRetentionDuration"));
}

/** Up to which time stores have nothing left to remove. */
const cleanedUp = new WeakMap<ObjectStore, number>();

/**
 * As {@link cleanUpLog}, by `delta.dropFeatureTruncateHistory.retentionDuration`, to the minute, and wherever it is asked for: so that versions go
 * that use a feature which is to be dropped.
 */
export async function truncateHistory(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<number> {
  const retentionMs = property(snapshot.metadata, "delta.dropFeatureTruncateHistory.retentionDuration");
  const cutoffMs = Math.floor((runtime.now() - retentionMs) / MINUTE_MS) * MINUTE_MS;
  return removeBefore(snapshot, cutoffMs, { signal });
}

async function removeBefore(
  snapshot: Snapshot,
  cutoffMs: number,
  options: { readonly limit?: number; readonly signal?: AbortSignal | undefined },
): Promise<number> {
  const { store } = snapshot;
  const { signal } = options;
  const today = startOfDay(runtime.now());
  const cutoff = await newestCommitBy(snapshot, cutoffMs, signal);
  if (cutoff === undefined) return 0;
  const paths = await store.listNames(LOG_FOLDER, undefined, signal);
  const checkpoints = checkpointsIn(paths);
  const kept = checkpoints.findLast(({ version }) => version <= cutoff);
  if (kept === undefined || isProtected(snapshot, kept.version)) return 0;
  const expired = paths.filter((path) => isExpired(path, kept.version)).slice(0, limitFor(snapshot, options.limit));
  if (expired.length === 0) return 0;
  await checkWhole(store, kept, signal);
  await deleteAll(store, expired, signal);
  const gone = new Set(expired);
  const left = checkpoints.filter((checkpoint) => !checkpoint.paths.some((path) => gone.has(path)));
  await removeSidecars(store, left, today - DAY_MS, signal);
  await store.sweep(LOG_FOLDER, today - DAY_MS);
  return expired.length;
}

function startOfDay(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS) * DAY_MS;
}

/**
 * Whether versions have to stay since a feature was dropped after them: they may only go together with all before the version that
 * `delta.requireCheckpointProtectionBeforeVersion` names (PROTOCOL.md, Checkpoint Protection).
 */
function isProtected(snapshot: Snapshot, version: number): boolean {
  return (
    hasProtection(snapshot) && version < property(snapshot.metadata, "delta.requireCheckpointProtectionBeforeVersion")
  );
}

function hasProtection({ protocol, metadata }: Snapshot): boolean {
  return isFeatureActive("checkpointProtection", protocol, metadata);
}

function limitFor(snapshot: Snapshot, limit = Number.POSITIVE_INFINITY): number {
  return hasProtection(snapshot) ? Number.POSITIVE_INFINITY : limit;
}

/** Whether a file of the log tells of nothing but versions before `kept`, which has a checkpoint. */
function isExpired(path: string, kept: number): boolean {
  const name = parseLogPath(path);
  if (name === undefined) return false;
  return name.kind === "compacted" ? name.version <= kept : name.version < kept;
}

/** Passes if everything that the checkpoint says beside files can be read, and its sidecars are there. */
async function checkWhole(store: ObjectStore, checkpoint: CheckpointFiles, signal?: AbortSignal): Promise<void> {
  const { readStateActions } = await loaded(() => import("./checkpointState.js"), "delta-table/log/checkpointState");
  const { sidecarFooters } = await loaded(() => import("./checkpointRead.js"), "delta-table/log/checkpointRead");
  for await (const _ of readStateActions(store, checkpoint, signal));
  await sidecarFooters(store, checkpoint, signal);
}

async function deleteAll(store: ObjectStore, paths: readonly string[], signal?: AbortSignal): Promise<void> {
  for (let start = 0; start < paths.length; start += PARALLEL) {
    await Promise.all(paths.slice(start, start + PARALLEL).map((path) => store.delete(path, signal)));
  }
}

/** Removes old sidecars that none of the checkpoints names; who writes a checkpoint now has younger ones. */
async function removeSidecars(
  store: ObjectStore,
  checkpoints: readonly CheckpointFiles[],
  beforeMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const old: string[] = [];
  for await (const { path, modifiedMs } of store.list(SIDECAR_FOLDER, undefined, signal)) {
    if (modifiedMs < beforeMs) old.push(path);
  }
  if (old.length === 0) return;
  const { readSidecars } = await loaded(() => import("./checkpointState.js"), "delta-table/log/checkpointState");
  const named = new Set<string>();
  for (const checkpoint of checkpoints) {
    for (const { path } of await readSidecars(store, checkpoint, signal)) named.add(sidecarPath(store, path));
  }
  await deleteAll(
    store,
    old.filter((path) => !named.has(path)),
    signal,
  );
}
