import type { RecordBatch } from "apache-arrow";
import { conformBatch } from "../arrow/conform.js";
import { underPhysicalNames } from "../arrow/physicalNames.js";
import { FileStatistics } from "../arrow/statistics.js";
import type { AddFile } from "../log/actions.js";
import { encodePath } from "../log/paths.js";
import { evenSlices } from "../parquet/evenSlices.js";
import { ParquetFileWriter } from "../parquet/fileWriter.js";
import type { Compression } from "../parquet/write.js";
import { runtime } from "../runtime.js";
import { type ColumnMappingMode, physicalName, physicalPath } from "../schema/columnMapping.js";
import { partitionFolder } from "../schema/partition.js";
import { storedSchema } from "../schema/storedSchema.js";
import type { StructType } from "../schema/types.js";
import { holdsVariants } from "../schema/variantBytes.js";
import type { ObjectStore } from "../storage/store.js";
import { dataFileName } from "./dataFileName.js";
import { Partitioner, type PartitionKey } from "./partitioner.js";

/** How data files are cut and what is recorded of them. */
export interface DataFileOptions {
  /** The table's schema, partition columns included. */
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  /** Whether partition columns are in the files too; default false. */
  readonly materializesPartitions?: boolean;
  /** What columns are called in files, statistics and partition values. */
  readonly columnMapping: ColumnMappingMode;
  /** Paths of the columns whose minimum, maximum and null count go into `stats`. */
  readonly statisticsColumns: readonly (readonly string[])[];
  readonly targetFileSizeBytes: number;
  readonly compression: Compression;
  /** Where in the table's folder they go; the table's folder itself by default. */
  readonly folder?: string;
  readonly signal?: AbortSignal;
}

/** Arrow bytes of a batch after which the file's size is looked at. */
const STEP_BYTES = 8 * 1024 * 1024;
/** What a writer holds at most, over all partitions. */
export interface DataFileLimits {
  /** Arrow bytes that wait for a row group to be full; then the largest one is encoded as small as it is. */
  readonly pendingBytes: number;
  /** Encoded bytes, or a file of the target size; then the largest file is closed as small as it is. */
  readonly encodedBytes: number;
}

const LIMITS: DataFileLimits = { pendingBytes: 128 * 1024 * 1024, encodedBytes: 256 * 1024 * 1024 };
/** Files on their way to storage while others are written. */
const MAX_CLOSING = 4;

/** What a {@link DataFileWriter} wrote. */
export interface StagedFiles {
  readonly adds: readonly AddFile[];
  /** Resolves once all files are durable, so that a commit may name them; rejects where one couldn't be put. */
  readonly stored: Promise<void>;
}

interface EncodedFile {
  /** Resolves when its put is done, also where that fails. */
  readonly stored: Promise<void>;
}

interface OpenFile {
  readonly key: string;
  readonly partition: PartitionKey;
  /** Its place among the files. */
  readonly index: number;
  readonly writer: ParquetFileWriter;
  readonly statistics: FileStatistics;
}

/**
 * Writes rows as Parquet files that nobody sees until a commit names them. A partition has one file open at a time, which
 * is encoded as its rows come.
 *
 * A crash or {@link DataFileWriter.discard} leaves at most orphans under unguessable names, which vacuum removes.
 */
export class DataFileWriter {
  readonly #store: ObjectStore;
  readonly #options: DataFileOptions;
  readonly #limits: DataFileLimits;
  readonly #partitioner: Partitioner;
  /** What files hold of the table's schema; undefined where that is all of it, as it is. */
  readonly #stored: StructType | undefined;
  readonly #inFile: (rows: RecordBatch) => RecordBatch;
  /** What the statistics call the columns that they are of. */
  readonly #statisticsNames: readonly (readonly string[])[];
  /** What folders call the partition columns. */
  readonly #partitionNames: readonly string[];
  readonly #open = new Map<string, OpenFile>();
  /** Files whose puts aren't done. */
  readonly #closing = new Map<OpenFile, Promise<void>>();
  /** Those of them that aren't encoded yet. */
  readonly #encoding = new Set<Promise<unknown>>();
  readonly #adds: AddFile[] = [];
  readonly #put: string[] = [];
  #begun = 0;
  #failure: { readonly error: unknown } | undefined;
  #isDiscarded = false;
  #closedEncodedBytes = 0;
  #closedArrowBytes = 0;

  constructor(store: ObjectStore, options: DataFileOptions, limits = LIMITS) {
    this.#store = store;
    this.#options = options;
    this.#limits = limits;
    const { partitionColumns, columnMapping: mode } = options;
    const schema = storedSchema(options.schema);
    this.#stored = schema === options.schema && !holdsVariants(schema) ? undefined : schema;
    this.#partitioner = new Partitioner(schema, partitionColumns, mode, options.materializesPartitions);
    this.#inFile = underPhysicalNames(this.#partitioner.dataSchema, mode);
    this.#statisticsNames = options.statisticsColumns.map((path) => physicalPath(schema, path, mode));
    this.#partitionNames = this.#partitioner.partitionFields.map((field) => physicalName(field, mode));
  }

  /**
   * Takes a batch in the table's schema, variants as bytes or JSON; resolves when there is room for the next one. Rows of different groups don't go into one
   * file.
   */
  async write(batch: RecordBatch, group = ""): Promise<void> {
    const stored = this.#stored === undefined ? batch : conformBatch(batch, this.#stored);
    for (const { partition, rows } of this.#partitioner.split(stored)) {
      const key = group === "" ? partition.key : `${group}\n${partition.key}`;
      for (const slice of evenSlices(rows, STEP_BYTES)) {
        const file = this.#open.get(key) ?? this.#begin(key, partition);
        file.statistics.add(slice.rows);
        await file.writer.write(this.#inFile(slice.rows));
        if (await this.#isFull(file)) await this.#close(file);
      }
    }
    await this.#makeRoom();
    this.#throwFailure();
  }

  /** Encodes what is left; the files of everything written, in the order they were begun. */
  async finish(): Promise<StagedFiles> {
    for (const file of this.#open.values()) await this.#close(file);
    await Promise.all(this.#encoding);
    this.#throwFailure();
    const stored = Promise.all(this.#closing.values()).then(() => this.#throwFailure());
    // Who waits for it is told; nobody may have come to that yet.
    stored.catch(() => undefined);
    return { adds: this.#adds, stored };
  }

  /** Removes the files written so far. Only for a change that surely isn't committed. */
  async discard(): Promise<void> {
    this.#isDiscarded = true;
    await Promise.all(this.#closing.values());
    await Promise.allSettled(this.#put.map((path) => this.#store.delete(path)));
  }

  #begin(key: string, partition: PartitionKey): OpenFile {
    const { compression, signal, statisticsColumns } = this.#options;
    const file = {
      key,
      partition,
      index: this.#begun++,
      writer: new ParquetFileWriter({ compression, signal }),
      statistics: new FileStatistics(this.#partitioner.dataSchema, statisticsColumns, this.#statisticsNames),
    };
    this.#open.set(key, file);
    return file;
  }

  async #isFull(file: OpenFile): Promise<boolean> {
    const { writer } = file;
    const { targetFileSizeBytes } = this.#options;
    if (this.#expectedBytes(file) < targetFileSizeBytes) return false;
    // Rather than close a file that may turn out small, wait for the first that is known of the data.
    const isGuess = writer.encodedArrowBytes === 0 && this.#closedArrowBytes === 0;
    if (isGuess && writer.isEncoding) await writer.settle();
    return this.#expectedBytes(file) >= targetFileSizeBytes;
  }

  /** The size of a file if it were closed now. What part of Arrow bytes is left is learned from what is encoded. */
  #expectedBytes({ writer }: OpenFile): number {
    const { arrowBytes, encodedArrowBytes, encodedBytes } = writer;
    let share = 1;
    if (encodedArrowBytes > 0) share = encodedBytes / encodedArrowBytes;
    else if (this.#closedArrowBytes > 0) share = this.#closedEncodedBytes / this.#closedArrowBytes;
    return encodedBytes + (arrowBytes - encodedArrowBytes) * share;
  }

  async #makeRoom(): Promise<void> {
    while (sum(this.#open.values(), pendingBytes) > this.#limits.pendingBytes) {
      await largest(this.#open.values(), pendingBytes).writer.flush();
    }
    const maxEncodedBytes = Math.max(this.#limits.encodedBytes, this.#options.targetFileSizeBytes);
    while (sum([...this.#open.values(), ...this.#closing.keys()], encodedBytes) > maxEncodedBytes) {
      if (this.#closing.size > 0) await Promise.race(this.#closing.values());
      else await this.#close(largest(this.#open.values(), encodedBytes));
    }
  }

  /** Lets a file be finished and put while others are written. */
  async #close(file: OpenFile): Promise<void> {
    this.#open.delete(file.key);
    while (this.#closing.size >= MAX_CLOSING) await Promise.race(this.#closing.values());
    this.#throwFailure();
    const encoding = this.#encode(file)
      .catch((error: unknown) => {
        this.#failure ??= { error };
        return undefined;
      })
      .finally(() => this.#encoding.delete(encoding));
    this.#encoding.add(encoding);
    const closing = encoding.then((encoded) => encoded?.stored).finally(() => this.#closing.delete(file));
    this.#closing.set(file, closing);
  }

  /** Undefined where nobody wants the file any more. */
  async #encode({ partition, index, writer, statistics }: OpenFile): Promise<EncodedFile | undefined> {
    const { parts, sizeBytes } = await writer.finish();
    this.#closedEncodedBytes += sizeBytes;
    this.#closedArrowBytes += writer.arrowBytes;
    if (this.#isDiscarded) return undefined;
    const path = this.#newPath(partition, index);
    // Begun before the rest is worked out: the disk takes its time.
    const stored = this.#putFile(path, parts);
    this.#adds[index] = {
      path: encodePath(path),
      partitionValues: partition.values,
      size: sizeBytes,
      modificationTime: runtime.now(),
      dataChange: true,
      stats: statistics.toJson(),
    };
    return { stored };
  }

  async #putFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
    this.#put.push(path);
    try {
      await this.#store.putNew(path, parts, this.#options.signal);
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #newPath(partition: PartitionKey, index: number): string {
    const { folder = "", compression } = this.#options;
    const columns = this.#partitionNames;
    const own = partitionFolder(
      columns,
      columns.map((column) => partition.values[column]),
    );
    return [folder, own, dataFileName(index, compression)].filter((part) => part !== "").join("/");
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

const pendingBytes = ({ writer }: OpenFile) => writer.pendingBytes;
const encodedBytes = ({ writer }: OpenFile) => writer.encodedBytes;

function sum(files: Iterable<OpenFile>, bytesOf: (file: OpenFile) => number): number {
  let bytes = 0;
  for (const file of files) bytes += bytesOf(file);
  return bytes;
}

function largest(files: Iterable<OpenFile>, bytesOf: (file: OpenFile) => number): OpenFile {
  return [...files].reduce((a, b) => (bytesOf(b) > bytesOf(a) ? b : a));
}
