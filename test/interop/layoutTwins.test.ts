import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { spark } from "./engines.js";
import { plannedHere } from "./skippedFiles.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "interop-layout-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const request = async <T = unknown>(name: string, text: string) =>
  (await spark()).request<T>("sql", { text: text.replaceAll("TABLE", `delta.\`${at(name)}\``) });

interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly id: bigint;
}

const SIDE = 64;
const POINTS = SIDE * SIDE;
const FILES = 16;

/** All points of a square, in an order that has nothing to do with where they are. */
const points = (): Point[] =>
  Array.from({ length: POINTS }, (_, i) => {
    const place = (i * 2731) % POINTS;
    return { x: BigInt(place % SIDE), y: BigInt(Math.floor(place / SIDE)), id: BigInt(i) };
  });

/**
 * The files that are read for one value of a column, all values taken together, as a part of those that there are, times the root of
 * their number: so many squares of equal sides are about 1, however many, and files that are in no order their root.
 */
async function spread(name: string, column: "x" | "y"): Promise<number> {
  const conditions = Array.from({ length: SIDE }, (_, i) => `${column} = ${i}`);
  const planned = await plannedHere(at(name), conditions);
  const files = (await Table.open(at(name)).files()).length;
  return planned.reduce((sum, names) => sum + names.length, 0) / (SIDE * Math.sqrt(files));
}

const LAYOUTS = [
  { name: "z-ordered", options: {}, sql: "optimize TABLE zorder by (x, y)", zOrderBy: ["x", "y"] as const },
  { name: "clustered", options: { clusterBy: ["x", "y"] }, sql: "optimize TABLE", zOrderBy: undefined },
];

describe.each(LAYOUTS)("a table $name here and in Spark", ({ name, options, sql, zOrderBy }) => {
  test("has the same rows in files that a lookup reads no more of", async () => {
    const [own, twin] = [`${name} here`, `${name} there`];
    const table = Table.open<Point>(at(own));
    await table.create({ schema: { x: "long", y: "long", id: "long" }, ...options });
    const all = points();
    for (let part = 0; part < 4; part++) await table.append(all.filter((_, i) => i % 4 === part));
    await table.clone(at(twin));
    const sizeBytes = (await table.files()).reduce((sum, { size }) => sum + size, 0);
    const targetFileSizeBytes = Math.ceil(sizeBytes / FILES);
    await table.optimize({ targetFileSizeBytes, ...(zOrderBy && { zOrderBy }) });
    await request(twin, `set spark.databricks.delta.optimize.maxFileSize = ${targetFileSizeBytes}`);
    await request(twin, sql);
    await request(twin, "reset spark.databricks.delta.optimize.maxFileSize");
    const rows = async (side: string) =>
      (await Table.open(at(side)).toArray()).map(({ id }) => Number(id)).sort((a, b) => a - b);
    expect(await rows(own)).toEqual(all.map((_, i) => i));
    expect(await rows(twin)).toEqual(all.map((_, i) => i));
    for (const side of [own, twin]) expect((await Table.open(at(side)).files()).length, side).toBeGreaterThan(4);
    const [x, y] = [await spread(own, "x"), await spread(own, "y")];
    const [sparkX, sparkY] = [await spread(twin, "x"), await spread(twin, "y")];
    expect(x + y).toBeLessThanOrEqual((sparkX + sparkY) * 1.1);
  });
});

describe("save modes", () => {
  const rows = [{ id: 1n }];
  const save = async (name: string, mode: string) =>
    (await spark()).request("save", { path: at(name), query: "select 1L id", mode });
  const newest = async (name: string) => {
    const [{ operation, operationParameters } = {}] = await Table.open(at(name)).history();
    return { operation, mode: operationParameters?.mode, version: await Table.open(at(name)).version() };
  };

  test.each([
    ["errorifexists", "error"],
    ["ignore", "ignore"],
    ["append", "append"],
  ] as const)("%s creates a table, and does the same to one that is there", async (mode, ifExists) => {
    const [own, twin] = [`${mode} here`, `${mode} there`];
    await save(twin, mode);
    await Table.open(at(own)).append(rows, { ifExists });
    expect(await newest(own)).toEqual(await newest(twin));
    if (ifExists === "error") {
      await expect(save(twin, mode)).rejects.toThrow();
      await expect(Table.open(at(own)).append(rows, { ifExists })).rejects.toThrow();
    } else {
      await save(twin, mode);
      await Table.open(at(own)).append(rows, { ifExists });
    }
    expect(await newest(own)).toEqual(await newest(twin));
  });
});

test("a vacuum by the log deletes the files that Spark's would", async () => {
  const name = "vacuumed";
  const table = Table.open(at(name));
  const properties = { "delta.deletedFileRetentionDuration": "interval 0 days", "delta.enableChangeDataFeed": "true" };
  await table.create({ schema: { id: "long", part: "string" }, properties, partitionBy: ["part"] });
  for (let i = 0; i < 3; i++) await table.append([0, 1, 2].map((n) => ({ id: BigInt(3 * i + n), part: `a b${n}` })));
  await table.delete({ id: 4n });
  await table.update({ set: { part: "moved" }, where: { id: 7n } });
  await table.optimize();
  await request(name, "set spark.sql.sources.parallelPartitionDiscovery.parallelism = 2");
  await request(name, "set spark.databricks.delta.retentionDurationCheck.enabled = false");
  const listed = await request<{ path: string }[]>(name, "vacuum TABLE lite retain 0 hours dry run");
  const found = listed
    .map(({ path }) => decodeURIComponent(path.split("/").at(-1)!))
    .filter((path) => /\.parquet$/.test(path));
  const { paths } = await table.vacuum({ lite: true, dryRun: true, retentionHours: 0 });
  expect(found.length).toBeGreaterThan(5);
  expect(paths.map((path) => path.split("/").at(-1)!).sort()).toEqual(found.sort());
});

// Delta 4.0.0's own REORG needs a method of Parquet's reader that Spark 4.0.1 no longer has, so that it has no twin.
test("a table purged of deletion vectors here is read and gone on with by Spark", async () => {
  const table = Table.open(at("purged"));
  const properties = { "delta.enableDeletionVectors": "true", "delta.enableRowTracking": "true" };
  await table.create({ schema: { id: "long" }, properties });
  for (let part = 0; part < 3; part++) {
    await table.append(Array.from({ length: 20 }, (_, i) => ({ id: BigInt(20 * part + i) })));
  }
  await table.delete("id % 10 = 3 and id < 40");
  const tracked = () =>
    request<{ id: number; row_id: number }[]>("purged", "select id, _metadata.row_id from TABLE order by id");
  const before = await tracked();
  await table.optimize({ purge: true });
  const files = await table.files();
  expect(files.filter(({ deletionVector }) => deletionVector !== undefined)).toEqual([]);
  expect(before).toHaveLength(56);
  expect(await tracked()).toEqual(before);
  const [entry] = await request<{ operation: string }[]>("purged", "describe history TABLE limit 1");
  expect(entry!.operation).toBe("REORG");
  await request("purged", "delete from TABLE where id = 4");
  expect(await table.count()).toBe(55);
});
