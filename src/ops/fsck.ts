import { DeltaError } from "../errors.js";
import type { AddFile } from "../log/actions.js";
import { deletionVectorPath } from "../log/deletionVectors/storage.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkWritable } from "../log/features.js";
import { canonicalPath, decodePath, storePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import { runtime } from "../runtime.js";
import { HashIndex, keyOf } from "../verify/hashIndex.js";
import { liveAdds } from "./liveAdds.js";
import { inParallel } from "./parallel.js";
import { removeOf } from "./rewrite/candidateFiles.js";
import { type ChangeResult, type CommitOptions, change } from "./stagedChange.js";

export interface FsckOptions extends Omit<CommitOptions, "txn"> {
  /** Only tells which files are missing. Default false. */
  readonly dryRun?: boolean;
}

/** A file that the table names and that isn't there, or whose deletion vector isn't. */
export interface MissingFile {
  /** Not percent-encoded. */
  readonly path: string;
  readonly dataFileMissing: boolean;
  readonly deletionVectorMissing: boolean;
}

export interface FsckResult extends Omit<ChangeResult, "skipped"> {
  /** Files looked for. */
  readonly fileCount: number;
  /** Those that are missing: gone from the table now, unless in a dry run. */
  readonly missing: readonly MissingFile[];
}

/** Implements `Table.fsck`; see there. */
export async function fsck(log: DeltaLog, options: FsckOptions = {}): Promise<FsckResult> {
  const { dryRun = false, signal } = options;
  const startedMs = runtime.now();
  if (dryRun) {
    const snapshot = await log.latest(signal);
    const { fileCount, missing } = await look(snapshot, signal);
    return { version: snapshot.version, fileCount, missing: missing.map(({ told }) => told) };
  }
  let found: Looked = { fileCount: 0, missing: [] };
  const { version } = await change(log, options, async (snapshot) => {
    checkWritable(snapshot.protocol, snapshot.metadata);
    found = await look(snapshot, signal);
    const { fileCount, missing } = found;
    if (missing.length === 0) return undefined;
    const withoutVector = missing.find(({ told }) => !told.dataFileMissing);
    if (withoutVector !== undefined) throw vectorGone(withoutVector.told.path);
    return {
      actions: missing.map(({ add }) => ({ remove: removeOf(add, false) })),
      reads: { mayMatch: () => false, files: new Set(missing.map(({ add }) => canonicalPath(add.path))) },
      operation: "FSCK",
      operationParameters: { dryRun: "false" },
      operationMetrics: {
        numMissingFiles: String(missing.length),
        numMissingDVs: "0",
        numFilesScanned: String(fileCount),
        executionTimeMs: String(runtime.now() - startedMs),
      },
      discard: async () => undefined,
    };
  });
  return { version, fileCount: found.fileCount, missing: found.missing.map(({ told }) => told) };
}

interface Looked {
  readonly fileCount: number;
  readonly missing: readonly { readonly add: AddFile; readonly told: MissingFile }[];
}

/** A listing tells of most files that they are there; the others are looked for one by one. */
async function look(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<Looked> {
  const { store } = snapshot;
  const listed = new HashIndex();
  for await (const { path } of store.list("", undefined, signal)) listed.add(keyOf(path));
  const isGone = async (path: string) => listed.find(keyOf(path)) < 0 && (await store.head(path, signal)) === undefined;
  const missing: Looked["missing"][number][] = [];
  let fileCount = 0;
  await inParallel(liveAdds(snapshot, signal), async (add) => {
    fileCount++;
    const vector = add.deletionVector && deletionVectorPath(store, add.deletionVector);
    const dataFileMissing = await isGone(storePath(store, add.path));
    const deletionVectorMissing = vector !== undefined && (await isGone(vector));
    if (!dataFileMissing && !deletionVectorMissing) return;
    missing.push({ add, told: { path: decodePath(add.path), dataFileMissing, deletionVectorMissing } });
  });
  return { fileCount, missing };
}

function vectorGone(path: string): DeltaError {
  return new DeltaError(
    "DELTA_FILE_NOT_FOUND",
    `The file ${path} is there, but not its deletion vector, which says which of its rows are deleted. Bring that back, or restore an older version; fsck would lose the rows, or bring deleted ones back.`,
    { path },
  );
}
