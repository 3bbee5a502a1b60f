import { RecordBatch, util } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { checkSignal } from "../signal.js";
import { highCardinalityColumns } from "./cardinality.js";
import type { Compression, EncodeJob } from "./codec.js";
import { ipcBytes } from "./ipc.js";
import { rowCountOf } from "./joinedFile.js";
import { withParquetNames } from "./names.js";
import { boundedColumns } from "./notANumber.js";
import { JobFailed, run } from "./pool.js";
import { encodeSmall } from "./small/encode.js";

export type { Compression } from "./codec.js";

export interface EncodeParquetOptions {
  /**
   * Default `snappy`. Measured on 3 million flights, in one thread: snappy writes in 1.8 s and reads in 0.23 s at 16.0 MB;
   * zstd 2.1 s, 0.33 s, 13.8 MB; lz4_raw as snappy, but old readers lack it; gzip 2.5 s, 0.37 s, 13.5 MB. On columns
   * without a dictionary zstd reads 1.4 to 8 times slower. At 100 rows: snappy 0.08 ms, zstd 0.18 ms, gzip 0.3 ms.
   */
  readonly compression?: Compression | undefined;
  /** Rows in a row group, at most. Default 1,048,576. */
  readonly rowGroupRows?: number | undefined;
  /** Whether the footer has statistics however few the rows are. */
  readonly withStatistics?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface EncodedParquet {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rowCount: number;
}

/** Rows in a row group, at most, where nothing else is said. */
export const ROW_GROUP_ROWS = 1024 * 1024;
// A column index pays only where there is more than one page, of 20,000 rows by default.
const PAGE_ROWS = 20_000;

/**
 * Encodes batches of one schema as one Parquet file in one go: all of them are in memory, twice or more. What may become large
 * is written with a {@link ParquetFileWriter}. Done in a worker thread where that takes long (1 MiB of Arrow data or
 * more). Columns whose values hardly repeat are written without a dictionary. Nothing is cast: timestamps are written in
 * the unit and with the zone they have, decimals of up to 9 and 18 digits as INT32 and INT64, others as fixed-length
 * bytes. Lists and maps get the inner names that Parquet prescribes. A field's metadata `PARQUET:field_id` becomes its id.
 *
 * Throws `DELTA_ABORTED`; `DELTA_INTERNAL` for no batches, for batches that differ in schema and for a file that hasn't
 * got all rows, none of which a caller's data can cause.
 */
export async function encodeParquet(
  batches: readonly RecordBatch[],
  options: EncodeParquetOptions = {},
): Promise<EncodedParquet> {
  const { compression = "snappy", rowGroupRows = ROW_GROUP_ROWS, withStatistics = false, signal } = options;
  const rowCount = batches.reduce((sum, batch) => sum + batch.numRows, 0);
  checkSignal(signal, "encoding a Parquet file");
  checkSchemas(batches);
  if (!withStatistics && (compression === "snappy" || compression === "uncompressed") && rowCount <= rowGroupRows) {
    const bytes = encodeSmall(batches, compression);
    if (bytes !== undefined) return { bytes, rowCount };
  }
  const job = {
    kind: "encode",
    bytes: toIpc(batches),
    compression,
    rowGroupRows,
    pageStatistics: rowCount > PAGE_ROWS,
    plainColumns: highCardinalityColumns(batches),
    boundedColumns: boundedColumns(batches),
  } as const;
  // Nothing is awaited here: a function that waits holds on to its arguments.
  return runJob(job, rowCount, signal);
}

async function runJob(job: EncodeJob, rowCount: number, signal: AbortSignal | undefined): Promise<EncodedParquet> {
  const bytes = await run(job, job.bytes.length, signal).catch((error: unknown) => {
    if (!(error instanceof JobFailed)) throw error;
    throw new DeltaError("DELTA_INTERNAL", `Rows can't be written as Parquet: ${error.message}`, {}, error);
  });
  checkRowCount(bytes, rowCount);
  return { bytes, rowCount };
}

/** Throws `DELTA_INTERNAL` where a file's footer doesn't say that it has this many rows. */
export function checkRowCount(file: Uint8Array, rowCount: number): void {
  const written = rowCountOf(file);
  if (written === rowCount) return;
  throw new DeltaError("DELTA_INTERNAL", `A Parquet file got ${written} of ${rowCount} rows.`, { written, rowCount });
}

function toIpc(batches: readonly RecordBatch[]): Uint8Array<ArrayBuffer> {
  const schema = withParquetNames(batches[0]!.schema);
  return ipcBytes(batches.map((batch) => new RecordBatch(schema, batch.data)));
}

function checkSchemas([first, ...others]: readonly RecordBatch[]): void {
  if (first === undefined) throw new DeltaError("DELTA_INTERNAL", "A Parquet file needs a batch, be it an empty one.");
  for (const { schema } of others) {
    if (schema === first.schema || util.compareSchemas(first.schema, schema)) continue;
    throw new DeltaError("DELTA_INTERNAL", `Batches of ${first.schema} and of ${schema} can't share a file.`);
  }
}
