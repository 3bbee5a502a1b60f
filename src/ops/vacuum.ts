import { DeltaError } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkWritable } from "../log/features.js";
import { property } from "../log/properties.js";
import type { Snapshot } from "../log/snapshot.js";
import { runtime } from "../runtime.js";
import { checkSignal } from "../signal.js";
import { commit } from "../write/transaction.js";
import { inParallel } from "./parallel.js";
import { KeptFiles } from "./vacuum/keptFiles.js";
import { noteVacuumed, removedFiles, versionBefore } from "./vacuum/lite.js";
import { entersOf, unusedFiles } from "./vacuum/unusedFiles.js";

export interface VacuumOptions {
  /** Files that nothing has needed for so long are deleted. Default: `delta.deletedFileRetentionDuration`, 7 days unless set. */
  readonly retentionHours?: number;
  /**
   * Whether a retention below `delta.deletedFileRetentionDuration` is refused. Default true. With false, files may be deleted that a
   * writer is about to commit and that readers of older versions need: only where nobody else works on the table.
   */
  readonly enforceRetention?: boolean;
  /** Only tells what would be deleted. Default false. */
  readonly dryRun?: boolean;
  /** Deletes only files that the log says were removed, without listing the table's folder. Default false. */
  readonly lite?: boolean;
  /** A text kept in the commits and shown by `history`. */
  readonly userMetadata?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VacuumProgress) => void;
}

export interface VacuumProgress {
  /** What is counted: files looked at, then files deleted. */
  readonly step: "listed" | "deleted";
  readonly done: number;
}

export interface VacuumResult {
  /** Files that were deleted or, in a dry run, would be. */
  readonly fileCount: number;
  readonly sizeBytes: number;
  /** Of those, at most 1000, relative to the table. */
  readonly paths: readonly string[];
  /** Empty folders that were removed: local disks only. */
  readonly folderCount: number;
  /** The version of the last of the two commits that tell of it; undefined for a dry run. */
  readonly version: number | undefined;
}

const PATHS_TOLD = 1000;
const HOUR_MS = 3_600_000;

/** Implements `Table.vacuum`; see there. */
export async function vacuum(log: DeltaLog, options: VacuumOptions = {}): Promise<VacuumResult> {
  const { dryRun = false, lite = false, signal, onProgress, userMetadata } = options;
  const snapshot = await log.latest(signal);
  const { protocol, metadata, store } = snapshot;
  checkWritable(protocol, metadata);
  const retention = retentionOf(snapshot, options);
  const cutoffMs = runtime.now() - retention.ms;
  const kept = await KeptFiles.of(snapshot, cutoffMs, signal);
  let listed = 0;
  const onFile = () => {
    listed++;
    onProgress?.({ step: "listed", done: listed });
  };
  const scope = { cutoffMs, onFile, signal };
  const outside = await versionBefore(snapshot, cutoffMs, signal);
  const unused = lite ? await removedFiles(snapshot, kept, outside, scope) : await unusedFiles(snapshot, kept, scope);
  const { files, sizeBytes } = unused;
  const told = { fileCount: files.size, sizeBytes, paths: files.first(PATHS_TOLD) };
  if (dryRun) return { ...told, folderCount: 0, version: undefined };

  const started = await note(log, snapshot, signal, {
    operation: "VACUUM START",
    operationParameters: {
      retentionCheckEnabled: String(options.enforceRetention ?? true),
      defaultRetentionMillis: String(retention.defaultMs),
      ...(options.retentionHours === undefined ? {} : { specifiedRetentionMillis: String(retention.ms) }),
    },
    operationMetrics: { numFilesToDelete: String(files.size), sizeOfDataToDelete: String(sizeBytes) },
    userMetadata,
  });
  await kept.addFrom(snapshot, started, signal);
  let deleted = 0;
  const end = (status: "COMPLETED" | "FAILED") =>
    note(log, snapshot, undefined, {
      operation: "VACUUM END",
      operationParameters: { status },
      operationMetrics: { numDeletedFiles: String(deleted), numVacuumedDirectories: String(unused.folderCount) },
      userMetadata,
    });
  let folderCount = 0;
  try {
    await inParallel(files, async (path) => {
      checkSignal(signal, "vacuum");
      if (kept.has(path)) return;
      await store.delete(path, signal);
      deleted++;
      onProgress?.({ step: "deleted", done: deleted });
    });
    if (!lite) folderCount = (await store.removeEmptyFolders?.(cutoffMs, entersOf(snapshot), signal)) ?? 0;
    await noteVacuumed(snapshot, outside);
  } catch (error) {
    // The error itself matters more than that it couldn't be noted.
    await end("FAILED").catch(() => undefined);
    throw error;
  }
  return { ...told, folderCount, version: await end("COMPLETED") };
}

interface Retention {
  readonly ms: number;
  readonly defaultMs: number;
}

function retentionOf({ metadata }: Snapshot, { retentionHours, enforceRetention = true }: VacuumOptions): Retention {
  const defaultMs = property(metadata, "delta.deletedFileRetentionDuration");
  if (retentionHours === undefined) return { ms: defaultMs, defaultMs };
  if (!(retentionHours >= 0 && Number.isFinite(retentionHours))) {
    throw new DeltaError(
      "DELTA_INVALID_ARGUMENT",
      `retentionHours is a number of hours from 0 up, not ${retentionHours}.`,
      { retentionHours },
    );
  }
  const ms = Math.round(retentionHours * HOUR_MS);
  if (enforceRetention && ms < defaultMs) {
    const hours = Math.ceil(defaultMs / HOUR_MS);
    throw new DeltaError(
      "DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT",
      `The table keeps files for ${hours} hours after they were removed, so that running readers and writers have them; ${retentionHours} hours are fewer. If nobody else works on the table, say enforceRetention: false; else set delta.deletedFileRetentionDuration first.`,
      { retentionHours, retentionMs: ms, configuredMs: defaultMs },
    );
  }
  return { ms, defaultMs };
}

/** Commits one of the two notes that a vacuum leaves, whatever others commit meanwhile. */
async function note(
  log: DeltaLog,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
  info: Pick<Parameters<typeof commit>[1], "operation" | "operationParameters" | "operationMetrics" | "userMetadata">,
): Promise<number> {
  let read = snapshot;
  for (;;) {
    const outcome = await commit(log, { read, actions: [], ...info }, signal);
    if (outcome.status === "committed") return outcome.version;
    // New metadata, or a new protocol: a note goes with any.
    checkWritable(outcome.snapshot.protocol, outcome.snapshot.metadata);
    read = outcome.snapshot;
  }
}
