import { describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import type { Action } from "#src/log/actions.js";
import { parseCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { CountingStore } from "../storage/countingStore.js";

const FORMS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["copies", {}],
  ["deletion vectors", { "delta.enableDeletionVectors": "true" }],
  ["copies and changes", { "delta.enableChangeDataFeed": "true" }],
  ["vectors and changes", { "delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "true" }],
];

async function tableOf(properties: Readonly<Record<string, string>>, partitionBy: readonly string[] = []) {
  const store = memoryStore();
  const table = Table.open<{ id: bigint; part: string; text: string | null }>(store);
  await table.create({ schema: { id: "long", part: "string", text: "string" }, properties, partitionBy });
  for (const part of ["a", "b"]) {
    const first = part === "a" ? 0n : 10n;
    await table.append(Array.from({ length: 10 }, (_, i) => ({ id: first + BigInt(i), part, text: `t${i}` })));
  }
  const actionsOf = async (version: number) => parseCommit(version, await store.get(commitPath(version)));
  return { store, table, actionsOf };
}

async function filesOf(store: ReturnType<typeof memoryStore>): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of store.list("")) paths.push(path);
  return paths;
}

async function ids(table: Table<{ id: bigint; part: string; text: string | null }>): Promise<number[]> {
  const rows = await table.toArray();
  return rows.map(({ id }) => Number(id)).sort((a, b) => a - b);
}

const kinds = (actions: readonly Action[]) => actions.map((action) => Object.keys(action)[0]).sort();
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe.each(FORMS)("with %s", (_, properties) => {
  test("the rows of a condition go, and no others", async () => {
    const { table } = await tableOf(properties);
    const result = await table.delete({ id: { gte: 5n, lt: 12n } });
    expect(result).toMatchObject({ version: 3, skipped: false, deletedRowCount: 7 });
    expect(await ids(table)).toEqual([...range(0, 5), ...range(12, 20)]);
    await table.delete("id % 2 = 0");
    expect(await ids(table)).toEqual([1, 3, 13, 15, 17, 19]);
    expect(await table.count()).toBe(6);
    expect(await ids(table.at(2))).toEqual(range(0, 20));
    expect((await table.verify()).findings).toEqual([]);
  });

  test("changes tell the rows that went", async () => {
    if (properties["delta.enableChangeDataFeed"] === undefined) return;
    const { table } = await tableOf(properties);
    await table.delete({ id: { gte: 5n, lt: 25n } });
    const changes = await table.changes({ from: 3 }).toArray();
    expect(changes.map(({ id, _change_type }) => [Number(id), _change_type]).sort()).toEqual(
      range(5, 20)
        .map((id) => [id, "delete"])
        .sort(),
    );
  });

  test("partitions go without being read", async () => {
    const { table, actionsOf } = await tableOf(properties, ["part"]);
    expect(await table.delete({ part: "a" })).toMatchObject({ deletedRowCount: 10, copiedRowCount: 0 });
    expect(kinds(await actionsOf(3))).toEqual(["commitInfo", "remove"]);
    expect(await ids(table)).toEqual(range(10, 20));
  });

  test("all rows go without a condition", async () => {
    const { table } = await tableOf(properties);
    expect(await table.delete()).toMatchObject({ deletedRowCount: 20 });
    expect(await table.count()).toBe(0);
    expect(await table.files()).toEqual([]);
  });

  test("nothing is committed where no row is meant", async () => {
    const { table, store } = await tableOf(properties);
    const before = (await filesOf(store)).length;
    expect(await table.delete({ id: 5000n })).toEqual({
      version: 2,
      skipped: false,
      deletedRowCount: 0,
      copiedRowCount: 0,
    });
    expect(await table.delete("text = 'none'")).toMatchObject({ version: 2, deletedRowCount: 0 });
    expect(await table.version()).toBe(2);
    expect((await filesOf(store)).length).toBe(before);
  });
});

test("copies take the place of files, vectors leave them", async () => {
  const copies = await tableOf({});
  expect(await copies.table.delete({ id: 3n })).toMatchObject({ deletedRowCount: 1, copiedRowCount: 9 });
  expect(kinds(await copies.actionsOf(3))).toEqual(["add", "commitInfo", "remove"]);
  const vectors = await tableOf({ "delta.enableDeletionVectors": "true" });
  expect(await vectors.table.delete({ id: 3n })).toMatchObject({ deletedRowCount: 1, copiedRowCount: 0 });
  const actions = await vectors.actionsOf(3);
  const add = actions.flatMap((action) => ("add" in action ? [action.add] : []))[0]!;
  const remove = actions.flatMap((action) => ("remove" in action ? [action.remove] : []))[0]!;
  expect(add.path).toBe(remove.path);
  expect(add.deletionVector).toMatchObject({ storageType: "u", cardinality: 1, offset: 1 });
  expect(remove.deletionVector).toBeUndefined();
  expect(JSON.parse(add.stats!)).toMatchObject({ numRecords: 10, tightBounds: false });
  await vectors.table.delete({ id: { in: [1n, 4n] } });
  expect((await vectors.table.files()).find(({ deletionVector }) => deletionVector)?.deletionVector?.cardinality).toBe(
    3,
  );
  // The last rows of a file take it along.
  await vectors.table.delete({ id: { lt: 10n } });
  expect(await vectors.table.files()).toHaveLength(1);
});

test("history tells what was done", async () => {
  const { table } = await tableOf({});
  await table.delete({ id: 3n }, { userMetadata: "why" });
  const [entry] = await table.history();
  expect(entry).toMatchObject({ version: 3, operation: "DELETE", userMetadata: "why" });
  expect(entry!.operationParameters).toEqual({ predicate: '["(\\"id\\" = CAST(3 AS BIGINT))"]' });
  expect(entry!.operationMetrics).toMatchObject({
    numDeletedRows: "1",
    numCopiedRows: "9",
    numRemovedFiles: "1",
    numAddedFiles: "1",
  });
});

test("a repeated txn does nothing", async () => {
  const { table } = await tableOf({});
  const txn = { appId: "job", version: 1 };
  expect(await table.delete({ id: 3n }, { txn })).toMatchObject({ version: 3, skipped: false });
  await table.append([{ id: 3n, part: "a", text: null }]);
  expect(await table.delete({ id: 3n }, { txn })).toMatchObject({ version: 4, skipped: true, deletedRowCount: 0 });
  expect(await table.count({ where: { id: 3n } })).toBe(1);
});

test("a table that only takes rows keeps them", async () => {
  const { table, store } = await tableOf({ "delta.appendOnly": "true" });
  await expectCode("DELTA_CANNOT_MODIFY_APPEND_ONLY", () => table.delete({ id: 3n }));
  await expectCode("DELTA_CANNOT_MODIFY_APPEND_ONLY", () => table.update({ set: { text: "x" } }));
  expect(await table.version()).toBe(2);
  expect((await filesOf(store)).filter((path) => path.endsWith(".parquet"))).toHaveLength(2);
});

test("only files that may match are read", async () => {
  const { store } = await tableOf({});
  const counting = new CountingStore(store);
  const table = Table.open(counting);
  await table.version();
  counting.take();
  await table.delete({ id: 15n });
  const read = counting.calls.filter(({ verb, path }) => verb === "get" && path.endsWith(".parquet"));
  expect(new Set(read.map(({ path }) => path)).size).toBe(1);
});

describe.each(FORMS)("an update with %s", (_, properties) => {
  test("gives the rows of a condition new values, from values and expressions", async () => {
    const { table } = await tableOf(properties);
    const result = await table.update({
      set: { text: sql`text || ${"!"} || id`, part: "c" },
      where: { id: { gte: 8n, lte: 11n } },
    });
    expect(result).toMatchObject({ version: 3, updatedRowCount: 4 });
    const rows = await table.toArray({ where: { part: "c" } });
    expect(rows.sort((a, b) => Number(a.id - b.id))).toEqual([
      { id: 8n, part: "c", text: "t8!8" },
      { id: 9n, part: "c", text: "t9!9" },
      { id: 10n, part: "c", text: "t0!10" },
      { id: 11n, part: "c", text: "t1!11" },
    ]);
    expect(await ids(table)).toEqual(range(0, 20));
    expect((await table.verify()).findings).toEqual([]);
    if (properties["delta.enableChangeDataFeed"] === undefined) return;
    const changes = await table.changes({ from: 3 }).toArray();
    expect(changes.map(({ id, part, _change_type }) => [Number(id), part, _change_type]).sort()).toEqual(
      [8, 9, 10, 11]
        .flatMap((id) => [
          [id, "c", "update_postimage"],
          [id, id < 10 ? "a" : "b", "update_preimage"],
        ])
        .sort(),
    );
  });

  test("moves rows between partitions", async () => {
    const { table } = await tableOf(properties, ["part"]);
    await table.update({ set: { part: "c", text: null }, where: { id: { gte: 8n, lte: 11n } } });
    expect(await table.count({ where: { part: "c", text: null } })).toBe(4);
    expect(await table.count({ where: { part: "a" } })).toBe(8);
    await table.update({ set: { id: sql`-id` } });
    expect((await ids(table))[0]).toBe(-19);
  });
});

test("values that don't fit are refused before anything is written", async () => {
  const { table, store } = await tableOf({});
  const before = (await filesOf(store)).length;
  await expectCode("DELTA_INVALID_ARGUMENT", () => table.update({ set: {} }));
  await expectCode("DELTA_INVALID_ARGUMENT", () => table.update({ set: { nmae: "x" } as never }));
  await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.update({ set: { id: 2n ** 70n } }));
  await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.update({ set: { id: "x" } as never }));
  await expectCode("DELTA_INVALID_PREDICATE", () => table.update({ set: { id: sql`nope(id)` } }));
  await expectCode("DELTA_INVALID_PREDICATE", () => table.update({ set: { id: sql`unknown + 1` } }));
  await expectCode("DELTA_INVALID_PREDICATE", () => table.update({ set: { id: sql`(SELECT 1)` } }));
  await expectCode("DELTA_INVALID_PREDICATE", () => table.update({ set: { id: sql`CAST(text AS BIGINT)` } }));
  expect((await filesOf(store)).length).toBe(before);
});

test("columns in structs get values; a struct that was null is there then", async () => {
  const table = Table.open(memoryStore());
  const schema = { id: "long", pos: { x: "double", in: { city: "string", zip: "string" } } } as const;
  await table.create({ schema });
  await table.append([
    { id: 1n, pos: { x: 1, in: { city: "Rome", zip: "00100" } } },
    { id: 2n, pos: null },
    { id: 3n, pos: { x: 3, in: null } },
  ]);
  await table.update({ set: { "pos.x": sql`coalesce(pos.x, 0) + id`, "pos.in.city": "Bonn" } });
  const rows = (await table.toArray()).sort((a, b) => Number((a.id as bigint) - (b.id as bigint)));
  expect(rows).toEqual([
    { id: 1n, pos: { x: 2, in: { city: "Bonn", zip: "00100" } } },
    { id: 2n, pos: { x: 2, in: { city: "Bonn", zip: null } } },
    { id: 3n, pos: { x: 6, in: { city: "Bonn", zip: null } } },
  ]);
  await expectCode("DELTA_INVALID_ARGUMENT", () => table.update({ set: { "pos.nope": 1 } }));
  await expectCode("DELTA_INVALID_ARGUMENT", () => table.update({ set: { pos: null, "pos.x": 1 } }));
});
