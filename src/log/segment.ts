import { DeltaError } from "../errors.js";
import type { ObjectStore } from "../storage/store.js";
import { type Compaction, chooseCompactions } from "./compactions.js";
import { type CheckpointHint, readLastCheckpoint } from "./lastCheckpoint.js";
import {
  beforeVersion,
  commitPath,
  LAST_CHECKPOINT_PATH,
  LOG_FOLDER,
  type LogFile,
  type LogFileName,
  parseLogPath,
} from "./names.js";
import { tellPassedOver } from "./passedOver.js";

/** A complete checkpoint as the log's folder has it: one file, or all parts in their order; without its sidecars. */
export interface CheckpointFiles {
  readonly version: number;
  readonly paths: readonly string[];
  /** The size of its one file, as `_last_checkpoint` has it: that may tell of another file, which was here before. */
  readonly toldBytes?: number;
}

/** The files of the log that make up one version. */
export interface LogSegment {
  readonly version: number;
  /** The newest complete checkpoint up to `version`. */
  readonly checkpoint: CheckpointFiles | undefined;
  /** Commits `firstCommit` to `version` follow the checkpoint; none where it is the version itself. */
  readonly firstCommit: number;
  /** Files that take the place of some of these commits, in ascending order and without overlap. */
  readonly compactions: readonly Compaction[];
  /** Versions with a version checksum, ascending: from the checkpoint's on, or none where there is none. */
  readonly checksums: readonly number[];
}

export interface SegmentOptions {
  /** The newest version where it's left out. */
  readonly version?: number;
  /** Paths of files that turned out to be damaged, and aren't to be used. */
  readonly damaged?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/** What a listing of the log found. */
interface Listing {
  /** In ascending order. */
  readonly commits: readonly number[];
  /** Complete ones, in ascending order; of one version, the one to prefer last. */
  readonly checkpoints: readonly CheckpointFiles[];
  readonly compactions: readonly Compaction[];
  /** Versions, in ascending order. */
  readonly checksums: readonly number[];
}

/**
 * Finds the files of a version with one listing: from the checkpoint that `_last_checkpoint` points at or, where that
 * leads nowhere, of the whole log (PROTOCOL.md, Last Checkpoint File).
 *
 * Throws `DELTA_TABLE_NOT_FOUND`, `DELTA_VERSION_NOT_FOUND` with the versions that can be rebuilt in `data.earliest` and
 * `data.latest`, or `DELTA_VERSIONS_NOT_CONTIGUOUS`.
 */
export async function readSegment(store: ObjectStore, options: SegmentOptions = {}): Promise<LogSegment> {
  const { version, damaged = NONE, signal } = options;
  const hint = await readLastCheckpoint(store, signal);
  if (hint !== undefined && (version === undefined || hint.version <= version)) {
    const recent = await listLog(store, hint.version, damaged, signal);
    const segment = segmentOf(recent, version);
    const missing = segment?.checkpoint && (await missingCommit(store, recent, segment, damaged, signal));
    if (segment?.checkpoint !== undefined && missing === undefined) {
      return { ...segment, checkpoint: sized(segment.checkpoint, hint) };
    }
  }
  const listing = await listLog(store, 0, damaged, signal);
  if (hint !== undefined && damaged.size === 0) checkHint(store, listing, hint.version);
  const segment = segmentOf(listing, version);
  if (segment === undefined) throw nothingFound(store, listing, version);
  const missing = await missingCommit(store, listing, segment, damaged, signal);
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
  const listing = await listLog(store, version + 1, NONE, signal);
  const newest = listing.commits.at(-1) ?? version;
  const segment = { version: newest, firstCommit: version + 1, compactions: [] };
  const missing = await missingCommit(store, listing, segment, NONE, signal);
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
  const range = rangeOf(listingOf(logPaths, NONE));
  if (range === undefined) throw tableNotFound(store);
  return range;
}

/** The complete checkpoints among the files of the log, in ascending order. */
export function checkpointsIn(logPaths: Iterable<string>): readonly CheckpointFiles[] {
  return listingOf(logPaths, NONE).checkpoints;
}

/** The files to replay behind the segment's checkpoint, in their order. */
export function* segmentFiles({
  version,
  firstCommit,
  compactions,
}: Pick<LogSegment, "version" | "firstCommit" | "compactions">): Generator<LogFile> {
  let next = 0;
  for (let commit = firstCommit; commit <= version; commit++) {
    const compaction = compactions[next];
    if (compaction?.version === commit) {
      yield { version: compaction.endVersion, path: compaction.path };
      commit = compaction.endVersion;
      next++;
    } else yield { version: commit, path: commitPath(commit) };
  }
}

const NONE: ReadonlySet<string> = new Set();

async function listLog(
  store: ObjectStore,
  from: number,
  damaged: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<Listing> {
  const paths = await store.listNames(LOG_FOLDER, from === 0 ? undefined : beforeVersion(from), signal);
  return listingOf(paths, damaged);
}

type CheckpointName = Extract<LogFileName, { readonly kind: `${string}Checkpoint` }>;

function listingOf(paths: Iterable<string>, damaged: ReadonlySet<string>): Listing {
  const commits: number[] = [];
  const compactions: Compaction[] = [];
  const checksums: number[] = [];
  const files: { readonly name: CheckpointName; readonly path: string }[] = [];
  for (const path of paths) {
    const name = parseLogPath(path);
    if (name === undefined || damaged.has(path)) continue;
    if (name.kind === "commit") commits.push(name.version);
    else if (name.kind === "checksum") checksums.push(name.version);
    else if (name.kind === "compacted") {
      compactions.push({ version: name.version, endVersion: name.endVersion, path });
    } else files.push({ name, path });
  }
  return { commits, checkpoints: completeCheckpoints(files), compactions, checksums };
}

function completeCheckpoints(
  files: Iterable<{ readonly name: CheckpointName; readonly path: string }>,
): CheckpointFiles[] {
  const found: { readonly rank: number; readonly checkpoint: CheckpointFiles }[] = [];
  const parts = new Map<string, string[]>();
  for (const { name, path } of files) {
    const { version } = name;
    if (name.kind !== "multiPartCheckpoint") {
      found.push({ rank: rankOf(name), checkpoint: { version, paths: [path] } });
      continue;
    }
    if (name.part < 1 || name.part > name.parts) continue;
    const key = `${version}.${name.parts}`;
    const others = parts.get(key) ?? [];
    parts.set(key, others);
    others.push(path);
    if (others.length === name.parts) found.push({ rank: rankOf(name), checkpoint: { version, paths: others } });
  }
  found.sort((a, b) => a.checkpoint.version - b.checkpoint.version || a.rank - b.rank);
  return found.map(({ checkpoint }) => checkpoint);
}

/**
 * Of the checkpoints of one version, any will do. One file is cheaper than many, columns are cheaper than lines, and only parts
 * may be a mix of what two writers wrote.
 */
function rankOf(name: CheckpointName): number {
  if (name.kind === "multiPartCheckpoint") return 0;
  if (name.kind === "classicCheckpoint") return 3;
  return name.format === "json" ? 1 : 2;
}

/** Undefined where the listing doesn't reach `version`, or holds nothing to start from. */
function segmentOf(listing: Listing, wanted: number | undefined): LogSegment | undefined {
  const { commits, checkpoints, compactions, checksums } = listing;
  const newest = Math.max(commits.at(-1) ?? -1, checkpoints.at(-1)?.version ?? -1);
  const version = wanted ?? newest;
  if (version > newest || version < 0) return undefined;
  const checkpoint = checkpoints.findLast((candidate) => candidate.version <= version);
  const start = checkpoint?.version ?? -1;
  return {
    version,
    checkpoint,
    firstCommit: start + 1,
    compactions: fewestFiles(compactions, commits, start + 1, version),
    checksums: checkpoint === undefined ? [] : checksums.filter((at) => start <= at && at <= version),
  };
}

function sized(checkpoint: CheckpointFiles, { version, sizeBytes }: CheckpointHint): CheckpointFiles {
  const isTold = checkpoint.version === version && checkpoint.paths.length === 1 && sizeBytes !== undefined;
  return isTold && isClassic(checkpoint.paths[0]!) ? { ...checkpoint, toldBytes: sizeBytes } : checkpoint;
}

function isClassic(path: string): boolean {
  return parseLogPath(path)?.kind === "classicCheckpoint";
}

function fewestFiles(
  compactions: readonly Compaction[],
  commits: readonly number[],
  first: number,
  last: number,
): readonly Compaction[] {
  if (compactions.length === 0) return [];
  const known = new Set(commits);
  return chooseCompactions(compactions, first, last, (commit) => known.has(commit));
}

/** A pointer to a checkpoint that isn't there costs a listing each time: somebody should know. */
function checkHint(store: ObjectStore, { checkpoints }: Listing, hint: number): void {
  if (checkpoints.some((checkpoint) => checkpoint.version === hint)) return;
  const reason = `it points at version ${hint}, of which there is no complete checkpoint`;
  tellPassedOver(store, LAST_CHECKPOINT_PATH, reason);
}

/**
 * A commit of the segment that doesn't exist. A listing that ran while others committed may lack one it should have: so
 * it is asked for by name.
 */
async function missingCommit(
  store: ObjectStore,
  { commits }: Listing,
  segment: Pick<LogSegment, "version" | "firstCommit" | "compactions">,
  damaged: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const { firstCommit, version } = segment;
  const listed = commits.filter((commit) => firstCommit <= commit && commit <= version).length;
  if (listed === version - firstCommit + 1) return undefined;
  const known = new Set(commits);
  const compacted = new Set(segment.compactions.map(({ path }) => path));
  for (const { version: commit, path } of segmentFiles(segment)) {
    if (compacted.has(path)) continue;
    if (damaged.has(path)) return commit;
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
