import { DeltaError } from "../errors.js";
import type { ObjectStore } from "../storage/store.js";
import { readLastCheckpoint } from "./lastCheckpoint.js";
import { beforeVersion, commitPath, LOG_FOLDER, parseLogPath } from "./names.js";

/** A complete checkpoint: one file, or all parts in their order. */
export interface CheckpointFiles {
  readonly version: number;
  readonly paths: readonly string[];
}

/** The files of the log that make up one version. */
export interface LogSegment {
  readonly version: number;
  /** The newest complete checkpoint up to `version`. */
  readonly checkpoint: CheckpointFiles | undefined;
  /** Commits `firstCommit` to `version` follow the checkpoint; none where it is the version itself. */
  readonly firstCommit: number;
}

export interface SegmentOptions {
  /** The newest version where it's left out. */
  readonly version?: number;
  /** Checkpoints that turned out to be damaged. */
  readonly damaged?: ReadonlySet<number>;
  readonly signal?: AbortSignal;
}

/** What a listing of the log found. */
interface Listing {
  /** In ascending order. */
  readonly commits: readonly number[];
  /** Complete ones, in ascending order. */
  readonly checkpoints: readonly CheckpointFiles[];
  /** Versions of checkpoints that this release can't read. */
  readonly uuidCheckpoints: readonly number[];
}

/**
 * Finds the files of a version with one listing: from the checkpoint that `_last_checkpoint` points at or, where that
 * leads nowhere, of the whole log (PROTOCOL.md, Last Checkpoint File).
 *
 * Throws `DELTA_TABLE_NOT_FOUND`, `DELTA_VERSION_NOT_FOUND` with the versions that can be rebuilt in `data.earliest` and
 * `data.latest`, `DELTA_VERSIONS_NOT_CONTIGUOUS`, or `DELTA_UNSUPPORTED_FEATURES_FOR_READ` where only a V2 checkpoint
 * fills the gap.
 */
export async function readSegment(store: ObjectStore, options: SegmentOptions = {}): Promise<LogSegment> {
  const { version, damaged = new Set(), signal } = options;
  const hint = await readLastCheckpoint(store, signal);
  if (hint !== undefined && (version === undefined || hint <= version)) {
    const recent = await listLog(store, hint, damaged, signal);
    const segment = segmentOf(recent, version);
    if (segment?.checkpoint !== undefined && (await missingCommit(store, recent, segment, signal)) === undefined) {
      return segment;
    }
  }
  const listing = await listLog(store, 0, damaged, signal);
  const segment = segmentOf(listing, version);
  if (segment === undefined) throw nothingFound(store, listing, version);
  const missing = await missingCommit(store, listing, segment, signal);
  if (missing === undefined) return segment;
  throw gap(store, listing, segment, missing);
}

/**
 * The newest version after `version`, which exists, and the newest complete checkpoint after it.
 * Throws `DELTA_VERSIONS_NOT_CONTIGUOUS`.
 */
export async function newestCommit(
  store: ObjectStore,
  version: number,
  signal?: AbortSignal,
): Promise<{ readonly newest: number; readonly checkpoint: number | undefined }> {
  const listing = await listLog(store, version + 1, new Set(), signal);
  const newest = listing.commits.at(-1) ?? version;
  const segment = { version: newest, checkpoint: undefined, firstCommit: version + 1 };
  const missing = await missingCommit(store, listing, segment, signal);
  if (missing !== undefined) throw notContiguous(store, newest, missing);
  return { newest, checkpoint: listing.checkpoints.at(-1)?.version };
}

/**
 * The versions that can be rebuilt from the files of the log: from the oldest complete checkpoint, or version 0, on.
 * Throws `DELTA_TABLE_NOT_FOUND`.
 */
export function rebuildableVersions(
  store: ObjectStore,
  logPaths: Iterable<string>,
): { readonly earliest: number; readonly latest: number } {
  const range = rangeOf(listingOf(logPaths, new Set()));
  if (range === undefined) throw tableNotFound(store);
  return range;
}

async function listLog(
  store: ObjectStore,
  from: number,
  damaged: ReadonlySet<number>,
  signal?: AbortSignal,
): Promise<Listing> {
  const paths = await store.listNames(LOG_FOLDER, from === 0 ? undefined : beforeVersion(from), signal);
  return listingOf(paths, damaged);
}

function listingOf(paths: Iterable<string>, damaged: ReadonlySet<number>): Listing {
  const commits: number[] = [];
  const checkpoints = new Map<number, CheckpointFiles>();
  const uuidCheckpoints: number[] = [];
  const parts = new Map<string, string[]>();
  for (const path of paths) {
    const name = parseLogPath(path);
    if (name === undefined) continue;
    const { version } = name;
    if (name.kind === "commit") commits.push(version);
    else if (name.kind === "uuidCheckpoint") uuidCheckpoints.push(version);
    else if (damaged.has(version)) continue;
    else if (name.kind === "classicCheckpoint") checkpoints.set(version, { version, paths: [path] });
    else if (name.kind === "multiPartCheckpoint") {
      const key = `${version}.${name.parts}`;
      const found = parts.get(key) ?? [];
      parts.set(key, found);
      found.push(path);
      if (found.length === name.parts && !checkpoints.has(version)) checkpoints.set(version, { version, paths: found });
    }
  }
  return { commits, checkpoints: [...checkpoints.values()].sort((a, b) => a.version - b.version), uuidCheckpoints };
}

/** Undefined where the listing doesn't reach `version`, or holds nothing to start from. */
function segmentOf({ commits, checkpoints }: Listing, wanted: number | undefined): LogSegment | undefined {
  const newest = Math.max(commits.at(-1) ?? -1, checkpoints.at(-1)?.version ?? -1);
  const version = wanted ?? newest;
  if (version > newest || version < 0) return undefined;
  const checkpoint = checkpoints.findLast((candidate) => candidate.version <= version);
  return { version, checkpoint, firstCommit: (checkpoint?.version ?? -1) + 1 };
}

/**
 * A commit of the segment that doesn't exist. A listing that ran while others committed may lack one it should have: so
 * it is asked for by name.
 */
async function missingCommit(
  store: ObjectStore,
  { commits }: Listing,
  { firstCommit, version }: LogSegment,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const listed = commits.filter((commit) => firstCommit <= commit && commit <= version).length;
  if (listed === version - firstCommit + 1) return undefined;
  const known = new Set(commits);
  for (let commit = firstCommit; commit <= version; commit++) {
    if (!known.has(commit) && (await store.head(commitPath(commit), signal)) === undefined) return commit;
  }
  return undefined;
}

function rangeOf({ commits, checkpoints }: Listing): { earliest: number; latest: number } | undefined {
  const latest = Math.max(commits.at(-1) ?? -1, checkpoints.at(-1)?.version ?? -1);
  if (latest < 0) return undefined;
  const known = new Set(commits);
  let oldest = latest + 1;
  while (known.has(oldest - 1)) oldest--;
  if (oldest === 0) return { earliest: 0, latest };
  const start = checkpoints.find(({ version }) => version >= oldest - 1);
  return { earliest: start?.version ?? oldest, latest };
}

function nothingFound(store: ObjectStore, listing: Listing, version: number | undefined): DeltaError {
  const range = rangeOf(listing);
  if (range === undefined || version === undefined) return tableNotFound(store);
  const { earliest, latest } = range;
  return versionNotFound(store, version, earliest, latest);
}

/** A gap below the oldest version that can be rebuilt is history that was cleaned up, any other one damage. */
function gap(store: ObjectStore, listing: Listing, segment: LogSegment, missing: number): DeltaError {
  const { version } = segment;
  if (listing.uuidCheckpoints.some((checkpoint) => segment.firstCommit <= checkpoint && checkpoint <= version)) {
    return new DeltaError(
      "DELTA_UNSUPPORTED_FEATURES_FOR_READ",
      `Version ${version} of ${store.url} can only be rebuilt from a V2 checkpoint, which this release doesn't read.`,
      { features: ["v2Checkpoint"] },
    );
  }
  const { earliest, latest } = rangeOf(listing)!;
  const canRebuildEarliest =
    earliest === 0 || listing.checkpoints.some((checkpoint) => checkpoint.version === earliest);
  if (version < earliest && canRebuildEarliest) return versionNotFound(store, version, earliest, latest);
  return notContiguous(store, version, missing);
}

function notContiguous(store: ObjectStore, version: number, missing: number): DeltaError {
  return new DeltaError(
    "DELTA_VERSIONS_NOT_CONTIGUOUS",
    `The log of ${store.url} lacks ${commitPath(missing)}, so version ${version} can't be rebuilt. Restore that file; without it, versions after it are lost.`,
    { version, missing },
  );
}

function tableNotFound(store: ObjectStore): DeltaError {
  return new DeltaError(
    "DELTA_TABLE_NOT_FOUND",
    `${store.url} is not a Delta table: it has no ${LOG_FOLDER} with commits.`,
    { path: store.url },
  );
}

function versionNotFound(store: ObjectStore, version: number, earliest: number, latest: number): DeltaError {
  return new DeltaError(
    "DELTA_VERSION_NOT_FOUND",
    `${store.url} has no version ${version}: versions ${earliest} to ${latest} can be read.`,
    { version, earliest, latest },
  );
}
