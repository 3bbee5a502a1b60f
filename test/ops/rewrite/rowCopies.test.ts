import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import { parseCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { readFooter } from "#src/parquet/footer.js";
import { localStore } from "#src/storage/local.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";

const SCHEMA = {
  id: "long",
  part: "string",
  small: "byte",
  money: "decimal(20,2)",
  cents: "decimal(9,2)",
  real: "double",
  single: "float",
  text: "string",
  bytes: "binary",
  day: "date",
  at: "timestamp",
  local: "timestamp_ntz",
  flag: "boolean",
} as const;

const ROWS = 16_000;

async function withTempFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "delta-copies-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Rows with nulls and odd values, so many that DuckDB is worth its start. */
function rows(first: number, part: string | null): Record<string, unknown>[] {
  let seed = first + 1;
  const noise = () => {
    const bytes = new Uint8Array(300);
    for (let i = 0; i < bytes.length; i++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      bytes[i] = seed >> 16;
    }
    return bytes;
  };
  return Array.from({ length: ROWS }, (_, i) => ({
    id: BigInt(first + i),
    part,
    small: i % 7 === 0 ? null : (i % 200) - 100,
    money: i % 11 === 0 ? null : `${i * 1_000_003 - 77}.25`,
    cents: `${-i}.10`,
    real: i % 997 === 0 ? Number.NaN : i % 3 === 0 ? -0 : i / 8,
    single: [0, -0, -0.5][i % 3],
    text: i % 5 === 0 ? null : `${"ü".repeat(i % 60)}${i}`,
    bytes: noise(),
    day: i % 3 === 0 ? "0001-01-01" : "2024-02-29",
    at: i % 2 === 0 ? new Date(i * 1000) : "0001-01-01T00:00:00.000001Z",
    local: "1500-01-01T00:00:00.123456",
    flag: i % 4 === 0 ? null : i % 3 === 0,
  }));
}

async function tableOf(store: ObjectStore, properties: Readonly<Record<string, string>>, partitionBy: string[]) {
  const table = Table.open(store);
  await table.create({ schema: SCHEMA, properties, partitionBy });
  for (const [i, part] of ["a", "a", null].entries()) await table.append(rows(i * ROWS, part) as never);
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
