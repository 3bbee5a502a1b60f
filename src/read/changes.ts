import type { RecordBatch } from "apache-arrow";
import { DeltaError, hasCode } from "../errors.js";
import { commitPath } from "../log/names.js";
import { readCommits } from "../log/readCommits.js";
import type { Snapshot } from "../log/snapshot.js";
import type { StructField, StructType } from "../schema/types.js";
import { changeFileNotFound, changePlanner, changeTarget } from "./changeColumns.js";
import { commitChanges, type FileChange } from "./commitChanges.js";
import { FeedGuard } from "./feedGuard.js";
import type { PlanOptions, ScanFile } from "./plan.js";
import { countFiles, limited, type ReadOptions, type ReadTarget, scanFiles } from "./scan.js";

/** A stretch of a table's history. */
export interface FeedRange {
  /** Both included; none at all where the last one comes before the first. */
  readonly first: number;
  readonly last: number;
  /** The version whose schema the rows have. */
  readonly reader: Snapshot;
  readonly snapshotAt: (version: number) => Promise<Snapshot>;
  /** When each commit was made that the log still holds, in milliseconds. */
  readonly times: ReadonlyMap<number, number>;
}

/**
 * What changed in a table, as rows: commit after commit, in each what is gone before what is new. Nothing is held but one commit's
 * actions and some batches.
 *
 * Reading throws what {@link FeedGuard} does, `DELTA_VERSION_NOT_FOUND` where commits were cleaned up, and
 * `DELTA_CHANGE_DATA_FILE_NOT_FOUND` where files were.
 */
export class ChangeFeed {
  readonly #range: FeedRange;
  readonly #target: ReadTarget;
  /** The versions of files that were planned last: a scan may be some files ahead. */
  readonly #recent: { readonly path: string; readonly version: number }[] = [];

  /** Throws `DELTA_VERSION_NOT_FOUND`, `DELTA_INVALID_SCHEMA`. */
  constructor(range: FeedRange) {
    checkCommits(range);
    this.#range = range;
    this.#target = changeTarget(range.reader);
  }

  get schema(): StructType {
    return this.#target.schema;
  }

  /** Change files don't tell (PROTOCOL.md, Reader Requirements for Row Tracking). */
  get rowTracking(): readonly StructField[] {
    return [];
  }

  async *batches(options: ReadOptions = {}): AsyncGenerator<RecordBatch> {
    try {
      yield* limited(scanFiles(this.#target, this.#files(options), options), options.limit);
    } catch (error) {
      throw this.#told(error);
    }
  }

  async count(options: PlanOptions = {}): Promise<number> {
    try {
      return await countFiles(this.#target, this.#files(options), options);
    } catch (error) {
      throw this.#told(error);
    }
  }

  async *#files(options: PlanOptions): AsyncGenerator<ScanFile> {
    const { first, last, reader, snapshotAt, times } = this.#range;
    if (last < first) return;
    const guard = new FeedGuard(reader, snapshotAt);
    const plan = changePlanner(this.#target, options);
    for await (const { version, bytes } of readCommits(reader.store, first, last, options.signal)) {
      const changes = commitChanges(version, bytes);
      await guard.take(changes);
      for (const change of goneFirst(changes.files)) {
        const file = await plan(change, { version, timestampMs: times.get(version)! });
        if (file === undefined) continue;
        this.#recent.push({ path: file.path, version });
        if (this.#recent.length > RECENT) this.#recent.shift();
        yield file;
      }
    }
  }

  #told(error: unknown): unknown {
    if (!hasCode(error, "DELTA_FILE_NOT_FOUND")) return error;
    const { path } = error.data;
    const { first, last } = this.#range;
    for (let version = first; version <= last; version++) {
      if (path === commitPath(version)) return commitNotFound(this.#range, version, version + 1);
    }
    return changeFileNotFound(path, this.#recent.findLast((file) => file.path === path)?.version, error);
  }
}

const RECENT = 16;

/** Rows that a commit takes away and gives again are to be taken away first. */
export function goneFirst(files: readonly FileChange[]): readonly FileChange[] {
  const isInsert = ({ kind }: FileChange) => kind === "insert";
  return [...files.filter((file) => !isInsert(file)), ...files.filter(isInsert)];
}

/** Checks that the log still holds every commit of the range. */
function checkCommits(range: FeedRange): void {
  const { first, last, times } = range;
  for (let version = last; version >= first; version--) {
    if (!times.has(version)) throw commitNotFound(range, version, version + 1);
  }
}

function commitNotFound({ reader, last }: FeedRange, version: number, earliest: number): DeltaError {
  const { url } = reader.store;
  const left = earliest > last ? "" : ` Changes from version ${earliest} to ${last} can be read.`;
  return new DeltaError(
    "DELTA_VERSION_NOT_FOUND",
    `The log of ${url} doesn't hold the commit of version ${version} any more: it was cleaned up.${left} Raise delta.logRetentionDuration to keep changes longer.`,
    { version, earliest, latest: last },
  );
}
