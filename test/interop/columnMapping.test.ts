import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { Content } from "./canonical.js";
import { here, removeCommitsBefore, spark } from "./engines.js";
import { comparedVersions } from "./versions.js";

const key = (row: object) => JSON.stringify(row);
const byKey = <T extends object>(rows: readonly T[]) => [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
/** A table's rows have no order of their own. */
const sorted = ({ types, rows }: Content): Content => ({ types, rows: byKey(rows) });

const ROW = (id: string) => `${id} id, cast(${id} % 3 as string) part,
  named_struct('a', cast(${id} as int), 'b', named_struct('c', concat('c', ${id}))) s,
  array(named_struct('x', cast(${id} as int), 'y', concat('y', ${id})), null) list,
  map(concat('k', ${id}), named_struct('v', ${id} / 4D)) m,
  concat('odd ', ${id}) \`odd name, really;\`, timestamp_micros(${id} * 1000003) at, cast(${id} as decimal(20,4)) d`;

/** What each version does. `checkpoint` has Spark write one of the version before. */
const STEPS: readonly string[] = [
  `insert into TABLE select /*+ repartition(2, id) */ ${ROW("id")} from range(0, 60)`,
  "alter table TABLE rename column `odd name, really;` to plain",
  "alter table TABLE rename column s.b.c to z",
  "checkpoint",
  "alter table TABLE drop column d",
  "delete from TABLE where id % 7 = 0",
  "alter table TABLE add column d string",
  "alter table TABLE add column list.element.late double",
  `insert into TABLE select 100 + id, part, s, transform(list, e -> named_struct('x', e.x, 'y', e.y, 'late', 0.5D)), m,
   'new', at, 'd is a text now' from TABLE where id < 10`,
  "alter table TABLE rename column part to `folder`",
  "update TABLE set plain = upper(plain), folder = '9' where id in (1, 2, 102)",
  "checkpoint",
  "alter table TABLE rename column id to `old id`",
  "alter table TABLE rename column plain to id_text",
  "alter table TABLE rename column `old id` to id",
  "alter table TABLE drop column s.a",
  `merge into TABLE t using (select id from range(50, 65)) s on t.id = s.id
   when matched then update set d = 'merged' when not matched then insert (id, folder, d) values (s.id, null, 'added')`,
  "optimize TABLE",
];

describe.each([
  ["name", "'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5'"],
  ["id", "'delta.enableDeletionVectors' = 'true'"],
])("a table that Spark maps by %s (%s)", (mode, properties) => {
  let path: string;
  let newest: number;
  const contents = new Map<number, Content>();

  const request = async (sql: string) =>
    (await spark()).request("sql", { text: sql.replaceAll("TABLE", `delta.\`${path}\``) });
  const inSpark = async (version: number) => sorted(await (await spark()).request<Content>("read", { path, version }));

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    await request(
      `create table TABLE (id bigint, part string, s struct<a: int, b: struct<c: string>>, list array<struct<x: int, y: string>>,
       m map<string, struct<v: double>>, \`odd name, really;\` string, at timestamp, d decimal(20,4)) using delta partitioned by (part)
       tblproperties ('delta.columnMapping.mode' = '${mode}', ${properties})`,
    );
    for (const step of STEPS) {
      if (step === "checkpoint") await (await spark()).request("checkpoint", { path });
      else await request(step);
    }
    newest = await Table.open(path).version();
    for (const version of comparedVersions(newest)) contents.set(version, await inSpark(version));
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test("has the same types and rows here at each version, and verify finds nothing", async () => {
    expect(newest).toBeGreaterThan(11);
    for (const [version, content] of contents) {
      expect(sorted(await here.read(path, version)), `version ${version}`).toEqual(content);
    }
    const { findings } = await Table.open(path).verify();
    expect(findings).toEqual([]);
  });

  test("is looked through by its newest names: partitions, statistics, nested columns", async () => {
    const table = Table.open(path);
    const { rows } = contents.get(newest)!;
    const idsWhere = async (where: Parameters<typeof table.scan>[0]) =>
      (await table.toArray({ columns: ["id"], ...where })).map(({ id }) => `int:${id}`).sort();
    const ids = (isWanted: (row: (typeof rows)[number]) => boolean) =>
      rows
        .filter(isWanted)
        .map(({ id }) => String(id))
        .sort();
    expect(await idsWhere({ where: { folder: "1" } })).toEqual(ids(({ folder }) => folder === "string:1"));
    expect(await idsWhere({ where: { folder: null } })).toEqual(ids(({ folder }) => folder === null));
    expect(await idsWhere({ where: { id: { gte: 100 } } })).toEqual(
      ids(({ id }) => Number(String(id).slice(4)) >= 100),
    );
    expect(await idsWhere({ where: { d: "merged" } })).toEqual(ids(({ d }) => d === "string:merged"));
    expect(await idsWhere({ where: { "s.b.z": "c5" } })).toEqual(["int:105", "int:5"]);
    expect(await idsWhere({ where: { d: null } })).toEqual(ids(({ d }) => d === null));
    expect(await table.count({ where: { folder: "9" } })).toBe(ids(({ folder }) => folder === "string:9").length);
    expect(await table.count()).toBe(rows.length);
  });

  test("is read from its checkpoint alone", async () => {
    await (await spark()).request("checkpoint", { path });
    await removeCommitsBefore(path, newest);
    expect(sorted(await here.read(path))).toEqual(contents.get(newest));
  });
});

describe("changes of a table that Spark maps", () => {
  let path: string;
  const request = async (sql: string) =>
    (await spark()).request("sql", { text: sql.replaceAll("TABLE", `delta.\`${path}\``) });

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    await request(
      `create table TABLE (id bigint, part string, value string) using delta partitioned by (part)
       tblproperties ('delta.enableChangeDataFeed' = 'true')`,
    );
    await request("insert into TABLE select id, cast(id % 2 as string), concat('v', id) from range(0, 20)");
    await request(
      `alter table TABLE set tblproperties ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2',
       'delta.minWriterVersion' = '5')`,
    );
    await request("alter table TABLE add column more string");
    await request("update TABLE set more = 'm' where id in (3, 4)");
    await request("delete from TABLE where id = 5");
    await request("alter table TABLE rename column part to folder");
    await request("alter table TABLE rename column value to text");
    await request("update TABLE set text = 'changed', folder = 'z' where id = 6");
    await request("alter table TABLE drop column more");
    await request("insert into TABLE (id, folder, text) values (50, 'y', 't')");
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  async function rowsHere(from: number, to: number, columns: readonly string[]): Promise<object[]> {
    const rows = await Table.open(path).changes({ from, to, columns }).toArray();
    return byKey(
      rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => {
            if (value === null) return [name, null];
            return [name, typeof value === "bigint" ? `int:${value}` : `string:${value}`];
          }),
        ),
      ),
    );
  }

  test.each([
    [0, 5, ["id", "part", "value", "more"]],
    [1, 1, ["id", "part", "value"]],
    [7, 8, ["id", "folder", "text", "more"]],
    [9, 10, ["id", "folder", "text"]],
  ])("are those that Spark tells, from version %i to %i", async (from, to, columns) => {
    const all = [...columns, "_change_type", "_commit_version"];
    const { rows } = await (await spark()).request<Content>("changes", { path, first: from, last: to });
    const picked = rows.map((row) => Object.fromEntries(all.map((column) => [column, row[column]!])));
    expect(await rowsHere(from, to, all)).toEqual(byKey(picked));
  });

  test.each([
    [1, 6],
    [4, 8],
    [8, 10],
  ])("are refused where Spark refuses them: from version %i to %i", async (from, to) => {
    await expect((await spark()).request("changes", { path, first: from, last: to })).rejects.toThrow();
    await expect(Table.open(path).changes({ from, to }).toArray()).rejects.toMatchObject({
      code: expect.stringMatching(/^DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_/),
    });
  });
});
