import { DeltaError } from "../errors.js";
import type { Action, CommitInfo } from "../log/actions.js";
import { claim } from "../log/commit.js";
import { parseCommit } from "../log/commitFile.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkpointFailed, maintain } from "../log/maintenance.js";
import { property } from "../log/properties.js";
import { readCommits } from "../log/readCommits.js";
import { firstSnapshot, loadSnapshot, type Snapshot } from "../log/snapshot.js";
import { firstInCommitTimestamp, nextInCommitTimestamp } from "../log/timestamps.js";
import { runtime } from "../runtime.js";
import { VERSION } from "../version.js";
import {
  type Conflict,
  findConflict,
  findFileConflict,
  type IsolationLevel,
  looksAtWinners,
  type ReadSet,
  type Winner,
} from "./conflicts.js";
import { withProtectedVersion } from "./protectedVersion.js";
import { assignRowIds, rowTrackingTags } from "./rowIds.js";
import { turnsTimestampsOn, withTimestampEnablement } from "./timestampEnablement.js";

/** A change that is staged and wants a version. */
export interface Transaction {
  /** The snapshot it was made from; undefined where it creates the table. */
  readonly read: Snapshot | undefined;
  /** What of the table it depends on; undefined where its rows are added whatever there is. */
  readonly reads?: ReadSet | undefined;
  /** True where it brings older files back: it is serializable whatever the table says, and a vacuum may be about to delete them. */
  readonly bringsBack?: boolean | undefined;
  /** Everything but `commitInfo`. */
  readonly actions: readonly Action[];
  readonly operation: string;
  readonly operationParameters: Readonly<Record<string, string | null>>;
  readonly operationMetrics: Readonly<Record<string, string>>;
  readonly userMetadata?: string | undefined;
  /** The puts of the files that the actions name; the claim waits for them, and fails as they do. */
  readonly stored?: Promise<unknown> | undefined;
}

/** What came of {@link commit}: the version it made, or why it can't stand and the snapshot that says so. */
export type CommitResult =
  | { readonly status: "committed"; readonly version: number }
  | { readonly status: "conflict"; readonly conflict: Conflict; readonly snapshot: Snapshot };

/** Claims lost to other writers before giving up; each is another writer's success. */
const MAX_ATTEMPTS = 1000;
/**
 * The first loss is answered at once, since the winner is done; after the next ones everybody waits a random part of the
 * time that an attempt takes, to break up a crowd. Who has lost more often doesn't wait, so that its turn comes before
 * newcomers': with waits that grow, 16 writers on S3 needed up to 59 attempts for an append, and 21 like this.
 */
const FIRST_WAIT = 2;
const LAST_WAIT = 6;
const MAX_WAIT_MS = 1000;

/**
 * Claims a version for `transaction`: the one after the snapshot it read or, when others were first, after theirs if nothing in
 * them contradicts it. Data files are never written again.
 *
 * A crash leaves the version claimed or not, nothing between. Throws `DELTA_COMMIT_OUTCOME_UNKNOWN` when storage
 * doesn't tell; after any other error (`DELTA_MAX_COMMIT_RETRIES_EXCEEDED`, storage errors) nothing was committed.
 */
export async function commit(log: DeltaLog, transaction: Transaction, signal?: AbortSignal): Promise<CommitResult> {
  return log.exclusively(() => claimNext(log, transaction, signal));
}

async function claimNext(log: DeltaLog, transaction: Transaction, signal?: AbortSignal): Promise<CommitResult> {
  const { read, actions: own, reads, bringsBack } = transaction;
  const isolationLevel = isolationLevelOf(transaction);
  const looks = looksAtWinners(transaction);
  const txnId = runtime.randomUUID();
  let base = read;
  if (read !== undefined) {
    // The rows may have taken so long that what was read can't be gone on from.
    const known = log.known ?? (await log.latest(signal));
    if (known.version > read.version) base = known;
  }

  let passedVersion = read?.version ?? -1;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const startedMs = runtime.now();
    if (read !== undefined && base !== undefined && base !== read) {
      const mine = { read, reads, actions: own, isolationLevel, bringsBack };
      let conflict = findConflict(mine, base);
      if (looks && conflict === undefined) {
        for await (const winner of winners(log, passedVersion + 1, base.version, signal)) {
          conflict ??= findFileConflict(mine, winner);
        }
        passedVersion = base.version;
      }
      if (conflict !== undefined) return { status: "conflict", conflict, snapshot: base };
    }
    const version = base === undefined ? 0 : base.version + 1;
    if (!Number.isSafeInteger(version)) throw noVersionLeft(log.store.url);
    const turnsOn = turnsTimestampsOn(own, base);
    const inCommitTimestamp = await inCommitTimestampOf(base, turnsOn, signal);
    const timed =
      turnsOn && inCommitTimestamp !== undefined && version > 0
        ? withTimestampEnablement(own, version, inCommitTimestamp)
        : own;
    const versioned = assignRowIds(withProtectedVersion(timed, base, version), base, version);
    const tags = rowTrackingTags(versioned, base);
    const commitInfo = commitInfoOf(transaction, { txnId, isolationLevel, inCommitTimestamp, tags });
    const actions = [{ commitInfo }, ...versioned];
    const outcome = await claim(log.store, version, actions, signal, transaction.stored);
    if (outcome.status === "committed") {
      const snapshotOf = () => base?.advance(version, actions) ?? firstSnapshot(log.store, actions);
      await afterCommit(log, version, snapshotOf, startedMs, commitInfo);
      return { status: "committed", version };
    }
    if (base === undefined) {
      const snapshot = await log.latest(signal);
      return { status: "conflict", conflict: { code: "DELTA_METADATA_CHANGED" }, snapshot };
    }
    base = await loadSnapshot(log.store, { base: base.advance(version, outcome.actions), signal });
    if (attempt >= FIRST_WAIT && attempt <= LAST_WAIT) {
      const attemptMs = Math.max(1, runtime.now() - startedMs);
      await runtime.sleep(runtime.random() * Math.min(MAX_WAIT_MS, attemptMs), signal);
    }
  }
  throw new DeltaError(
    "DELTA_MAX_COMMIT_RETRIES_EXCEEDED",
    `${log.store.url}: other writers were first ${MAX_ATTEMPTS} times in a row. Nothing was committed; try again when fewer write.`,
    { attempts: MAX_ATTEMPTS },
  );
}

/** Nobody could read a commit of a higher number, and no honest table has so many. */
function noVersionLeft(url: string): DeltaError {
  return new DeltaError(
    "DELTA_LOG_CORRUPT",
    `${url} is at version ${Number.MAX_SAFE_INTEGER}, the highest that there can be.`,
    {
      path: url,
      version: Number.MAX_SAFE_INTEGER,
    },
  );
}

/** Undefined where the table, or the one that is created, has no in-commit timestamps. */
async function inCommitTimestampOf(
  base: Snapshot | undefined,
  turnsOn: boolean,
  signal?: AbortSignal,
): Promise<number | undefined> {
  if (base === undefined) return turnsOn ? runtime.now() : undefined;
  return turnsOn ? firstInCommitTimestamp(base, signal) : nextInCommitTimestamp(base, signal);
}

/** The commits that others made, in order. */
async function* winners(log: DeltaLog, first: number, last: number, signal?: AbortSignal): AsyncGenerator<Winner> {
  for await (const { version, bytes } of readCommits(log.store, first, last, signal)) {
    yield { version, actions: parseCommit(version, bytes) };
  }
}

/**
 * What only rearranges rows sees its own snapshot, and contradicts nobody who adds some (Delta's isolation levels). Where it changes the
 * table's metadata with them, rows that others add may lie in files that don't fit.
 */
function isolationLevelOf({ read, actions, bringsBack }: Transaction): IsolationLevel {
  const changes = actions.some(
    (action) => ("add" in action && action.add.dataChange) || ("remove" in action && action.remove.dataChange),
  );
  const moves = actions.some((action) => "add" in action || "remove" in action);
  const rearranges = moves && !changes && !actions.some((action) => "metaData" in action);
  if (rearranges) return "SnapshotIsolation";
  return read === undefined || bringsBack ? "Serializable" : property(read.metadata, "delta.isolationLevel");
}

function commitInfoOf(
  transaction: Transaction,
  facts: {
    readonly txnId: string;
    readonly isolationLevel: IsolationLevel;
    readonly inCommitTimestamp?: number | undefined;
    readonly tags: Readonly<Record<string, string>> | undefined;
  },
): CommitInfo {
  const { read, reads, actions, operation, operationParameters, operationMetrics, userMetadata } = transaction;
  const { txnId, isolationLevel, inCommitTimestamp, tags } = facts;
  return {
    ...(inCommitTimestamp === undefined ? {} : { inCommitTimestamp }),
    timestamp: runtime.now(),
    operation,
    operationParameters,
    ...(read === undefined ? {} : { readVersion: read.version }),
    isolationLevel,
    isBlindAppend: reads === undefined && !actions.some((action) => "remove" in action),
    operationMetrics,
    ...(tags === undefined ? {} : { tags }),
    ...(userMetadata === undefined ? {} : { userMetadata }),
    engineInfo: `delta-table/${VERSION}`,
    txnId,
  };
}

/**
 * The commit stands whatever happens here: an error would pass for one that didn't, and its files be removed. So a
 * failure is a warning; the next read, and the next checkpoint, make up for it.
 */
async function afterCommit(
  log: DeltaLog,
  version: number,
  snapshotOf: () => Snapshot,
  startedMs: number,
  commitInfo: CommitInfo,
): Promise<void> {
  try {
    const snapshot = snapshotOf();
    log.adopt(snapshot, startedMs);
    await maintain(log, snapshot, commitInfo);
  } catch (error) {
    checkpointFailed(log.store, version, error);
  }
}
