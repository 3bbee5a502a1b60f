import { type RecordBatch, RecordBatchReader } from "apache-arrow";
import { DeltaError } from "../errors.js";
import type { DecodeJob, Done } from "./codec.js";
import { type ParquetFileRef, unreadable } from "./footer.js";
import { loadBuffers } from "./loadBuffers.js";
import { JobFailed, run } from "./pool.js";
import type { StoredPart } from "./prune.js";
import { NotRead } from "./storedRanges.js";

/** A standalone Parquet file made of parts of another. */
export interface PartFile {
  /** Transferred to a worker where that decodes it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many rows are wanted: all that the file has, or some from `offset` on. */
  readonly rowCount: number;
  readonly offset?: number | undefined;
}

// The default of the library, 1024, is three times slower.
export const BATCH_ROWS = 122_880;

/**
 * Decodes a part of `file`, in a worker where `workBytes` (of Arrow) is much. Throws `DELTA_PARQUET_UNREADABLE` and
 * `DELTA_ABORTED`.
 */
export async function decodeFile(
  file: ParquetFileRef,
  { bytes, rowCount, offset }: PartFile,
  workBytes: number,
  signal: AbortSignal | undefined,
): Promise<RecordBatch[]> {
  try {
    const job = { kind: "decode", bytes, batchRows: BATCH_ROWS, ...rowsOf(rowCount, offset) } as const;
    return batchesOf(await run(job, Math.max(workBytes, bytes.length), signal), rowCount);
  } catch (error) {
    throw damaged(file, error);
  }
}

/** The same of a part that lies on this machine, where a worker reads it by itself; undefined where none can. */
export async function decodeStored(
  file: ParquetFileRef,
  { tail, stored, rowCount, offset }: StoredPart & Pick<PartFile, "offset">,
  signal: AbortSignal | undefined,
): Promise<RecordBatch[] | undefined> {
  try {
    const job = { kind: "decode", bytes: tail, stored, batchRows: BATCH_ROWS, ...rowsOf(rowCount, offset) } as const;
    return batchesOf(await run(job, stored.sizeBytes, signal), rowCount);
  } catch (error) {
    if (error instanceof NotRead) return undefined;
    throw damaged(file, error);
  }
}

function rowsOf(rowCount: number, offset: number | undefined): { offset?: number; limit?: number } {
  return offset === undefined ? {} : { offset, limit: rowCount };
}

function batchesOf(done: Done<DecodeJob>, rowCount: number): RecordBatch[] {
  const batches = done instanceof Uint8Array ? [...RecordBatchReader.from(done)] : loadBuffers(done);
  const found = batches.reduce((sum, batch) => sum + batch.numRows, 0);
  if (found !== rowCount) throw new RangeError(`it has ${found} rows where ${rowCount} should be`);
  return batches;
}

/** The error for content that can't be decoded; a DeltaError is that itself. */
export function damaged(file: ParquetFileRef, error: unknown): DeltaError {
  if (error instanceof DeltaError) return error;
  const reason = error instanceof JobFailed || error instanceof RangeError ? error.message : String(error);
  return unreadable(file, `its content is damaged (${reason})`, error);
}
