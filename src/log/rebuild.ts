import type { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import type { ObjectStore } from "../storage/store.js";
import { checksumStates, isVouchedFor } from "./checksumState.js";
import { forEachAction } from "./commitFile.js";
import { NO_FILES } from "./fileTotals.js";
import { tellPassedOver } from "./passedOver.js";
import { readLogFiles } from "./readCommits.js";
import { type CheckpointFiles, type LogSegment, readSegment, type SegmentOptions, segmentFiles } from "./segment.js";
import { isDamage, isNoOtherWay, type SnapshotFiles } from "./snapshotFiles.js";
import { StateBuilder, type TableState } from "./state.js";
import { Tail } from "./tail.js";

/** A version of a table as its log tells it. */
export interface RebuiltVersion {
  readonly state: TableState;
  readonly files: SnapshotFiles;
}

/** Files of a segment that can't be used, and why. */
interface Damage {
  readonly paths: readonly string[];
  readonly error: DeltaError;
}

/**
 * Rebuilds a version from the newest checkpoint up to it and what follows. A file that is damaged or gone is passed over, with a
 * warning, for others that lead to the version too: an older checkpoint, or another one of its version; commits in place of a
 * compaction, or the other way round.
 *
 * Throws `DELTA_TABLE_NOT_FOUND`, `DELTA_VERSION_NOT_FOUND`, `DELTA_VERSIONS_NOT_CONTIGUOUS`, `DELTA_STATE_RECOVER_ERROR` and,
 * where nothing takes the place of a damaged file, `DELTA_LOG_CORRUPT`, `DELTA_PARQUET_UNREADABLE` or `DELTA_FILE_NOT_FOUND`
 * of the first one.
 */
export async function rebuild(store: ObjectStore, options: SegmentOptions): Promise<RebuiltVersion> {
  const { signal } = options;
  const found: Damage[] = [];
  let version = options.version;
  for (;;) {
    const damaged = new Set([...(options.damaged ?? []), ...found.flatMap(({ paths }) => paths)]);
    const segment = await readSegment(store, { version, damaged, signal }).catch((error: unknown) => {
      throw isNoOtherWay(error) ? (found[0]?.error ?? error) : error;
    });
    // A damaged file doesn't turn the table back to an older version.
    version = segment.version;
    const replayed = await replay(store, segment, signal);
    if (!("error" in replayed)) {
      for (const { paths, error } of found) for (const path of paths) tellPassedOver(store, path, error.message);
      const { checkpoint } = segment;
      const { state, tail, totals, checksum } = replayed;
      const isPartitioned = state.metadata.partitionColumns.length > 0;
      return { state, files: { store, version, checkpoint, tail, isPartitioned, totals, checksum, damaged } };
    }
    found.push(replayed);
  }
}

interface Replayed extends Pick<SnapshotFiles, "tail" | "totals" | "checksum"> {
  readonly state: TableState;
}

async function replay(store: ObjectStore, segment: LogSegment, signal?: AbortSignal): Promise<Replayed | Damage> {
  const { version, checkpoint, firstCommit, compactions } = segment;
  const files = [...segmentFiles(segment)];
  const pair = await checksumStates(store, checksumsAt(segment, files), signal);
  let before: Partial<TableState> | undefined;
  if (checkpoint !== undefined && pair === undefined) {
    const read = await stateBefore(store, checkpoint, signal);
    if ("error" in read) return read;
    before = read.state;
  }
  const tail = new Tail(firstCommit - 1);
  const changes = new StateBuilder();
  let taken = 0;
  try {
    for await (const { version: at, path, bytes } of readLogFiles(store, files, signal)) {
      forEachAction(at, bytes, { commitInfo: false, path }, (action) => {
        if (!("add" in action) && !("remove" in action)) changes.apply(action);
        else tail.take(at, action);
      });
      tail.version = at;
      taken++;
      if (at === pair?.[1].version && isVouchedFor(store, pair, changes)) before = pair[0].state;
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { paths: [files[taken]!.path], error };
  }
  if (checkpoint !== undefined && before === undefined) {
    const read = await stateBefore(store, checkpoint, signal);
    if ("error" in read) return read;
    before = read.state;
  }
  const state = changes.build(version, before);
  if (checkpoint === undefined) return { state, tail, totals: NO_FILES, checksum: undefined };
  // A compaction doesn't tell which of the files that it removes were there before it.
  const from = compactions.at(-1)?.endVersion ?? checkpoint.version;
  const checksum = segment.checksums.findLast((at) => at >= from);
  return { state, tail, totals: undefined, checksum };
}

/** Version checksums of states that the replay comes by: the checkpoint's, and those after each file. */
function checksumsAt(
  { checkpoint, checksums }: LogSegment,
  files: readonly { readonly version: number }[],
): readonly number[] {
  if (checksums.length < 2) return [];
  const reached = new Set(files.map(({ version }) => version));
  return checksums.filter((version) => reached.has(version) || version === checkpoint?.version);
}

/** What the checkpoint says beside files. */
async function stateBefore(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  signal?: AbortSignal,
): Promise<{ readonly state: Partial<TableState> } | Damage> {
  const state = new StateBuilder();
  try {
    const { readStateActions } = await loaded(() => import("./checkpointState.js"), "delta-table/log/checkpointState");
    for await (const action of readStateActions(store, checkpoint, signal)) state.apply(action);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { paths: checkpoint.paths, error };
  }
  return { state: state.said() };
}
