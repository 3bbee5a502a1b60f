import { Float64, type RecordBatch } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import type { AddFile } from "#src/log/actions.js";
import { readFooter } from "#src/parquet/footer.js";
import { readParquet } from "#src/parquet/read.js";
import type { StructType } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { type DataFileOptions, DataFileWriter } from "#src/write/dataFiles.js";
import { expectCode } from "../expectCode.js";
import { batchesOf, vector } from "../parquet/fixtures.js";

const field = (name: string, type: "long" | "double" | "string") => ({ name, type, nullable: true, metadata: {} });
const SCHEMA: StructType = { type: "struct", fields: [field("id", "long"), field("part", "string")] };
const NUMBERS: StructType = { type: "struct", fields: [field("x", "double")] };

function optionsFor(schema: StructType, options: Partial<DataFileOptions> = {}): DataFileOptions {
  return {
    schema,
    partitionColumns: [],
    columnMapping: "none",
    statisticsColumns: schema.fields.map(({ name }) => [name]),
    targetFileSizeBytes: 1e9,
    compression: "snappy",
    ...options,
  };
}

const byPart = { partitionColumns: ["part"], statisticsColumns: [["id"]] };

/** Rows `first` to `first + count`, of which each is in the next of `parts` partitions. */
function rows(first: number, count: number, parts: number): RecordBatch {
  const items = Array.from({ length: count }, (_, i) => ({ id: BigInt(first + i), part: `p${(first + i) % parts}` }));
  return buildBatch(SCHEMA, items, first);
}

/** Numbers that don't compress. */
function noise(count: number): RecordBatch {
  let seed = 1;
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed;
  };
  const words = Uint32Array.from({ length: 2 * count }, () => next() % 2 ** 30);
  const [batch] = batchesOf({ x: vector(new Float64(), new Float64Array(words.buffer) as never) });
  return batch!;
}

/** The files in the store, with what is in them. */
async function contents(store: ObjectStore) {
  const files = new Map<string, { rowGroups: number; ids: bigint[]; sizeBytes: number }>();
  for await (const { path, sizeBytes } of store.list("")) {
    const footer = await readFooter(store, { path, sizeBytes });
    const ids: bigint[] = [];
    for await (const batch of readParquet(store, { path, sizeBytes }, { footer })) {
      ids.push(...(batch.getChild("id") ?? []));
    }
    files.set(path, { rowGroups: footer.rowGroups.length, ids, sizeBytes });
  }
  return files;
}

/** What the writer wrote, once it is durable. */
async function written(writer: DataFileWriter): Promise<readonly AddFile[]> {
  const { adds, stored } = await writer.finish();
  await stored;
  return adds;
}

const sorted = (ids: Iterable<bigint>) => [...ids].sort((a, b) => Number(a - b));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => BigInt(i));

/** A memory store whose `putNew` does something else first. */
function storeWith(before: (path: string) => Promise<void> | void): { store: ObjectStore; puts: string[] } {
  const inner = memoryStore();
  const puts: string[] = [];
  const store: ObjectStore = Object.assign(Object.create(inner) as ObjectStore, {
    putNew: async (path: string, parts: readonly Uint8Array[], signal?: AbortSignal) => {
      puts.push(path);
      await before(path);
      return inner.putNew(path, parts, signal);
    },
    list: inner.list.bind(inner),
    get: inner.get.bind(inner),
    delete: inner.delete.bind(inner),
  });
  return { store, puts };
}

describe("DataFileWriter", () => {
  it("writes a file for each partition, in the order in which they were begun", async () => {
    const store = memoryStore();
    const writer = new DataFileWriter(store, optionsFor(SCHEMA, byPart));
    for (let first = 0; first < 300; first += 50) await writer.write(rows(first, 50, 7));
    const adds = await written(writer);
    expect(adds.map(({ partitionValues }) => partitionValues)).toEqual(upTo(7).map((n) => ({ part: `p${n}` })));
    const files = await contents(store);
    for (const [n, add] of adds.entries()) {
      expect(add.path).toMatch(new RegExp(`^part=p${n}/part-0000${n}-`));
      const file = files.get(add.path)!;
      expect(file.ids).toEqual(upTo(300).filter((id) => id % 7n === BigInt(n)));
      expect(add.size).toBe(file.sizeBytes);
      expect(JSON.parse(add.stats!)).toEqual({
        numRecords: file.ids.length,
        minValues: { id: n },
        maxValues: { id: Number(file.ids.at(-1)) },
        nullCount: { id: 0 },
      });
    }
  });

  it("writes nothing for no rows", async () => {
    const store = memoryStore();
    const writer = new DataFileWriter(store, optionsFor(SCHEMA));
    await writer.write(rows(0, 0, 1));
    expect(await written(writer)).toEqual([]);
    expect((await contents(store)).size).toBe(0);
  });

  it("cuts files at about their target size", async () => {
    const writer = new DataFileWriter(memoryStore(), optionsFor(NUMBERS, { targetFileSizeBytes: 1_000_000 }));
    for (let i = 0; i < 40; i++) await writer.write(noise(12_500));
    const sizes = (await written(writer)).map(({ size }) => size);
    expect(sizes).toHaveLength(4);
    for (const size of sizes) expect(size / 1_000_000).toBeCloseTo(1, 1);
  });

  it("learns from a file how small the data gets", async () => {
    const writer = new DataFileWriter(memoryStore(), optionsFor(NUMBERS, { targetFileSizeBytes: 100_000 }));
    const zeros = batchesOf({ x: vector(new Float64(), new Float64Array(1000) as never) })[0]!;
    for (let i = 0; i < 500; i++) await writer.write(zeros);
    const counts = (await written(writer)).map(({ stats }) => JSON.parse(stats!).numRecords);
    expect(counts[0]).toBeLessThanOrEqual(14_000);
    expect(counts[1]).toBeGreaterThan(10 * counts[0]);
  });

  it("doesn't close a file before it knows anything of its size", async () => {
    // All zeros: 100 MB of them are a small file.
    const writer = new DataFileWriter(memoryStore(), optionsFor(NUMBERS, { targetFileSizeBytes: 40 * 1024 * 1024 }));
    const zeros = batchesOf({ x: vector(new Float64(), new Float64Array(12_500_000) as never) })[0]!;
    await writer.write(zeros);
    expect(await written(writer)).toHaveLength(1);
  });

  it("cuts a batch that is larger than a file", async () => {
    const writer = new DataFileWriter(memoryStore(), optionsFor(NUMBERS, { targetFileSizeBytes: 30_000_000 }));
    await writer.write(noise(9_000_000));
    const adds = await written(writer);
    expect(adds).toHaveLength(3);
    expect(adds.reduce((sum, { stats }) => sum + JSON.parse(stats!).numRecords, 0)).toBe(9_000_000);
  });

  it("encodes the largest row groups first where too many rows wait, and keeps to one file a partition", async () => {
    const store = memoryStore();
    const limits = { pendingBytes: 10_000, encodedBytes: 1e9 };
    const writer = new DataFileWriter(store, optionsFor(SCHEMA, byPart), limits);
    for (let first = 0; first < 20_000; first += 1000) await writer.write(rows(first, 1000, 5));
    expect(await written(writer)).toHaveLength(5);
    const files = [...(await contents(store)).values()];
    for (const { rowGroups } of files) expect(rowGroups).toBeGreaterThan(5);
    expect(sorted(files.flatMap(({ ids }) => ids))).toEqual(upTo(20_000));
  });

  it("closes the largest files where too many bytes are held", async () => {
    const store = memoryStore();
    const limits = { pendingBytes: 0, encodedBytes: 30_000 };
    const options = optionsFor(SCHEMA, { ...byPart, targetFileSizeBytes: 20_000 });
    const writer = new DataFileWriter(store, options, limits);
    for (let first = 0; first < 20_000; first += 1000) await writer.write(rows(first, 1000, 10));
    const adds = await written(writer);
    expect(adds.length).toBeGreaterThan(10);
    const files = await contents(store);
    expect(sorted([...files.values()].flatMap(({ ids }) => ids))).toEqual(upTo(20_000));
    expect(adds.map(({ path }) => path).sort()).toEqual([...files.keys()].sort());
    expect(adds.every(({ path }, n) => path.includes(`/part-${String(n).padStart(5, "0")}-`))).toBe(true);
  });

  it("tells a failed put, and removes everything on discard", async () => {
    const full = Object.assign(new Error("disk full"), { code: "ENOSPC" });
    const { store, puts } = storeWith((path) => {
      if (path.startsWith("part=p2/")) throw full;
    });
    const writer = new DataFileWriter(store, optionsFor(SCHEMA, byPart));
    await writer.write(rows(0, 100, 5));
    await expect(written(writer)).rejects.toBe(full);
    await writer.discard();
    expect(puts.length).toBeGreaterThan(2);
    expect((await contents(store)).size).toBe(0);
    await expect(writer.write(rows(0, 1, 5))).rejects.toBe(full);
  });

  it("tells the files before they are durable, and when they are", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { store } = storeWith(() => gate);
    const writer = new DataFileWriter(store, optionsFor(SCHEMA, byPart));
    await writer.write(rows(0, 100, 2));
    const { adds, stored } = await writer.finish();
    expect(adds).toHaveLength(2);
    expect((await contents(store)).size).toBe(0);
    release();
    await stored;
    expect((await contents(store)).size).toBe(2);
  });

  it("puts nothing once it was discarded", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { store, puts } = storeWith(() => gate);
    const options = optionsFor(SCHEMA, { ...byPart, targetFileSizeBytes: 1000 });
    const writer = new DataFileWriter(store, options);
    await writer.write(rows(0, 300, 2));
    const discarded = writer.discard();
    release();
    await discarded;
    expect((await contents(store)).size).toBe(0);
    const before = puts.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(puts).toHaveLength(before);
    expect((await contents(store)).size).toBe(0);
  });

  it("stops with its signal", async () => {
    const controller = new AbortController();
    const store = memoryStore();
    const writer = new DataFileWriter(store, optionsFor(NUMBERS, { signal: controller.signal }));
    for (let i = 0; i < 4; i++) await writer.write(noise(1_000_000));
    const outcome = expectCode("DELTA_ABORTED", () => writer.finish());
    controller.abort();
    await outcome;
    await writer.discard();
    expect((await contents(store)).size).toBe(0);
  });
});
