import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Table } from "#src/table.js";
import { expectCode } from "../expectCode.js";

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "delta-table-restore-"));
});
afterEach(() => rm(path, { recursive: true, force: true }));

const ids = async (table: Table) => (await table.toArray()).map(({ id }) => Number(id)).sort();

async function fourVersions(properties: Record<string, string> = {}, more: object = { more: "x" }): Promise<Table> {
  const table = Table.open(path);
  await table.append([{ id: 1n }, { id: 2n }], { properties });
  await table.append([{ id: 3n }]);
  await table.delete({ id: 1n });
  await table.append([{ id: 4n, ...more }], { mergeSchema: true });
  return table;
}

it("makes a table what it was, as a new version", async () => {
  const table = await fourVersions();
  const result = await table.restore(1);
  expect(result).toMatchObject({
    version: 4,
    restoredVersion: 1,
    restoredFileCount: 1,
    removedFileCount: 2,
    missingFileCount: 0,
  });
  expect(await ids(table)).toEqual([1, 2, 3]);
  expect((await table.schema()).fields.map(({ name }) => name)).toEqual(["id"]);
  expect((await table.history())[0]).toMatchObject({
    operation: "RESTORE",
    operationParameters: { version: "1" },
    operationMetrics: { numRestoredFiles: "1", numRemovedFiles: "2", numOfFilesAfterRestore: "2" },
  });
  expect(await ids(table.at(3))).toEqual([2, 3, 4]);
  expect((await table.verify()).ok).toBe(true);
  await table.restore(3);
  expect(await ids(table)).toEqual([2, 3, 4]);
  expect(await table.restore(5)).toMatchObject({ version: 5, restoredFileCount: 0, removedFileCount: 0 });
});

it("brings deletion vectors back, and the change feed tells of it", async () => {
  const properties = { "delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true" };
  const table = await fourVersions(properties, {});
  await table.restore(1);
  expect(await ids(table)).toEqual([1, 2, 3]);
  const changes = await table.changes({ from: 4 }).toArray();
  expect(changes.map(({ _change_type, id }) => `${_change_type} ${id}`).sort()).toEqual(["delete 4", "insert 1"]);
  await table.restore(2);
  expect(await ids(table)).toEqual([2, 3]);
});

it("goes back to a time", async () => {
  const table = await fourVersions();
  const [, , version1] = await table.history();
  await table.restore(version1!.timestamp);
  expect(await ids(table)).toEqual([1, 2, 3]);
  expect((await table.history())[0]!.operationParameters).toEqual({
    version: null,
    timestamp: version1!.timestamp.toISOString(),
  });
});

it("refuses a version whose files are gone, or goes without them", async () => {
  const table = await fourVersions();
  const [gone] = (await table.at(1).files()).filter(({ numRecords }) => numRecords === 2);
  rmSync(join(path, gone!.path));
  const error = await expectCode("DELTA_FILE_NOT_FOUND", () => table.restore(1));
  expect(error.data).toMatchObject({ version: 1, missingFiles: 1, paths: [gone!.path] });
  expect(await table.version()).toBe(3);
  expect(await table.restore(1, { ignoreMissingFiles: true })).toMatchObject({ version: 4, missingFileCount: 1 });
  expect(await ids(table)).toEqual([3]);
});

it("refuses versions that aren't there, and append-only tables", async () => {
  const table = await fourVersions();
  await expectCode("DELTA_VERSION_NOT_FOUND", () => table.restore(9));
  await expectCode("DELTA_INVALID_ARGUMENT", () => table.restore(-1));
  await expectCode("DELTA_READ_ONLY", () => table.at(1).restore(0));
  const other = Table.open(join(path, "appendOnly"));
  for (const id of [1n, 2n]) await other.append([{ id }], { properties: { "delta.appendOnly": "true" } });
  await expectCode("DELTA_CANNOT_MODIFY_APPEND_ONLY", () => other.restore(0));
});

it("never counts column ids back", async () => {
  const table = Table.open(path);
  await table.create({ schema: { id: "long" }, properties: { "delta.columnMapping.mode": "name" } });
  await table.append([{ id: 1n, more: "x" }], { mergeSchema: true });
  await table.restore(0);
  const { properties } = await table.detail();
  expect(properties["delta.columnMapping.maxColumnId"]).toBe("2");
  expect(await table.toArray()).toEqual([]);
});

it("does nothing where somebody else changes the table meanwhile", async () => {
  const table = await fourVersions();
  const results = await Promise.allSettled([Table.open(path).restore(0), Table.open(path).restore(1)]);
  const versions = results.filter(({ status }) => status === "fulfilled");
  expect(versions.length).toBeGreaterThanOrEqual(1);
  expect([
    [1, 2],
    [1, 2, 3],
  ]).toContainEqual(await ids(table));
});
