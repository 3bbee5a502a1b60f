import { DeltaError, hasCode } from "../errors.js";
import { runtime } from "../runtime.js";
import { checkSignal } from "../signal.js";
import type { ObjectStore, PutOutcome } from "../storage/store.js";
import type { Action } from "./actions.js";
import { parseCommit, serializeCommit } from "./commitFile.js";
import { commitPath } from "./names.js";
import { readCommit } from "./readCommits.js";

/** What came of a claim. On a conflict, `actions` is the winner's commit. */
export type ClaimOutcome =
  | { readonly status: "committed" }
  | { readonly status: "conflict"; readonly actions: readonly Action[] };

/** Rounds of asking and putting again before giving up on an unclear outcome: some 12 seconds. */
const MAX_ROUNDS = 8;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 4000;

/**
 * Makes `actions` version `version`, unless another writer was first: one conditional put of `N.json`.
 *
 * Where storage doesn't say whose the file is, it is read back and its `commitInfo.txnId` compared, so `actions` must
 * hold one. The claim takes effect only after `after`, the puts of the files that the actions name, and fails as that does. Once
 * begun, a claim runs to its end: `signal` counts only before that, since stopping midway would leave an
 * outcome that nobody knows. Throws `DELTA_COMMIT_OUTCOME_UNKNOWN` with `version` and `txnId` when storage stays
 * unreachable, or can't promise that the commit lasts; after any other error nothing was committed.
 */
export async function claim(
  store: ObjectStore,
  version: number,
  actions: readonly Action[],
  signal?: AbortSignal,
  after?: Promise<unknown>,
): Promise<ClaimOutcome> {
  const txnId = txnIdOf(actions);
  if (txnId === undefined)
    throw new DeltaError("DELTA_INTERNAL", "A commit needs a commitInfo with a txnId.", { version });
  checkSignal(signal, "the commit, of which nothing is visible");
  const path = commitPath(version);
  const bytes = serializeCommit(actions);

  let outcome = await put(store, path, bytes, after);
  let isClear = true;
  for (let round = 1; outcome.put !== "created"; round++) {
    const { error } = outcome;
    isClear &&= outcome.isClear;
    if (isVisible(error)) throw outcomeUnknown(store, version, txnId, error);
    if (isClear && !isUnavailable(error)) throw error;
    const found = await readBack(store, version);
    if (found.actions !== undefined) {
      return txnIdOf(found.actions) === txnId
        ? { status: "committed" }
        : { status: "conflict", actions: found.actions };
    }
    if (round === MAX_ROUNDS) {
      if (isClear) throw error;
      throw outcomeUnknown(store, version, txnId, found.error ?? error);
    }
    const ceilingMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** round);
    await runtime.sleep(ceilingMs * (0.5 + runtime.random() / 2));
    // Putting the same bytes again is safe: whichever put takes effect, the others find it.
    outcome = await put(store, path, bytes, after);
  }
  return { status: "committed" };
}

interface PutResult {
  readonly put: PutOutcome;
  readonly error?: unknown;
  /** Whether this put surely left nothing. */
  readonly isClear: boolean;
}

async function put(
  store: ObjectStore,
  path: string,
  bytes: Uint8Array,
  after: Promise<unknown> | undefined,
): Promise<PutResult> {
  try {
    return { put: await store.putIfAbsent(path, bytes, undefined, after), isClear: false };
  } catch (error) {
    // Where the files are missing nothing was put, whatever their error is; it mustn't pass for the put's.
    await after;
    const saysSo = error instanceof DeltaError && error.data.written === false;
    return { put: "unknown", error, isClear: saysSo || !(isUnavailable(error) || isVisible(error)) };
  }
}

function isUnavailable(error: unknown): boolean {
  return hasCode(error, "DELTA_STORAGE_UNAVAILABLE");
}

/** The commit is there, but storage couldn't make it last. */
function isVisible(error: unknown): boolean {
  return hasCode(error, "DELTA_COMMIT_OUTCOME_UNKNOWN");
}

/** The commit that holds the version now; none where it is absent, or storage can't tell or gives something else. */
async function readBack(
  store: ObjectStore,
  version: number,
): Promise<{ readonly actions?: readonly Action[]; readonly error?: unknown }> {
  try {
    return { actions: parseCommit(version, await readCommit(store, version)) };
  } catch (error) {
    return hasCode(error, "DELTA_FILE_NOT_FOUND") ? {} : { error };
  }
}

function txnIdOf(actions: readonly Action[]): string | undefined {
  for (const action of actions) if ("commitInfo" in action) return action.commitInfo.txnId;
  return undefined;
}

function outcomeUnknown(store: ObjectStore, version: number, txnId: string, cause: unknown): DeltaError {
  return new DeltaError(
    "DELTA_COMMIT_OUTCOME_UNKNOWN",
    `Storage doesn't say whether version ${version} of ${store.url} was committed. When it is back, look for txnId ${txnId} in ${commitPath(version)}: if it is there, the commit stands; if not, repeat the operation.`,
    { version, txnId },
    cause,
  );
}
