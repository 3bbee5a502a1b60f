import { DeltaError } from "../errors.js";
import { rebuild } from "../log/rebuild.js";
import { Snapshot } from "../log/snapshot.js";
import type { ObjectStore } from "../storage/store.js";
import type { Findings } from "./findings.js";

/**
 * A version as readers see it, whatever features it needs; undefined, with a finding, where it can't be rebuilt. The files
 * `unusable` are passed over.
 */
export async function openVersion(
  store: ObjectStore,
  version: number,
  unusable: ReadonlySet<string>,
  findings: Findings,
  signal?: AbortSignal,
): Promise<Snapshot | undefined> {
  try {
    const { state, files } = await rebuild(store, { version, damaged: unusable, signal });
    return new Snapshot(state, files);
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
  "DELTA_FILE_NOT_FOUND",
]);
