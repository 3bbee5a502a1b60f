import { deletionVectorPath } from "#src/log/deletionVectors/storage.js";
import { commitPath, parseLogPath } from "#src/log/names.js";
import { storePath } from "#src/log/paths.js";
import { type CommitRecord, type LackedVersions, liveFiles, logAt } from "./history.js";
import type { World } from "./world.js";

const HOUR_MS = 3_600_000;
/** `delta.deletedFileRetentionDuration` and `delta.logRetentionDuration` of tables whose rows are changed. */
export const FILES_MS = 4 * HOUR_MS;
export const LOG_MS = 24 * HOUR_MS;
/** Two clocks may be wrong by an hour each, against each other. */
export const SKEW_MS = 2 * HOUR_MS;

/** Paths of the data files and deletion vectors that a version needs. */
export function neededFiles(log: readonly CommitRecord[], version: number): string[] {
  const store = { url: "sim:table" };
  return [...liveFiles(log, version).values()].flatMap(({ path, deletionVector }) => {
    const vector = deletionVector && deletionVectorPath(store, deletionVector);
    return [storePath(store, path), ...(vector === undefined ? [] : [vector])];
  });
}

/** The versions that the objects in the log still tell. */
export function rebuildable(paths: readonly string[]): Set<number> {
  const commits = new Set<number>();
  const checkpoints = new Set<number>();
  for (const path of paths) {
    const name = parseLogPath(path);
    if (name?.kind === "commit") commits.add(name.version);
    if (name?.kind === "classicCheckpoint" || name?.kind === "uuidCheckpoint") checkpoints.add(name.version);
  }
  const found = new Set<number>();
  for (const version of [...commits].sort((a, b) => a - b)) {
    if (version === 0 || checkpoints.has(version) || found.has(version - 1) || checkpoints.has(version - 1))
      found.add(version);
  }
  return found;
}

/** The versions that can't be read, as things are. */
export function lackedVersions(world: World): LackedVersions {
  const { disk } = world;
  const log = logAt(world, world.step);
  const told = rebuildable(disk.paths("_delta_log/"));
  const lacksFiles = (version: number) => neededFiles(log, version).some((path) => disk.head(path) === undefined);
  const versions = log.map(({ version }) => version);
  return {
    lacksCommits: versions.some((version) => disk.head(commitPath(version)) === undefined),
    inLog: new Set(versions.filter((version) => !told.has(version))),
    files: new Set(versions.filter(lacksFiles)),
  };
}

/** What is wrong with an object's removal, which has just been done; `log` is all that was ever committed. */
export function* wrongRemoval(world: World, path: string, before: readonly string[]): Generator<string> {
  const { disk } = world;
  const log = logAt(world, Number.POSITIVE_INFINITY);
  const now = world.scheduler.nowMs;
  if (path.startsWith("_delta_log/")) {
    const [told, tells] = [rebuildable(before), rebuildable(disk.paths("_delta_log/"))];
    for (const { version, modifiedMs } of log) {
      const isKept = version === log.length - 1 || modifiedMs > now + SKEW_MS - LOG_MS;
      if (isKept && told.has(version) && !tells.has(version)) yield `without ${path} there is no version ${version}`;
    }
    return;
  }
  for (const { version } of log) {
    const endMs = log[version + 1]?.modifiedMs ?? Number.POSITIVE_INFINITY;
    if (endMs < now + SKEW_MS - FILES_MS) continue;
    if (neededFiles(log, version).includes(path)) yield `${path} was removed, which version ${version} needs`;
  }
}
