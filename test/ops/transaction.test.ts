import { describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import { parseCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

type Row = { id: bigint; part: string; n: number | null };

const FORMS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["copies", {}],
  ["deletion vectors", { "delta.enableDeletionVectors": "true" }],
  ["tracked rows", { "delta.enableRowTracking": "true" }],
];

async function tableOf(properties: Readonly<Record<string, string>> = {}) {
  const store = memoryStore();
  const table = Table.open<Row>(store);
  await table.create({ schema: { id: "long", part: "string", n: "double" }, properties, partitionBy: ["part"] });
  await table.append([
    ...[1, 2, 3].map((id) => ({ id: BigInt(id), part: "a", n: id })),
    ...[4, 5, 6].map((id) => ({ id: BigInt(id), part: "b", n: id })),
  ]);
  return { store, table };
}

async function rowsOf(table: Pick<Table<Row>, "toArray">): Promise<[number, string, number | null][]> {
  const rows = await table.toArray();
  return rows
    .map(({ id, part, n }): [number, string, number | null] => [Number(id), part, n])
    .sort(([a], [b]) => a - b);
}

async function dataFiles(store: ReturnType<typeof memoryStore>): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of store.list("")) if (!path.startsWith("_delta_log/")) paths.push(path);
  return paths;
}

describe.each(FORMS)("with %s", (_, properties) => {
  test("several changes are one version, each on top of the others", async () => {
    const { table, store } = await tableOf(properties);
    const result = await table.transaction(async (tx) => {
      await tx.append([
        { id: 7n, part: "a", n: 7 },
        { id: 8n, part: "c", n: 8 },
      ]);
      expect(await tx.count()).toBe(8);
      expect(await tx.delete({ id: { in: [1n, 7n] } })).toMatchObject({ deletedRowCount: 2 });
      expect(await tx.update({ set: { n: sql`n * 10` }, where: { id: { gte: 3n } } })).toMatchObject({
        updatedRowCount: 5,
      });
      await tx.update({ set: { part: "d" }, where: { id: 8n } });
      expect(await table.count()).toBe(6);
      return rowsOf(tx);
    });
    const expected = [
      [2, "a", 2],
      [3, "a", 30],
      [4, "b", 40],
      [5, "b", 50],
      [6, "b", 60],
      [8, "d", 80],
    ];
    expect(result).toEqual({ version: 2, skipped: false, value: expected });
    expect(await rowsOf(table)).toEqual(expected);
    expect(await rowsOf(Table.open<Row>(store))).toEqual(expected);
    expect((await table.verify()).findings).toEqual([]);
    // Files that one change wrote and the next one did away with are gone.
    const actions = parseCommit(2, await store.get(commitPath(2)));
    const adds = actions.flatMap((action) => ("add" in action ? [action.add.path] : []));
    expect(new Set(adds).size).toBe(adds.length);
    const data = (await dataFiles(store)).filter((path) => path.endsWith(".parquet"));
    const old = (await table.at(1).files()).map(({ path }) => path);
    expect(new Set(data)).toEqual(new Set([...old, ...(await table.files()).map(({ path }) => path)]));
    const [entry] = await table.history();
    expect(entry).toMatchObject({
      operation: "TRANSACTION",
      operationParameters: { operations: '["WRITE","DELETE","UPDATE","UPDATE"]' },
    });
    if (properties["delta.enableRowTracking"] === undefined) return;
    const ids = (await table.toArray({ columns: ["_metadata.row_id"] })).map((row) => Object.values(row)[0]);
    expect(new Set(ids).size).toBe(6);
    await table.append([{ id: 9n, part: "a", n: 9 }]);
    const more = (await table.toArray({ columns: ["_metadata.row_id"] })).map((row) => Object.values(row)[0]);
    expect(new Set(more).size).toBe(7);
  });

  test("an error leaves nothing", async () => {
    const { table, store } = await tableOf(properties);
    const before = await dataFiles(store);
    const failing = table.transaction(async (tx) => {
      await tx.append([{ id: 7n, part: "a", n: 7 }]);
      await tx.delete({ id: 1n });
      throw new RangeError("mine");
    });
    await expect(failing).rejects.toThrow(RangeError);
    await expectCode("DELTA_INVALID_PREDICATE", () =>
      table.transaction(async (tx) => void (await tx.delete("nope > 1"))),
    );
    expect(await table.version()).toBe(1);
    expect(await dataFiles(store)).toEqual(before);
  });

  test("what it read is what others must leave alone", async () => {
    const { table, store } = await tableOf(properties);
    const before = await dataFiles(store);
    const other = Table.open<Row>(store);
    const beside = table.transaction(async (tx) => {
      const count = await tx.count({ where: { part: "a" } });
      await other.append([{ id: 9n, part: "a", n: 9 }]);
      await tx.append([{ id: BigInt(count), part: "counts", n: null }]);
    });
    const error = await expectCode("DELTA_CONCURRENT_APPEND", () => beside);
    expect(error.data).toMatchObject({ version: 2, operation: "WRITE" });
    expect((await dataFiles(store)).length).toBe(before.length + 1);
    // Another partition is nobody's business.
    await table.transaction(async (tx) => {
      const count = await tx.count({ where: { part: "a" } });
      await other.append([{ id: 9n, part: "b", n: 9 }]);
      await tx.append([{ id: BigInt(count), part: "counts", n: null }]);
    });
    expect(await table.count()).toBe(9);
  });
});

test("changes are told for every row of it", async () => {
  const { table } = await tableOf({ "delta.enableChangeDataFeed": "true" });
  await table.transaction(async (tx) => {
    await tx.append([{ id: 7n, part: "c", n: 7 }]);
    await tx.delete({ part: "b" });
    await tx.update({ set: { n: null }, where: { id: 2n } });
  });
  const changes = await table.changes({ from: 2 }).toArray();
  expect(changes.map(({ id, _change_type }) => `${_change_type} ${id}`).sort()).toEqual([
    "delete 4",
    "delete 5",
    "delete 6",
    "insert 7",
    "update_postimage 2",
    "update_preimage 2",
  ]);
  await expectCode("DELTA_INVALID_ARGUMENT", () =>
    table.transaction(async (tx) => {
      await tx.append([{ id: 8n, part: "a", n: 7 }]);
      await tx.delete({ id: 8n });
    }),
  );
  await table.transaction(async (tx) => {
    await tx.overwrite([{ id: 20n, part: "a", n: 1 }], { dynamicPartitions: true });
    await tx.append([{ id: 21n, part: "b", n: 1 }]);
  });
  const last = await table.changes({ from: 3 }).toArray();
  expect(last.map(({ id, _change_type }) => `${_change_type} ${id}`).sort()).toEqual([
    "delete 1",
    "delete 2",
    "delete 3",
    "insert 20",
    "insert 21",
  ]);
});

test("a transaction that does nothing commits nothing, and a repeated one is skipped", async () => {
  const { table } = await tableOf();
  expect(await table.transaction(async (tx) => tx.delete({ id: 100n }))).toMatchObject({ version: 1, skipped: false });
  const txn = { appId: "job", version: 1 };
  await table.transaction(async (tx) => tx.delete({ id: 1n }), { txn });
  expect(await table.transaction(async (tx) => tx.delete({ id: 2n }), { txn })).toEqual({
    version: 2,
    skipped: true,
    value: undefined,
  });
  expect(await table.count()).toBe(5);
});

test("its calls are of no use once it has ended", async () => {
  const { table } = await tableOf();
  let kept: { delete(): Promise<unknown> } | undefined;
  await table.transaction(async (tx) => {
    kept = tx;
    await tx.delete({ id: 1n });
  });
  await expectCode("DELTA_INVALID_ARGUMENT", () => kept!.delete());
  expect(await table.count()).toBe(5);
});

test("a call that fails ends it, also where its error is caught", async () => {
  const { table, store } = await tableOf();
  const before = await dataFiles(store);
  await expectCode("DELTA_INVALID_PREDICATE", () =>
    table.transaction(async (tx) => {
      await tx.append([{ id: 7n, part: "a", n: 7 }]);
      await tx.delete("nope > 1").catch(() => undefined);
    }),
  );
  expect(await table.version()).toBe(1);
  expect(await dataFiles(store)).toEqual(before);
});

test("a change reads what those before it wrote, however long that takes to be stored", async () => {
  const { store } = await tableOf();
  const slow = new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (name !== "putNew") return typeof member === "function" ? member.bind(target) : member;
      return async (...args: Parameters<typeof store.putNew>) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return target.putNew(...args);
      };
    },
  });
  await Table.open<Row>(slow).transaction(async (tx) => {
    await tx.append([{ id: 7n, part: "a", n: 7 }]);
    await tx.update({ set: { n: null }, where: { id: 7n } });
    expect(await tx.toArray({ where: { id: 7n } })).toEqual([{ id: 7n, part: "a", n: null }]);
  });
  expect(await Table.open(store).count({ where: { id: 7n, n: null } })).toBe(1);
});
