import { isDeepStrictEqual } from "node:util";
import type { ErrorCode } from "../errors.js";
import type { Action, AddFile, CommitInfo, Metadata, Protocol, RemoveFile, SetTransaction } from "../log/actions.js";
import { canonicalPath } from "../log/paths.js";

/** The part of a snapshot that every transaction relies on. */
export interface ReadState {
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly transactions: ReadonlyMap<string, SetTransaction>;
}

/** Which rows of the table a transaction's outcome depends on. */
export interface ReadSet {
  /** Whether a file that somebody adds may hold rows that it should have read. */
  readonly mayMatch: (add: AddFile) => boolean;
  /** Canonical paths of the files that it read. */
  readonly files: ReadonlySet<string> | "all";
}

/** How far transactions that run at the same time may see of each other (Delta's isolation levels). */
export type IsolationLevel = "Serializable" | "WriteSerializable" | "SnapshotIsolation";

/** What a transaction relies on and does, as far as others can contradict it. */
export interface Attempt {
  readonly read: ReadState;
  /** Undefined for a blind append. */
  readonly reads: ReadSet | undefined;
  readonly actions: readonly Action[];
  readonly isolationLevel: IsolationLevel;
  /** Whether it brings files back that were removed. */
  readonly bringsBack?: boolean | undefined;
}

/** A commit that was made after what an {@link Attempt} read. */
export interface Winner {
  readonly version: number;
  readonly actions: readonly Action[];
}

/** Why a transaction can't stand after the commits that won against it, in Delta's own terms. */
export interface Conflict {
  readonly code: Extract<
    ErrorCode,
    | "DELTA_PROTOCOL_CHANGED"
    | "DELTA_METADATA_CHANGED"
    | "DELTA_CONCURRENT_TRANSACTION"
    | "DELTA_CONCURRENT_APPEND"
    | "DELTA_CONCURRENT_DELETE_READ"
    | "DELTA_CONCURRENT_DELETE_DELETE"
  >;
  readonly appId?: string;
  readonly domain?: string;
  /** Of the file that both are about. */
  readonly path?: string;
  /** Of the commit that won. */
  readonly version?: number;
  readonly operation?: string;
}

/**
 * Decides by what the table is `now` whether an attempt may go after it: not after a new protocol, new metadata, or progress
 * of an application whose progress it sets itself. For a blind append that is all.
 */
export function findConflict({ read, actions }: Omit<Attempt, "reads">, now: ReadState): Conflict | undefined {
  if (!isDeepStrictEqual(read.protocol, now.protocol)) return { code: "DELTA_PROTOCOL_CHANGED" };
  if (!isDeepStrictEqual(read.metadata, now.metadata)) return { code: "DELTA_METADATA_CHANGED" };
  for (const action of actions) {
    if (!("txn" in action)) continue;
    const { appId } = action.txn;
    if (!isDeepStrictEqual(read.transactions.get(appId), now.transactions.get(appId))) {
      return { code: "DELTA_CONCURRENT_TRANSACTION", appId };
    }
  }
  return undefined;
}

/** Whether commits of others can contradict what an attempt does with files or domains, so that they have to be looked at. */
export function looksAtWinners({ reads, actions }: Partial<Attempt> & Pick<Attempt, "actions">): boolean {
  return reads !== undefined || actions.some((action) => "remove" in action || "domainMetadata" in action);
}

/**
 * Decides by a commit that won whether the attempt may go after it (the rules of Delta's conflict detection): not if it added
 * rows that the attempt should have read, removed files that it read, or removed files that it removes too.
 */
export function findFileConflict(attempt: Attempt, { version, actions }: Winner): Conflict | undefined {
  const commitInfo = commitInfoOf(actions);
  const conflict =
    domainConflict(attempt, actions) ??
    addedConflict(attempt, actions, commitInfo) ??
    vacuumConflict(attempt, commitInfo) ??
    deletedReadConflict(attempt, actions) ??
    deletedDeletedConflict(attempt, actions);
  if (conflict === undefined) return undefined;
  return { ...conflict, version, ...(commitInfo && { operation: commitInfo.operation }) };
}

function commitInfoOf(actions: readonly Action[]): CommitInfo | undefined {
  for (const action of actions) if ("commitInfo" in action) return action.commitInfo;
  return undefined;
}

/** Its high water mark is counted on from whatever others left. */
const COUNTED_ON = "delta.rowTracking";

function domainConflict({ actions }: Attempt, winner: readonly Action[]): Conflict | undefined {
  for (const mine of actions) {
    if (!("domainMetadata" in mine) || mine.domainMetadata.domain === COUNTED_ON) continue;
    const { domain } = mine.domainMetadata;
    if (winner.some((theirs) => "domainMetadata" in theirs && theirs.domainMetadata.domain === domain)) {
      return { code: "DELTA_CONCURRENT_TRANSACTION", domain };
    }
  }
  return undefined;
}

function addedConflict(
  { reads, isolationLevel, actions }: Attempt,
  winner: readonly Action[],
  commitInfo: CommitInfo | undefined,
): Conflict | undefined {
  if (reads === undefined || isolationLevel === "SnapshotIsolation") return undefined;
  const changesMetadata = actions.some((action) => "metaData" in action);
  const passesAppends = isolationLevel === "WriteSerializable" && !changesMetadata;
  if (passesAppends && commitInfo?.isBlindAppend === true) return undefined;
  for (const action of winner) {
    // Rearranged rows were there before, in files that are looked at as removed ones.
    if (!("add" in action) || action.add.dataChange === false) continue;
    if (reads.mayMatch(action.add)) return { code: "DELTA_CONCURRENT_APPEND", path: action.add.path };
  }
  return undefined;
}

/** Its files were there when it looked; now they are about to be deleted. */
function vacuumConflict({ bringsBack }: Attempt, commitInfo: CommitInfo | undefined): Conflict | undefined {
  const isDeleting = bringsBack === true && commitInfo?.operation === "VACUUM START";
  return isDeleting ? { code: "DELTA_CONCURRENT_DELETE_READ" } : undefined;
}

function deletedReadConflict({ reads }: Attempt, winner: readonly Action[]): Conflict | undefined {
  if (reads === undefined) return undefined;
  const { files } = reads;
  const gone = removesOf(winner).find(({ path }) => files === "all" || files.has(canonicalPath(path)));
  return gone && { code: "DELTA_CONCURRENT_DELETE_READ", path: gone.path };
}

function deletedDeletedConflict({ actions }: Attempt, winner: readonly Action[]): Conflict | undefined {
  const mine = new Set(removesOf(actions).map(({ path }) => canonicalPath(path)));
  if (mine.size === 0) return undefined;
  const gone = removesOf(winner).find(({ path }) => mine.has(canonicalPath(path)));
  return gone && { code: "DELTA_CONCURRENT_DELETE_DELETE", path: gone.path };
}

function removesOf(actions: readonly Action[]): RemoveFile[] {
  return actions.flatMap((action) => ("remove" in action ? [action.remove] : []));
}
