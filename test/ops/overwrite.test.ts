import { describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

type Row = { id: bigint; day: string; n: number | null };

const FORMS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["copies", {}],
  ["deletion vectors", { "delta.enableDeletionVectors": "true" }],
  ["changes", { "delta.enableChangeDataFeed": "true" }],
  ["mapped columns", { "delta.columnMapping.mode": "name" }],
];

async function tableOf(properties: Readonly<Record<string, string>> = {}, partitionBy: readonly string[] = []) {
  const table = Table.open<Row>(memoryStore());
  await table.create({ schema: { id: "long", day: "string", n: "double" }, properties, partitionBy });
  const days = ["mon", "tue", "wed"];
  await table.append(Array.from({ length: 9 }, (_, i) => ({ id: BigInt(i), day: days[i % 3]!, n: i })));
  return table;
}

async function rowsOf(table: Table<Row>): Promise<[number, string, number | null][]> {
  const rows = await table.toArray();
  return rows.map(({ id, day, n }): [number, string, number | null] => [Number(id), day, n]).sort(([a], [b]) => a - b);
}

const NEW: Row[] = [
  { id: 100n, day: "tue", n: 1 },
  { id: 101n, day: "tue", n: null },
];

describe.each(FORMS)("with %s", (_, properties) => {
  test("all rows are replaced", async () => {
    const table = await tableOf(properties);
    const result = await table.overwrite(NEW);
    expect(result).toMatchObject({ version: 2, rowCount: 2, fileCount: 1, removedFileCount: 1, skipped: false });
    expect(await rowsOf(table)).toEqual([
      [100, "tue", 1],
      [101, "tue", null],
    ]);
    expect(await table.at(1).count()).toBe(9);
    const [entry] = await table.history();
    expect(entry).toMatchObject({ operation: "WRITE", operationParameters: { mode: "Overwrite" } });
  });

  test("the rows of a condition are replaced", async () => {
    const table = await tableOf(properties);
    const result = await table.overwrite(NEW, { where: { day: "tue" } });
    expect(result).toMatchObject({ version: 2, rowCount: 2, fileCount: 1 });
    const others = [0, 2, 3, 5, 6, 8].map((id) => [id, id % 3 === 0 ? "mon" : "wed", id]);
    expect(await rowsOf(table)).toEqual([...others, [100, "tue", 1], [101, "tue", null]]);
    expect((await table.verify()).findings).toEqual([]);
    if (properties["delta.enableChangeDataFeed"] === undefined) return;
    const changes = await table.changes({ from: 2 }).toArray();
    expect(changes.map(({ id, _change_type }) => `${_change_type} ${id}`).sort()).toEqual([
      "delete 1",
      "delete 4",
      "delete 7",
      "insert 100",
      "insert 101",
    ]);
  });

  test("a row that a condition doesn't mean is refused", async () => {
    const table = await tableOf(properties);
    const rows = [...NEW, { id: 102n, day: "mon", n: 1 }];
    const error = await expectCode("DELTA_REPLACE_WHERE_MISMATCH", () =>
      table.overwrite(rows, { where: { day: "tue" } }),
    );
    expect(error.data).toEqual({ row: 2 });
    expect(await table.count()).toBe(9);
    expect((await table.verify()).findings).toEqual([]);
  });

  test("the partitions of the rows are replaced", async () => {
    const table = await tableOf(properties, ["day"]);
    const result = await table.overwrite([...NEW, { id: 200n, day: "sun", n: 2 }], { dynamicPartitions: true });
    expect(result).toMatchObject({ removedFileCount: 1, fileCount: 2 });
    const rows = await rowsOf(table);
    expect(rows.map(([id]) => id)).toEqual([0, 2, 3, 5, 6, 8, 100, 101, 200]);
  });

  test("the schema and the partitions too", async () => {
    const table = await tableOf(properties, ["day"]);
    await table.overwrite([{ name: "a", kind: "k" }] as never, { overwriteSchema: true, partitionBy: ["kind"] });
    expect((await table.schema()).fields.map(({ name, type }) => [name, type])).toEqual([
      ["name", "string"],
      ["kind", "string"],
    ]);
    expect((await table.detail()).partitionColumns).toEqual(["kind"]);
    expect(await table.toArray()).toEqual([{ name: "a", kind: "k" }]);
    expect(await table.at(1).count()).toBe(9);
  });
});

test("the first overwrite creates the table", async () => {
  const table = Table.open<Row>(memoryStore());
  expect(await table.overwrite(NEW, { partitionBy: ["day"] })).toMatchObject({
    version: 0,
    rowCount: 2,
    removedFileCount: 0,
  });
  expect((await table.detail()).partitionColumns).toEqual(["day"]);
});

test("a repeated txn replaces nothing", async () => {
  const table = await tableOf();
  const txn = { appId: "job", version: 3 };
  await table.overwrite(NEW, { txn });
  await table.append([{ id: 5n, day: "x", n: 0 }]);
  expect(await table.overwrite(NEW, { txn })).toMatchObject({ version: 3, skipped: true, rowCount: 0 });
  expect(await table.count()).toBe(3);
});

test("what contradicts itself is refused", async () => {
  const table = await tableOf();
  for (const options of [
    { where: { day: "tue" }, dynamicPartitions: true },
    { where: { day: "tue" }, overwriteSchema: true },
    { where: { day: "tue" }, mergeSchema: true },
    { dynamicPartitions: true, overwriteSchema: true },
  ]) {
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.overwrite(NEW, options));
  }
  const wrong = [{ id: 1n, nope: 2 }] as never;
  await expectCode("DELTA_SCHEMA_MISMATCH", () => table.overwrite(wrong));
  const frozen = await tableOf({ "delta.appendOnly": "true" });
  await expectCode("DELTA_CANNOT_MODIFY_APPEND_ONLY", () => frozen.overwrite(NEW));
  expect(await table.version()).toBe(1);
});
