import { readFile } from "node:fs/promises";
import type { Data } from "apache-arrow";
import { makeColumn } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { toArrowField } from "../arrow/schema.js";
import { FileStatistics } from "../arrow/statistics.js";
import type { AddFile } from "../log/actions.js";
import { encodePath } from "../log/paths.js";
import { type ChunkBounds, type ChunkValue, chunkBounds } from "../parquet/chunkBounds.js";
import { JoinedFile } from "../parquet/joinedFile.js";
import { readParquet } from "../parquet/read.js";
import { runtime } from "../runtime.js";
import { parseDecimalType } from "../schema/decimal.js";
import type { DataType, StructType } from "../schema/types.js";
import { memoryStore } from "../storage/memory.js";
import type { ObjectStore } from "../storage/store.js";
import { dataFileName } from "./dataFileName.js";
import type { DataFileOptions, StagedFiles } from "./dataFiles.js";

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
    await addStatistics(this.#open.statistics, bytes, this.#options);
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

async function addStatistics(statistics: FileStatistics, bytes: Uint8Array, options: AdoptOptions): Promise<void> {
  const { schema, statisticsColumns, signal } = options;
  const { rowCount, columns } = chunkBounds(bytes);
  statistics.addRecords(rowCount);
  const untold: number[] = [];
  for (const [index, path] of statisticsColumns.entries()) {
    const known = ofFooter(schema, path, columns.get(path.join("\0")));
    if (known === undefined) untold.push(index);
    else for (const { nulls, bounds } of known) statistics.addKnown(index, nulls, bounds);
  }
  if (untold.length === 0) return;
  await using store = memoryStore();
  await store.put(NAME, bytes);
  const wanted = untold.map((index) => statisticsColumns[index]!);
  for await (const batch of readParquet(store, { path: NAME, sizeBytes: bytes.length }, { columns: wanted, signal })) {
    statistics.addValues(conformBatch(batch, schema), untold);
  }
}

/** What the footer tells of a column, where it tells all. */
function ofFooter(
  schema: StructType,
  path: readonly string[],
  chunks: readonly (ChunkBounds | undefined)[] | undefined,
): readonly { readonly nulls: number; readonly bounds: Data | undefined }[] | undefined {
  const type = schema.fields.find(({ name }) => name === path[0])?.type;
  if (path.length > 1 || type === undefined || chunks === undefined) return undefined;
  const known = [];
  for (const chunk of chunks) {
    if (chunk === undefined) return undefined;
    const { nullCount: nulls, rowCount } = chunk;
    const bounds = chunk.bounds && columnOf(type, chunk.bounds);
    if (bounds === undefined && hasBounds(type) && nulls < rowCount) return undefined;
    known.push({ nulls, bounds: nulls < rowCount ? bounds : undefined });
  }
  return known;
}

function hasBounds(type: DataType): boolean {
  return typeof type === "string" && type !== "boolean" && type !== "binary";
}

/** The two values as a column of the type; undefined where they aren't what {@link FileStatistics} wants to know. */
function columnOf(type: DataType, [min, max]: readonly [ChunkValue, ChunkValue]): Data | undefined {
  const arrow = toArrowField({ name: "", type, nullable: true, metadata: {} }).type;
  const of = (buffer: ArrayBufferView) => makeColumn(arrow, 2, undefined, { values: buffer as Uint8Array });
  if (typeof min === "number" && typeof max === "number") {
    if (type !== "float" && type !== "double") return of(Int32Array.of(min, max));
    // A footer doesn't tell of NaN.
    const isClear = Number.isFinite(min) && Number.isFinite(max);
    return isClear ? of(Float64Array.of(min === 0 ? -0 : min, max === 0 ? 0 : max)) : undefined;
  }
  if (typeof min === "bigint" && typeof max === "bigint") {
    if (typeof type === "string" && parseDecimalType(type) !== undefined) {
      return of(new Uint32Array(BigInt64Array.of(min, min >> 63n, max, max >> 63n).buffer));
    }
    return of(BigInt64Array.of(min, max));
  }
  if (min instanceof Uint8Array && max instanceof Uint8Array && type === "string") {
    const offsets = Int32Array.of(0, min.length, min.length + max.length);
    return makeColumn(arrow, 2, undefined, { values: new Uint8Array(Buffer.concat([min, max])), offsets });
  }
  return undefined;
}
