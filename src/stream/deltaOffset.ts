import { DeltaError } from "../errors.js";
import type { Json } from "../load/progress.js";

/** A place in a table's history, as Delta's streaming source for Spark keeps it. */
export interface DeltaOffset {
  readonly tableId: string;
  readonly version: number;
  /**
   * The last file read of that version, counted from 0: of its commit's added files that hold new data, or of the initial snapshot's
   * files ordered by their time and path. {@link BEFORE_FILES} where none of them is read.
   */
  readonly index: number;
  /** The files are those of the table at that version, not those that the version added. */
  readonly isInitialSnapshot: boolean;
}

/** Before a version's first file. */
export const BEFORE_FILES = -1;

/** As text: the names are those of the first releases. */
export function deltaOffsetJson({ tableId, version, index, isInitialSnapshot }: DeltaOffset): Json {
  return {
    sourceVersion: 1,
    reservoirId: tableId,
    reservoirVersion: version,
    index,
    isStartingVersion: isInitialSnapshot,
  };
}

/** Throws `DELTA_STREAM_SOURCE_CHANGED` for what another source wrote, and for a newer form. */
export function parseDeltaOffset(json: Json, url: string): DeltaOffset {
  const { sourceVersion, reservoirId, reservoirVersion, index, isStartingVersion } = (json ?? {}) as Record<
    string,
    unknown
  >;
  const isValid =
    (sourceVersion === 1 || sourceVersion === 3) &&
    typeof reservoirId === "string" &&
    isCount(reservoirVersion) &&
    Number.isSafeInteger(index) &&
    typeof isStartingVersion === "boolean";
  if (!isValid) {
    throw new DeltaError(
      "DELTA_STREAM_SOURCE_CHANGED",
      `The checkpoint's place ${JSON.stringify(json)} is none in the table ${url}: it belongs to another kind of source, or to a newer release. Use the source it was made with, or begin a new stream with another checkpoint folder.`,
      { offset: json },
    );
  }
  return {
    tableId: reservoirId,
    version: reservoirVersion,
    index: index as number,
    isInitialSnapshot: isStartingVersion,
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether a file comes after the place. */
export function isAfter(offset: DeltaOffset, version: number, index: number): boolean {
  return version > offset.version || (version === offset.version && index > offset.index);
}
