import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import { parseCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { readFooter } from "#src/parquet/footer.js";
import { SqlText } from "#src/schema/sqlText.js";
import { localStore } from "#src/storage/local.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import fc from "../../fastCheck.js";
import { ODD_COLUMNS, oddRows, withTempFolder } from "./oddRows.js";

const SCHEMA = {
  type: "struct",
  fields: [
    ...Object.entries(ODD_COLUMNS).map(([name, type]) => ({ name, type, nullable: name !== "id", metadata: {} })),
    {
      name: "list",
      type: { type: "array", elementType: "long", containsNull: true },
      nullable: true,
      metadata: {},
    },
  ],
};

/** Expressions by the column they are for. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  small: ["small % 10", "NULL", "id % 100"],
  money: ["money + 0.5", "NULL", "id"],
  cents: ["-cents", "CASE WHEN id % 2 = 0 THEN cents END"],
  real: ["real + 1", "'NaN'::DOUBLE", "-0.0::DOUBLE", "id / 3", "CASE WHEN id % 2 = 0 THEN 'inf'::DOUBLE END"],
  single: ["single * 2", "-0.0::FLOAT", "'NaN'::FLOAT"],
  text: ["upper(text)", "text || part", "repeat('ü', 50)", "NULL", "money::VARCHAR"],
  bytes: ["'abc'::BLOB", "NULL"],
  day: ["day + 1", "DATE '0001-01-01'"],
  at: ["at + INTERVAL 1 DAY", "NULL"],
  local: ["local - INTERVAL 1 SECOND"],
  flag: ["NOT flag", "id % 2 = 0"],
};
/** And values as they are. */
const CONSTANTS: Readonly<Record<string, readonly unknown[]>> = {
  small: [5, null],
  cents: ["12.30"],
  real: [-0, Number.NaN, 2.5],
  text: ["new 'text'", "", null],
  bytes: [new Uint8Array([1, 0, 255])],
  day: ["0001-01-01"],
  at: ["1600-01-01T00:00:00.000001Z", null],
  flag: [true],
};
const CONDITIONS = [
  undefined,
  "id % 100 = 7",
  "id % 2 = 1",
  "part = 'a' AND text IS NOT NULL",
  "real > 20",
  "list[1] = 5",
  "id < 5",
  "small IS NULL OR id >= 0",
];
const ROWS = 1000;

function rows(first: number, part: string | null): Record<string, unknown>[] {
  return oddRows({ first, count: ROWS, noiseBytes: 400 }, part).map((row, i) => ({
    ...row,
    list: i % 6 === 0 ? null : [BigInt(i % 9), null],
  }));
}

async function tableOf(store: ObjectStore, properties: Readonly<Record<string, string>>, partitionBy: string[]) {
  const table = Table.open(store);
  await table.create({ schema: SCHEMA as never, properties, partitionBy });
  for (const [i, part] of ["a", "b", null].entries()) await table.append(rows(i * ROWS, part) as never);
  return table;
}

const text = (value: unknown) =>
  JSON.stringify(value, (_, member) => {
    if (typeof member === "bigint") return `${member}n`;
    if (typeof member === "number") return Object.is(member, -0) ? "-0" : String(member);
    return member instanceof Uint8Array ? Buffer.from(member).toString("hex") : member;
  });

async function rowTexts(table: Table): Promise<string[]> {
  const all = (await table.toArray()) as Record<string, unknown>[];
  return all.sort((a, b) => Number(a.id) - Number(b.id)).map(text);
}

async function addsOf(store: ObjectStore, version: number) {
  const actions = parseCommit(version, await store.get(commitPath(version)));
  return actions.flatMap((action) => ("add" in action && action.add ? [action.add] : []));
}

/** Statistics of all files of a commit, as one would have them of all rows. */
function bounds(adds: Awaited<ReturnType<typeof addsOf>>) {
  const stats = adds.map((add) => JSON.parse(add.stats!));
  const order = (a: unknown, b: unknown) => ((a as number) < (b as number) ? -1 : 1);
  const all = (what: string, name: string) =>
    stats
      .map((each) => each[what]?.[name])
      .filter((value) => value !== undefined)
      .sort(order);
  return Object.keys(stats[0]?.nullCount ?? {})
    .sort()
    .map((name) => [
      name,
      stats.reduce((total, { nullCount }) => total + nullCount[name], 0),
      all("minValues", name)[0],
      all("maxValues", name).at(-1),
    ]);
}

/** Whether rows are in the places that they had before. */
async function staysInPlace(table: Table, version: number, column = "id"): Promise<boolean> {
  const ids = async (at: Table) =>
    new Set(((await at.scan({ columns: [column] }).toArray()) as Record<string, unknown>[]).map(text));
  const [before, after] = [[...(await ids(table.at(version - 1)))], [...(await ids(table))]];
  const firsts = (all: readonly string[]) => all.map((id, i) => [id, all[i + 1]].join());
  // Files may come in another order.
  const was = new Set(firsts(before));
  return firsts(after).filter((pair) => !was.has(pair)).length <= 3;
}

describe("columns that are written anew beside others' bytes", () => {
  test("rows, statistics and counts are those of files that are written whole", async () => {
    const set = fc
      .subarray(Object.keys(VALUES), { minLength: 1, maxLength: 3 })
      .chain((names) =>
        fc.record(
          Object.fromEntries(
            names.map((name) => [
              name,
              fc.constantFrom(...VALUES[name]!.map((value) => new SqlText(value)), ...(CONSTANTS[name] ?? [])),
            ]),
          ),
        ),
      );
    const form = fc.record({
      set,
      where: fc.constantFrom(...CONDITIONS),
      partitionBy: fc.constantFrom<string[][]>([], ["part"]),
      codec: fc.constantFrom("snappy", "zstd", "uncompressed"),
      vectors: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(form, async ({ set, where, partitionBy, codec, vectors }) => {
        await withTempFolder(async (folder) => {
          const stores = [localStore(folder, { fsync: false }), memoryStore()] as const;
          const properties = {
            "delta.parquet.compression.codec": codec,
            ...(vectors && { "delta.enableDeletionVectors": "true" }),
          };
          const tables = await Promise.all(stores.map((store) => tableOf(store, properties, partitionBy)));
          const change = {
            set,
            ...(where !== undefined && { where }),
          } as never;
          const [ours, others] = await Promise.allSettled(tables.map((table) => table!.update(change)));
          if (ours!.status === "rejected" && others!.status !== "rejected") throw ours!.reason;
          expect(ours!.status).toBe(others!.status);
          if (ours!.status === "rejected" || others!.status === "rejected") {
            expect((ours as PromiseRejectedResult).reason.code).toBe((others as PromiseRejectedResult).reason.code);
            return;
          }
          const { version, updatedRowCount, copiedRowCount } = ours!.value;
          expect({ updatedRowCount, copiedRowCount }).toEqual({
            updatedRowCount: others!.value.updatedRowCount,
            copiedRowCount: others!.value.copiedRowCount,
          });
          const [found, wanted] = await Promise.all(tables.map(rowTexts));
          expect(found!.findIndex((row, i) => row !== wanted![i])).toBe(-1);
          if (version === undefined) return;
          const adds = await Promise.all(stores.map((store) => addsOf(store, version)));
          expect(bounds(adds[0]!)).toEqual(bounds(adds[1]!));
          // Decimals of so many digits, DuckDB stores in another way; for constants in small files, it isn't started.
          const isForDuckdb = !("money" in set) && Object.values(set).some((value) => value instanceof SqlText);
          if (!vectors && isForDuckdb) expect(await staysInPlace(tables[0]!, version)).toBe(true);
        });
      }),
      { numRuns: 15 },
    );
  });

  test("of files with several row groups, each gets its own", async () => {
    await withTempFolder(async (folder) => {
      const db = await (await DuckDBInstance.create(":memory:")).connect();
      await db.run(`COPY (SELECT range AS id, range / 8 AS real, md5(range::VARCHAR) || md5((range + 1)::VARCHAR) AS text
        FROM range(20000)) TO '${folder}/a.parquet' (FORMAT parquet, ROW_GROUP_SIZE 4096)`);
      db.closeSync();
      const table = Table.open(folder);
      await table.convert();
      const { version, updatedRowCount } = await table.update({
        set: { real: sql`real + 1` },
        where: "id % 1000 = 7",
      } as never);
      expect(updatedRowCount).toBe(20);
      const store = localStore(folder);
      const [add] = await addsOf(store, version!);
      const footer = await readFooter(store, { path: add!.path, sizeBytes: add!.size });
      expect(footer.rowGroups.map(({ rowCount }) => rowCount)).toEqual([4096, 4096, 4096, 4096, 3616]);
      const all = (await table.toArray()) as { id: bigint; real: number }[];
      const isRight = ({ id, real }: { id: bigint; real: number }, i: number) =>
        id === BigInt(i) && real === i / 8 + (i % 1000 === 7 ? 1 : 0);
      expect(all.findIndex((row, i) => !isRight(row, i))).toBe(-1);
      expect(JSON.parse(add!.stats!).maxValues.real).toBe(19_999 / 8);
    });
  });

  test("a required column that would become null isn't written", async () => {
    await withTempFolder(async (folder) => {
      const store = localStore(folder, { fsync: false });
      const table = await tableOf(store, {}, []);
      const change = table.update({ set: { id: sql`CASE WHEN id <> 7 THEN id END` }, where: "id % 100 = 7" } as never);
      await expect(change).rejects.toMatchObject({ code: "DELTA_NOT_NULL_CONSTRAINT_VIOLATED" });
      expect(await table.version()).toBe(3);
      const files: string[] = [];
      for await (const { path } of store.list("")) if (path.endsWith(".parquet")) files.push(path);
      expect(files.length).toBe(3);
    });
  });

  test("rows that changes are told of, or that have ids, are written one by one", async () => {
    for (const property of ["delta.enableChangeDataFeed", "delta.enableRowTracking"]) {
      await withTempFolder(async (folder) => {
        const stores = [localStore(folder, { fsync: false }), memoryStore()] as const;
        const tables = await Promise.all(stores.map((store) => tableOf(store, { [property]: "true" }, [])));
        const change = { set: { real: sql`real + 1` }, where: "id % 100 = 7" } as never;
        const [ours, others] = await Promise.all(tables.map((table) => table.update(change)));
        expect(ours!.updatedRowCount).toBe(others!.updatedRowCount);
        const [found, wanted] = await Promise.all(tables.map(rowTexts));
        expect(found!.findIndex((row, i) => row !== wanted![i])).toBe(-1);
      });
    }
  });
});
