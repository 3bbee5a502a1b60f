import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { expectCode } from "../expectCode.js";

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "skipped-"));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

const SCHEMA = { id: "long", city: "string", day: "date", ts: "timestamp", ratio: "double", other: "long" } as const;

/** A file for each of the rows; all but those of `kept` are lost, so that reading any other one fails. */
async function withFilesOf(kept: readonly number[], rows: readonly object[], partitionBy: readonly string[] = []) {
  const table = Table.open(path);
  await table.create({ schema: SCHEMA, partitionBy });
  for (const [i, row] of rows.entries()) {
    const { version } = await table.append([{ id: i, ...row }]);
    const before = new Set((await table.at(version - 1).files()).map((file) => file.path));
    const [added] = (await table.files()).filter((file) => !before.has(file.path));
    if (!kept.includes(i)) rmSync(join(path, decodeURIComponent(added!.path)));
  }
  return table;
}

const idsWhere = async (table: Table, where: string) =>
  (await table.toArray({ columns: ["id"], where })).map(({ id }) => Number(id)).sort((a, b) => a - b);

const PLACES = [
  { city: "Rome", day: "2024-01-31" },
  { city: "roma", day: "2024-02-01" },
  { city: null, day: "2024-02-02" },
  { city: "Bonn", day: null },
];

test.each([
  ["upper(city) = 'ROME'", [0]],
  ["lower(city) LIKE '%om%'", [0, 1]],
  ["year(day) = 2024 AND month(day) = 2", [1, 2]],
  ["coalesce(city, 'none') = 'none'", [2]],
  ["NOT (upper(city) = 'ROME')", [1, 3]],
  ["city || day::VARCHAR = 'Rome2024-01-31' OR length(city) > 10", [0]],
  ["upper(city) = 'ROME' AND id % 2 = 0", [0]],
  ["CASE WHEN city = 'Bonn' THEN day IS NULL ELSE false END", [3]],
])("files of partitions that %s rules out are not read", async (where, ids) => {
  const table = await withFilesOf(ids, PLACES, ["city", "day"]);
  expect(await idsWhere(table, where)).toEqual(ids);
});

test("whole partitions are deleted by an expression, unread", async () => {
  const table = await withFilesOf([], PLACES, ["city", "day"]);
  await table.delete("upper(city) LIKE 'RO%' AND year(day) = 2024");
  expect(await table.count()).toBe(2);
});

test("an expression that fails for some partition fails only where its rows are looked at", async () => {
  const table = await withFilesOf([0, 1], [{ city: "7" }, { city: "x" }], ["city"]);
  expect(await idsWhere(table, "city <> 'x' AND CAST(city AS INTEGER) > 3")).toEqual([0]);
  await expectCode("DELTA_INVALID_PREDICATE", () => table.toArray({ where: "CAST(city AS INTEGER) > 3" }));
});

test("a random condition is one of each row", async () => {
  const table = Table.open(path);
  const rows = Array.from({ length: 2000 }, (_, i) => ({ id: BigInt(i), city: "x" }));
  await table.append(rows, { partitionBy: ["city"] });
  const count = await table.count({ where: "random() + length(city) < 1.5" });
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThan(2000);
});

test.each([
  ["CAST(ts AS DATE) = DATE '2024-02-01'", [1, 2]],
  ["CAST(ts AS DATE) < '2024-02-01'", [0]],
  ["CAST(ts AS DATE) <= DATE '2024-02-01'", [0, 1, 2]],
  ["DATE '2024-02-01' < CAST(ts AS DATE)", [3]],
  ["CAST(ts AS DATE) >= DATE '2024-02-01'", [1, 2, 3]],
])("files of other days than %s are not read", async (where, ids) => {
  const times = [
    "2024-01-31T23:59:59.900Z",
    "2024-02-01T00:00:00Z",
    "2024-02-01T23:59:59.998Z",
    "2024-02-02T00:00:00Z",
  ];
  const table = await withFilesOf(
    ids,
    times.map((ts) => ({ ts: new Date(ts) })),
  );
  expect(await idsWhere(table, where)).toEqual(ids);
});

test.each([
  ["city LIKE 'Ro%e'", [0]],
  ["city LIKE 'r_ma'", [1]],
  ["id > 100 OR city LIKE 'Ro%e'", [0]],
])("files of other beginnings than %s are not read", async (where, ids) => {
  const table = await withFilesOf(
    ids,
    PLACES.map(({ city }) => ({ city })),
  );
  expect(await idsWhere(table, where)).toEqual(ids);
});

test("files that have only nulls in a compared column are not read", async () => {
  const table = await withFilesOf([1, 2], [{ other: null }, { other: 1n }, { other: 7n }]);
  expect(await idsWhere(table, "id = other")).toEqual([1]);
});

test.each([
  ["ratio = 0.5", [0]],
  ["ratio IN (0.5, 0.25)", [0]],
  ["ratio < 1", [0]],
  ["ratio <= 0.5", [0]],
])("a number is looked for by %s in no file whose numbers are other ones, NaN or not", async (where, ids) => {
  const table = await withFilesOf(ids, [{ ratio: 0.5 }, { ratio: 1.5 }]);
  expect(await idsWhere(table, where)).toEqual(ids);
});

test("a number is found among files whose bounds may hide NaN", async () => {
  const table = await withFilesOf([1, 2, 3], [{ ratio: 0.5 }, { ratio: 1.5 }, { ratio: Number.NaN }, { ratio: 1.75 }]);
  expect(await idsWhere(table, "ratio = 1.5")).toEqual([1]);
});
