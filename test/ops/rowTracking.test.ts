import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";

const ON = { "delta.enableRowTracking": "true" };
const TRACKED = ["id", "_metadata.row_id", "_metadata.row_commit_version"] as const;

async function trackedRows(table: Table): Promise<unknown[][]> {
  const rows = await table.toArray({ columns: TRACKED });
  return rows.map((row) => TRACKED.map((name) => row[name])).sort((a, b) => Number(a[0]) - Number(b[0]));
}

describe("a table whose rows are tracked", () => {
  it("has an id and a version for each row that is appended", async () => {
    const table = Table.open(memoryStore());
    await table.append([{ id: 1n }, { id: 2n }], { properties: ON });
    await table.append([{ id: 3n }]);
    expect(await trackedRows(table)).toEqual([
      [1n, 0n, 0n],
      [2n, 1n, 0n],
      [3n, 2n, 1n],
    ]);
    const { features } = await table.protocol();
    expect(features.map(({ name }) => name)).toEqual(["rowTracking", "domainMetadata"]);
    const names = (await table.detail()).properties;
    expect(names["delta.rowTracking.materializedRowIdColumnName"]).toMatch(/^_row-id-col-[0-9a-f-]{36}$/);
    expect(names["delta.rowTracking.materializedRowCommitVersionColumnName"]).toMatch(/^_row-commit-version-col-/);
  });

  it("goes on after a checkpoint, in another process", async () => {
    const store = memoryStore();
    await Table.open(store).append([{ id: 1n }, { id: 2n }], { properties: ON });
    await Table.open(store).checkpoint();
    await Table.open(store).append([{ id: 3n }]);
    expect((await trackedRows(Table.open(store))).at(-1)).toEqual([3n, 2n, 1n]);
  });

  it("gives other ids where another writer was first, and no id twice", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    await table.create({ schema: { id: "long" }, properties: ON });
    const writers = Array.from({ length: 8 }, () => Table.open(store));
    await Promise.all(writers.map((writer) => writer.version()));
    await Promise.all(writers.map((writer, i) => writer.append([{ id: BigInt(2 * i) }, { id: BigInt(2 * i + 1) }])));
    const rows = await trackedRows(table);
    expect(rows.map(([, rowId]) => Number(rowId)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 16 }, (_, i) => i),
    );
    for (const [, rowId, version] of rows) expect(version).toBe((rowId as bigint) / 2n + 1n);
  });

  it("may have the feature only: ids are given all the same", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    await table.append([{ id: 1n }], { properties: { "delta.feature.rowTracking": "supported" } });
    expect((await table.detail()).properties).toEqual({});
    const commit = new TextDecoder().decode(await store.get("_delta_log/00000000000000000000.json"));
    expect(commit).toContain('"baseRowId":0');
    expect(commit).toContain('"delta.rowTracking.preserved":"true"');
  });
});
