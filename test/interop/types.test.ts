import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { readFooter } from "#src/parquet/footer.js";
import { parseFaithfulJson } from "#src/schema/exactJson.js";
import { localStore } from "#src/storage/local.js";
import type { Content } from "./canonical.js";
import { here, removeCommitsBefore, sortedById, spark } from "./engines.js";
import { comparedVersions } from "./versions.js";

/** Runs statements about `TABLE`, a checkpoint where one says so; each other is a version. */
async function history(path: string, statements: readonly string[]): Promise<void> {
  const peer = await spark();
  for (const statement of statements) {
    if (statement === "checkpoint") await peer.request("checkpoint", { path });
    else await peer.request("sql", { text: statement.replaceAll("TABLE", `delta.\`${path}\``) });
  }
}

interface SparkTable {
  path(): string;
  /** What Spark reads of a version. It is asked once. */
  content(version: number): Promise<Content>;
}

function tableOf(statements: readonly string[]): SparkTable {
  let path = "";
  const contents = new Map<number, Content>();
  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    await history(path, statements);
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));
  const content = async (version: number) => {
    const known = contents.get(version);
    if (known !== undefined) return known;
    const read = sortedById(await (await spark()).request<Content>("read", { path, version }));
    contents.set(version, read);
    return read;
  };
  return { path: () => path, content };
}

/** Compares every version with what Spark reads of it, value by value. */
async function expectSameAsSpark(table: SparkTable, first: number): Promise<number> {
  const last = await Table.open(table.path()).version();
  for (const version of comparedVersions(last, first)) {
    const theirs = await table.content(version);
    expect(sortedById(await here.read(table.path(), version)), `version ${version}`).toEqual(theirs);
  }
  return last;
}

const WIDENED: readonly (readonly [column: string, types: readonly string[], values: readonly string[]])[] = [
  ["b_s", ["tinyint", "smallint", "int", "bigint"], ["-128", "32767", "-2147483648", "9223372036854775807"]],
  ["b_i", ["tinyint", "int"], ["127", "2147483647"]],
  ["s_l", ["smallint", "bigint"], ["-32768", "-9223372036854775808"]],
  ["f_d", ["float", "double"], ["float('0.1')", "double('0.1')"]],
  ["b_d", ["tinyint", "double"], ["-7", "0.5d"]],
  ["s_d", ["smallint", "double"], ["32767", "double('NaN')"]],
  ["i_d", ["int", "double"], ["2147483647", "-1e300d"]],
  ["b_m", ["tinyint", "decimal(10,0)", "decimal(12,2)"], ["-128", "9999999999", "-1234567890.12"]],
  ["s_m", ["smallint", "decimal(12,2)"], ["-32768", "9999999999.99"]],
  ["i_m", ["int", "decimal(38,28)"], ["-2147483648", "1234567890.1234567890123456789012345678"]],
  ["l_m", ["bigint", "decimal(22,2)"], ["-9223372036854775808", "99999999999999999999.99"]],
  [
    "m_m",
    ["decimal(6,2)", "decimal(18,2)", "decimal(38,10)"],
    ["-1234.56", "1234567890123456.78", "-1234567890123456789012345678.0123456789"],
  ],
  ["d_n", ["date", "timestamp_ntz"], ["date'1969-12-31'", "timestamp_ntz'2024-01-31 12:00:00.123456'"]],
];

describe("columns whose types were widened [R-TW-1]", () => {
  const steps = Math.max(...WIDENED.map(([, types]) => types.length));
  const valuesAt = (id: number, step: number) =>
    `(${[id, ...WIDENED.map(([, , values]) => values[Math.min(step, values.length - 1)]!)].join(", ")})`;
  const nulls = (id: number) => `(${[id, ...WIDENED.map(() => "null")].join(", ")})`;
  const statements = [
    `create table TABLE (id bigint, ${WIDENED.map(([name, [type]]) => `${name} ${type}`).join(", ")}) using delta tblproperties ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported')`,
    `insert into TABLE values ${valuesAt(1, 0)}, ${nulls(2)}`,
  ];
  for (let step = 1; step < steps; step++) {
    const changes = WIDENED.flatMap(([name, types]) =>
      types[step] === undefined ? [] : [`${name} type ${types[step]}`],
    );
    statements.push(`alter table TABLE alter column ${changes.join(", ")}`);
    statements.push(`insert into TABLE values ${valuesAt(10 * step, step)}, ${nulls(10 * step + 1)}`);
    if (step === 1) statements.push("checkpoint");
  }
  const table = tableOf(statements);

  test("are read at every version", async () => {
    expect(await expectSameAsSpark(table, 0)).toBe(statements.length - 2);
  });

  test("are found by conditions on values of old files", async () => {
    const read = async (where: string) => {
      const rows = await Table.open(table.path()).toArray({ where, columns: ["id"] });
      return rows.map(({ id }) => Number(id)).sort((a, b) => a - b);
    };
    for (const where of [
      "b_s = -128",
      "f_d = 0.1",
      "i_m < -2147483647.5",
      "l_m = -9223372036854775808",
      "m_m = -1234.56",
      "d_n < timestamp '2000-01-01 00:00:00'",
      "b_m between -128 and 0",
    ]) {
      const theirs = await (await spark()).request<{ id: number }[]>("sql", {
        text: `select id from delta.\`${table.path()}\` where ${where} order by id`,
      });
      expect(await read(where), where).toEqual(theirs.map(({ id }) => id));
    }
    // Spark passes over the file: its greatest value, a float, says 0.1, but as a double it is 0.10000000149011612.
    expect(await read("f_d > 0.1")).toEqual([1]);
  });

  test("have nothing that verify finds", async () => {
    const { findings } = await Table.open(table.path()).verify();
    expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("are read from the checkpoint and what follows it", async () => {
    const version = 3;
    await removeCommitsBefore(table.path(), version);
    await expectSameAsSpark(table, version);
  });
});

describe("types widened in structs, arrays and maps, and of partition columns [R-TW-2]", () => {
  const table = tableOf([
    "create table TABLE (id bigint, s struct<a: tinyint, b: struct<c: float>>, l array<smallint>, m map<tinyint, array<struct<d: date>>>, p int, q date, r decimal(4,2)) using delta partitioned by (p, q, r) tblproperties ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported')",
    "insert into TABLE values (1, named_struct('a', 1Y, 'b', named_struct('c', float('0.1'))), array(1S, null), map(1Y, array(named_struct('d', date'2024-01-31'))), 7, date'2024-01-31', 12.30), (2, null, null, null, null, null, null)",
    "alter table TABLE alter column s.a type int, s.b.c type double, l.element type bigint, m.key type int, m.value.element.d type timestamp_ntz",
    "checkpoint",
    "alter table TABLE alter column p type bigint, q type timestamp_ntz, r type decimal(10,4)",
    "insert into TABLE values (3, named_struct('a', 2147483647, 'b', named_struct('c', 0.1d)), array(9223372036854775807), map(2147483647, array(named_struct('d', timestamp_ntz'2024-01-31 12:00:00'))), 9223372036854775807, timestamp_ntz'2024-01-31 12:00:00.5', -123456.7891)",
  ]);

  test("are read at every version", async () => {
    await expectSameAsSpark(table, 0);
  });

  test("are found by their partitions", async () => {
    const ids = async (where: string) =>
      (await Table.open(table.path()).toArray({ where })).map(({ id }) => Number(id)).sort((a, b) => a - b);
    expect(await ids("p = 7")).toEqual([1]);
    expect(await ids("r = 12.3")).toEqual([1]);
    expect(await ids("q < timestamp '2024-01-31 10:00:00'")).toEqual([1]);
    expect(await ids("p > 7")).toEqual([3]);
  });
});

/** JSON as a value that doesn't depend on the order of members, nor on how numbers are written. */
const parsed = (json: string | null | undefined): unknown =>
  json === null || json === undefined ? null : JSON.parse(json);

interface VariantRow {
  readonly v: unknown;
  readonly s: { readonly v: unknown } | null;
  readonly l: readonly unknown[] | null;
  readonly m: ReadonlyMap<string, unknown> | null;
}

describe("variants", () => {
  const json = [
    '{"a": 1, "b": [true, null, "x"], "c": {"d": 1.5}}',
    '[1, 2.25, 12345678901234567890123, "é\\n\\"", {}, []]',
    '"text"',
    "null",
    "9007199254740993",
    "-0.5e-3",
    '{"long name of a member that is repeated": {"z": 1, "a": 2}}',
    `"${"x".repeat(100)}"`,
  ];
  const casts = [
    "cast(cast(1 as tinyint) as variant)",
    "cast(cast(-300 as smallint) as variant)",
    "cast(70000 as variant)",
    "cast(float('0.1') as variant)",
    "cast(0.1d as variant)",
    "cast(cast(12.340 as decimal(5,3)) as variant)",
    "cast(cast('12345678901234567890.123' as decimal(38,3)) as variant)",
    "cast(date'1969-12-31' as variant)",
    "cast(X'0102ff' as variant)",
    "cast(true as variant)",
    "cast(null as variant)",
    "cast(array(1, null) as variant)",
  ];
  const rows = [...json.map((text) => `parse_json('${text.replaceAll("\\", "\\\\")}')`), ...casts];
  const table = tableOf([
    "create table TABLE (id bigint, v variant, s struct<v: variant>, l array<variant>, m map<string, variant>) using delta",
    ...[
      "insert into TABLE values " +
        rows.map((v, id) => `(${id}, ${v}, named_struct('v', ${v}), array(${v}, null), map('k', ${v}))`).join(", "),
    ],
    "insert into TABLE values (100, null, null, null, null), (101, parse_json('7'), named_struct('v', null), array(), map())",
    "checkpoint",
    'insert into TABLE values (102, parse_json(\'{"k": "last"}\'), null, null, null)',
  ]);
  const theirs = async (version: number) =>
    (await spark()).request<Record<string, string | null>[]>("sql", {
      text: `select id, to_json(v) v, to_json(s.v) sv, to_json(get(l, 0)) l0, size(l) ln, to_json(m['k']) mk from delta.\`${table.path()}\` version as of ${version} order by id`,
    });

  test.each([1, 2, 3])("are read as their JSON at version %i", async (version) => {
    const mine = (await Table.open(table.path()).at(version).toArray()).sort((a, b) => Number(a.id) - Number(b.id));
    const expected = await theirs(version);
    expect(mine).toHaveLength(expected.length);
    // The number of 23 digits is one that only text holds.
    const plain = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value ?? null, (_, part) => (typeof part === "bigint" ? Number(part) : part)));
    const numeric = (value: unknown) => (value === "12345678901234567890.123" ? Number(value) : value);
    for (const [i, row] of expected.entries()) {
      const { v, s, l, m } = mine[i] as unknown as VariantRow;
      expect(numeric(plain(v)), `v of ${row.id}`).toEqual(parsed(row.v));
      expect(numeric(plain(s?.v)), `s.v of ${row.id}`).toEqual(parsed(row.sv));
      expect(numeric(plain(l?.[0])), `l[0] of ${row.id}`).toEqual(parsed(row.l0));
      expect(numeric(plain(m?.get("k"))), `m.k of ${row.id}`).toEqual(parsed(row.mk));
      expect(l?.length ?? -1).toBe(row.ln ?? -1);
    }
  });

  test("keep all digits", async () => {
    const [row] = await Table.open(table.path()).toArray({ where: "id = 1" });
    expect((row!.v as unknown[])[2]).toBe(12345678901234567890123n);
  });

  test("have nothing that verify finds", async () => {
    const { findings } = await Table.open(table.path()).verify();
    expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("can be asked for by SQL, and for null", async () => {
    const ids = async (where: string) =>
      (await Table.open(table.path()).toArray({ where })).map(({ id }) => Number(id)).sort((a, b) => a - b);
    expect(await ids("v is null")).toEqual([18, 100]);
    expect(await ids("v ->> 'k' = 'last'")).toEqual([102]);
  });
});

describe("shredded variants", () => {
  const json = [
    '{"a": 1, "b": {"c": "x", "d": [1.5, -2.25]}, "z": [1, {"y": null}]}',
    '{"a": "no number", "b": {"c": null, "d": ["text", 3.5, null, {}]}}',
    '{"a": 9007199254740993, "b": "no object"}',
    '{"b": {"e": 1, "d": []}, "A": 0}',
    "{}",
    "[1, 2]",
    "null",
    '{"a": null, "b": {}}',
  ];
  const table = tableOf([
    "create table TABLE (id bigint, v variant, l array<variant>) using delta tblproperties ('delta.enableVariantShredding' = 'true')",
    "set spark.sql.variant.writeShredding.enabled=true",
    "set spark.sql.variant.forceShreddingSchemaForTest=a bigint, b struct<c string, d array<decimal(5,2)>>",
    `insert into TABLE values ${json.map((text, id) => `(${id}, parse_json('${text}'), array(parse_json('${text}')))`).join(", ")}, (100, null, null)`,
    "reset spark.sql.variant.forceShreddingSchemaForTest",
    "reset spark.sql.variant.writeShredding.enabled",
  ]);

  test("are put together again [R-VAR-2]", async () => {
    const rows = (await Table.open(table.path()).toArray()).sort((a, b) => Number(a.id) - Number(b.id));
    const expected = json.map((text) => parseFaithfulJson(text));
    expect(rows.map(({ v }) => v)).toEqual([...expected, null]);
    expect(rows.map(({ l }) => l)).toEqual([...expected.map((value) => [value]), null]);
    const names = new Set<string>();
    for (const { path } of await Table.open(table.path()).files()) {
      const store = localStore(table.path());
      const { leaves } = await readFooter(store, { path, sizeBytes: (await store.head(path))!.sizeBytes });
      for (const leaf of leaves) names.add(leaf.path.join("."));
    }
    expect([...names]).toContain("v.typed_value.b.typed_value.c.typed_value");
  });
});

describe("texts of a given length", () => {
  const table = tableOf([
    // What is stored, without the blanks that Spark adds to char when it reads.
    "set spark.sql.readSideCharPadding=false",
    "create table TABLE (id bigint, c char(5), v varchar(10), s struct<c: char(3)>, l array<varchar(3)>) using delta",
    "insert into TABLE values (1, 'ab', 'cd ', named_struct('c', 'x'), array('y')), (2, null, null, null, null)",
    "checkpoint",
    "insert into TABLE values (3, 'abcde', 'é', named_struct('c', 'xyz'), array())",
  ]);

  test("are read at every version", async () => {
    await expectSameAsSpark(table, 0);
  });
});

describe("columns of no type [R-SCHEMA-3]", () => {
  const table = tableOf([
    "create table TABLE using delta as select 1L id, null n, named_struct('a', 1, 'b', null) s",
    "insert into TABLE values (2, null, named_struct('a', 2, 'b', null)), (3, null, null)",
    "checkpoint",
    "insert into TABLE values (4, null, named_struct('a', null, 'b', null))",
  ]);

  // Spark writes a struct of nulls for the null of id 3, and can't read structs with such a column itself.
  test.each([
    [0, [1]],
    [1, [1, 2, null]],
    [2, [1, 2, null, null]],
  ])("are null in every row of version %i", async (version, values) => {
    const rows = await Table.open(table.path()).at(version).toArray();
    expect(rows.sort((a, b) => Number(a.id) - Number(b.id))).toEqual(
      values.map((a, i) => ({ id: BigInt(i + 1), n: null, s: { a, b: null } })),
    );
  });
});
