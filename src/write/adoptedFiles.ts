import { readFile } from "node:fs/promises";
import type { RecordBatch } from "apache-arrow";
import { FileStatistics } from "../arrow/statistics.js";
import type { AddFile } from "../log/actions.js";
import { encodePath } from "../log/paths.js";
import { JoinedFile } from "../parquet/joinedFile.js";
import { readParquet } from "../parquet/read.js";
import { runtime } from "../runtime.js";
import { memoryStore } from "../storage/memory.js";
import type { ObjectStore } from "../storage/store.js";
import { dataFileName } from "./dataFileName.js";
import type { DataFileOptions, StagedFiles } from "./dataFiles.js";
import { addFooterStatistics } from "./footerStatistics.js";

/** {@link DataFileOptions} of a table without partitions and column mapping. */
export type AdoptOptions = Omit<DataFileOptions, "partitionColumns" | "columnMapping">;

/** A data file that is being put together. */
interface OpenFile {
  readonly joined: JoinedFile;
  readonly statistics: FileStatistics;
  sizeBytes: number;
}

const NAME = "adopted.parquet";

/**
 * Makes Parquet files that DuckDB wrote, without Bloom filters and with the schema's columns, data files of a table: as many in
 * one as make the target size. Statistics are those that {@link FileStatistics} would have collected: from the files' footers
 * where these have the exact ones, from the values elsewhere. A zero that is the smallest value is written as the negative one, since
 * footers don't tell them apart.
 *
 * A crash or {@link AdoptedFiles.discard} leaves at most orphans under unguessable names, which vacuum removes. Calls are made one
 * after another and throw what the store throws.
 */
export class AdoptedFiles {
  readonly #store: ObjectStore;
  readonly #options: AdoptOptions;
  readonly #adds: AddFile[] = [];
  readonly #paths: string[] = [];
  #open: OpenFile | undefined;
  #stored: Promise<void> = Promise.resolve();

  constructor(store: ObjectStore, options: AdoptOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Takes the rows of a local file. */
  async add(localPath: string): Promise<void> {
    const bytes = new Uint8Array(await readFile(localPath));
    const { schema, statisticsColumns, targetFileSizeBytes } = this.#options;
    if (this.#open !== undefined && this.#open.sizeBytes + bytes.length > targetFileSizeBytes) await this.#close();
    this.#open ??= {
      joined: new JoinedFile(),
      statistics: new FileStatistics(schema, statisticsColumns),
      sizeBytes: 0,
    };
    this.#open.joined.add(bytes);
    this.#open.sizeBytes += bytes.length;
    await addFooterStatistics(this.#open.statistics, bytes, this.#options, (columns) => this.#read(bytes, columns));
  }

  /** The files; their last one is on its way. */
  async finish(): Promise<StagedFiles> {
    await this.#close();
    return { adds: this.#adds, stored: this.#stored };
  }

  async discard(): Promise<void> {
    this.#open = undefined;
    await this.#stored.catch(() => undefined);
    await Promise.allSettled(this.#paths.map((path) => this.#store.delete(path)));
  }

  async *#read(bytes: Uint8Array, columns: readonly (readonly string[])[]): AsyncGenerator<RecordBatch> {
    await using store = memoryStore();
    await store.put(NAME, bytes);
    yield* readParquet(store, { path: NAME, sizeBytes: bytes.length }, { columns, signal: this.#options.signal });
  }

  /** Lets the file be put while the next one is made. */
  async #close(): Promise<void> {
    if (this.#open === undefined) return;
    const { joined, statistics } = this.#open;
    this.#open = undefined;
    await this.#stored;
    const path = dataFileName(this.#adds.length, this.#options.compression);
    const parts = joined.finish();
    this.#paths.push(path);
    this.#stored = this.#store.putNew(path, parts, this.#options.signal);
    // It is heard of where it is waited for.
    this.#stored.catch(() => undefined);
    this.#adds.push({
      path: encodePath(path),
      partitionValues: {},
      size: parts.reduce((sum, part) => sum + part.length, 0),
      modificationTime: runtime.now(),
      dataChange: true,
      stats: statistics.toJson(),
    });
  }
}
