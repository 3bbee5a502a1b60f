import { DeltaError, hasCode } from "../errors.js";
import { runtime } from "../runtime.js";
import { checkNameCount } from "../storage/listingLimit.js";
import type { ObjectStore } from "../storage/store.js";
import type { CommitInfo } from "./actions.js";
import { forEachAction } from "./commitFile.js";
import { commitPath, LOG_FOLDER, parseLogPath } from "./names.js";
import { property } from "./properties.js";
import { readCommits } from "./readCommits.js";
import { rebuildableVersions } from "./segment.js";
import type { Snapshot } from "./snapshot.js";

/** When a version was committed, in milliseconds since the epoch. */
export interface CommitTime {
  readonly version: number;
  readonly timestampMs: number;
}

/** A commit as the history shows it. */
export interface HistoryRecord extends CommitTime {
  /** Undefined where the writer left none. */
  readonly commitInfo: CommitInfo | undefined;
}

/**
 * The newest version that was committed at or before `timestampMs`.
 *
 * The time of a commit is that of its file, made to rise by at least a millisecond from version to version, or the
 * in-commit timestamp where the table has those (PROTOCOL.md, In-Commit Timestamps).
 *
 * Throws `DELTA_TIMESTAMP_OUT_OF_RANGE` before the first version that can be rebuilt and in the future, of which nobody
 * knows what it holds, with `earliestVersion`, `earliestMs`, `latestVersion` and `latestMs` in `data`.
 */
export async function versionAt(newest: Snapshot, timestampMs: number, signal?: AbortSignal): Promise<number> {
  const { times: all, earliest } = await commitTimes(newest, signal);
  const times = all.filter(({ version }) => version >= earliest);
  const first = times[0];
  const last = times.at(-1);
  if (first === undefined || last === undefined || timestampMs < first.timestampMs) {
    throw outOfRange(newest.store, timestampMs, first, last);
  }
  if (timestampMs > Math.max(last.timestampMs, runtime.now())) {
    throw outOfRange(newest.store, timestampMs, first, last);
  }
  return times.findLast((time) => time.timestampMs <= timestampMs)!.version;
}

/**
 * The first version that was committed at `timestampMs` or later: one that doesn't exist yet, where the newest is older. Throws
 * `DELTA_TIMESTAMP_OUT_OF_RANGE` in the future.
 */
export async function firstVersionFrom(newest: Snapshot, timestampMs: number, signal?: AbortSignal): Promise<number> {
  try {
    return (await versionAt(newest, timestampMs - 1, signal)) + 1;
  } catch (error) {
    const earliest = hasCode(error, "DELTA_TIMESTAMP_OUT_OF_RANGE") ? error.data : {};
    if (typeof earliest.earliestMs !== "number" || timestampMs > earliest.earliestMs) throw error;
    return earliest.earliestVersion as number;
  }
}

/** When each version up to the snapshot's was committed whose commit the log still holds, by version: as {@link versionAt} counts. */
export async function timesByVersion(snapshot: Snapshot, signal?: AbortSignal): Promise<ReadonlyMap<number, number>> {
  const { times } = await commitTimes(snapshot, signal);
  return new Map(times.map(({ version, timestampMs }) => [version, timestampMs]));
}

/**
 * The commits that the log still holds, from the snapshot's version downwards, `limit` at most.
 * Throws `DELTA_LOG_CORRUPT`.
 */
export async function history(
  snapshot: Snapshot,
  options: { readonly limit?: number; readonly signal?: AbortSignal } = {},
): Promise<HistoryRecord[]> {
  const { limit = Number.POSITIVE_INFINITY, signal } = options;
  const { times } = await commitTimes(snapshot, signal);
  const until = times.filter(({ version }) => version <= snapshot.version);
  const wanted = until.slice(Math.max(0, until.length - limit));
  const records: HistoryRecord[] = [];
  for (const { first, last } of runsOf(wanted.map(({ version }) => version))) {
    for await (const { version, bytes } of readCommits(snapshot.store, first, last, signal)) {
      const { timestampMs } = wanted[records.length]!;
      records.push({ version, timestampMs, commitInfo: commitInfoOf(version, bytes) });
    }
  }
  return records.reverse();
}

/** The times of all commits in the log, strictly rising, and the oldest version that can be rebuilt. */
async function commitTimes(
  { store, metadata }: Snapshot,
  signal?: AbortSignal,
): Promise<{ readonly times: readonly CommitTime[]; readonly earliest: number }> {
  const inCommitFrom = property(metadata, "delta.enableInCommitTimestamps")
    ? (property(metadata, "delta.inCommitTimestampEnablementVersion") ?? 0)
    : Number.POSITIVE_INFINITY;
  const times: CommitTime[] = [];
  const inCommit: number[] = [];
  const paths: string[] = [];
  for await (const { path, modifiedMs } of store.list(LOG_FOLDER, undefined, signal)) {
    if (path > AFTER_VERSIONS) break;
    paths.push(path);
    checkNameCount(paths.length, `${store.url}/${LOG_FOLDER}`);
    const name = parseLogPath(path);
    if (name?.kind !== "commit") continue;
    const { version } = name;
    const before = times.at(-1)?.timestampMs ?? Number.NEGATIVE_INFINITY;
    if (version >= inCommitFrom) inCommit.push(version);
    else times.push({ version, timestampMs: Math.max(modifiedMs, before + 1) });
  }
  times.push(...(await inCommitTimes(store, inCommit, signal)));
  return { times, earliest: rebuildableVersions(store, paths).earliest };
}

/** Sorts behind all names that begin with a version: pointers and folders follow, which may be large. */
const AFTER_VERSIONS = `${LOG_FOLDER}:`;

async function inCommitTimes(
  store: ObjectStore,
  versions: readonly number[],
  signal?: AbortSignal,
): Promise<CommitTime[]> {
  const times: CommitTime[] = [];
  for (const { first, last } of runsOf(versions)) {
    for await (const { version, bytes } of readCommits(store, first, last, signal)) {
      const timestampMs = commitInfoOf(version, bytes)?.inCommitTimestamp;
      if (!isTime(timestampMs)) throw withoutTimestamp(version);
      times.push({ version, timestampMs });
    }
  }
  return times;
}

/** Whether a Date can hold it. */
function isTime(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= MAX_DATE_MS;
}

const MAX_DATE_MS = 8.64e15;

function commitInfoOf(version: number, bytes: Uint8Array): CommitInfo | undefined {
  let info: CommitInfo | undefined;
  forEachAction(version, bytes, { commitInfo: true }, (action) => {
    if ("commitInfo" in action) info ??= action.commitInfo;
  });
  return info;
}

/** Stretches of consecutive versions. */
export function runsOf(versions: readonly number[]): { first: number; last: number }[] {
  const runs: { first: number; last: number }[] = [];
  for (const version of versions) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === version - 1) run.last = version;
    else runs.push({ first: version, last: version });
  }
  return runs;
}

function withoutTimestamp(version: number): DeltaError {
  const path = commitPath(version);
  return new DeltaError(
    "DELTA_LOG_CORRUPT",
    `${path} has no commitInfo.inCommitTimestamp, though the table's in-commit timestamps are on.`,
    { path, version },
  );
}

function outOfRange(
  store: ObjectStore,
  timestampMs: number,
  first: CommitTime | undefined,
  last: CommitTime | undefined,
): DeltaError {
  const say = (time: CommitTime | undefined) =>
    time === undefined ? "no commit left in the log" : `${iso(time.timestampMs)} (version ${time.version})`;
  return new DeltaError(
    "DELTA_TIMESTAMP_OUT_OF_RANGE",
    `${iso(timestampMs)} is outside of what ${store.url} can go back to: from ${say(first)} to ${say(last)}.`,
    {
      timestampMs,
      earliestVersion: first?.version,
      earliestMs: first?.timestampMs,
      latestVersion: last?.version,
      latestMs: last?.timestampMs,
    },
  );
}

function iso(timestampMs: number): string {
  return Math.abs(timestampMs) <= 8.64e15 ? new Date(timestampMs).toISOString() : String(timestampMs);
}
