import { DeltaError } from "../errors.js";
import type { ObjectStore } from "../storage/store.js";
import type { Action } from "./actions.js";
import { forEachAction, serializeCommit } from "./commitFile.js";
import { compactionPath, LOG_FOLDER } from "./names.js";
import { readCommits } from "./readCommits.js";
import { checkpointsIn } from "./segment.js";
import { fileKey } from "./tail.js";

/** Which commits a log compaction takes the place of. */
export interface CompactionRange {
  /** The first; the one after the newest checkpoint by default. */
  readonly from?: number;
  /** The last; the newest version by default. */
  readonly to?: number;
}

/** A log compaction as it was written. */
export interface WrittenCompaction {
  readonly from: number;
  readonly to: number;
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Writes one file with what some commits come to (PROTOCOL.md, Log Compaction Files): of each file, application and domain the last
 * word. Undefined where there are fewer than two commits. Takes the memory of the actions that are left.
 *
 * A crash leaves nothing that a reader takes for one. Throws `DELTA_INVALID_ARGUMENT`, `DELTA_FILE_NOT_FOUND` for commits that aren't
 * there any more, and what the store throws.
 */
export async function writeCompaction(
  store: ObjectStore,
  newest: number,
  range: CompactionRange,
  signal?: AbortSignal,
): Promise<WrittenCompaction | undefined> {
  const { to = newest } = range;
  const from = range.from ?? (await firstAfterCheckpoint(store, to, signal));
  for (const version of [range.from ?? 0, to]) {
    if (Number.isSafeInteger(version) && version >= 0 && version <= newest) continue;
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `There is no version ${version}: the newest is ${newest}.`, {
      from,
      to,
      newest,
    });
  }
  if (to <= from) return undefined;
  const reconciled = new Map<string, Action>();
  for await (const { version, bytes } of readCommits(store, from, to, signal)) {
    forEachAction(version, bytes, { commitInfo: false }, (action) => {
      const key = keyOf(action);
      if (key === undefined) return;
      // The last word stands where it was said.
      reconciled.delete(key);
      reconciled.set(key, action);
    });
  }
  const path = compactionPath(from, to);
  const bytes = serializeCommit([...reconciled.values()]);
  await store.put(path, bytes, signal);
  return { from, to, path, sizeBytes: bytes.length };
}

async function firstAfterCheckpoint(store: ObjectStore, to: number, signal?: AbortSignal): Promise<number> {
  const checkpoints = checkpointsIn(await store.listNames(LOG_FOLDER, undefined, signal));
  return (checkpoints.findLast(({ version }) => version <= to)?.version ?? -1) + 1;
}

/** What an action is about; undefined for what tells of a commit alone. */
function keyOf(action: Action): string | undefined {
  if ("add" in action) return `file ${fileKey(action.add.path, action.add.deletionVector ?? undefined)}`;
  if ("remove" in action) return `file ${fileKey(action.remove.path, action.remove.deletionVector ?? undefined)}`;
  if ("txn" in action) return `txn ${action.txn.appId}`;
  if ("domainMetadata" in action) return `domain ${action.domainMetadata.domain}`;
  if ("metaData" in action) return "metaData";
  return "protocol" in action ? "protocol" : undefined;
}
