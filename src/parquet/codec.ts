import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import { copyBuffers, type DecodedBuffers } from "./exported.js";
import type { StoredRanges } from "./storedRanges.js";
import { withMemoryLimit } from "./wasmMemory.js";

/** The part of the WebAssembly library that is used: calls that don't wait. */
export type Wasm = typeof import("parquet-wasm/esm");

/** Decoding of one Parquet file, or of some of its rows. */
export interface DecodeJob {
  readonly kind: "decode";
  /** The file or, with `stored`, its end only. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What a worker reads for itself. */
  readonly stored?: StoredRanges | undefined;
  readonly batchRows: number;
  /** The rows wanted; both undefined for all. */
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** Encoding of an Arrow IPC stream as one Parquet file. */
export interface EncodeJob {
  readonly kind: "encode";
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly compression: Compression;
  readonly rowGroupRows: number;
  /** Statistics per page too, for readers that skip pages. */
  readonly pageStatistics: boolean;
  /** Top-level columns that are written without a dictionary. */
  readonly plainColumns: readonly string[];
  /** The top-level columns that get statistics; all where it's left out, nested ones too. */
  readonly boundedColumns?: readonly string[] | undefined;
}

export type Job = DecodeJob | EncodeJob;

/** What a job gives: batches, as an IPC stream where they are laid out in an uncommon way, or a file. */
export type Done<J extends Job = Job> = J extends DecodeJob
  ? DecodedBuffers | Uint8Array<ArrayBuffer>
  : Uint8Array<ArrayBuffer>;

/** The codecs that files can be written with. */
export type Compression = "zstd" | "snappy" | "gzip" | "lz4_raw" | "uncompressed";

/** Compiled WebAssembly code, which threads can share. */
export type WasmModule = object;

// What is used of a global that Node's types lack.
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    compile(bytes: Uint8Array): Promise<WasmModule>;
    readonly RuntimeError: abstract new () => Error;
  };
};

/**
 * Compiles the WebAssembly code, outside of the main thread; the result can be sent to workers. An instance of it takes
 * `maxMemoryBytes` at most. Throws `DELTA_STORAGE_UNAVAILABLE`.
 */
export async function compileWasm(maxMemoryBytes: number): Promise<WasmModule> {
  const path = createRequire(import.meta.url).resolve("parquet-wasm/esm/parquet_wasm_bg.wasm");
  try {
    return await WebAssembly.compile(withMemoryLimit(await readFile(path), maxMemoryBytes));
  } catch (error) {
    throw new DeltaError(
      "DELTA_STORAGE_UNAVAILABLE",
      `Cannot load ${path} now. Call again, with fewer files open or more memory free.`,
      { path },
      error,
    );
  }
}

/** This thread's instance of the library. */
export async function instantiate(module: WasmModule): Promise<Wasm> {
  const wasm = await loaded(() => import("parquet-wasm/esm"), "parquet-wasm");
  wasm.initSync({ module });
  return wasm;
}

/** True for an error that leaves this thread's instance broken: a panic, a stack or memory that ran over. */
export function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

/**
 * Does a job in this thread. Throws what the library throws; after a trap ({@link isTrap}) its instance must not
 * be used again.
 */
export function runJob(wasm: Wasm, job: Job): Done {
  return job.kind === "decode" ? decode(wasm, job) : encode(wasm, job);
}

// What `into…` and `writeParquet` take is freed by them, also when they fail.

function decode(wasm: Wasm, { bytes, batchRows, offset, limit }: DecodeJob): Done<DecodeJob> {
  const options = {
    batchSize: batchRows,
    ...(offset !== undefined && { offset }),
    ...(limit !== undefined && { limit }),
  };
  const table = wasm.readParquet(bytes, options);
  const copied = copyBuffers(wasm, table);
  if (copied === undefined) return table.intoIPCStream() as Uint8Array<ArrayBuffer>;
  table.free();
  return copied;
}

function encode(wasm: Wasm, job: EncodeJob): Uint8Array<ArrayBuffer> {
  const { Compression, EnabledStatistics } = wasm;
  const { boundedColumns } = job;
  const statistics = job.pageStatistics ? EnabledStatistics.Page : EnabledStatistics.Chunk;
  const codec = Compression[job.compression.toUpperCase() as keyof typeof Compression];
  let builder = new wasm.WriterPropertiesBuilder()
    .setCreatedBy("delta-table")
    .setCompression(codec)
    .setMaxRowGroupSize(job.rowGroupRows)
    .setStatisticsEnabled(boundedColumns === undefined ? statistics : EnabledStatistics.None);
  for (const column of boundedColumns ?? []) builder = builder.setColumnStatisticsEnabled(column, statistics);
  for (const column of job.plainColumns) builder = builder.setColumnDictionaryEnabled(column, false);
  const properties = builder.build();
  let table: ReturnType<Wasm["Table"]["fromIPCStream"]>;
  try {
    table = wasm.Table.fromIPCStream(job.bytes);
  } catch (error) {
    properties.free();
    throw error;
  }
  return wasm.writeParquet(table, properties) as Uint8Array<ArrayBuffer>;
}
