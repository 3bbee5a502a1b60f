import { readFile } from "node:fs/promises";
import {
  type DataType,
  type RecordBatch,
  Schema,
  Table,
  tableFromIPC,
  tableToIPC,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import { type ReadParquetOptions, readParquet } from "#src/parquet/read.js";
import { type EncodeParquetOptions, encodeParquet } from "#src/parquet/write.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ByteRange, ObjectStore } from "#src/storage/store.js";

/** A store with one file, `file`, that notes which bytes were asked for. */
export async function storeOf(bytes: Uint8Array): Promise<{ store: ObjectStore; ranges: ByteRange[] }> {
  const inner = memoryStore();
  await inner.put("file", bytes);
  const ranges: ByteRange[] = [];
  const store: ObjectStore = Object.assign(Object.create(inner) as ObjectStore, {
    get: (path: string, range: ByteRange, signal?: AbortSignal) => {
      ranges.push(range);
      return inner.get(path, range, signal);
    },
    head: (path: string) => inner.head(path),
  });
  return { store, ranges };
}

/** Reads a file's bytes through a store. */
export async function read(bytes: Uint8Array, options?: ReadParquetOptions): Promise<RecordBatch[]> {
  const { store } = await storeOf(bytes);
  const batches: RecordBatch[] = [];
  for await (const batch of readParquet(store, { path: "file", sizeBytes: bytes.length }, options)) batches.push(batch);
  return batches;
}

/** A file made elsewhere (pyarrow 26), of `fixtures/`. */
export async function fixture(name: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(new URL(`./fixtures/${name}.parquet`, import.meta.url)));
}

/** Batches of these columns, as they come out of Arrow's own format. */
export function batchesOf(columns: Record<string, Vector>): RecordBatch[] {
  return tableFromIPC(tableToIPC(new Table(columns))).batches;
}

/** The file of these columns. */
export async function encode(columns: Record<string, Vector>, options?: EncodeParquetOptions): Promise<Uint8Array> {
  return (await encodeParquet(batchesOf(columns), options)).bytes;
}

export function vector<T extends DataType>(type: T, values: readonly unknown[] | Int32Array): Vector<T> {
  return vectorFromArray(values as readonly unknown[], type) as Vector<T>;
}

/** Every value of every column, as JSON values with bigints, so that two readers can be compared. */
export function plain(batches: readonly RecordBatch[]): Record<string, unknown[]> {
  const [first] = batches;
  const table = new Table(first?.schema ?? new Schema([]), [...batches]);
  return Object.fromEntries(
    table.schema.fields.map((field) => [field.name, [...table.getChild(field.name)!].map(plainValue)]),
  );
}

function plainValue(value: unknown): unknown {
  if (value === null || typeof value !== "object" || value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return [...(value as unknown as Iterable<unknown>)];
  if ("toArray" in value) return [...(value as Vector)].map(plainValue);
  return [...(value as Iterable<[string, unknown]>)].map(([key, inner]) => [key, plainValue(inner)]);
}

/** The column types of the first batch. */
export function types(batches: readonly RecordBatch[]): Record<string, string> {
  return Object.fromEntries(batches[0]!.schema.fields.map((field) => [field.name, String(field.type)]));
}
