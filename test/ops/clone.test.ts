import { readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { localStore } from "#src/storage/local.js";
import type { ObjectStore } from "#src/storage/store.js";
import { Table } from "#src/table.js";
import { expectCode } from "../expectCode.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-table clone-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const sorted = async (table: Table) => (await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id));
const files = (name: string) =>
  (readdirSync(at(name), { recursive: true }) as string[])
    .filter((file) => !file.startsWith("_delta_log") && statSync(join(at(name), file)).isFile())
    .sort();

async function source(): Promise<Table> {
  const table = Table.open(at("source"));
  const properties = { "delta.enableDeletionVectors": "true", note: "mine" };
  await table.append(
    [
      { id: 1n, part: "a b" },
      { id: 2n, part: "a b" },
    ],
    { partitionBy: ["part"], properties },
  );
  await table.append([{ id: 3n, part: null }]);
  await table.delete({ id: 1n });
  return table;
}

const ROWS = [
  { id: 2n, part: "a b" },
  { id: 3n, part: null },
];

it("copies a table, which then stands alone", async () => {
  const table = await source();
  const result = await table.clone(at("copy"));
  expect(result).toMatchObject({ version: 0, sourceVersion: 2, fileCount: 2, copiedFileCount: 3 });
  const copy = Table.open(at("copy"));
  expect(files("copy")).toEqual(files("source").filter((file) => file.endsWith(".bin") || file.endsWith(".parquet")));
  const [was, is] = [await table.detail(), await copy.detail()];
  expect(is.id).not.toBe(was.id);
  expect(is.properties).toEqual(was.properties);
  expect(is.partitionColumns).toEqual(["part"]);
  rmSync(at("source"), { recursive: true });
  expect(await sorted(copy)).toEqual(ROWS);
  expect((await copy.verify()).ok).toBe(true);
  expect((await copy.history())[0]).toMatchObject({
    operation: "CLONE",
    operationParameters: { source: `delta.\`${at("source")}\``, sourceVersion: "2", isShallow: "false" },
    operationMetrics: { sourceNumOfFiles: "2", numCopiedFiles: "3", numRemovedFiles: "0" },
  });
  await copy.append([{ id: 4n, part: "c" }]);
  await copy.delete({ id: 2n });
  expect(await copy.count()).toBe(2);
});

it("names the source's files, which vacuum of the clone leaves", async () => {
  const table = await source();
  expect(await table.clone(at("shallow"), { shallow: true, properties: { note: "other" } })).toMatchObject({
    fileCount: 2,
    copiedFileCount: 0,
  });
  expect(files("shallow")).toEqual([]);
  await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => Table.open(at("shallow")).toArray());
  const clone = Table.open(at("shallow"), { dataRoots: [at("source")] });
  expect(await sorted(clone)).toEqual(ROWS);
  expect((await clone.detail()).properties.note).toBe("other");
  await clone.append([{ id: 9n, part: "z" }]);
  await clone.delete({ id: 3n });
  const before = files("source");
  await clone.vacuum({ retentionHours: 0, enforceRetention: false });
  expect(files("source")).toEqual(before);
  expect((await sorted(clone)).map(({ id }) => id)).toEqual([2n, 9n]);
  expect(await sorted(table)).toEqual(ROWS);
  // A clone of a clone is one of the files themselves; a deep one has them all in one place.
  await clone.clone(at("second"), { shallow: true });
  const second = Table.open(at("second"), { dataRoots: [at("source"), at("shallow")] });
  expect((await sorted(second)).map(({ id }) => id)).toEqual([2n, 9n]);
  await second.clone(at("deep"));
  rmSync(at("source"), { recursive: true });
  rmSync(at("shallow"), { recursive: true });
  expect((await sorted(Table.open(at("deep")))).map(({ id }) => id)).toEqual([2n, 9n]);
});

it("clones a version", async () => {
  const table = await source();
  await table.at(0).clone(at("old"));
  expect((await sorted(Table.open(at("old")))).map(({ id }) => id)).toEqual([1n, 2n]);
});

it("goes on where a deep clone was stopped", async () => {
  const table = await source();
  let left = 1;
  const store = localStore(at("copy"));
  const failing = new Proxy(store, {
    get: (target, name) => {
      if (name === "putFrom" && left-- <= 0) return () => Promise.reject(new Error("stopped"));
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as ObjectStore;
  await expect(table.clone(Table.open(failing))).rejects.toThrow();
  await expectCode("DELTA_TABLE_NOT_FOUND", () => Table.open(at("copy")).version());
  const [first] = files("copy");
  utimesSync(join(at("copy"), first!), 1e9, 1e9);
  expect(await table.clone(at("copy"))).toMatchObject({ fileCount: 2, copiedFileCount: 2 });
  expect(statSync(join(at("copy"), first!)).mtimeMs).toBe(1e12);
  expect(await sorted(Table.open(at("copy")))).toEqual(ROWS);
});

it("refuses what can't be a clone", async () => {
  const table = await source();
  await Table.open(at("taken")).append([{ id: 1n }]);
  await expectCode("DELTA_PATH_EXISTS", () => table.clone(at("taken")));
  await expectCode("DELTA_PATH_EXISTS", () => table.clone(table));
  await expectCode("DELTA_READ_ONLY", () => table.clone(table.at(0)));
  const memory = Table.open("memory:clone-source");
  await memory.append([{ id: 1n }]);
  await expectCode("DELTA_INVALID_ARGUMENT", () => memory.clone(at("x"), { shallow: true }));
  await expectCode("DELTA_INVALID_ARGUMENT", () =>
    table.clone(at("x"), { properties: { "delta.columnMapping.mode": "name" } }),
  );
  await expectCode("DELTA_UNKNOWN_PROPERTY", () => table.clone(at("x"), { properties: { "delta.nothing": "1" } }));
  await memory.clone(at("from memory"));
  expect(await Table.open(at("from memory")).count()).toBe(1);
});
