import { isDeepStrictEqual } from "node:util";
import { DeltaError } from "../errors.js";
import type { Action, AddFile } from "../log/actions.js";
import { deletionVectorPath } from "../log/deletionVectors/storage.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkFeaturesListed, checkWritable, featuresOf } from "../log/features.js";
import { storePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import { fileKey } from "../log/tail.js";
import { HashIndex, keyOf } from "../verify/hashIndex.js";
import { checkRemovable } from "./delete.js";
import { liveAdds } from "./liveAdds.js";
import { inParallel } from "./parallel.js";
import { restoredDomains, restoredMetadata } from "./restore/restoredMetadata.js";
import { removeOf } from "./rewrite/candidateFiles.js";
import { type ChangeResult, type CommitOptions, change, type StagedChange } from "./stagedChange.js";
import { timeTravelOf } from "./timeTravel.js";

export interface RestoreOptions extends CommitOptions {
  /** Leaves files that are gone out, and their rows with them, instead of refusing to restore without them. Default false. */
  readonly ignoreMissingFiles?: boolean;
}

export interface RestoreResult extends ChangeResult {
  /** The version whose rows the table has again. */
  readonly restoredVersion: number;
  readonly restoredFileCount: number;
  readonly restoredSizeBytes: number;
  readonly removedFileCount: number;
  readonly removedSizeBytes: number;
  /** Files that are gone and were left out. */
  readonly missingFileCount: number;
}

interface StagedRestore extends StagedChange {
  readonly counts: Omit<RestoreResult, keyof ChangeResult>;
}

/** Missing files that an error names. */
const MISSING_TOLD = 100;

/** Implements `Table.restore`; see there. */
export async function restore(
  log: DeltaLog,
  to: number | Date | string,
  options: RestoreOptions = {},
): Promise<RestoreResult> {
  const { signal } = options;
  const travel = timeTravelOf(to);
  const old = await log.at(travel, signal);
  const { staged, ...result } = await change(log, options, (now) => stageRestore(old, now, to, options));
  const counts = staged?.counts ?? { ...NOTHING, restoredVersion: old.version };
  return { ...result, ...counts };
}

const NOTHING = {
  restoredFileCount: 0,
  restoredSizeBytes: 0,
  removedFileCount: 0,
  removedSizeBytes: 0,
  missingFileCount: 0,
};

async function stageRestore(
  old: Snapshot,
  now: Snapshot,
  to: number | Date | string,
  { ignoreMissingFiles = false, signal }: RestoreOptions,
): Promise<StagedRestore | undefined> {
  if (old.version === now.version) return undefined;
  checkFeatures(old, now);
  const metadata = restoredMetadata(old, now);
  checkFeaturesListed(now.protocol, metadata);
  checkWritable(now.protocol, metadata);

  const { added, removed, after } = await difference(old, now, signal);
  if (removed.length > 0) checkRemovable(now, "be restored to a version that lacks some of its rows");
  const missing = await missingFiles(now, added, signal);
  if (missing.size > 0 && !ignoreMissingFiles) throw notThere(now, old.version, missing);
  const restored = added.filter((add) => !missing.has(add));

  const metaData: Action[] = isDeepStrictEqual(metadata, now.metadata) ? [] : [{ metaData: metadata }];
  const actions: Action[] = [
    ...metaData,
    ...restoredDomains(old, now),
    ...restored.map((add) => ({ add })),
    ...removed.map((add) => ({ remove: removeOf(add) })),
  ];
  if (actions.length === 0) return undefined;
  const counts = {
    restoredVersion: old.version,
    restoredFileCount: restored.length,
    restoredSizeBytes: sizeOf(restored),
    removedFileCount: removed.length,
    removedSizeBytes: sizeOf(removed),
    missingFileCount: missing.size,
  };
  return {
    actions,
    // Whatever anybody else changes meanwhile, the version wouldn't be the one that was asked for.
    reads: { mayMatch: () => true, files: "all" },
    bringsBack: true,
    operation: "RESTORE",
    operationParameters: {
      version: typeof to === "number" ? String(to) : null,
      timestamp: typeof to === "number" ? null : timeText(to),
    },
    operationMetrics: {
      tableSizeAfterRestore: String(after.sizeBytes - sizeOf([...missing])),
      numOfFilesAfterRestore: String(after.fileCount - missing.size),
      numRemovedFiles: String(removed.length),
      numRestoredFiles: String(restored.length),
      removedFilesSize: String(counts.removedSizeBytes),
      restoredFilesSize: String(counts.restoredSizeBytes),
    },
    discard: async () => undefined,
    counts,
  };
}

function timeText(to: Date | string): string {
  return typeof to === "string" ? to : to.toISOString();
}

function sizeOf(adds: readonly AddFile[]): number {
  return adds.reduce((sum, { size }) => sum + size, 0);
}

/** The files that only one of two versions has, and what the first one has in all. Of the others some 28 bytes each are held. */
async function difference(old: Snapshot, now: Snapshot, signal: AbortSignal | undefined) {
  const inNow = await keysOf(now, signal);
  const inOld = new HashIndex();
  const after = { fileCount: 0, sizeBytes: 0 };
  const [added, removed]: [AddFile[], AddFile[]] = [[], []];
  for await (const add of liveAdds(old, signal)) {
    const key = keyOf(fileKey(add.path, add.deletionVector));
    inOld.add(key);
    after.fileCount++;
    after.sizeBytes += add.size;
    if (inNow.find(key) < 0) added.push(add);
  }
  for await (const add of liveAdds(now, signal))
    if (inOld.find(keyOf(fileKey(add.path, add.deletionVector))) < 0) removed.push(add);
  return { added, removed, after };
}

async function keysOf(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<HashIndex> {
  const keys = new HashIndex();
  for await (const add of liveAdds(snapshot, signal)) keys.add(keyOf(fileKey(add.path, add.deletionVector)));
  return keys;
}

async function missingFiles(
  { store }: Snapshot,
  adds: readonly AddFile[],
  signal: AbortSignal | undefined,
): Promise<Set<AddFile>> {
  const missing = new Set<AddFile>();
  await inParallel(adds, async (add) => {
    const vector = add.deletionVector && deletionVectorPath(store, add.deletionVector);
    for (const path of [storePath(store, add.path), ...(vector === undefined ? [] : [vector])]) {
      if ((await store.head(path, signal)) === undefined) missing.add(add);
    }
  });
  return missing;
}

function notThere({ store }: Snapshot, version: number, missing: ReadonlySet<AddFile>): DeltaError {
  const paths = [...missing].slice(0, MISSING_TOLD).map(({ path }) => path);
  return new DeltaError(
    "DELTA_FILE_NOT_FOUND",
    `Of version ${version} of ${store.url}, ${missing.size} files are gone, such as ${paths[0]}: they were vacuumed, or lost. Restore a later version, or say ignoreMissingFiles to go without their rows.`,
    { version, path: paths[0], paths, missingFiles: missing.size },
  );
}

/** A protocol is never taken back, and never extended unasked. Throws `DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT`. */
function checkFeatures(old: Snapshot, now: Snapshot): void {
  const has = new Set(featuresOf(now.protocol).map(({ name }) => name));
  const features = featuresOf(old.protocol).flatMap(({ name }) => (has.has(name) ? [] : [name]));
  if (features.length === 0) return;
  throw new DeltaError(
    "DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT",
    `Version ${old.version} of ${now.store.url} has ${features.join(", ")}, which was dropped since. Add it again before that version is restored.`,
    { features },
  );
}
