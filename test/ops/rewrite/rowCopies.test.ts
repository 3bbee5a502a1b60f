import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import { parseCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { readFooter } from "#src/parquet/footer.js";
import { localStore } from "#src/storage/local.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { ODD_COLUMNS, oddRows, withTempFolder } from "./oddRows.js";

const ROWS = 16_000;

async function tableOf(store: ObjectStore, properties: Readonly<Record<string, string>>, partitionBy: string[]) {
  const table = Table.open(store);
  await table.create({ schema: ODD_COLUMNS, properties, partitionBy });
  for (const [i, part] of ["a", "a", null].entries()) {
    await table.append(oddRows({ first: i * ROWS, count: ROWS, noiseBytes: 300 }, part) as never);
  }
  return table;
}

async function sorted(table: Table): Promise<Record<string, unknown>[]> {
  const all = (await table.toArray()) as Record<string, unknown>[];
  return all.sort((a, b) => Number(a.id) - Number(b.id));
}

async function addsOf(store: ObjectStore, version: number) {
  const actions = parseCommit(version, await store.get(commitPath(version)));
  return actions.flatMap((action) => ("add" in action && action.add ? [action.add] : []));
}

/** Statistics of all files that a commit added, as one would have them of all rows. */
function bounds(adds: Awaited<ReturnType<typeof addsOf>>) {
  const stats = adds.map(({ stats }) => JSON.parse(stats!));
  const sum = (name: string) => stats.reduce((total, { nullCount }) => total + nullCount[name], 0);
  // Of a file of nulls only, nothing is told.
  const all = (what: string, name: string) =>
    stats
      .filter(({ numRecords, nullCount }) => nullCount[name] < numRecords)
      .map((each) => each[what][name])
      .sort((a, b) => (a < b ? -1 : 1));
  const names = Object.keys(stats[0].nullCount);
  return Object.fromEntries(
    names.map((name) => [name, [sum(name), all("minValues", name)[0], all("maxValues", name).at(-1)]]),
  );
}

const CHANGES: Readonly<Record<string, (table: Table) => Promise<unknown>>> = {
  "a delete of scattered rows": (table) => table.delete("id % 100 = 7"),
  "a delete of rows by a typed predicate": (table) => table.delete("small = 5"),
  "an update": (table) => table.update({ set: { real: sql`real + 1`, text: "new" }, where: "id % 100 = 7" }),
  "a merge": (table) =>
    table.merge(
      [
        { id: 5n, text: "merged" },
        { id: 20_000n, text: "too" },
        { id: -1n, text: "new" },
      ] as never,
      {
        on: ["id"],
        whenMatched: [{ update: { text: sql`source.text` } }],
        whenNotMatched: [{ insert: { id: sql`source.id`, text: sql`source.text` } }],
      },
    ),
  "an optimize": (table) => table.optimize(),
};

const FORMS: readonly (readonly [string, Readonly<Record<string, string>>, string[]])[] = [
  ["a plain table", {}, []],
  [
    "a partitioned one with changes and zstd",
    { "delta.enableChangeDataFeed": "true", "delta.parquet.compression.codec": "zstd" },
    ["part"],
  ],
];

describe("copies that DuckDB writes are those that are written without", () => {
  for (const [form, properties, partitionBy] of FORMS) {
    for (const [name, make] of Object.entries(CHANGES)) {
      test(`${name} of ${form}`, async () => {
        await withTempFolder(async (folder) => {
          const stores = [localStore(folder, { fsync: false }), memoryStore()] as const;
          const tables = await Promise.all(stores.map((store) => tableOf(store, properties, partitionBy)));
          const [ours, other] = await Promise.all(tables.map(make));
          const { addedBytes: _, version, ...facts } = ours as Record<string, unknown>;
          expect(other).toMatchObject(name === "an optimize" ? { addedFileCount: facts.addedFileCount } : facts);
          // To print a difference would take minutes.
          expect(isDeepStrictEqual(await sorted(tables[0]!), await sorted(tables[1]!))).toBe(true);
          const adds = await Promise.all(stores.map((store) => addsOf(store, version as number)));
          expect(bounds(adds[0]!)).toEqual(bounds(adds[1]!));
          const writers = await Promise.all(
            adds[0]!.map(async ({ path, size }) => {
              const footer = await readFooter(stores[0], { path: decodeURIComponent(path), sizeBytes: size });
              return footer.createdBy?.startsWith("DuckDB") ?? false;
            }),
          );
          // Of an update, whole columns are copied where no changes are told.
          const isOfColumns = name === "an update" && !("delta.enableChangeDataFeed" in properties);
          expect(writers.includes(true)).toBe(!isOfColumns);
          if ("delta.enableChangeDataFeed" in properties && name !== "an optimize") {
            const changes = await Promise.all(
              tables.map(async (table) => {
                const rows: unknown[] = [];
                for await (const row of table.changes({ from: version as number }).rows()) rows.push(row);
                return rows.length;
              }),
            );
            expect(changes[0]).toBe(changes[1]);
          }
        });
      });
    }
  }

  test("removed rows stay removed", async () => {
    await withTempFolder(async (folder) => {
      const table = await tableOf(localStore(folder, { fsync: false }), { "delta.enableDeletionVectors": "true" }, []);
      await table.delete("id % 10 = 3");
      await table.optimize({ purge: true });
      expect((await sorted(table)).map(({ id }) => Number(id) % 10)).not.toContain(3);
      expect(await table.count()).toBe(ROWS * 3 * 0.9);
    });
  });
});
