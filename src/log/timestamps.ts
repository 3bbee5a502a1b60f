import { DeltaError, hasCode } from "../errors.js";
import { runtime } from "../runtime.js";
import { checkNameCount } from "../storage/listingLimit.js";
import type { ObjectStore } from "../storage/store.js";
import type { CommitInfo } from "./actions.js";
import { forEachAction } from "./commitFile.js";
import { isFeatureActive } from "./features.js";
import { commitPath, LOG_FOLDER, parseLogPath } from "./names.js";
import { property } from "./properties.js";
import { readCommit, readCommits } from "./readCommits.js";
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
 * in-commit timestamp from the version on that turned those on (PROTOCOL.md, In-Commit Timestamps): from that version's
 * time on only it and later ones are asked, before it only older ones.
 *
 * Throws `DELTA_TIMESTAMP_OUT_OF_RANGE` before the first version that can be rebuilt and in the future, of which nobody
 * knows what it holds, with `earliestVersion`, `earliestMs`, `latestVersion` and `latestMs` in `data`; `DELTA_LOG_CORRUPT`
 * where a commit lacks its time.
 */
export async function versionAt(newest: Snapshot, timestampMs: number, signal?: AbortSignal): Promise<number> {
  const clock = new CommitClock(newest, signal);
  const { commits: all, earliest } = await listCommits(newest, signal);
  const commits = all.filter(({ version }) => version >= earliest);
  const byFile = commits.filter(({ version }) => version < clock.inCommitFrom);
  const inCommit = commits.slice(byFile.length);
  const isInCommit = inCommit.length > 0 && timestampMs >= (await enabledMs(newest, inCommit[0]!, clock));
  const asked = isInCommit ? inCommit : byFile;
  const last = commits.at(-1);
  const isFuture = last !== undefined && timestampMs > runtime.now() && timestampMs > (await clock.timeOf(last));
  const found = isFuture ? undefined : await lastBy(asked, timestampMs, clock);
  if (found !== undefined) return found.version;
  const timed = async (commit: ListedCommit | undefined) =>
    commit && { version: commit.version, timestampMs: await clock.timeOf(commit) };
  throw outOfRange(newest.store, timestampMs, await timed(commits[0]), await timed(last));
}

/**
 * The newest commit in the log that isn't later than `timestampMs`, as {@link versionAt} counts; undefined where none is so old. Looks at
 * the oldest commits only, as far as it has to. Throws `DELTA_LOG_CORRUPT`.
 */
export async function newestCommitBy(
  newest: Snapshot,
  timestampMs: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const clock = new CommitClock(newest, signal);
  let found: number | undefined;
  let before = Number.NEGATIVE_INFINITY;
  for await (const { path, modifiedMs } of newest.store.list(LOG_FOLDER, undefined, signal)) {
    if (path > AFTER_VERSIONS) break;
    const name = parseLogPath(path);
    if (name?.kind !== "commit" || name.version > newest.version) continue;
    const { version } = name;
    if (version >= clock.inCommitFrom) {
      // From here on they can be asked one by one; a cleanup that was cut short may have left holes.
      const commits = await commitsFrom(newest, path, signal);
      const isLate = (await clock.timeOf(commits[0]!)) > timestampMs;
      return isLate ? found : (await lastBy(commits, timestampMs, clock))?.version;
    }
    before = Math.max(modifiedMs, before + 1);
    if (before > timestampMs) break;
    found = version;
  }
  return found;
}

/** The commits from the one at `first` on. */
async function commitsFrom({ store, version: last }: Snapshot, first: string, signal?: AbortSignal) {
  const commits: ListedCommit[] = [];
  for (const path of [first, ...(await store.listNames(LOG_FOLDER, first, signal))]) {
    const name = parseLogPath(path);
    if (name?.kind === "commit" && name.version <= last) commits.push({ version: name.version, modifiedMs: 0 });
  }
  return commits;
}

/** When in-commit timestamps were turned on, of which the table says so unless it has had them from its beginning. */
async function enabledMs({ metadata }: Snapshot, first: ListedCommit, clock: CommitClock): Promise<number> {
  return property(metadata, "delta.inCommitTimestampEnablementTimestamp") ?? clock.timeOf(first);
}

/** The last commit that isn't later; their times rise, and are asked for one by one. */
async function lastBy(
  commits: readonly ListedCommit[],
  timestampMs: number,
  clock: CommitClock,
): Promise<ListedCommit | undefined> {
  let [from, to] = [0, commits.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((await clock.timeOf(commits[middle]!)) <= timestampMs) from = middle + 1;
    else to = middle;
  }
  return commits[from - 1];
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

/** When each of the versions from `first` to `last` was committed whose commit the log still holds: as {@link versionAt} counts. */
export async function timesByVersion(
  snapshot: Snapshot,
  { first, last = snapshot.version }: { readonly first: number; readonly last?: number },
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  const clock = new CommitClock(snapshot, signal);
  const { commits } = await listCommits(snapshot, signal);
  const wanted = commits.filter(({ version }) => version >= first && version <= last);
  const times = new Map(wanted.map(({ version, modifiedMs }) => [version, modifiedMs]));
  const inCommit = wanted.map(({ version }) => version).filter((version) => version >= clock.inCommitFrom);
  for (const run of runsOf(inCommit)) {
    for await (const { version, bytes } of readCommits(snapshot.store, run.first, run.last, signal)) {
      times.set(version, inCommitTime(version, commitInfoOf(version, bytes)));
    }
  }
  return times;
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
  const { inCommitFrom } = new CommitClock(snapshot, signal);
  const { commits } = await listCommits(snapshot, signal);
  const until = commits.filter(({ version }) => version <= snapshot.version);
  const wanted = until.slice(Math.max(0, until.length - limit));
  const records: HistoryRecord[] = [];
  for (const { first, last } of runsOf(wanted.map(({ version }) => version))) {
    for await (const { version, bytes } of readCommits(snapshot.store, first, last, signal)) {
      const commitInfo = commitInfoOf(version, bytes);
      const { modifiedMs } = wanted[records.length]!;
      const timestampMs = version >= inCommitFrom ? inCommitTime(version, commitInfo) : modifiedMs;
      records.push({ version, timestampMs, commitInfo });
    }
  }
  return records.reverse();
}

/**
 * The in-commit timestamp that the commit after this version needs: now, or a millisecond after the version's own; undefined where
 * the table has none (PROTOCOL.md, Writer Requirements for In-Commit Timestamps). Reads one commit. Throws `DELTA_LOG_CORRUPT`.
 */
export async function nextInCommitTimestamp(snapshot: Snapshot, signal?: AbortSignal): Promise<number | undefined> {
  const clock = new CommitClock(snapshot, signal);
  const { version } = snapshot;
  if (clock.inCommitFrom === Number.POSITIVE_INFINITY) return undefined;
  const before = version < clock.inCommitFrom ? 0 : await clock.timeOf({ version, modifiedMs: 0 });
  return Math.max(runtime.now(), before + 1);
}

/** The first in-commit timestamp of a table that has been without: now, or a millisecond after the file of this version's commit. */
export async function firstInCommitTimestamp({ store, version }: Snapshot, signal?: AbortSignal): Promise<number> {
  const before = (await store.head(commitPath(version), signal))?.modifiedMs ?? 0;
  return Math.max(runtime.now(), Math.floor(before) + 1);
}

/** A commit of the log; its file's time is made to rise from version to version. */
interface ListedCommit {
  readonly version: number;
  readonly modifiedMs: number;
}

/** Tells when commits were made, by their files' times or by themselves. */
class CommitClock {
  /** The first version whose commit holds its time; infinity where none does. */
  readonly inCommitFrom: number;
  readonly #store: ObjectStore;
  readonly #signal: AbortSignal | undefined;
  readonly #known = new Map<number, number>();

  constructor({ store, protocol, metadata }: Snapshot, signal: AbortSignal | undefined) {
    this.#store = store;
    this.#signal = signal;
    this.inCommitFrom = isFeatureActive("inCommitTimestamp", protocol, metadata)
      ? (property(metadata, "delta.inCommitTimestampEnablementVersion") ?? 0)
      : Number.POSITIVE_INFINITY;
  }

  async timeOf({ version, modifiedMs }: ListedCommit): Promise<number> {
    if (version < this.inCommitFrom) return modifiedMs;
    let time = this.#known.get(version);
    if (time === undefined) {
      time = inCommitTime(version, commitInfoOf(version, await readCommit(this.#store, version, this.#signal)));
      this.#known.set(version, time);
    }
    return time;
  }
}

/** All commits in the log, and the oldest version that can be rebuilt. */
async function listCommits(
  { store }: Snapshot,
  signal?: AbortSignal,
): Promise<{ readonly commits: readonly ListedCommit[]; readonly earliest: number }> {
  const commits: ListedCommit[] = [];
  const paths: string[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for await (const { path, modifiedMs } of store.list(LOG_FOLDER, undefined, signal)) {
    if (path > AFTER_VERSIONS) break;
    paths.push(path);
    checkNameCount(paths.length, `${store.url}/${LOG_FOLDER}`);
    const name = parseLogPath(path);
    if (name?.kind !== "commit") continue;
    before = Math.max(modifiedMs, before + 1);
    commits.push({ version: name.version, modifiedMs: before });
  }
  return { commits, earliest: rebuildableVersions(store, paths).earliest };
}

/** Sorts behind all names that begin with a version: pointers and folders follow, which may be large. */
const AFTER_VERSIONS = `${LOG_FOLDER}:`;

function inCommitTime(version: number, commitInfo: CommitInfo | undefined): number {
  const time = commitInfo?.inCommitTimestamp;
  if (!isTime(time)) throw withoutTimestamp(version);
  return time;
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
    `${path} has no commitInfo with a time as its inCommitTimestamp, though the table's in-commit timestamps are on: when it was made can't be told. Ask for versions instead of times.`,
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
