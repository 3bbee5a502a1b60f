import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import { spark } from "./engines.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "interop-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Answer = readonly Record<string, unknown>[];
const ask = async (path: string, text: string) =>
  (await spark()).request<Answer>("sql", { text: text.replaceAll("TABLE", `delta.\`${path}\``) });

/** A value of every type that Spark has for variants. */
const VALUES = [
  "cast(cast(1 as tinyint) as variant)",
  "cast(cast(2 as smallint) as variant)",
  "cast(cast(3 as int) as variant)",
  "cast(cast(4 as bigint) as variant)",
  "cast(float('0.1') as variant)",
  "cast(0.1d as variant)",
  "cast(1d as variant)",
  "cast(cast(12.340 as decimal(5,3)) as variant)",
  "cast(cast(5 as decimal(18,2)) as variant)",
  "cast(cast('12345678901234567890.120' as decimal(38,3)) as variant)",
  "cast(date'1969-12-31' as variant)",
  "cast(timestamp'2024-01-31 12:00:00.123456' as variant)",
  "cast(timestamp_ntz'2024-01-31 12:00:00.123456' as variant)",
  "cast(X'0102ff' as variant)",
  "cast(true as variant)",
  "cast('text' as variant)",
  "cast(repeat('x', 100) as variant)",
  "parse_json('null')",
  "cast(null as variant)",
  "to_variant_object(array(named_struct('d', 1.50bd, 'b', X'00', 'a', cast(1 as tinyint))))",
  'parse_json(\'{"b": [1, 2.50, 1e3, null], "a": {"b": "x"}}\')',
];

const FORMS: readonly (readonly [string, readonly string[]])[] = [
  ["plain", []],
  [
    // Spark itself can't read variants beside deletion vectors.
    "with change files, tracked rows and mapped columns",
    [
      "'delta.enableChangeDataFeed' = 'true'",
      "'delta.enableRowTracking' = 'true'",
      "'delta.columnMapping.mode' = 'name'",
    ],
  ],
];

describe.each(FORMS)("a table of variants that Spark made, %s", (_, properties) => {
  const columns = "id int, v variant, s struct<w: variant>, l array<variant>";
  const rows = (first: number) =>
    VALUES.map(
      (value, i) => `select ${first + i} id, ${value} v, named_struct('w', ${value}) s, array(${value}, null) l`,
    );
  const insert = (first: number) =>
    `insert into TABLE select /*+ coalesce(1) */ * from (${rows(first).join(" union all ")})`;
  const create = `create table TABLE (${columns}) using delta${properties.length > 0 ? ` tblproperties (${properties})` : ""}`;
  const shown = `id, schema_of_variant(v) vs, to_json(v) vj, v is null vn, schema_of_variant(s.w) ws, to_json(s.w) wj, schema_of_variant(l[0]) ls, to_json(l[0]) lj, size(l) ln`;

  test("is changed here as in Spark: values keep their types", async () => {
    const [mine, theirs, source] = ["mine", "theirs", "source"].map((name) =>
      join(folder, `${name}-${properties.length}`),
    );
    for (const path of [mine!, theirs!, source!]) {
      await ask(path, create);
      await ask(path, insert(path === source ? 10 : 0));
    }
    const table = Table.open<{ id: number; v: unknown }>(mine!);
    const changes: readonly (readonly [string, () => Promise<unknown>])[] = [
      [
        "insert into TABLE select id + 100, v, s, l from SOURCE".replace("SOURCE", `delta.\`${source}\``),
        async () => {
          const other = Table.open<{ id: number }>(join(folder, `shifted-${properties.length}`));
          await other.append(Table.open(source!));
          await other.update({ set: { id: sql`id + 100` } });
          await table.append(other);
        },
      ],
      ["delete from TABLE where id in (1, 105)", () => table.delete("id in (1, 105)")],
      [
        "update TABLE set id = id + 1000 where id = 3",
        () => table.update({ set: { id: sql`id + 1000` }, where: { id: 3 } }),
      ],
      [
        `update TABLE set v = parse_json('{"set": [1.5, "x"]}'), s.w = v where id = 4`,
        () => table.update({ set: { v: { set: [1.5, "x"] }, "s.w": sql`v` } as never, where: { id: 4 } }),
      ],
      ["update TABLE set v = 'text' where id = 5", () => table.update({ set: { v: sql`'text'` }, where: { id: 5 } })],
      [
        `merge into TABLE target using delta.\`${source}\` source on target.id = source.id
         when matched and source.id = 12 then delete
         when matched and source.id < 15 then update set v = source.v
         when matched then update set *
         when not matched then insert *
         when not matched by source and target.id > 120 then update set v = target.s.w, s = null`,
        () =>
          table.merge(Table.open<{ id: number }>(source!), {
            on: ["id"],
            whenMatched: [
              { where: "source.id = 12", delete: true },
              { where: "source.id < 15", update: { v: sql`source.v` } },
              { update: "*" },
            ],
            whenNotMatched: [{ insert: "*" }],
            whenNotMatchedBySource: [{ where: "target.id > 120", update: { v: sql`target.s.w`, s: null } as never }],
          }),
      ],
      ["optimize TABLE", () => table.optimize()],
    ];
    for (const [text, change] of changes) {
      await ask(theirs!, text);
      await change();
      const [got, wanted] = await Promise.all(
        [mine!, theirs!].map((path) => ask(path, `select ${shown} from TABLE order by id`)),
      );
      expect(got, text).toEqual(wanted);
    }
    if (properties.length > 0) {
      const told = (path: string) =>
        ask(
          path,
          `select _change_type, ${shown} from table_changes_by_path('${path}', 2) where _commit_version != 7
           order by _commit_version, id, _change_type`,
        );
      expect(await told(mine!)).toEqual(await told(theirs!));
    }
    await ask(mine!, insert(2000));
    await ask(mine!, "delete from TABLE where id = 2001");
    await ask(mine!, "optimize TABLE");
    const counted = await ask(mine!, "select count(*) n from TABLE");
    expect(counted).toEqual([{ n: await table.count() }]);
    expect((await table.verify()).findings).toEqual([]);
  });
});

test("rows' values are what parse_json makes of their JSON", async () => {
  const path = join(folder, "values");
  const values = [
    ...[
      0, -1, 127, 128, -129, 32768, 2147483648, 9007199254740991, 0.1, -12.5, 1e21, 1e300, 5e-7, 1234567890.5, 100,
      1e20,
    ],
    ...["", "text", 'é\n"\\', "x".repeat(100), true, false],
    ...[[], {}, [1, [2.5, null]], { b: 1, a: { z: [], y: "x" } }],
  ];
  const json = [
    ...values.map((value) => JSON.stringify(value)),
    "12.30",
    "-0.0",
    "1e2",
    "123456789012345678901234567890.5",
    "null",
  ];
  const table = Table.open<{ id: number; v: unknown }>(path);
  await table.create({ schema: { id: "integer", v: "variant" } });
  await table.append(values.map((v, id) => ({ id, v })));
  // As Arrow has it here.
  const { Field, Schema, Utf8, Int32, Struct, makeData, RecordBatch, vectorFromArray } = await import("apache-arrow");
  const late = json.slice(values.length);
  const fields = [
    new Field("id", new Int32(), true),
    new Field("v", new Utf8(), true, new Map([["ARROW:extension:name", "arrow.json"]])),
  ];
  const children = [
    vectorFromArray(
      late.map((_, i) => values.length + i),
      new Int32(),
    ).data[0]!,
    vectorFromArray(late, new Utf8()).data[0]!,
  ];
  const rows = makeData({ type: new Struct(fields), length: late.length, nullCount: 0, children });
  await table.append(new RecordBatch(new Schema(fields), rows));
  const parsed = json.map((text) => `parse_json('${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}')`);
  const wanted = parsed.map((value, id) => `select ${id} id, schema_of_variant(${value}) s, to_json(${value}) j`);
  const got = await ask(path, "select id, schema_of_variant(v) s, to_json(v) j from TABLE order by id");
  expect(got).toEqual(await ask(path, `select * from (${wanted.join(" union all ")}) order by id`));
  expect(
    await ask(path, "select variant_get(v, '$.a.y', 'string') y from TABLE where variant_get(v, '$.b', 'int') = 1"),
  ).toEqual([{ y: "x" }]);
});

test("dates, bytes, integers beyond 64 bits and NaN are values of their types", async () => {
  const path = join(folder, "typed");
  const table = Table.open<{ id: number; v: unknown }>(path);
  await table.create({ schema: { id: "integer", v: "variant" } });
  const values = [new Date(86_400_000), Uint8Array.of(1, 255), 2n ** 64n, Number.NaN, null];
  await table.append(values.map((v, id) => ({ id, v })));
  expect(await ask(path, "select schema_of_variant(v) s, to_json(v) j from TABLE order by id")).toEqual([
    { s: "TIMESTAMP", j: '"1970-01-02 00:00:00+00:00"' },
    { s: "BINARY", j: '"Af8="' },
    { s: "DECIMAL(20,0)", j: "18446744073709551616" },
    { s: "DOUBLE", j: '"NaN"' },
    {},
  ]);
});

test("shredded files of Spark's are written anew as it would", async () => {
  const path = join(folder, "shredded");
  const json = [
    '{"a": 1, "b": {"c": "x", "d": [1.5, -2.25]}, "z": [1, {"y": null}]}',
    '{"a": "no number", "b": {"c": null, "d": ["text", 3.5, null, {}]}}',
    '{"b": {"e": 1, "d": []}, "A": 0}',
    "[1, 2]",
    '{"a": null, "b": {}}',
  ];
  const selects = json.map((text, id) => `select ${id} id, parse_json('${text}') v`);
  const properties = "'delta.enableVariantShredding' = 'true'";
  await ask(path, `create table TABLE (id bigint, v variant) using delta tblproperties (${properties})`);
  await ask(path, "set spark.sql.variant.writeShredding.enabled=true");
  await ask(
    path,
    "set spark.sql.variant.forceShreddingSchemaForTest=a bigint, b struct<c string, d array<decimal(5,2)>>",
  );
  const rows = [...selects, "select 100, null"].join(" union all ");
  await ask(path, `insert into TABLE select /*+ coalesce(1) */ * from (${rows})`);
  await ask(path, "reset spark.sql.variant.forceShreddingSchemaForTest");
  await ask(path, "reset spark.sql.variant.writeShredding.enabled");
  await Table.open<{ id: bigint }>(path).delete({ id: 1n });
  const wanted = selects.filter((_, id) => id !== 1).join(" union all ");
  const shown = "id, schema_of_variant(v) s, to_json(v) j";
  expect(await ask(path, `select ${shown} from TABLE where id < 100 order by id`)).toEqual(
    await ask(path, `select ${shown} from (${wanted}) order by id`),
  );
  expect(await ask(path, "select id from TABLE where v is null")).toEqual([{ id: 100 }]);
});

test("void columns are left to be null", async () => {
  const path = join(folder, "void");
  await ask(path, "create table TABLE using delta as select 1 id, null n");
  const table = Table.open<{ id: number }>(path);
  await table.append([{ id: 2 }, { id: 3 }]);
  await table.delete({ id: 1 });
  await ask(path, "insert into TABLE values (4, null)");
  await table.optimize();
  expect(await ask(path, "select id from TABLE order by id")).toEqual([{ id: 2 }, { id: 3 }, { id: 4 }]);
  expect((await table.toArray()).sort((a, b) => a.id - b.id)).toEqual([2, 3, 4].map((id) => ({ id, n: null })));
  expect((await table.verify()).findings).toEqual([]);
});
