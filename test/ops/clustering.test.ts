import { expect, test } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

type Row = { id: bigint; at: { x: number }; y: number };

async function clusteredTable(properties: Readonly<Record<string, string>> = {}) {
  const table = Table.open<Row>(memoryStore());
  await table.create({
    schema: { id: "long", at: { x: "double" }, y: "double" },
    clusterBy: ["at.x", "y"],
    properties: { ...properties, "delta.dataSkippingNumIndexedCols": "1" },
  });
  for (let file = 0; file < 4; file++) {
    await table.append(Array.from({ length: 50 }, (_, i) => rowOf(file * 50 + i)));
  }
  return table;
}

const rowOf = (id: number): Row => ({ id: BigInt(id), at: { x: (id * 37) % 200 }, y: (id * 61) % 200 });

const sorted = async (table: Table<Row>) => (await table.toArray()).sort((a, b) => Number(a.id - b.id));

const FORMS: readonly Readonly<Record<string, string>>[] = [{}, { "delta.columnMapping.mode": "name" }];

test.each(FORMS)("a table is clustered by columns, nested ones too (%o)", async (properties) => {
  const table = await clusteredTable(properties);
  expect((await table.detail()).tableFeatures).toEqual(expect.arrayContaining(["clustering", "domainMetadata"]));
  // They have statistics whatever the property says.
  const [file] = await table.files();
  expect(Object.keys(JSON.parse(file!.stats!).minValues)).toHaveLength(3);
  const result = await table.optimize({ targetFileSizeBytes: 1500 });
  expect(result.removedFileCount).toBe(4);
  expect(result.addedFileCount).toBeGreaterThan(2);
  expect(await sorted(table)).toEqual(Array.from({ length: 200 }, (_, id) => rowOf(id)));
  expect((await table.history())[0]).toMatchObject({
    operation: "OPTIMIZE",
    operationParameters: { clusterBy: '["at.x","y"]' },
  });
  expect((await table.verify()).findings).toEqual([]);
  // What is clustered stays, unless everything is meant.
  expect(await table.optimize()).toMatchObject({ removedFileCount: 0 });
  await table.append([rowOf(200)]);
  expect(await table.optimize()).toMatchObject({ removedFileCount: 1, addedFileCount: 1 });
  expect(await table.optimize({ full: true })).toMatchObject({ addedFileCount: 1 });
  expect(await table.count()).toBe(201);
});

test("an append creates a clustered table", async () => {
  const table = Table.open(memoryStore());
  await table.append([{ a: 1, b: "x" }], { clusterBy: ["b"] });
  await table.append([{ a: 2, b: "y" }]);
  expect(await table.optimize()).toMatchObject({ removedFileCount: 2, addedFileCount: 1 });
});

test("what can't be clustered by is refused", async () => {
  const schema = { id: "long", raw: "binary", list: ["long"], day: "date" } as const;
  for (const options of [
    { clusterBy: ["nope"] },
    { clusterBy: ["raw"] },
    { clusterBy: ["list"] },
    { clusterBy: ["id", "id"] },
    { clusterBy: ["id"], partitionBy: ["day"] },
  ]) {
    await expectCode("DELTA_INVALID_ARGUMENT", () => Table.open(memoryStore()).create({ schema, ...options }));
  }
  const table = await clusteredTable();
  await expectCode("DELTA_CLUSTERING_WITH_ZORDER_BY", () => table.optimize({ zOrderBy: ["id"] }));
});

test("the columns can be changed, and taken away", async () => {
  const table = await clusteredTable();
  const { version } = await table.alter.clusterBy(["id"]);
  expect(version).toBe(5);
  expect((await table.history())[0]).toMatchObject({
    operation: "CLUSTER BY",
    operationParameters: { oldClusteringColumns: "at.x,y", newClusteringColumns: "id" },
  });
  expect(await table.alter.clusterBy(["id"])).toEqual({ version: 5 });
  await table.optimize();
  expect((await table.history())[0]!.operationParameters).toMatchObject({ clusterBy: '["id"]' });
  await table.alter.clusterBy([]);
  expect(await table.optimize({ zOrderBy: ["id"] })).toMatchObject({ removedFileCount: 1 });
  const plain = Table.open(memoryStore());
  await plain.create({ schema: { id: "long" } });
  await expectCode("DELTA_ALTER_TABLE_CLUSTER_BY_NOT_ALLOWED", () => plain.alter.clusterBy(["id"]));
  await plain.alter.addFeature("clustering");
  await plain.alter.clusterBy(["id"]);
  expect((await plain.detail()).tableFeatures).toContain("clustering");
});

test("a table isn't clustered by columns that its files don't tell of", async () => {
  const table = Table.open(memoryStore());
  const properties = { "delta.feature.clustering": "supported", "delta.dataSkippingStatsColumns": "a" };
  await table.append([{ a: 1n, b: 2n }], { properties });
  await table.alter.clusterBy(["a"]);
  const error = await expectCode("DELTA_CLUSTERING_COLUMN_MISSING_STATS", () => table.alter.clusterBy(["b"]));
  expect(error.data.column).toBe("b");
  expect(await table.alter.clusterBy(["a"])).toEqual({ version: 1 });
  await table.alter.clusterBy([]);
  await table.append([{ a: 1n, b: 2n }]);
});
