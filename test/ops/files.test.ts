import { afterAll, beforeAll, expect, test } from "vitest";
import { loadSnapshot } from "#src/log/snapshot.js";
import { planFiles } from "#src/read/plan.js";
import { resolveWhere } from "#src/schema/where.js";
import { memoryStore } from "#src/storage/memory.js";
import { Table } from "#src/table.js";
import { expectCode } from "../expectCode.js";

const DAYS = ["2026-01-01", "2026-01-02", null];
const store = memoryStore();
const table = Table.open(store);
/** Each file's rows, by its path. */
const rows = new Map<string, { id: bigint; day: string | null; name: string }[]>();

beforeAll(async () => {
  await table.create({ schema: { id: "long", day: "string", name: "string" }, partitionBy: ["day"] });
  for (let i = 0; i < 9; i++) {
    const day = DAYS[i % 3]!;
    const added = [10n, 15n].map((id) => ({ id: BigInt(i) * 10n + id, day, name: i === 4 ? 'a "b" {c}' : `n${i}` }));
    const before = new Set(rows.keys());
    await table.append(added);
    for (const { path } of await table.files()) if (!before.has(path)) rows.set(path, added);
    // Some files from a checkpoint, others from commits.
    if (i === 5) await table.checkpoint();
  }
});
afterAll(() => rows.clear());

const CONDITIONS = [
  { where: { day: "2026-01-02" }, of: (row: Row) => row.day === "2026-01-02" },
  { where: { day: null }, of: (row: Row) => row.day === null },
  { where: { id: 55n }, of: (row: Row) => row.id === 55n },
  { where: { id: { gte: 60n }, day: "2026-01-01" }, of: (row: Row) => row.id >= 60n && row.day === "2026-01-01" },
  { where: { name: 'a "b" {c}' }, of: (row: Row) => row.name === 'a "b" {c}' },
  { where: { id: 1n }, of: () => false },
];
type Row = { id: bigint; day: string | null; name: string };

for (const { where, of } of CONDITIONS) {
  test(`files where ${JSON.stringify(where, (_, value) => (typeof value === "bigint" ? `${value}` : value))}`, async () => {
    const expected = [...rows].filter(([, held]) => held.some(of)).map(([path]) => path);
    const listed = (await table.files({ where })).map(({ path }) => path);
    expect(listed.sort()).toEqual(expected.sort());
    const snapshot = await loadSnapshot(store);
    const planned: string[] = [];
    for await (const { path } of planFiles(snapshot, { predicate: resolveWhere(where, snapshot.schema) })) {
      planned.push(path);
    }
    expect(planned.sort()).toEqual(listed);
    let count = 0;
    for await (const batch of table.fileBatches({ columns: ["size"], where })) {
      expect(batch.schema.fields.map(({ name }) => name)).toEqual(["size"]);
      count += batch.numRows;
    }
    expect(count).toBe(expected.length);
  });
}

test("a file listed by a condition is told as it is without", async () => {
  const all = await table.files();
  for (const file of await table.files({ where: { id: { lt: 45n } } })) {
    expect(file).toEqual(all.find(({ path }) => path === file.path));
  }
});

test("a condition in SQL", async () => {
  const listed = await table.files({ where: "day = '2026-01-02' AND id > 60" });
  const expected = [...rows].filter(([, held]) => held.some(({ id, day }) => day === "2026-01-02" && id > 60n));
  expect(listed.map(({ path }) => path).sort()).toEqual(expected.map(([path]) => path).sort());
  const upper = await table.files({ where: "right(day, 1) = '1'" });
  expect(upper.length).toBe(3);
});

test("a condition on a column that isn't there", async () => {
  await expectCode("DELTA_INVALID_PREDICATE", () => table.files({ where: { nothing: 1 } }));
  await expectCode("DELTA_INVALID_ARGUMENT", () => table.files({ where: { id: 1n }, partitionTimeZone: "nowhere" }));
});
