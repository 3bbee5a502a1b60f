import type { RecordBatch } from "apache-arrow";
import { batchByteLength } from "../arrow/size.js";
import { FileStatistics } from "../arrow/statistics.js";
import type { AddFile } from "../log/actions.js";
import { encodePath } from "../log/paths.js";
import { type Compression, encodeParquet } from "../parquet/write.js";
import { runtime } from "../runtime.js";
import { partitionFolder } from "../schema/partition.js";
import type { StructType } from "../schema/types.js";
import type { ObjectStore } from "../storage/store.js";
import { Partitioner, type PartitionKey } from "./partitioner.js";

/** How data files are cut and what is recorded of them. */
export interface DataFileOptions {
  /** The table's schema, partition columns included. */
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  /** Paths of the columns whose minimum, maximum and null count go into `stats`. */
  readonly statisticsColumns: readonly (readonly string[])[];
  readonly targetFileSizeBytes: number;
  readonly compression: Compression;
  readonly signal?: AbortSignal;
}

/** Arrow bytes held back at most, over all partitions, before a file is written although it is below its target size. */
const MAX_BUFFERED_BYTES = 256 * 1024 * 1024;
/** Files encoded and put at the same time: one on its way to storage while the next is encoded. */
const MAX_IN_FLIGHT = 2;

interface Pending {
  readonly partition: PartitionKey;
  batches: RecordBatch[];
  bytes: number;
}

/**
 * Writes rows as Parquet files that nobody sees until a commit names them.
 *
 * A crash or {@link DataFileWriter.discard} leaves at most orphans under unguessable names, which vacuum removes.
 */
export class DataFileWriter {
  readonly #store: ObjectStore;
  readonly #options: DataFileOptions;
  readonly #partitioner: Partitioner;
  readonly #pending = new Map<string, Pending>();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #adds: AddFile[] = [];
  readonly #started: string[] = [];
  #failure: { readonly error: unknown } | undefined;
  #bufferedBytes = 0;
  #encodedBytes = 0;
  #sourceBytes = 0;

  constructor(store: ObjectStore, options: DataFileOptions) {
    this.#store = store;
    this.#options = options;
    this.#partitioner = new Partitioner(options.schema, options.partitionColumns);
  }

  /** Takes a batch in the table's schema; resolves when there is room for the next one. */
  async write(batch: RecordBatch): Promise<void> {
    for (const { partition, rows } of this.#partitioner.split(batch)) {
      let pending = this.#pending.get(partition.key);
      if (pending === undefined) {
        pending = { partition, batches: [], bytes: 0 };
        this.#pending.set(partition.key, pending);
      }
      const bytes = batchByteLength(rows);
      pending.batches.push(rows);
      pending.bytes += bytes;
      this.#bufferedBytes += bytes;
      if (pending.bytes * this.#encodedShare() >= this.#options.targetFileSizeBytes) await this.#cut(pending);
    }
    while (this.#bufferedBytes > MAX_BUFFERED_BYTES) await this.#cut(this.#largest());
  }

  /** Writes what is left; the files of everything written, in the order they were begun. */
  async finish(): Promise<AddFile[]> {
    for (const pending of [...this.#pending.values()]) await this.#cut(pending);
    await Promise.all(this.#inFlight);
    this.#throwFailure();
    return this.#adds;
  }

  /** Removes the files written so far. Only for a change that surely isn't committed. */
  async discard(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    await Promise.allSettled(this.#started.map((path) => this.#store.delete(path)));
  }

  async #cut(pending: Pending): Promise<void> {
    this.#pending.delete(pending.partition.key);
    this.#bufferedBytes -= pending.bytes;
    while (this.#inFlight.size >= MAX_IN_FLIGHT) await Promise.race(this.#inFlight);
    this.#throwFailure();
    const index = this.#started.length;
    const path = this.#newPath(pending.partition, index);
    this.#started.push(path);
    const task = this.#put(pending, path, index)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#inFlight.delete(task));
    this.#inFlight.add(task);
  }

  async #put(pending: Pending, path: string, index: number): Promise<void> {
    const { compression, signal, statisticsColumns } = this.#options;
    const statistics = new FileStatistics(this.#partitioner.dataSchema, statisticsColumns);
    for (const batch of pending.batches) statistics.add(batch);
    const { bytes } = await encodeParquet(pending.batches, { compression, signal });
    pending.batches = [];
    this.#encodedBytes += bytes.byteLength;
    this.#sourceBytes += pending.bytes;
    await this.#store.putNew(path, bytes, signal);
    this.#adds[index] = {
      path: encodePath(path),
      partitionValues: pending.partition.values,
      size: bytes.byteLength,
      modificationTime: runtime.now(),
      dataChange: true,
      stats: statistics.toJson(),
    };
  }

  #newPath(partition: PartitionKey, index: number): string {
    const columns = this.#options.partitionColumns;
    const folder = partitionFolder(
      columns,
      columns.map((column) => partition.values[column]),
    );
    const extension = this.#options.compression === "uncompressed" ? "" : `.${this.#options.compression}`;
    const name = `part-${String(index).padStart(5, "0")}-${runtime.randomUUID()}.c000${extension}.parquet`;
    return folder === "" ? name : `${folder}/${name}`;
  }

  /** What part of the Arrow bytes the files take, learned from those already written. */
  #encodedShare(): number {
    return this.#sourceBytes === 0 ? 1 : this.#encodedBytes / this.#sourceBytes;
  }

  #largest(): Pending {
    return [...this.#pending.values()].reduce((a, b) => (b.bytes > a.bytes ? b : a));
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
