import { loaded } from "../lazy.js";
import type { ObjectStore } from "../storage/store.js";
import { checkWritable } from "./features.js";
import { writeLastCheckpoint } from "./lastCheckpoint.js";
import type { Snapshot } from "./snapshot.js";

/** A checkpoint as it was written. */
export interface WrittenCheckpoint {
  readonly version: number;
  readonly path: string;
  /** All of its files, in bytes. */
  readonly sizeBytes: number;
  /** Actions in it. */
  readonly actionCount: number;
  /** Live files among them. */
  readonly fileCount: number;
}

/**
 * Writes a checkpoint of the snapshot's version and points `_last_checkpoint` at it (PROTOCOL.md, Checkpoints): a V2 checkpoint
 * with sidecars where `delta.checkpointPolicy` asks for it, else a classic one.
 *
 * A crash leaves no checkpoint, or one that nothing points at yet, or sidecars that no checkpoint names: all harmless, as is writing
 * a checkpoint where there is one. Throws `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE` for a table that this release can't write, and
 * what the store throws.
 */
export async function writeCheckpoint(
  store: ObjectStore,
  snapshot: Snapshot,
  signal?: AbortSignal,
): Promise<WrittenCheckpoint> {
  const { written, pointed } = await putCheckpoint(store, snapshot, signal);
  await pointed;
  return written;
}

/** As {@link writeCheckpoint}, but `_last_checkpoint` is still under way: what comes of it is told by `pointed`. */
export async function putCheckpoint(
  store: ObjectStore,
  snapshot: Snapshot,
  signal?: AbortSignal,
): Promise<{ readonly written: WrittenCheckpoint; readonly pointed: Promise<void> }> {
  const { version, protocol, metadata } = snapshot;
  checkWritable(protocol, metadata);
  const { storeCheckpoint } = await loaded(() => import("./checkpointWrite.js"), "delta-table/log/checkpointWrite");
  const { path, actionCount, storedBytes, fileCount, sizeBytes, facts } = await storeCheckpoint(
    store,
    snapshot,
    signal,
  );
  const pointed = writeLastCheckpoint(
    store,
    { version, size: actionCount, sizeInBytes: storedBytes, numOfAddFiles: fileCount, ...facts },
    signal,
  );
  snapshot.learnTotals({ version, fileCount, sizeBytes });
  snapshot.rebase({ version, paths: [path] });
  return { written: { version, path, sizeBytes: storedBytes, actionCount, fileCount }, pointed };
}
