import { createHash } from "node:crypto";
import { DeltaError, hasCode } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { LOG_FOLDER } from "../log/names.js";
import type { Snapshot } from "../log/snapshot.js";
import { runtime } from "../runtime.js";
import type { ObjectStore } from "../storage/store.js";
import type { TransactionMove } from "../write/transactionMove.js";
import { isFirstAttempt } from "./firstAttempt.js";

/** What a job's progress may hold: JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** How far a job is. */
export interface Progress {
  /** Commits that the job has made, the one that brought it here included. */
  readonly step: number;
  readonly state: Json;
  /** Names the file that holds this, and the one of the step before. */
  readonly id: number;
  readonly previousId: number | undefined;
}

/** Application ids of a job: the count of its steps, and the name of the state that belongs to the newest. */
export function stepAppId(job: string): string {
  return `delta-table/load/${job}`;
}

function stateAppId(job: string): string {
  return `${stepAppId(job)}/state`;
}

// A job's state is a file of its own, since actions that other engines keep in checkpoints hold a number and no more. The file is
// named after its content, and the number is that name: a commit so decides which state is the newest one, and files
// of attempts that failed are never looked at.

/**
 * The progress of `job` as the snapshot's version has it, or a later one: while this run looks, another one may make steps, and remove
 * the state of the snapshot's. Undefined for a job that has made none.
 *
 * Throws `DELTA_LOAD_PROGRESS_LOST`.
 */
export async function readProgress(
  log: DeltaLog,
  snapshot: Snapshot,
  job: string,
  signal?: AbortSignal,
): Promise<Progress | undefined> {
  const stateOf = ({ transactions }: Snapshot) => transactions.get(stateAppId(job))?.version;
  for (let at = snapshot; ; ) {
    try {
      return await progressAt(at, job, signal);
    } catch (error) {
      if (!hasCode(error, "DELTA_LOAD_PROGRESS_LOST")) throw error;
      const newer = await log.latest(signal);
      if (stateOf(newer) === stateOf(at)) throw error;
      at = newer;
    }
  }
}

async function progressAt(snapshot: Snapshot, job: string, signal?: AbortSignal): Promise<Progress | undefined> {
  const step = snapshot.transactions.get(stepAppId(job))?.version;
  const id = snapshot.transactions.get(stateAppId(job))?.version;
  const { store } = snapshot;
  if (step === undefined || id === undefined) {
    const left = [];
    for await (const file of store.list(stateFolder(job), undefined, signal)) left.push(file);
    if (left.length === 0 || (await isFirstAttempt(snapshot, stepAppId(job), left, signal))) return undefined;
    throw lost(store, job, "the log doesn't name it any more (delta.setTransactionRetentionDuration expires progress)");
  }
  const path = statePath(job, Number(id));
  let bytes: Uint8Array;
  try {
    bytes = await store.get(path, undefined, signal);
  } catch (error) {
    if (hasCode(error, "DELTA_FILE_NOT_FOUND")) throw lost(store, job, `${path} is missing`);
    throw error;
  }
  if (stateId(bytes) !== Number(id)) throw lost(store, job, `${path} isn't what was written there`);
  const { previous, state }: StateFile = JSON.parse(new TextDecoder().decode(bytes));
  return { step: Number(step), state, id: Number(id), previousId: previous ?? undefined };
}

/** True where another run has moved `job` on from `progress`, the files of which may be gone. */
export async function isOvertaken(log: DeltaLog, job: string, { id }: Progress): Promise<boolean> {
  const { transactions } = await log.latest();
  return Number(transactions.get(stateAppId(job))?.version) !== id;
}

/** Where a job that begins anew goes on counting its steps: what the table records of it, which may be nothing any more. */
export interface Restart {
  readonly step: number;
  readonly recorded: { readonly step: number | undefined; readonly id: number | undefined };
}

/** For a job that is to begin anew, its progress lost or not: undefined where it has never made a step. */
export async function readRestart(snapshot: Snapshot, job: string, signal?: AbortSignal): Promise<Restart | undefined> {
  const { store, transactions } = snapshot;
  const recordedOf = (appId: string) => {
    const version = transactions.get(appId)?.version;
    return version === undefined ? undefined : Number(version);
  };
  const recorded = { step: recordedOf(stepAppId(job)), id: recordedOf(stateAppId(job)) };
  // Steps are never counted twice: what else is named after a step would pass for the old one's.
  let step = recorded.step ?? 0;
  for (const path of await store.listNames(stateFolder(job), undefined, signal)) {
    if (path.endsWith(".json")) step = Math.max(step, stepOf(await store.get(path, undefined, signal)));
  }
  return step === 0 && recorded.id === undefined ? undefined : { step, recorded };
}

function stepOf(bytes: Uint8Array): number {
  try {
    const { step }: Partial<StateFile> = JSON.parse(new TextDecoder().decode(bytes));
    return Number.isSafeInteger(step) ? step! : 0;
  } catch {
    return 0;
  }
}

/** A state's file. The step makes each content another one. */
interface StateFile {
  readonly step: number;
  readonly previous: number | null;
  readonly state: Json;
}

/**
 * Writes the state of the step after `from`, so that a commit with the step's transactions makes it. Until then nothing
 * refers to the file; an attempt that fails leaves it, to be removed by {@link removeAbandonedStates}.
 */
export async function stageProgress(
  store: ObjectStore,
  job: string,
  from: Progress | Restart | undefined,
  state: Json,
  signal?: AbortSignal,
): Promise<{ readonly progress: Progress; readonly move: TransactionMove }> {
  const step = (from?.step ?? 0) + 1;
  const recorded = from !== undefined && "recorded" in from ? from.recorded : from;
  const file: StateFile = { step, previous: recorded?.id ?? null, state };
  const bytes = new TextEncoder().encode(JSON.stringify(file));
  const id = stateId(bytes);
  await store.put(statePath(job, id), bytes, signal);
  return {
    progress: { step, state, id, previousId: recorded?.id },
    move: [
      { appId: stepAppId(job), from: recorded?.step, to: step },
      { appId: stateAppId(job), from: recorded?.id, to: id },
    ],
  };
}

/** Removes the state that no snapshot needs any more once `progress` is committed: the one before the one before. */
export async function removeOutdatedState(
  store: ObjectStore,
  job: string,
  before: Progress | undefined,
): Promise<void> {
  if (before?.previousId === undefined) return;
  const path = statePath(job, before.previousId);
  try {
    await store.delete(path);
  } catch (error) {
    // The step is committed: an error would say that it isn't.
    const reason = error instanceof Error ? error.message : String(error);
    runtime.warn(`${store.url}: ${path} is no longer needed and could not be removed: ${reason}`, "DELTA_FILE_LEFT");
  }
}

/** No append takes as long. */
const ABANDONED_MS = 7 * 24 * 3600 * 1000;

/** Removes what attempts that never came to a commit left in the job's folder; `used` are files that its state refers to. */
export async function removeAbandonedStates(
  store: ObjectStore,
  job: string,
  { id, previousId }: Progress,
  signal?: AbortSignal,
  used: readonly string[] = [],
): Promise<void> {
  const kept = new Set([...used, ...[id, previousId].flatMap((one) => (one === undefined ? [] : statePath(job, one)))]);
  for await (const { path, modifiedMs } of store.list(stateFolder(job), undefined, signal)) {
    if (!kept.has(path) && modifiedMs < runtime.now() - ABANDONED_MS) await store.delete(path, signal);
  }
}

/** The folder of a job's states and of what they refer to. */
export function stateFolder(job: string): string {
  return `${LOG_FOLDER}_loads/${encodeURIComponent(job)}/`;
}

function statePath(job: string, id: number): string {
  return `${stateFolder(job)}${id.toString(16).padStart(13, "0")}.json`;
}

/** 52 bits of the content's SHA-256: as many as every engine's JSON keeps exactly. */
function stateId(bytes: Uint8Array): number {
  return Number.parseInt(createHash("sha256").update(bytes).digest("hex").slice(0, 13), 16);
}

function lost(store: ObjectStore, job: string, reason: string): DeltaError {
  return new DeltaError(
    "DELTA_LOAD_PROGRESS_LOST",
    `${store.url}: the progress of job "${job}" is lost: ${reason}. Starting over would add its rows again. If that is wanted, restart the job; else give it another name.`,
    { job },
  );
}
