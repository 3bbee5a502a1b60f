import { DeltaError } from "../errors.js";
import type { CheckpointFiles } from "./segment.js";

/** What conforming a column to the protocol's type says of one that has another. */
const OTHER_SHAPE: ReadonlySet<string> = new Set(["DELTA_SCHEMA_MISMATCH", "DELTA_VALUE_OUT_OF_RANGE"]);

/**
 * The rows; whatever their columns turn out to be instead of a checkpoint's is `DELTA_PARQUET_UNREADABLE`, naming its files:
 * so an older checkpoint, or the commits, are looked at.
 */
export function* checkpointContent<T>(checkpoint: CheckpointFiles, rows: Iterable<T>): Generator<T> {
  try {
    yield* rows;
  } catch (error) {
    if (error instanceof DeltaError && !OTHER_SHAPE.has(error.code)) throw error;
    const path = checkpoint.paths.join(", ");
    const reason = error instanceof Error ? error.message : String(error);
    throw new DeltaError(
      "DELTA_PARQUET_UNREADABLE",
      `${path} isn't a checkpoint: ${reason}`,
      { path, version: checkpoint.version },
      error,
    );
  }
}
