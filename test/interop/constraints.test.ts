import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StructField, Table } from "#src/index.js";
import { here, spark } from "./engines.js";

const request = async (path: string, sql: string) =>
  (await spark()).request("sql", { text: sql.replaceAll("TABLE", `delta.\`${path}\``) });
const read = async (path: string) => {
  const { types, rows } = await (await spark()).request<Awaited<ReturnType<typeof here.read>>>("read", { path });
  return { types, rows: rows.map((row) => JSON.stringify(row)).sort() };
};
const readHere = async (path: string) => {
  const { types, rows } = await here.read(path);
  return { types, rows: rows.map((row) => JSON.stringify(row)).sort() };
};

const invariant = JSON.stringify({ expression: { expression: "inv < 1000" } });
const IDENTITY = { "delta.identity.start": 10, "delta.identity.step": 5, "delta.identity.allowExplicitInsert": false };
const COLUMNS: readonly StructField[] = (
  [
    ["id", "long", IDENTITY],
    ["x", "integer", {}],
    ["s", "string", { CURRENT_DEFAULT: "'none'" }],
    ["twice", "long", { "delta.generationExpression": "x * 2L" }],
    ["at", "timestamp", {}],
    ["day", "date", { "delta.generationExpression": "CAST(at AS DATE)" }],
    ["inv", "integer", { "delta.invariants": invariant, CURRENT_DEFAULT: "1 + 1" }],
  ] as const
).map(([name, type, metadata]) => ({ name, type, nullable: name !== "x", metadata }));
const CHECKS = {
  good: "s <> 'bad' AND (x % 2 = 1 OR length(s) > 2)",
  early: "year(at) >= 2000",
};

/** Rows as Spark inserts them, and as they are appended here. */
const GOOD: readonly (readonly [string, object])[] = [
  ["(x, at) values (1, timestamp '2024-02-29 23:00:00')", { x: 1, at: "2024-02-29T23:00:00Z" }],
  ["(x, at, s) values (2, timestamp '2000-01-01 00:00:00', 'long')", { x: 2, at: "2000-01-01T00:00:00Z", s: "long" }],
  [
    "(x, at, twice, day, inv) values (3, timestamp '2024-01-01 01:00:00', 6, date '2024-01-01', 999)",
    { x: 3, at: "2024-01-01T01:00:00Z", twice: 6n, day: "2024-01-01", inv: 999 },
  ],
];
const BAD: readonly (readonly [string, object, string])[] = [
  [
    "(x, at) values (2, timestamp '2024-02-29 23:00:00'), (4, null)",
    { x: 4, at: null },
    "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
  ],
  [
    "(x, at, s) values (1, timestamp '2024-01-01 00:00:00', 'bad')",
    { x: 1, at: "2024-01-01T00:00:00Z", s: "bad" },
    "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
  ],
  [
    "(x, at, s) values (2, timestamp '2024-01-01 00:00:00', 'ab')",
    { x: 2, at: "2024-01-01T00:00:00Z", s: "ab" },
    "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
  ],
  [
    "(x, at, s) values (1, timestamp '2024-01-01 00:00:00', null)",
    { x: 1, at: "2024-01-01T00:00:00Z", s: null },
    "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
  ],
  [
    "(x, at) values (1, timestamp '1999-12-31 23:59:59')",
    { x: 1, at: "1999-12-31T23:59:59Z" },
    "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
  ],
  [
    "(x, at, twice) values (1, timestamp '2024-01-01 00:00:00', 3)",
    { x: 1, at: "2024-01-01T00:00:00Z", twice: 3n },
    "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
  ],
  [
    "(x, at, day) values (1, timestamp '2024-01-01 00:00:00', null)",
    { x: 1, at: "2024-01-01T00:00:00Z", day: null },
    "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
  ],
  [
    "(x, at, inv) values (1, timestamp '2024-01-01 00:00:00', 1000)",
    { x: 1, at: "2024-01-01T00:00:00Z", inv: 1000 },
    "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
  ],
  [
    "(x, at) values (null, timestamp '2024-01-01 00:00:00')",
    { x: null, at: "2024-01-01T00:00:00Z" },
    "DELTA_NOT_NULL_CONSTRAINT_VIOLATED",
  ],
  [
    "(id, x, at) values (1, 1, timestamp '2024-01-01 00:00:00')",
    { id: 1n, x: 1, at: "2024-01-01T00:00:00Z" },
    "DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED",
  ],
];

describe("a table with every rule", () => {
  const paths = new Map<string, string>();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "interop-"));
    const there = join(folder, "there");
    await (await spark()).request("create", { path: there, columns: COLUMNS });
    await request(there, "alter table TABLE set tblproperties ('delta.feature.allowColumnDefaults' = 'supported')");
    await request(there, "alter table TABLE alter column s set default 'none'");
    await request(there, "alter table TABLE alter column inv set default 1 + 1");
    for (const [name, check] of Object.entries(CHECKS)) {
      await request(there, `alter table TABLE add constraint ${name} check (${check})`);
    }
    const own = join(folder, "here");
    const properties = Object.fromEntries(
      Object.entries(CHECKS).map(([name, check]) => [`delta.constraints.${name}`, check]),
    );
    await Table.open(own).create({ schema: { type: "struct", fields: COLUMNS }, properties });
    paths.set("Spark", there).set("delta-table", own);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(["Spark", "delta-table"])("made by %s takes the same rows of both", async (maker) => {
    const path = paths.get(maker)!;
    for (const [sql] of GOOD) await request(path, `insert into TABLE ${sql}`);
    const inSpark = await read(path);
    expect(await readHere(path)).toEqual(inSpark);
    for (const [, row] of GOOD) await Table.open(path).append([row]);
    const both = await read(path);
    expect(await readHere(path)).toEqual(both);
    expect(both.rows).toHaveLength(2 * GOOD.length);
    const values = (rows: readonly string[]) => rows.map((row) => row.replace(/"id":"int:\d+"/, '"id":0')).sort();
    expect(values(both.rows)).toEqual(values([...inSpark.rows, ...inSpark.rows]));
    await request(path, `insert into TABLE ${GOOD[0]![0]}`);
    await Table.open(path).append([GOOD[0]![1]]);
    const ids = (await Table.open(path).toArray({ columns: ["id"] })).map(({ id }) => Number(id));
    expect(new Set(ids).size).toBe(2 * GOOD.length + 2);
    expect(ids.every((id) => id >= 10 && id % 5 === 0)).toBe(true);
    const { findings } = await Table.open(path).verify();
    expect(findings.filter(({ severity }) => severity !== "info")).toEqual([]);
  });

  test("refuses the same rows of both", async () => {
    for (const path of paths.values()) {
      const { length } = (await readHere(path)).rows;
      for (const [sql, row, code] of BAD) {
        await expect(request(path, `insert into TABLE ${sql}`), sql).rejects.toThrow();
        await expect(Table.open(path).append([row]), sql).rejects.toMatchObject({ code });
      }
      expect((await readHere(path)).rows).toHaveLength(length);
    }
  });

  test("is updated by both, generated columns with it", async () => {
    for (const path of paths.values()) {
      await Table.open(path).update({ set: { x: 11 }, where: { x: 1 } });
      await request(path, "update TABLE set x = 13 where x = 3");
      const all = await Table.open(path).toArray();
      expect(all.filter(({ x, twice }) => BigInt(x as number) * 2n !== twice)).toEqual([]);
      expect(await read(path)).toEqual(await readHere(path));
      await expect(Table.open(path).update({ set: { s: "bad" } })).rejects.toMatchObject({ kind: "fix-data" });
      await expect(request(path, "update TABLE set s = 'bad'")).rejects.toThrow();
    }
  });
});
