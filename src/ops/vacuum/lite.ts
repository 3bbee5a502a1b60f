import { DeltaError, hasCode } from "../../errors.js";
import { forEachAction } from "../../log/commitFile.js";
import { deletionVectorPath } from "../../log/deletionVectors/storage.js";
import { LOG_FOLDER, parseLogPath } from "../../log/names.js";
import { storePath } from "../../log/paths.js";
import { readCommits } from "../../log/readCommits.js";
import type { Snapshot } from "../../log/snapshot.js";
import { versionAt } from "../../log/timestamps.js";
import { inParallel } from "../parallel.js";
import { insideTable, type KeptFiles } from "./keptFiles.js";
import { PathList } from "./pathList.js";
import type { Unused } from "./unusedFiles.js";

/** Where Spark and this release keep how far the log's removed files have been deleted. */
const LAST_VACUUM_PATH = `${LOG_FOLDER}_last_vacuum_info`;
const VERSION_FIELD = "latestCommitVersionOutsideOfRetentionWindow";

/** The newest version before `cutoffMs`; undefined where the log holds none. */
export async function versionBefore(
  snapshot: Snapshot,
  cutoffMs: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  try {
    return await versionAt(snapshot, cutoffMs - 1, signal);
  } catch (error) {
    if (hasCode(error, "DELTA_TIMESTAMP_OUT_OF_RANGE")) return undefined;
    throw error;
  }
}

/**
 * The files that the commits up to `last` removed, and their change files, which nothing needs any more: from the log alone. Throws
 * `DELTA_CANNOT_VACUUM_LITE` where the log doesn't reach back to the last vacuum.
 */
export async function removedFiles(
  snapshot: Snapshot,
  kept: KeptFiles,
  last: number | undefined,
  options: { readonly cutoffMs: number; readonly onFile: () => void; readonly signal?: AbortSignal | undefined },
): Promise<Unused> {
  const { store } = snapshot;
  const { cutoffMs, onFile, signal } = options;
  const done = await lastVacuumed(snapshot, signal);
  const first = done === undefined ? 0 : done + 1;
  const found = { files: new PathList(), sizeBytes: 0, folderCount: 0 };
  if (last === undefined || last < first) return found;
  await checkCommits(snapshot, first, last, signal);
  const candidates = new Set<string>();
  const consider = (pathOf: () => string | undefined) => {
    const path = insideTable(pathOf);
    if (path !== undefined && !path.startsWith(LOG_FOLDER) && !kept.has(path)) candidates.add(path);
  };
  // Of other roots nothing is deleted.
  const own = { url: store.url };
  for await (const { version, bytes } of readCommits(store, first, last, signal)) {
    forEachAction(version, bytes, { commitInfo: false }, (action) => {
      if ("remove" in action && (action.remove.deletionTimestamp ?? 0) < cutoffMs) {
        const { path, deletionVector } = action.remove;
        consider(() => storePath(own, path));
        if (deletionVector) consider(() => deletionVectorPath(own, deletionVector));
      } else if ("cdc" in action) consider(() => storePath(own, action.cdc.path));
    });
  }
  await inParallel(candidates, async (path) => {
    onFile();
    const file = await store.head(path, signal);
    if (file === undefined) return;
    found.files.add(path);
    found.sizeBytes += file.sizeBytes;
  });
  return found;
}

/** Throws `DELTA_CANNOT_VACUUM_LITE` where the log lacks commits, as after a cleanup; one that was cut short leaves holes. */
async function checkCommits({ store }: Snapshot, first: number, last: number, signal?: AbortSignal): Promise<void> {
  const commits = new Set<number>();
  for (const path of await store.listNames(LOG_FOLDER, "", signal)) {
    const name = parseLogPath(path);
    if (name?.kind === "commit") commits.add(name.version);
  }
  let earliest = last + 1;
  while (earliest > first && commits.has(earliest - 1)) earliest--;
  if (earliest === first) return;
  throw new DeltaError(
    "DELTA_CANNOT_VACUUM_LITE",
    `The log of ${store.url} is whole from version ${earliest} on only, but a vacuum by the log alone has to read on from version ${first}. Vacuum the table once without lite.`,
    { first, earliest },
  );
}

async function lastVacuumed({ store }: Snapshot, signal?: AbortSignal): Promise<number | undefined> {
  try {
    const text = Buffer.from(await store.get(LAST_VACUUM_PATH, undefined, signal)).toString();
    const version: unknown = JSON.parse(text)?.[VERSION_FIELD];
    return typeof version === "number" && Number.isSafeInteger(version) && version >= 0 ? version : undefined;
  } catch (error) {
    // What can't be read tells nothing: then the log has to be there from its begin.
    if (error instanceof SyntaxError || hasCode(error, "DELTA_FILE_NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Notes that nothing is left of what commits up to `version` removed. */
export async function noteVacuumed({ store }: Snapshot, version: number | undefined): Promise<void> {
  if (version === undefined) return;
  await store.put(LAST_VACUUM_PATH, Buffer.from(JSON.stringify({ [VERSION_FIELD]: version })));
}
