import { hasCode } from "../errors.js";
import type { Action } from "../log/actions.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkWritable } from "../log/features.js";
import { LOG_FOLDER } from "../log/names.js";
import type { Snapshot } from "../log/snapshot.js";
import { runtime } from "../runtime.js";
import type { ReadSet } from "../write/conflicts.js";
import { commit } from "../write/transaction.js";
import { conflictError } from "./conflictError.js";
import { isRecorded } from "./stagedAppend.js";

/** What every change of a table can be given. */
export interface CommitOptions {
  /**
   * Makes the change idempotent: if the table already records this version of `appId`, or a later one, nothing is done
   * and the result says `skipped`.
   */
  readonly txn?: { readonly appId: string; readonly version: number } | undefined;
  /** A text kept in the commit and shown by `history`. */
  readonly userMetadata?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A change of a table whose files are written and that waits for its commit. */
export interface StagedChange {
  readonly actions: readonly Action[];
  /** What it depends on; undefined where it is right whatever the table holds. */
  readonly reads: ReadSet | undefined;
  /** True where it brings older files back: neither rows that are appended meanwhile nor a vacuum may come between. */
  readonly bringsBack?: boolean;
  readonly operation: string;
  readonly operationParameters: Readonly<Record<string, string | null>>;
  readonly operationMetrics: Readonly<Record<string, string>>;
  /** Resolves once the files that the actions name are durable. */
  readonly stored?: Promise<unknown> | undefined;
  /** Removes the files. */
  discard(): Promise<void>;
}

/** What came of a change. */
export interface ChangeResult {
  /** The version that holds it; the one that was read where there was nothing to do. */
  readonly version: number;
  /** True where `txn` was recorded already, so that nothing was done. */
  readonly skipped: boolean;
}

/**
 * Stages a change of the newest version and commits it, after others' commits where they were first and nothing in them
 * contradicts it. `stage` gives undefined where there is nothing to do; if a `txn` is to be committed all the same, that depends on `idle`.
 *
 * Throws what {@link checkWritable}, `stage` and the commit throw, and for a conflict `DELTA_CONCURRENT_APPEND`,
 * `DELTA_CONCURRENT_DELETE_READ`, `DELTA_CONCURRENT_DELETE_DELETE`, `DELTA_CONCURRENT_TRANSACTION`, `DELTA_METADATA_CHANGED` or
 * `DELTA_PROTOCOL_CHANGED`; the staged files are removed then, unless the outcome is unknown.
 */
export async function change<T extends StagedChange>(
  log: DeltaLog,
  { txn, userMetadata, signal }: CommitOptions,
  stage: (snapshot: Snapshot) => Promise<T | undefined>,
  idle: ReadSet = WHATEVER_IS_ADDED,
): Promise<ChangeResult & { readonly staged: T | undefined }> {
  const snapshot = await log.latest(signal);
  if (isRecorded(snapshot, txn)) return skipped(snapshot);
  checkWritable(snapshot.protocol, snapshot.metadata);
  const staged = await stage(snapshot);
  const progress = txn === undefined ? [] : [{ txn: { ...txn, lastUpdated: runtime.now() } }];
  if (staged === undefined && txn === undefined) {
    return { version: snapshot.version, skipped: false, staged: undefined };
  }
  const {
    actions = [],
    reads = staged === undefined ? idle : undefined,
    operation = "TXN",
    operationParameters = {},
    operationMetrics = {},
  } = staged ?? {};
  const transaction = {
    read: snapshot,
    reads,
    actions: [...progress, ...actions],
    operation,
    operationParameters,
    operationMetrics,
    userMetadata,
    bringsBack: staged?.bringsBack,
    stored: staged?.stored,
  };
  const outcome = await commit(log, transaction, signal).catch(async (error: unknown) => {
    // An unknown outcome may be a commit: its files must stay.
    if (!hasCode(error, "DELTA_COMMIT_OUTCOME_UNKNOWN")) await staged?.discard();
    throw error;
  });
  if (outcome.status === "committed") return { version: outcome.version, skipped: false, staged };
  await staged?.discard();
  if (isRecorded(outcome.snapshot, txn)) return skipped(outcome.snapshot);
  throw conflictError(log.store.url, outcome.conflict);
}

/** That there was nothing to do may be otherwise once there are other rows. */
const WHATEVER_IS_ADDED: ReadSet = { mayMatch: () => true, files: new Set() };

/** The recorded commit may be of a process that was killed before it flushed; from now on the caller relies on it. */
async function skipped(snapshot: Snapshot): Promise<ChangeResult & { readonly staged: undefined }> {
  await snapshot.store.settle(LOG_FOLDER);
  return { version: snapshot.version, skipped: true, staged: undefined };
}
