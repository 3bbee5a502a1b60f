import { describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

type Row = { id: bigint; part: string; x: number; y: string | null };

const FORMS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["plain files", {}],
  ["deletion vectors", { "delta.enableDeletionVectors": "true" }],
  ["tracked rows", { "delta.enableRowTracking": "true" }],
  ["mapped columns and changes", { "delta.columnMapping.mode": "name", "delta.enableChangeDataFeed": "true" }],
];

async function tableOf(properties: Readonly<Record<string, string>> = {}, files = 6) {
  const table = Table.open<Row>(memoryStore());
  await table.create({
    schema: { id: "long", part: "string", x: "double", y: "string" },
    properties,
    partitionBy: ["part"],
  });
  for (let file = 0; file < files; file++) {
    const rows = Array.from({ length: 10 }, (_, i) => {
      const id = file * 10 + i;
      return {
        id: BigInt(id),
        part: id % 2 === 0 ? "a" : "b",
        x: (id * 7) % 60,
        y: id % 5 === 0 ? null : `y${(id * 11) % 60}`,
      };
    });
    await table.append(rows);
  }
  return table;
}

async function sorted(table: Table<Row>, columns?: string[]): Promise<Record<string, unknown>[]> {
  const rows = (await table.toArray(columns && { columns: columns as never })) as Record<string, unknown>[];
  return rows.sort((a, b) => Number((a.id as bigint) - (b.id as bigint)));
}

describe.each(FORMS)("with %s", (_, properties) => {
  const isTracked = properties["delta.enableRowTracking"] !== undefined;
  const columns = isTracked ? ["id", "x", "_metadata.row_id", "_metadata.row_commit_version"] : undefined;

  test("small files become one a partition, and no row changes", async () => {
    const table = await tableOf(properties);
    const before = await sorted(table, columns);
    const result = await table.optimize();
    expect(result).toMatchObject({ version: 7, removedFileCount: 12, addedFileCount: 2, skipped: false });
    expect(await sorted(table, columns)).toEqual(before);
    expect(await table.files()).toHaveLength(2);
    expect((await table.verify()).findings).toEqual([]);
    const [entry] = await table.history();
    expect(entry).toMatchObject({
      operation: "OPTIMIZE",
      operationMetrics: { numRemovedFiles: "12", numAddedFiles: "2" },
    });
    expect(await table.optimize()).toMatchObject({ version: 7, removedFileCount: 0, addedFileCount: 0 });
    if (properties["delta.enableChangeDataFeed"] === undefined) return;
    expect(await table.changes({ from: 7 }).count()).toBe(0);
  });

  test("only what a condition means is touched", async () => {
    const table = await tableOf(properties);
    expect(await table.optimize({ where: { part: "a" } })).toMatchObject({ removedFileCount: 6, addedFileCount: 1 });
    expect(await table.files()).toHaveLength(7);
  });

  test("rows near each other come together", async () => {
    const table = await tableOf(properties);
    const before = await sorted(table, columns);
    const result = await table.optimize({ zOrderBy: ["x", "y"], targetFileSizeBytes: 600 });
    expect(result.removedFileCount).toBe(12);
    expect(result.addedFileCount).toBeGreaterThan(4);
    expect(await sorted(table, columns)).toEqual(before);
    expect((await table.verify()).findings).toEqual([]);
    const one = await table.toArray({ where: { x: 7 } });
    expect(one.map(({ id }) => id)).toEqual([1n]);
  });
});

test("deletion vectors are purged, where they remove much by the way", async () => {
  const table = await tableOf({ "delta.enableDeletionVectors": "true" }, 1);
  await table.delete({ id: 0n });
  expect(await table.optimize({ purge: true })).toMatchObject({ version: 3, removedFileCount: 1, addedFileCount: 1 });
  expect((await table.files()).some(({ deletionVector }) => deletionVector !== undefined)).toBe(false);
  expect((await table.history())[0]).toMatchObject({ operation: "REORG" });
  expect(await table.optimize({ purge: true })).toMatchObject({ version: 3, removedFileCount: 0 });
  await table.delete({ id: 2n });
  expect(await table.optimize()).toMatchObject({ removedFileCount: 1 });
  expect(await table.count()).toBe(8);
});

test("an append meanwhile is nothing to it, a delete is", async () => {
  const table = await tableOf();
  const before = await table.count();
  const both = await Promise.all([table.optimize(), table.append([{ id: 900n, part: "a", x: 1, y: null }])]);
  expect(both.map(({ version }) => version).sort()).toEqual([7, 8]);
  expect(await table.count()).toBe(before + 1);
});

test("what can't be ordered by is refused", async () => {
  const table = await tableOf({}, 1);
  for (const name of ["nope", "part"]) {
    const error = await expectCode("DELTA_INVALID_ARGUMENT", () => table.optimize({ zOrderBy: [name as never] }));
    expect(error.data).toMatchObject({ column: name });
  }
  await expectCode("DELTA_INVALID_ARGUMENT", () => table.optimize({ targetFileSizeBytes: 0 }));
});
