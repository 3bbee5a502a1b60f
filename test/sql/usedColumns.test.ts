import { expect, it } from "vitest";
import { Table } from "#src/table.js";

// In memory, so that the query's columns alone come to DuckDB: one too few would be an error, or nulls.
let memories = 0;

async function tables(): Promise<{ table: Table; other: Table }> {
  const table = Table.open(`memory:used-${process.pid}-${memories++}`);
  await table.append([
    { id: 1n, a: 10, b: "x", s: { c: 5 } },
    { id: 2n, a: 20, b: "y", s: { c: 6 } },
  ]);
  const other = Table.open(`memory:used-${process.pid}-${memories++}`);
  await other.append([{ id: 2n, b: "y", t: true }]);
  return { table, other };
}

it.each([
  ["select t.a from this t where t.b = 'y'", [[20]]],
  ["select THIS.A from this order by this.ID desc", [[20], [10]]],
  ["select t from this t where id = 1", [[{ id: 1n, a: 10, b: "x", s: { c: 5 } }]]],
  ["select (t).a from this t where id = 1", [[10]]],
  ["select this.s.c, s.c + 1 from this where id = 1", [[5, 6]]],
  ["select * exclude (s) from this where id = 1", [[1n, 10, "x"]]],
  ["select columns('^[ab]$') from this where id = 1", [[10, "x"]]],
  ["select t from this natural join other", [[true]]],
  ["select a, t from this join other using (id)", [[20, true]]],
  ["select a from this semi join other using (id)", [[20]]],
  ["select a from this where exists (select 1 from other o where o.id = this.id)", [[20]]],
  ["select (select max(a) from this i where i.id < o.id) from this o order by id", [[null], [10]]],
  ["select #2, #1 from this where id = 1", [[10, 1n]]],
  ["with x as (select id, a from this) select sum(a) from x", [[30]]],
  [
    "select b, row_number() over (order by a desc) from this qualify row_number() over (order by a desc) = 1",
    [["y", 1n]],
  ],
  ["select count(*) from this, other", [[2n]]],
  ["select count(distinct b) filter (where a > 10) from this", [[1n]]],
  ["select id from this union all select id from other order by 1", [[1n], [2n], [2n]]],
  ["from this select a order by all limit 1", [[10]]],
  ["select list_transform([1, 2], x -> x + a) from this where id = 1", [[[11, 12]]]],
  ["select a from this order by s.c desc limit 1", [[20]]],
  ["select sum(a) from this group by b having max(id) = 2", [[20]]],
  [
    "unpivot (select id, a from this) on a",
    [
      [1n, "a", 10],
      [2n, "a", 20],
    ],
  ],
  ["select b as a from this where a = 20", [["y"]]],
  ["select count(*) from this where a = 10 or (select bool_or(t) from other)", [[2n]]],
  ["select id from this where id >= 2 and a not in (select 10)", [[2n]]],
  ["table this order by id limit 1", [[1n, 10, "x", { c: 5 }]]],
  ["select max(this.a) from this tablesample 100%", [[20]]],
  ["select x.a from (from this) x where x.id = 2", [[20]]],
  ["select o.t from this left join other o on o.id = this.id and this.b = o.b order by this.id", [[null], [true]]],
])("%s", async (query, expected) => {
  const { table, other } = await tables();
  const rows = await table.sql(query, { tables: { other } }).toArray();
  expect(rows.map((row) => Object.values(row))).toEqual(expected);
});
