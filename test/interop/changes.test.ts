import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { type Canonical, type Content, canonicalRow, typesOf } from "./canonical.js";
import { spark } from "./engines.js";
import { comparedVersions } from "./versions.js";

/** What each version does, from the first on; and the changes that it makes, by their types. */
const STEPS: readonly { readonly sql: string; readonly makes: Readonly<Record<string, number>> }[] = [
  {
    sql: `insert into TABLE select /*+ repartition(2, id) */ id, cast(id % 2 as int) part,
          case when id % 5 = 0 then null else concat('v', id) end value from range(0, 100, 1, 1)`,
    makes: { insert: 100 },
  },
  { sql: "update TABLE set value = 'new' where id % 10 = 3", makes: { update_preimage: 10, update_postimage: 10 } },
  { sql: "delete from TABLE where id % 7 = 0", makes: { delete: 15 } },
  { sql: "delete from TABLE where id % 11 = 0", makes: { delete: 8 } },
  {
    sql: `merge into TABLE t using (select id from range(95, 105)) s on t.id = s.id
          when matched and t.id = 97 then delete
          when matched then update set value = 'merged'
          when not matched then insert (id, part, value) values (s.id, cast(s.id % 2 as int), 'added')`,
    // 98 and 99 are gone by then.
    makes: { delete: 1, update_preimage: 2, update_postimage: 2, insert: 7 },
  },
  // Sometimes a partition as a whole.
  { sql: "delete from TABLE where part = 1", makes: { delete: 41 } },
  { sql: "insert into TABLE values (1001, 1, 'x'), (1002, 0, null)", makes: { insert: 2 } },
  { sql: "optimize TABLE", makes: {} },
  { sql: "insert overwrite TABLE values (1, 1, 'over'), (2, 0, 'written')", makes: { delete: 44, insert: 2 } },
  { sql: "restore table TABLE to version as of 3", makes: { delete: 2, insert: 85 } },
  { sql: "alter table TABLE add column more double", makes: {} },
  { sql: "insert into TABLE values (2001, 1, 'y', 1.5)", makes: { insert: 1 } },
  { sql: "update TABLE set more = 2.5 where id < 4", makes: { update_preimage: 3, update_postimage: 3 } },
];

const TYPE_COLUMN = "_change_type";

async function changesHere(path: string, from: number, to: number): Promise<Content> {
  const scan = Table.open(path).changes({ from, to });
  const schema = await scan.schema();
  return { types: typesOf(schema), rows: (await scan.toArray()).map((row) => canonicalRow(row, schema)) };
}

async function changesInSpark(path: string, first: number, last: number): Promise<Content> {
  return (await spark()).request<Content>("changes", { path, first, last });
}

/** In one order, and without the columns that Spark takes from the newest version although the range ends before. */
function comparable({ rows }: Content, columns: readonly string[]): Readonly<Record<string, Canonical>>[] {
  const picked = rows.map((row) => Object.fromEntries(columns.map((column) => [column, row[column]!])));
  const key = (row: object) => JSON.stringify(row);
  return picked.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function countByType({ rows }: Content): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) {
    const type = String(row[TYPE_COLUMN]).slice("string:".length);
    counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
}

describe.each([
  { name: "with deletion vectors, in partitions", vectors: true, partitioned: true },
  { name: "without deletion vectors", vectors: false, partitioned: false },
])("changes that Spark makes $name", ({ vectors, partitioned }) => {
  let path: string;

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-changes-")), "table");
    const request = async (text: string) =>
      (await spark()).request("sql", { text: text.replaceAll("TABLE", `delta.\`${path}\``) });
    await request(
      `create table TABLE (id bigint, part int, value string) using delta ${partitioned ? "partitioned by (part)" : ""}
       tblproperties ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = '${vectors}')`,
    );
    for (const { sql } of STEPS) await request(sql);
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test("are told of each version", async () => {
    for (const [index, { sql, makes }] of STEPS.entries()) {
      const found = await changesHere(path, index + 1, index + 1);
      expect(countByType(found), sql).toEqual(makes);
    }
  });

  test("are the same rows as in Spark, for each version and for ranges", async () => {
    const last = STEPS.length;
    const ranges = comparedVersions(last, 1).map((version) => [version, version] as const);
    for (const [from, to] of [...ranges, [0, last], [2, 6], [5, last]] as const) {
      const here = await changesHere(path, from, to);
      const columns = Object.keys(here.types);
      const there = await changesInSpark(path, from, to);
      expect(comparable(here, columns), `${from} to ${to}`).toEqual(comparable(there, columns));
      if (to === last) expect(here.types).toEqual(there.types);
    }
  });

  test("lead from version to version", async () => {
    const rowsAt = async (version: number) => {
      const table = Table.open(path).at(version);
      return (await table.toArray()).map(({ id, part, value }) => `${id} ${part} ${value}`).sort();
    };
    for (let version = 0; version < STEPS.length; version++) {
      const rows = await rowsAt(version);
      for await (const { id, part, value, _change_type } of Table.open(path).changes({
        from: version + 1,
        to: version + 1,
      })) {
        const row = `${id} ${part} ${value}`;
        if (/^(insert|update_postimage)$/.test(_change_type)) rows.push(row);
        else {
          expect(rows).toContain(row);
          rows.splice(rows.indexOf(row), 1);
        }
      }
      expect(rows.sort(), `version ${version + 1}`).toEqual(await rowsAt(version + 1));
    }
  });
});
