import { loaded } from "../lazy.js";
import type { ObjectStore } from "../storage/store.js";
import { checkWritable } from "./features.js";
import { writeLastCheckpoint } from "./lastCheckpoint.js";
import { classicCheckpointPath } from "./names.js";
import type { Snapshot } from "./snapshot.js";

/** A checkpoint as it was written. */
export interface WrittenCheckpoint {
  readonly version: number;
  readonly path: string;
  readonly sizeBytes: number;
  /** Actions in it. */
  readonly actionCount: number;
  /** Live files among them. */
  readonly fileCount: number;
}

/**
 * Writes a classic V1 checkpoint of the snapshot's version and points `_last_checkpoint` at it (PROTOCOL.md, Checkpoints).
 *
 * A crash leaves no checkpoint, or one that nothing points at yet: both harmless, as is writing one that exists. Throws
 * `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE` for a table that this release can't write, or that wants its statistics as
 * structs in checkpoints, and what the store throws.
 */
export async function writeCheckpoint(
  store: ObjectStore,
  snapshot: Snapshot,
  signal?: AbortSignal,
): Promise<WrittenCheckpoint> {
  const { version, protocol, metadata } = snapshot;
  checkWritable(protocol, metadata);
  const { encodeCheckpoint } = await loaded(import("./checkpointWrite.js"), "delta-table/log/checkpointWrite");
  const { bytes, actionCount, fileCount, sizeBytes: filesBytes } = await encodeCheckpoint(snapshot, signal);
  const path = classicCheckpointPath(version);
  await store.put(path, bytes, signal);
  const sizeBytes = bytes.length;
  await writeLastCheckpoint(
    store,
    { version, size: actionCount, sizeInBytes: sizeBytes, numOfAddFiles: fileCount },
    signal,
  );
  snapshot.learnTotals({ version, fileCount, sizeBytes: filesBytes });
  snapshot.rebase({ version, paths: [path] });
  return { version, path, sizeBytes, actionCount, fileCount };
}
