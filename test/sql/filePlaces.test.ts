import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { planFiles } from "#src/read/plan.js";
import { parseDdl } from "#src/schema/ddl.js";
import { filePlaces } from "#src/sql/filePlaces.js";
import { parseWhere } from "#src/sql/where.js";
import { localStore } from "#src/storage/local.js";
import { expectCode } from "../expectCode.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-table places-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const VECTORS = { "delta.enableDeletionVectors": "true" };

/** Two partitions, three files; the last one alone has the column `late`. */
async function tableOf(properties: Readonly<Record<string, string>> = {}): Promise<Table> {
  const table = Table.open(folder);
  await table.create({
    schema: parseDdl("id long, part string, text string, d double"),
    partitionBy: ["part"],
    properties,
  });
  const rows = (first: number, part: string | null) =>
    Array.from({ length: 200 }, (_, i) => ({
      id: BigInt(first + i),
      part,
      text: i % 10 === 0 ? null : `t${i % 7}`,
      d: i % 50 === 0 ? Number.NaN : i / 4,
    }));
  await table.append(rows(0, "a=1"));
  await table.append(rows(200, null));
  await table.append(
    rows(400, "a=1").map((row) => ({ ...row, late: Number(row.id) })),
    { mergeSchema: true },
  );
  return table;
}

const CONDITIONS = [
  "id % 100 = 7",
  "length(text) = 2 and id % 3 = 0",
  "upper(part) = 'A=1' and id % 2 = 0",
  "part || text = 'a=1t3'",
  "late % 5 = 0",
  "late is null and id % 50 = 1",
  "id > 350 and d + 1 > 20",
  "isnan(d)",
  "id * 2 >= 0",
  "text like '%6%' or id % 97 = 0",
  "id % 1000 = 999",
];

async function idsOf(table: Table, where?: string): Promise<bigint[]> {
  const rows = await table.toArray({ columns: ["id"], ...(where !== undefined && { where }) });
  return rows.map(({ id }) => id as bigint).sort((a, b) => Number(a - b));
}

describe.each([
  ["copies", {}],
  ["vectors", VECTORS],
])("%s", (_, properties) => {
  test("a condition touches the rows that a scan finds by it", async () => {
    const table = await tableOf(properties);
    // Some are gone already.
    await table.delete("id % 11 = 3");
    const version = await table.version();
    for (const where of CONDITIONS) {
      const [all, meant] = [await idsOf(table), new Set(await idsOf(table, where))];
      const { deletedRowCount } = await table.delete(where);
      expect([where, deletedRowCount]).toEqual([where, meant.size]);
      expect(await idsOf(table)).toEqual(all.filter((id) => !meant.has(id)));
      await table.restore(version);
      const { updatedRowCount } = await table.update({ set: { text: sql`'new'` }, where });
      expect([where, updatedRowCount]).toEqual([where, meant.size]);
      expect(new Set(await idsOf(table, "text = 'new'"))).toEqual(meant);
      await table.restore(version);
    }
  });

  test("a condition may fail on rows that are gone, not on others", async () => {
    const table = await tableOf(properties);
    await table.append([{ id: 1000n, part: "b", text: "x", d: 0 }]);
    await expectCode("DELTA_INVALID_PREDICATE", () => table.delete("part = 'b' and cast(text as integer) = 1"));
    await table.append([{ id: 1001n, part: "b", text: "1", d: 0 }]);
    await table.optimize({ where: { part: "b" } });
    await table.delete({ id: 1000n });
    expect((await table.delete("part = 'b' and cast(text as integer) = 1")).deletedRowCount).toBe(1);
  });
});

async function direct(where: string): Promise<number> {
  const snapshot = await new DeltaLog(localStore(folder), {}).latest();
  const predicate = await parseWhere(where, snapshot.schema);
  const files = [];
  for await (const file of planFiles(snapshot, { predicate })) files.push(file);
  return (await filePlaces(snapshot, files, predicate)).size;
}

test("files are left to others that DuckDB would read otherwise, or can't", async () => {
  await tableOf();
  expect(await direct("id % 2 = 0")).toBe(3);
  expect(await direct("random() < 2")).toBe(0);
  await rm(folder, { recursive: true });
  await Table.open(folder).append([{ file_index: 1, id: 1 }]);
  expect(await direct("id % 2 = 1")).toBe(0);
  expect(await direct("file_index + id = 2")).toBe(0);
  expect((await Table.open(folder).delete("file_index + id = 2")).deletedRowCount).toBe(1);
  await rm(folder, { recursive: true });
  await Table.open(folder).append([{ id: 1 }], { properties: { "delta.columnMapping.mode": "name" } });
  expect(await direct("id % 2 = 1")).toBe(0);
});

test("many files are looked through together, in their order", async () => {
  const table = Table.open(folder);
  const schema = { id: "long", part: "long" } as const;
  await table.create({ schema, partitionBy: ["part"] });
  await table.append(Array.from({ length: 700 }, (_, id) => ({ id: BigInt(id), part: BigInt(id % 70) })));
  const { deletedRowCount } = await table.delete("id % 5 = 0 or part + id = 8");
  expect(deletedRowCount).toBe(141);
  expect(await table.count()).toBe(559);
});
