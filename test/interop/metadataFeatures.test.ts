import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { Content } from "./canonical.js";
import { here, READERS, sortedById, spark } from "./engines.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "interop-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const asked = (path: string) => ({
  sql: async <T = unknown>(text: string) =>
    (await spark()).request<T>("sql", { text: text.replaceAll("TABLE", `delta.\`${path}\``) }),
  read: async (version?: number) =>
    sortedById(await (await spark()).request<Content>("read", { path, version: version ?? null })),
  readHere: async () => sortedById(await here.read(path)),
});

describe.each(["name", "id"])("a table whose columns are mapped by %s here", (mode) => {
  test("is read, appended to, deleted from and evolved by Spark, and read here again", async () => {
    const path = join(folder, `mapped-${mode}`);
    const { sql, read, readHere } = asked(path);
    const table = Table.open(path);
    const row = (id: number, part: string) => ({
      id,
      "odd name, really;": `text ${id}`,
      s: { a: id, b: { c: `c${id}` } },
      list: [{ x: id }],
      m: new Map([[`k${id}`, { v: id / 4 }]]),
      part,
    });
    const schema = {
      id: "long",
      "odd name, really;": "string",
      s: { a: "integer", b: { c: "string" } },
      list: [{ x: "integer" }],
      m: { map: ["string", { v: "double" }] },
      part: "string",
    } as const;
    await table.append([row(1, "a"), row(2, "b"), row(3, "a")], {
      schema,
      partitionBy: ["part"],
      properties: { "delta.columnMapping.mode": mode },
    });
    expect(await read()).toEqual(await readHere());
    await sql(
      `insert into TABLE select 10 + id, concat('there ', id), s, list, m, part from TABLE where s.a < 3 and part = 'a'`,
    );
    await sql("alter table TABLE rename column `odd name, really;` to plain");
    await table.alter.renameColumn("s.b", "inner");
    await table.alter.addColumns([
      { path: "s.late", type: "long" },
      { path: "extra", type: "date", position: "first" },
    ]);
    await table.append(
      [
        { ...row(4, "c"), "odd name, really;": undefined, plain: "here", s: { a: 4, late: 5n }, extra: "2024-01-31" },
      ].map(({ "odd name, really;": _, ...rest }) => rest),
    );
    await table.append([{ id: 5, part: "a", fresh: { z: 1.5 } }], { mergeSchema: true });
    expect(await read()).toEqual(await readHere());
    await sql("delete from TABLE where id = 2");
    await table.alter.dropColumns(["list", "s.a"]);
    await sql("alter table TABLE add column list string");
    await sql("update TABLE set list = 'new', s.late = 7 where id = 4");
    await sql("optimize TABLE");
    expect(await read()).toEqual(await readHere());
    expect(await sql<{ n: number }[]>("select count(*) n from TABLE where s.late = 7 and part = 'c'")).toEqual([
      { n: 1 },
    ]);
    expect((await table.verify()).findings).toEqual([]);
  });
});

test("a table that begins to map its columns here goes on in Spark", async () => {
  const path = join(folder, "upgraded");
  const { sql, read, readHere } = asked(path);
  const table = Table.open(path);
  await table.append([{ id: 1n, s: { a: 1n } }]);
  await table.alter.setProperties({ "delta.columnMapping.mode": "name" });
  await sql("alter table TABLE rename column s to t");
  await sql("insert into TABLE values (2, named_struct('a', 2L))");
  await Table.open(path).append([{ id: 3n, t: { a: 3n } }]);
  expect(await read()).toEqual(await readHere());
  expect(await table.count({ where: { "t.a": { gt: 0n } } })).toBe(3);
});

test("a table whose types are widened here is read, appended to and widened further by Spark", async () => {
  const path = join(folder, "widened");
  const { sql, read, readHere } = asked(path);
  const table = Table.open(path);
  const properties = { "delta.enableTypeWidening": "true" };
  const schema = { id: "integer", n: "short", d: "decimal(6,2)", f: "float", list: ["byte"] } as const;
  await table.append([{ id: 1, n: 1, d: "1.25", f: 0.5, list: [1] }], { schema, properties });
  await table.append([{ id: 2, n: 70_000, d: "12345.625", f: 1e300, list: [300] }], {
    mergeSchema: true,
    schema: { id: "integer", n: "integer", d: "decimal(10,3)", f: "double", list: ["short"] },
  });
  await table.alter.changeColumn("id", { type: "long" });
  expect(await read()).toEqual(await readHere());
  await sql("alter table TABLE alter column n type bigint");
  await sql(`insert into TABLE values (${2n ** 40n}, ${2n ** 41n}, 1.125, 2.5D, array(7S))`);
  await table.alter.changeColumn("list.element", { type: "integer" });
  expect(await read()).toEqual(await readHere());
  expect(await sql<{ n: number }[]>("select count(*) n from TABLE where n > 1 and id > 1")).toEqual([{ n: 2 }]);
});

describe("a table whose rows are tracked here", () => {
  interface TrackedRow {
    readonly id: number;
    readonly row_id: number;
    readonly version: number;
  }
  const there = (path: string) =>
    asked(path).sql<TrackedRow[]>(
      "select id, _metadata.row_id, _metadata.row_commit_version version from TABLE order by id",
    );
  async function trackedHere(path: string): Promise<TrackedRow[]> {
    const columns = ["id", "_metadata.row_id", "_metadata.row_commit_version"] as const;
    const rows = (await Table.open(path).toArray({ columns })).map((row) => ({
      id: Number(row.id),
      row_id: Number(row["_metadata.row_id"]),
      version: Number(row["_metadata.row_commit_version"]),
    }));
    return rows.sort((a, b) => a.id - b.id);
  }

  test("has the same ids in Spark, which goes on with them", async () => {
    const path = join(folder, "tracked");
    const { sql } = asked(path);
    const table = Table.open(path);
    await table.append([{ id: 1n }, { id: 2n }, { id: 3n }], { properties: { "delta.enableRowTracking": "true" } });
    await table.append([{ id: 4n }]);
    expect(await there(path)).toEqual(await trackedHere(path));
    await sql("insert into TABLE values (5L), (6L)");
    await table.append([{ id: 7n }]);
    await sql("update TABLE set id = 20 where id = 2");
    await sql("delete from TABLE where id = 3");
    await table.append([{ id: 8n }]);
    const rows = await trackedHere(path);
    expect(await there(path)).toEqual(rows);
    expect(new Set(rows.map(({ row_id }) => row_id)).size).toBe(7);
    await sql("optimize TABLE");
    expect(await trackedHere(path)).toEqual(rows);
  });

  test("may have been without before", async () => {
    const path = join(folder, "tracked-later");
    const { sql } = asked(path);
    const table = Table.open(path);
    await table.append([{ id: 1n }, { id: 2n }]);
    await table.alter.setProperties({ "delta.enableRowTracking": "true" });
    await sql("insert into TABLE values (3L)");
    await table.append([{ id: 4n }]);
    expect(await there(path)).toEqual(await trackedHere(path));
  });
});

test("properties and features set here are Spark's", async () => {
  const path = join(folder, "altered");
  const { sql, read, readHere } = asked(path);
  const table = Table.open(path);
  await table.append([{ id: 1n, a: "x" }]);
  await table.alter.setProperties({ "delta.enableInCommitTimestamps": "true", "delta.enableChangeDataFeed": "true" });
  await sql("insert into TABLE values (2, 'y')");
  await table.alter.changeColumn("a", { comment: "a text", position: "first" });
  await table.alter.changeColumn("id", { nullable: false });
  await table.alter.addFeature("vacuumProtocolCheck");
  await table.alter.describe({ description: "described" });
  await sql("insert into TABLE values ('z', 3)");
  await table.append([{ id: 4n, a: "w" }]);
  await table.alter.dropFeature("vacuumProtocolCheck");
  expect(await read()).toEqual(await readHere());
  await expect(sql("insert into TABLE values ('null', null)")).rejects.toThrow();
  const [detail] =
    await sql<{ description: string; tableFeatures: string[]; properties: Record<string, string> }[]>(
      "describe detail TABLE",
    );
  const own = await table.detail();
  expect(detail!.description).toBe("described");
  expect([...detail!.tableFeatures].sort()).toEqual(own.tableFeatures);
  const operations = await sql<{ version: number; operation: string }[]>("describe history TABLE");
  expect(operations.map(({ version, operation }) => [version, operation])).toEqual(
    (await table.history()).map(({ version, operation }) => [version, operation]),
  );
});

test("a table that lost deletion vectors, V2 checkpoints and row tracking here is anybody's", async () => {
  const path = join(folder, "dropped");
  const { sql, read, readHere } = asked(path);
  const table = Table.open(path);
  const properties = {
    "delta.enableDeletionVectors": "true",
    "delta.checkpointPolicy": "v2",
    "delta.enableRowTracking": "true",
  };
  await table.create({ schema: { id: "long", a: "string" }, properties });
  await table.append(Array.from({ length: 50 }, (_, i) => ({ id: BigInt(i), a: `${i}` })));
  await table.delete({ id: { lt: 10n } });
  await sql("delete from TABLE where id = 20");
  await table.checkpoint();
  const before = await table.version();
  await table.alter.dropFeature("deletionVectors");
  await table.alter.dropFeature("v2Checkpoint");
  await table.alter.dropFeature("rowTracking");
  await table.alter.dropFeature("domainMetadata");
  const rows = await readHere();
  expect(rows.rows).toHaveLength(39);
  for (const reader of READERS) expect([reader.name, sortedById(await reader.read(path))]).toEqual([reader.name, rows]);
  expect(await read(before)).toEqual(rows);
  await sql("insert into TABLE values (100, 'there')");
  await sql("delete from TABLE where id = 30");
  await table.append([{ id: 101n, a: "here" }]);
  expect(await read()).toEqual(await readHere());
  const [detail] = await sql<{ tableFeatures: string[] }[]>("describe detail TABLE");
  expect([...detail!.tableFeatures].sort()).toEqual(["checkpointProtection"]);
  const operations = await sql<{ operation: string }[]>("describe history TABLE");
  expect(operations.map(({ operation }) => operation)).toEqual(
    (await table.history()).map(({ operation }) => operation),
  );
});

test("a table clustered here is clustered by Spark", async () => {
  const path = join(folder, "clustered");
  const { sql, read, readHere } = asked(path);
  const table = Table.open(path);
  const properties = { "delta.columnMapping.mode": "name" };
  await table.create({ schema: { id: "long", s: { a: "string" }, b: "date" }, clusterBy: ["s.a", "id"], properties });
  const rows = Array.from({ length: 100 }, (_, i) => ({ id: BigInt(i), s: { a: `${i % 7}` }, b: "2024-01-31" }));
  await table.append(rows);
  const columns = async () =>
    (await sql<{ clusteringColumns: string[] }[]>("describe detail TABLE"))[0]!.clusteringColumns;
  expect(await columns()).toEqual(["s.a", "id"]);
  await sql("insert into TABLE values (100, named_struct('a', 'x'), date'2024-02-01')");
  await sql("optimize TABLE");
  await table.append([{ id: 101n, s: { a: "y" }, b: null }]);
  expect(await read()).toEqual(await readHere());
  await table.alter.clusterBy(["b"]);
  expect(await columns()).toEqual(["b"]);
  await sql("optimize TABLE full");
  await table.alter.clusterBy([]);
  expect(await columns()).toEqual([]);
  expect(await read()).toEqual(await readHere());
});

test("a table compatible with Iceberg from here is so in Spark", async () => {
  const path = join(folder, "iceberg");
  const { sql, read, readHere } = asked(path);
  const table = Table.open(path);
  const schema = { id: "long", p: "string", l: [{ x: "long" }], m: { map: ["string", "timestamp"] } } as const;
  await table.append([{ id: 1n, p: "a", l: [{ x: 1n }], m: new Map([["k", new Date(0)]]) }], {
    schema,
    partitionBy: ["p"],
    properties: { "delta.enableIcebergCompatV2": "true" },
  });
  await sql("insert into TABLE select 2, 'b', l, m from TABLE");
  await table.append([{ id: 3n, p: "a" }]);
  await sql("alter table TABLE add column late array<int>");
  await Table.open(path).append([{ id: 4n, p: "c", late: [1], later: [[true]] }], { mergeSchema: true });
  await sql("insert into TABLE (id, p, later) values (5, 'd', array(array(false)))");
  expect(await read()).toEqual(await readHere());
});

test("a table compatible with Iceberg's third version, which Spark doesn't write to yet, is read by it", async () => {
  const path = join(folder, "iceberg-3");
  const { sql, read, readHere } = asked(path);
  const table = Table.open(path);
  const schema = { id: "long", p: "string", l: [{ x: "long" }], m: { map: ["string", "timestamp"] } } as const;
  const rows = [1n, 2n, 3n].map((id) => ({ id, p: "a", l: [{ x: id }], m: new Map([["k", new Date(0)]]) }));
  await table.append(rows, {
    schema,
    partitionBy: ["p"],
    properties: { "delta.enableIcebergCompatV3": "true", "delta.enableDeletionVectors": "true" },
  });
  await table.delete({ id: 2n });
  expect(await read()).toEqual(await readHere());
  await table.update({ set: { p: "b" }, where: { id: 3n } });
  await table.optimize();
  expect(await read()).toEqual(await readHere());
  expect((await table.verify()).findings).toEqual([]);
  await expect(sql("delete from TABLE where id = 1")).rejects.toThrow("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE");
});

test("rows meet a constraint added here in Spark too", async () => {
  const path = join(folder, "constrained");
  const { sql } = asked(path);
  const table = Table.open(path);
  await table.append([{ id: 1n }]);
  await table.alter.addConstraint("positive", "id > 0");
  await expect(sql("insert into TABLE values (-1L)")).rejects.toThrow();
  await sql("insert into TABLE values (2L)");
  await sql("alter table TABLE drop constraint positive");
  await Table.open(path).append([{ id: -1n }]);
  expect(await table.count()).toBe(3);
});
