import { DeltaError } from "../errors.js";
import { forEachAction } from "../log/commitFile.js";
import { readCommits } from "../log/readCommits.js";
import { readSegment } from "../log/segment.js";
import { Snapshot } from "../log/snapshot.js";
import { StateBuilder } from "../log/state.js";
import { Tail } from "../log/tail.js";
import type { ObjectStore } from "../storage/store.js";
import type { Findings } from "./findings.js";

/**
 * A version as readers see it, whatever features it needs; undefined, with a finding, where it can't be rebuilt. Checkpoints
 * of the versions `unusable` are passed over.
 */
export async function openVersion(
  store: ObjectStore,
  version: number,
  unusable: ReadonlySet<number>,
  findings: Findings,
  signal?: AbortSignal,
): Promise<Snapshot | undefined> {
  try {
    const { checkpoint, firstCommit } = await readSegment(store, { version, damaged: unusable, signal });
    const state = new StateBuilder();
    const tail = new Tail(firstCommit - 1);
    if (checkpoint !== undefined) {
      const { readStateActions } = await import("../log/checkpointRead.js");
      for await (const action of readStateActions(store, checkpoint, signal)) state.apply(action);
    }
    for await (const commit of readCommits(store, firstCommit, version, signal)) {
      forEachAction(commit.version, commit.bytes, { commitInfo: false }, (action) => {
        state.apply(action);
        tail.take(commit.version, action);
      });
      tail.version = commit.version;
    }
    return new Snapshot(state.build(version), { store, version, checkpoint, tail, damaged: unusable });
  } catch (error) {
    if (!(error instanceof DeltaError) || !BROKEN.has(error.code)) throw error;
    findings.add("version-not-rebuildable", error.message, { version }, { cause: error.code, ...error.data });
    return undefined;
  }
}

const BROKEN: ReadonlySet<string> = new Set([
  "DELTA_VERSIONS_NOT_CONTIGUOUS",
  "DELTA_VERSION_NOT_FOUND",
  "DELTA_LOG_CORRUPT",
  "DELTA_STATE_RECOVER_ERROR",
  "DELTA_PARQUET_UNREADABLE",
  "DELTA_UNSUPPORTED_FEATURES_FOR_READ",
]);
