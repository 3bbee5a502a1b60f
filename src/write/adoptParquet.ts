import { readFile } from "node:fs/promises";
import type { Data } from "apache-arrow";
import { boundsOf } from "../arrow/bounds.js";
import { makeColumn } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { toArrowField } from "../arrow/schema.js";
import { type ColumnStatistics, FileStatistics, statisticsJson } from "../arrow/statistics.js";
import type { AddFile } from "../log/actions.js";
import { encodePath } from "../log/paths.js";
import { type ChunkBounds, type ChunkValue, chunkBounds } from "../parquet/chunkBounds.js";
import { readFooter } from "../parquet/footer.js";
import { readParquet } from "../parquet/read.js";
import { runtime } from "../runtime.js";
import { parseDecimalType } from "../schema/decimal.js";
import type { DataType, StructType } from "../schema/types.js";
import { memoryStore } from "../storage/memory.js";
import type { ObjectStore } from "../storage/store.js";
import { dataFileName } from "./dataFileName.js";

export interface AdoptOptions {
  /** The table's schema, which the file's columns have in the Parquet types that this package writes too. */
  readonly schema: StructType;
  /** As of `DataFileOptions`. */
  readonly statisticsColumns: readonly (readonly string[])[];
  readonly compression: "snappy" | "zstd" | "uncompressed";
  readonly signal?: AbortSignal | undefined;
}

const NAME = "adopted.parquet";

/**
 * Makes a local Parquet file, written by DuckDB, a data file of a table without partitions; a crash leaves at most an orphan. Its
 * statistics are those that {@link FileStatistics} would have collected: from the footer where it has the exact ones, from the values
 * elsewhere. Throws what the store throws.
 */
export async function adoptParquet(store: ObjectStore, localPath: string, options: AdoptOptions): Promise<AddFile> {
  const bytes = new Uint8Array(await readFile(localPath));
  const path = dataFileName(0, options.compression);
  const put = store.putNew(path, [bytes], options.signal);
  const [stats] = await Promise.all([statisticsOf(bytes, options), put]);
  return {
    path: encodePath(path),
    partitionValues: {},
    size: bytes.length,
    modificationTime: runtime.now(),
    dataChange: true,
    stats,
  };
}

async function statisticsOf(bytes: Uint8Array, options: AdoptOptions): Promise<string> {
  const { schema, statisticsColumns, signal } = options;
  const chunks = chunkBounds(bytes);
  const told = new Map<readonly string[], ColumnStatistics>();
  for (const path of statisticsColumns) {
    const found = ofFooter(schema, path, chunks.get(path.join("\0")));
    if (found !== undefined) told.set(path, found);
  }
  const untold = statisticsColumns.filter((path) => !told.has(path));
  await using store = memoryStore();
  await store.put(NAME, bytes);
  const file = { path: NAME, sizeBytes: bytes.length };
  const footer = await readFooter(store, file, signal);
  if (untold.length > 0) {
    const statistics = new FileStatistics(schema, untold);
    for await (const batch of readParquet(store, file, { columns: untold, footer, signal })) {
      statistics.add(conformBatch(batch, schema));
    }
    for (const [index, column] of statistics.columns().entries()) told.set(untold[index]!, column);
  }
  return statisticsJson(
    footer.rowCount,
    statisticsColumns.map((path) => told.get(path)!),
  );
}

/** What the footer tells of a column, where it tells all. */
function ofFooter(
  schema: StructType,
  path: readonly string[],
  chunks: readonly (ChunkBounds | undefined)[] | undefined,
): ColumnStatistics | undefined {
  const field = schema.fields.find(({ name }) => name === path[0]);
  if (path.length > 1 || field === undefined || chunks === undefined) return undefined;
  const bounds = boundsOf(field.type);
  let nulls = 0;
  for (const chunk of chunks) {
    if (chunk === undefined) return undefined;
    nulls += chunk.nullCount;
    if (bounds === undefined || chunk.nullCount === chunk.rowCount) continue;
    const column = chunk.bounds && columnOf(field.type, chunk.bounds);
    if (column === undefined) return undefined;
    bounds.add(column, undefined);
  }
  return { path, nulls, min: bounds?.min(), max: bounds?.max() };
}

/** The two values as a column of the type; undefined where they don't say what {@link boundsOf} wants to know. */
function columnOf(type: DataType, values: readonly [ChunkValue, ChunkValue]): Data | undefined {
  const arrow = toArrowField({ name: "", type, nullable: true, metadata: {} }).type;
  const of = (buffer: ArrayBufferView) => makeColumn(arrow, 2, undefined, { values: buffer as Uint8Array });
  const [min, max] = values;
  if (typeof min === "number" && typeof max === "number") {
    if (type !== "float" && type !== "double") return of(Int32Array.of(min, max));
    // A footer tells neither zeros nor NaN apart.
    const isClear = Number.isFinite(min) && Number.isFinite(max) && min !== 0 && max !== 0;
    return isClear ? of(Float64Array.of(min, max)) : undefined;
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
