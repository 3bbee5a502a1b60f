import { type DeltaError, hasCode } from "../errors.js";
import type { ObjectStore } from "../storage/store.js";
import type { AddFile } from "./actions.js";
import type { FileTotals } from "./fileTotals.js";
import type { CheckpointFiles } from "./segment.js";
import type { Tail } from "./tail.js";

/** The columns of a live file: the fields of `add`. */
export type FileColumn = keyof AddFile;

export interface FileBatchOptions {
  /** The columns to decode; all where it's left out. */
  readonly columns?: readonly FileColumn[];
  readonly signal?: AbortSignal;
}

/** Where a snapshot's files are: in a checkpoint on storage, and in what the commits after it did. */
export interface SnapshotFiles {
  readonly store: ObjectStore;
  readonly version: number;
  readonly checkpoint: CheckpointFiles | undefined;
  readonly tail: Tail;
  /** Whether the table has partition columns. */
  readonly isPartitioned: boolean;
  /** Totals of this version or an older one, from which the tail leads on; undefined where nobody told them yet. */
  readonly totals?: FileTotals | undefined;
  /** The newest version checksum that a listing showed, of a version from which the tail leads on. */
  readonly checksum?: number | undefined;
  /** Paths of files that were passed over because they can't be read. */
  readonly damaged: ReadonlySet<string>;
}

/** Whether an error says that a version can't be rebuilt in another way: then the damage is what has to be told. */
export function isNoOtherWay(error: unknown): boolean {
  return NO_OTHER_WAY.some((code) => hasCode(error, code));
}

const NO_OTHER_WAY = ["DELTA_VERSIONS_NOT_CONTIGUOUS", "DELTA_TABLE_NOT_FOUND", "DELTA_VERSION_NOT_FOUND"] as const;

/** Whether a file of the log is unreadable, or was removed while it was being read. */
export function isDamage(error: unknown): error is DeltaError {
  return DAMAGE.some((code) => hasCode(error, code));
}

const DAMAGE = ["DELTA_PARQUET_UNREADABLE", "DELTA_FILE_NOT_FOUND", "DELTA_LOG_CORRUPT"] as const;
