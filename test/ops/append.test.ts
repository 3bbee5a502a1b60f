import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RecordBatch, tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-append-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ids = (rows: Record<string, unknown>[]) => rows.map((row) => row.id).sort();

describe("append", () => {
  it("creates the table with the least protocol and gives the rows back", async () => {
    const result = await Table.open(folder).append([
      { id: 1n, name: "a" },
      { id: 2n, name: null },
    ]);
    expect(result).toMatchObject({ version: 0, rowCount: 2, fileCount: 1, skipped: false });
    const table = Table.open(folder);
    expect(await table.toArray()).toEqual([
      { id: 1n, name: "a" },
      { id: 2n, name: null },
    ]);
    expect(await table.detail()).toMatchObject({ minReaderVersion: 1, minWriterVersion: 2, tableFeatures: [] });
  });

  it("adds a version each time, on one handle and on new ones", async () => {
    const table = Table.open(folder);
    expect((await table.append([{ id: 1n }])).version).toBe(0);
    expect((await table.append([{ id: 2n }])).version).toBe(1);
    expect((await Table.open(folder).append([{ id: 3n }])).version).toBe(2);
    expect((await table.append([{ id: 4n }])).version).toBe(3);
    expect(ids(await table.toArray())).toEqual([1n, 2n, 3n, 4n]);
  });

  it("takes generators, async generators, Arrow tables, batches and other tables", async () => {
    const table = Table.open(folder);
    await table.create({ schema: { id: "long", name: "string" } });
    await table.append(
      (function* () {
        yield { id: 1n, name: "a" };
      })(),
    );
    await table.append(
      (async function* () {
        yield { id: 2n, name: "b" };
      })(),
    );
    const arrow = tableFromIPC(tableToIPC(tableFromArrays({ id: BigInt64Array.of(3n, 4n), name: ["c", "d"] })));
    await table.append(arrow);
    await table.append(arrow.batches[0] as RecordBatch);
    await table.append(arrow.batches as RecordBatch[]);
    const other = Table.open(memoryStore());
    await other.append([{ id: 9n, name: "z" }]);
    await table.append(other);
    await table.append(other.scan({ columns: ["id"] }));
    expect(ids(await table.toArray())).toEqual([1n, 2n, 3n, 3n, 3n, 4n, 4n, 4n, 9n, 9n]);
    expect(await table.count({ where: { name: null } })).toBe(1);
  });

  it("streams more rows than a batch holds, numbering them across batches", async () => {
    const table = Table.open(folder);
    async function* rows(bad?: number) {
      for (let i = 0; i < 40_000; i++) yield { id: i === bad ? "x" : i };
    }
    const seen: number[] = [];
    await table.append(rows(), { schema: { id: "long" }, onProgress: ({ rowCount }) => seen.push(rowCount) });
    expect(seen.at(-1)).toBe(40_000);
    expect(seen.length).toBeGreaterThan(1);
    const error = await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.append(rows(35_000)));
    expect(error.data).toMatchObject({ row: 35_000, column: "id" });
    expect(await table.version()).toBe(0);
  });

  it("cuts large input into several files of one commit", async () => {
    const table = Table.open(folder);
    await table.create({ schema: { id: "long", text: "string" }, properties: { "delta.targetFileSize": "200000" } });
    const hash = (i: number) => createHash("sha256").update(String(i)).digest("hex");
    const rows = Array.from({ length: 60_000 }, (_, i) => ({ id: i, text: hash(i) }));
    const result = await table.append(rows);
    expect(result.version).toBe(1);
    expect(result.fileCount).toBeGreaterThan(2);
    expect(await table.count()).toBe(60_000);
    expect((await table.toArray()).map((row) => Number(row.id)).sort((a, b) => a - b)).toEqual(
      rows.map((row) => row.id),
    );
  });

  it("partitions into Hive folders, with null and special characters", async () => {
    const table = Table.open(folder);
    const rows = [
      { id: 1n, day: "2024-01-01", key: "a b/c=d" },
      { id: 2n, day: "2024-01-01", key: null },
      { id: 3n, day: "2024-01-02", key: "ünï%" },
    ];
    await table.append(rows, { schema: { id: "long", day: "date", key: "string" }, partitionBy: ["day", "key"] });
    const files = await table.files();
    expect(files.map((file) => file.partitionValues)).toEqual([
      { day: "2024-01-01", key: "a b/c=d" },
      { day: "2024-01-01", key: null },
      { day: "2024-01-02", key: "ünï%" },
    ]);
    expect(files[1].path).toMatch(/^day=2024-01-01\/key=__HIVE_DEFAULT_PARTITION__\/part-/);
    const back = await Table.open(folder).toArray();
    expect(back).toEqual(rows.map((row) => ({ ...row, day: new Date(row.day as string) })));
  });

  it("refuses rows that don't fit, naming row, column and value, and stages nothing", async () => {
    const table = Table.open(folder);
    await table.create({ schema: { id: "integer", price: "decimal(5,2)", name: "string not null" } });
    const good = { id: 1, price: "1.50", name: "a" };
    const range = await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.append([good, { ...good, id: 2 ** 31 }]));
    expect(range.data).toMatchObject({ row: 1, column: "id", value: 2 ** 31 });
    await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.append([{ ...good, price: "1.555" }]));
    const nulls = await expectCode("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", () => table.append([{ ...good, name: null }]));
    expect(nulls.data).toMatchObject({ row: 0, column: "name" });
    await expectCode("DELTA_SCHEMA_MISMATCH", () => table.append([{ ...good, extra: 1 }]));
    expect(await table.version()).toBe(0);
    expect((await readdir(folder)).filter((name) => name.endsWith(".parquet"))).toEqual([]);
  });

  it("lists each column that differs when Arrow data doesn't fit the table", async () => {
    const table = Table.open(folder);
    await table.create({ schema: { id: "long", name: "string" } });
    const arrow = tableFromArrays({ id: ["x"], other: Int32Array.of(1) });
    const error = await expectCode("DELTA_SCHEMA_MISMATCH", () => table.append(arrow));
    const columns = (error.data.columns as { column: string }[]).map((difference) => difference.column);
    expect(columns.sort()).toEqual(["id", "other"]);
  });

  it("says what to do when a schema can't be inferred", async () => {
    await expectCode("DELTA_CANNOT_INFER_SCHEMA", () => Table.open(folder).append([]));
    await expectCode("DELTA_CANNOT_INFER_SCHEMA", () => Table.open(folder).append([{ a: null }]));
    expect((await Table.open(folder).append([], { schema: { id: "long" } })).version).toBe(0);
    expect((await Table.open(folder).append([])).version).toBe(0);
  });

  it("refuses another partitioning than the table's", async () => {
    const table = Table.open(folder);
    await table.append([{ a: 1n, b: 2n }], { partitionBy: ["a"] });
    await expectCode("DELTA_INVALID_PARTITION_COLUMN", () => table.append([{ a: 1n, b: 2n }], { partitionBy: ["b"] }));
  });

  it("lands every one of many appends at once, on one handle and on several", async () => {
    const handles = [Table.open(folder), Table.open(folder), Table.open(folder)];
    const results = await Promise.all(Array.from({ length: 60 }, (_, i) => handles[i % 3].append([{ id: BigInt(i) }])));
    expect(results.map((result) => result.version).sort((a, b) => a - b)).toEqual(results.map((_, i) => i));
    const rows = await Table.open(folder).toArray();
    expect(rows.map((row) => Number(row.id)).sort((a, b) => a - b)).toEqual(results.map((_, i) => i));
  });

  it("skips an append whose txn is recorded, also by another handle after this one looked", async () => {
    const table = Table.open(folder);
    const other = Table.open(folder);
    const txn = { appId: "job", version: 1 };
    await table.append([{ id: 1n }], { txn });
    await other.append([{ id: 2n }], { txn: { appId: "job", version: 2 } });
    expect(await table.append([{ id: 3n }], { txn: { appId: "job", version: 2 } })).toMatchObject({
      skipped: true,
      version: 1,
    });
    expect(await Table.open(folder).append([{ id: 3n }], { txn })).toMatchObject({ skipped: true });
    expect((await table.append([{ id: 4n }], { txn: { appId: "other", version: 1 } })).skipped).toBe(false);
    expect(ids(await table.toArray())).toEqual([1n, 2n, 4n]);
    expect((await readdir(folder)).filter((name) => name.endsWith(".parquet"))).toHaveLength(3);
  });

  it("writes a checkpoint at each interval and opens from it", async () => {
    const table = Table.open(folder);
    await table.create({ schema: { id: "long" }, properties: { "delta.checkpointInterval": "3" } });
    for (let i = 0; i < 7; i++) await table.append([{ id: BigInt(i) }]);
    const log = await readdir(join(folder, "_delta_log"));
    expect(log.filter((name) => name.endsWith(".checkpoint.parquet")).sort()).toEqual([
      "00000000000000000003.checkpoint.parquet",
      "00000000000000000006.checkpoint.parquet",
    ]);
    for (let v = 0; v < 6; v++) await rm(join(folder, "_delta_log", `${String(v).padStart(20, "0")}.json`));
    expect(ids(await Table.open(folder).toArray())).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n]);
  });

  it("writes to a table at a past version never", async () => {
    const table = Table.open(folder);
    await table.append([{ id: 1n }]);
    await expectCode("DELTA_READ_ONLY", () => table.at(0).append([{ id: 2n }]));
    await expectCode("DELTA_READ_ONLY", () => table.at(0).checkpoint());
  });

  it("can be aborted, leaving nothing", async () => {
    const table = Table.open(folder);
    await table.append([{ id: 0 }], { schema: { id: "long" } });
    const controller = new AbortController();
    async function* rows() {
      for (let i = 0; ; i++) {
        if (i === 50_000) controller.abort();
        yield { id: i };
      }
    }
    await expectCode("DELTA_ABORTED", () => table.append(rows(), { signal: controller.signal }));
    expect(await table.version()).toBe(0);
    expect((await readdir(folder)).filter((name) => name.endsWith(".parquet"))).toHaveLength(1);
  });
});

describe("create", () => {
  it("makes an empty table once", async () => {
    const table = Table.open(folder);
    expect(await table.create({ schema: { id: "long" }, name: "n", description: "d" })).toEqual({ version: 0 });
    expect(await table.count()).toBe(0);
    expect(await table.toArray()).toEqual([]);
    expect((await table.toArrow()).schema.fields.map((field) => field.name)).toEqual(["id"]);
    expect(await table.detail()).toMatchObject({ name: "n", description: "d", numFiles: 0 });
    await expectCode("DELTA_PATH_EXISTS", () => table.create({ schema: { id: "long" } }));
    await expectCode("DELTA_PATH_EXISTS", () => Table.open(folder).create({ schema: { id: "long" } }));
  });

  it("turns on timestampNtz where the schema needs it, and nothing else", async () => {
    const table = Table.open(folder);
    await table.create({ schema: { at: "timestamp_ntz" } });
    expect(await table.detail()).toMatchObject({
      minReaderVersion: 3,
      minWriterVersion: 7,
      tableFeatures: ["timestampNtz"],
    });
  });

  it("refuses properties it doesn't know or can't honour", async () => {
    const create = (properties: Record<string, string>) =>
      Table.open(folder).create({ schema: { id: "long" }, properties });
    await expectCode("DELTA_UNKNOWN_PROPERTY", () => create({ "delta.checkpointIntervall": "3" }));
    await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", () =>
      create({ "delta.enableIcebergWriterCompatV1": "true" }),
    );
    await create({ "my.own": "x", "delta.appendOnly": "true" });
    expect((await Table.open(folder).detail()).properties).toEqual({ "my.own": "x", "delta.appendOnly": "true" });
  });
});
