import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Timestamp } from "#src/arrow/timestamp.js";
import { Table } from "#src/table.js";
import { expectCode } from "../expectCode.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-table-ops-sql-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  return rm(folder, { recursive: true, force: true });
});

const rows = [
  { id: 1n, city: "Ulm", amount: 1.5 },
  { id: 2n, city: "Bonn", amount: null },
  { id: 9007199254740993n, city: "Ulm", amount: 2.5 },
];
const SCHEMA = { id: "long", city: "string", amount: "double" } as const;

/** The same table on a disk and in memory: DuckDB reads the one's files, this package the other's. */
const places = ["disk", "memory"] as const;
let memories = 0;
const open = (place: (typeof places)[number]) =>
  Table.open(place === "disk" ? join(folder, "t") : `memory:sql-${process.pid}-${memories++}`);

describe.each(places)("sql on %s", (place) => {
  it("gives rows with the table's types", async () => {
    const table = open(place);
    await table.append(rows, { schema: SCHEMA });
    expect(await table.sql("select * from this order by id desc limit 2").toArray()).toEqual([rows[2], rows[1]]);
    const sums = table.sql("select city, sum(id) as ids, count(*) as n from this group by city order by city");
    expect(await sums.toArray()).toEqual([
      { city: "Bonn", ids: 2n, n: 1n },
      { city: "Ulm", ids: 9007199254740994n, n: 2n },
    ]);
    expect((await sums.schema()).fields.map(({ name, type }) => [name, type])).toEqual([
      ["city", "string"],
      ["ids", "long"],
      ["n", "long"],
    ]);
    expect(await sums.count()).toBe(2);
    expect((await sums.toArrow()).numRows).toBe(2);
  });

  it("counts rows, also of no columns, and knows no rows of an empty table", async () => {
    const table = open(place);
    await table.create({ schema: SCHEMA });
    expect(await table.sql("select count(*) as n, sum(id) as s from this").toArray()).toEqual([{ n: 0n, s: null }]);
    expect(await table.sql("select * from this").toArray()).toEqual([]);
    await table.append(rows);
    await table.append(rows);
    expect(await table.sql("select count(*) as n from this").toArray()).toEqual([{ n: 6n }]);
    expect(await table.sql("select 7 as seven from this limit 2").toArray()).toEqual([{ seven: 7 }, { seven: 7 }]);
  });

  it("joins other tables and versions", async () => {
    const table = open(place);
    await table.append(rows.slice(0, 1), { schema: SCHEMA });
    await table.append(rows.slice(1));
    const cities = Table.open(join(folder, "cities"));
    await cities.append([{ name: "Ulm", land: "BW" }]);
    const tables = { old: table.at(0), cities };
    expect(
      await table
        .sql("select id, land from this join cities on name = city where id not in (select id from old)", { tables })
        .toArray(),
    ).toEqual([{ id: 9007199254740993n, land: "BW" }]);
    expect(await table.at(0).sql("select id from this").toArray()).toEqual([{ id: 1n }]);
  });

  it("has partition values, columns that came later, and names that need quotes", async () => {
    const table = open(place);
    const schema = { id: "integer", day: "date", 'a"b': "string", price: "decimal(10,2)", at: "timestamp" } as const;
    const at = new Timestamp(new Date("2026-01-31T12:00:00.123Z"), 456);
    const first = { id: 1, day: new Date("2026-01-31"), 'a"b': "x'y", price: "12.30", at };
    await table.append([first], { schema, partitionBy: ["day", 'a"b', "price", "at"] });
    await table.append([{ id: 2, day: null, 'a"b': null, price: null, at: null, late: "new" }], { mergeSchema: true });
    expect(await table.sql("select * from this order by id").toArray()).toEqual([
      { ...first, late: null },
      { id: 2, day: null, 'a"b': null, price: null, at: null, late: "new" },
    ]);
    expect(
      await table
        .sql(`select this."a""b" as ab, count(*) as n from this where day = '2026-01-31' group by 1`)
        .toArray(),
    ).toEqual([{ ab: "x'y", n: 1n }]);
  });

  it("reads many partitions, by columns of files and without", async () => {
    const table = open(place);
    const many = Array.from({ length: 100 }, (_, i) => ({ part: i, value: BigInt(i) }));
    await table.append(many, { schema: { part: "integer", value: "long" }, partitionBy: ["part"] });
    expect(await table.sql("select part, value from this where part >= 98 order by part").toArray()).toEqual([
      { part: 98, value: 98n },
      { part: 99, value: 99n },
    ]);
    expect(await table.sql("select sum(part) as parts, count(*) as n from this").toArray()).toEqual([
      { parts: 4950n, n: 100n },
    ]);
    expect(await table.sql("select sum(part * value) as s from this").toArray()).toEqual([{ s: 328350n }]);
  });

  it("has nested values, bytes and what SQL makes of its own", async () => {
    const table = open(place);
    const schema = {
      tags: { type: "array", elementType: "string", containsNull: true },
      at: { type: "struct", fields: [{ name: "x", type: "long", nullable: true, metadata: {} }] },
      marks: { type: "map", keyType: "string", valueType: "integer", valueContainsNull: true },
      bytes: "binary",
    } as const;
    const row = { tags: ["a", null], at: { x: 3n }, marks: new Map([["k", 1]]), bytes: Uint8Array.of(0, 255) };
    await table.append([row], {
      schema: {
        type: "struct",
        fields: Object.entries(schema).map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
      } as never,
    });
    expect(await table.sql("select * from this").toArray()).toEqual([row]);
    expect(await table.sql('select "at".x as x, tags[1] as tag, unnest([1, 2]) as n from this').toArray()).toEqual([
      { x: 3n, tag: "a", n: 1 },
      { x: 3n, tag: "a", n: 2 },
    ]);
  });
});

describe("sql", () => {
  it("takes parameters by place and by name", async () => {
    const table = Table.open(join(folder, "t"));
    await table.append(rows, { schema: SCHEMA });
    const query = "select id, $2 as text, $3 as bytes from this where id = $1";
    expect(await table.sql(query, { params: [9007199254740993n, "it's", Uint8Array.of(1)] }).toArray()).toEqual([
      { id: 9007199254740993n, text: "it's", bytes: Uint8Array.of(1) },
    ]);
    const at = new Date("2026-01-01T00:00:00Z");
    expect(
      await table.sql("select $at as at, id from this where id < $max", { params: { at, max: 2 } }).toArray(),
    ).toEqual([{ at, id: 1n }]);
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.sql("select $1", { params: [{}] }).toArray());
    await expectCode("DELTA_INVALID_SQL", () => table.sql("select $1").toArray());
  });

  it("describes, summarizes and explains", async () => {
    const table = Table.open(join(folder, "t"));
    await table.append(rows, { schema: SCHEMA });
    const described = await table.sql("describe this;").toArray();
    expect(described.map(({ column_name, column_type }) => [column_name, column_type])).toEqual([
      ["id", "BIGINT"],
      ["city", "VARCHAR"],
      ["amount", "DOUBLE"],
    ]);
    const summary = await table.sql("summarize this").toArray();
    expect(summary.map(({ column_name, max, count }) => [column_name, max, count])[0]).toEqual([
      "id",
      "9007199254740993",
      3n,
    ]);
    expect(await table.sql("explain select sum(id) from this").count()).toBe(1);
    expect(await table.sql("explain (analyze, format json) select sum(id) from this").count()).toBe(1);
    expect(await table.sql("explain analyze select sum(id) from this").count()).toBe(1);
    expect(await table.sql("select id, id, 1 as id from this -- twice").toArray()).toHaveLength(3);
  });

  it.each([
    "drop view this",
    "create table x as select 1",
    "insert into this values (1, 'a', 2)",
    "select 1; select 2",
    "copy (select 1) to '/tmp/x.csv'",
    "explain analyze copy (select 1) to '/tmp/x.csv'",
    "explain analyze create table y as select 1",
    "explain (analyze) copy (select 1) to '/tmp/x.csv'",
    "explain (analyze /* ) select 1 -- */) copy (select 1) to '/tmp/x.csv'",
    "explain analyze /* */ copy (select 1) to '/tmp/x.csv'",
    "explain explain analyze copy (select 1) to '/tmp/x.csv'",
    "set threads = 1",
    "attach '/tmp/x.db'",
    "load httpfs",
    "call duckdb_functions()",
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select * from glob('/etc/*')",
    "from '/etc/passwd'",
    "select nothing from this",
    "selec",
    "",
    "select * from other",
    "select 1) from (select 2",
    "select 'a\0'",
  ])("refuses %j", async (query) => {
    const table = Table.open(join(folder, "t"));
    await table.append(rows, { schema: SCHEMA });
    await expectCode("DELTA_INVALID_SQL", () => table.sql(query).toArray());
  });

  it("reads no file beside the tables' live ones", async () => {
    const table = Table.open(join(folder, "t"));
    await table.append(rows, { schema: SCHEMA });
    await writeFile(join(folder, "t", "secret.csv"), "a\n1\n");
    await expectCode("DELTA_INVALID_SQL", () =>
      table.sql(`select * from read_csv('${join(folder, "t", "secret.csv")}')`).toArray(),
    );
  });

  it("tells a sum beyond long", async () => {
    const table = Table.open(join(folder, "t"));
    await table.append([{ id: 9223372036854775807n }, { id: 1n }]);
    await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.sql("select sum(id) as s from this").toArray());
    expect(await table.sql("select sum(id)::decimal(38,0) as s from this").toArray()).toEqual([
      { s: "9223372036854775808" },
    ]);
  });

  it("tells of an error midway, instead of ending there", async () => {
    const table = Table.open(join(folder, "t"));
    await table.append(rows, { schema: SCHEMA });
    const query = "select (case when range = 900000 then 'x' else '1' end)::integer as n from range(1000000), this";
    await expectCode("DELTA_INVALID_SQL", () => table.sql(query).count());
  });

  it("stops at its signal, and leaves no files behind", async () => {
    vi.stubEnv("TMPDIR", folder);
    const before = await sqlFolders();
    expect(before).toEqual([]);
    const table = Table.open(join(folder, "t"));
    await table.append(rows, { schema: SCHEMA });
    const stop = new AbortController();
    const query = "select a.range as n from range(100000) a, range(100000) b, this";
    let seen = 0;
    const reading = (async () => {
      for await (const _ of table.sql(query, { signal: stop.signal }).rows()) if (++seen === 10) stop.abort();
    })();
    await expectCode("DELTA_ABORTED", () => reading);
    for await (const _ of table.sql(query).rows()) if (++seen > 20) break;
    expect(await sqlFolders()).toEqual(before);
  });

  it("skips files by the query's condition", async () => {
    const table = Table.open(join(folder, "t"));
    for (let id = 1n; id <= 3n; id++) await table.append([{ id, name: `n${id}` }]);
    const gone = (await table.files()).find(({ stats }) => JSON.stringify(stats).includes("n1"));
    await rm(join(folder, "t", gone!.path));
    expect(await table.sql("select t.name from this t where t.id > 1 order by 1").toArray()).toEqual([
      { name: "n2" },
      { name: "n3" },
    ]);
    await expectCode("DELTA_FILE_NOT_FOUND", () => table.sql("select name from this").toArray());
  });

  it("reads no table that the query doesn't name", async () => {
    const table = Table.open(join(folder, "t"));
    await table.append(rows, { schema: SCHEMA });
    const other = Table.open(join(folder, "other"));
    await other.append([{ id: 1n }]);
    for (const { path } of await table.files()) await rm(join(folder, "t", path));
    expect(await table.sql("select id from other", { tables: { other } }).toArray()).toEqual([{ id: 1n }]);
    await expectCode("DELTA_FILE_NOT_FOUND", () => table.sql("select id from query_table('this')").toArray());
  });

  it("sees what came since the query before, and runs beside others", async () => {
    const table = Table.open(join(folder, "t"));
    const query = "select count(*) as n, sum(id) as total from this";
    for (let id = 1n; id <= 3n; id++) {
      await table.append([{ id }]);
      const total = (id * (id + 1n)) / 2n;
      const beside = await Promise.all([1, 2, 3].map(() => table.sql(query).toArray()));
      expect(beside).toEqual([1, 2, 3].map(() => [{ n: id, total }]));
      expect(await table.sql(query).toArray()).toEqual([{ n: id, total }]);
    }
    await table.delete({ id: 2n });
    expect(await table.sql(query).toArray()).toEqual([{ n: 2n, total: 4n }]);
  });

  it("can't read the files of the query before, nor does one change what the next may do", async () => {
    const [table, other] = [Table.open(join(folder, "t")), Table.open(join(folder, "other"))];
    await table.append([{ id: 1n }]);
    await other.append([{ id: 2n }]);
    const [file] = await table.files();
    const direct = `select id from read_parquet('${join(folder, "t", file!.path)}')`;
    expect(await table.sql("select id from this").toArray()).toEqual([{ id: 1n }]);
    expect(await other.sql("select id from this").toArray()).toEqual([{ id: 2n }]);
    await expectCode("DELTA_INVALID_SQL", () => other.sql(`${direct} union all from this`).toArray());
    await expectCode("DELTA_INVALID_SQL", () => other.sql("set threads = 1").toArray());
    expect(await other.sql("select id from this").toArray()).toEqual([{ id: 2n }]);
  });

  it("refuses tables of one name, or that are none", async () => {
    const table = Table.open(join(folder, "t"));
    await table.append(rows);
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.sql("select 1", { tables: { THIS: table } }).toArray());
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.sql("select 1", { tables: { x: {} as never } }).toArray());
  });
});

async function sqlFolders(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith("delta-table-sql-"));
}
