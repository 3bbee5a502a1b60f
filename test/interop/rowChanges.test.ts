import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import { type Content, canonicalRow, typesOf } from "./canonical.js";
import { here, python, READERS, spark } from "./engines.js";

interface Row {
  readonly id: bigint | null;
  readonly part: number | null;
  readonly value: string | null;
}

interface Step {
  /** In Spark. */
  readonly sql: string;
  readonly here: (table: Table<Row>) => Promise<unknown>;
}

const rowsFrom = (first: number, count: number, value: string): Row[] =>
  Array.from({ length: count }, (_, i) => ({ id: BigInt(first + i), part: (first + i) % 2, value }));

/** The same changes twice, each a version. */
const STEPS: readonly Step[] = [
  {
    sql: "insert into TABLE select /*+ coalesce(1) */ id, cast(id % 2 as int), 'old' from range(0, 50)",
    here: (table) => table.append(rowsFrom(0, 50, "old")),
  },
  {
    sql: "insert into TABLE select /*+ coalesce(1) */ id, cast(id % 2 as int), 'old' from range(50, 100)",
    here: (table) => table.append(rowsFrom(50, 50, "old")),
  },
  { sql: "delete from TABLE where id % 7 = 0", here: (table) => table.delete("id % 7 = 0") },
  {
    sql: "update TABLE set value = concat('v', id), part = 2 where id >= 45 and id < 55",
    here: (table) => table.update({ set: { value: sql`'v' || id`, part: 2 }, where: { id: { gte: 45n, lt: 55n } } }),
  },
  {
    sql: `merge into TABLE target using (select id, cast(3 as int) part, 'new' value from range(40, 60)) source
          on target.id = source.id
          when matched and source.id < 43 then delete
          when matched and target.part = 2 then update set value = concat(target.value, source.value)
          when matched then update set *
          when not matched and source.id = 42 then insert (id) values (source.id)
          when not matched then insert *
          when not matched by source and target.id > 95 then delete
          when not matched by source and target.id < 3 then update set part = null`,
    here: (table) =>
      table.merge(
        rowsFrom(40, 20, "new").map((row) => ({ ...row, part: 3 })),
        {
          on: "target.id = source.id",
          whenMatched: [
            { where: "source.id < 43", delete: true },
            { where: "target.part = 2", update: { value: sql`target.value || source.value` } },
            { update: "*" },
          ],
          whenNotMatched: [{ where: "source.id = 42", insert: { id: sql`source.id` } }, { insert: "*" }],
          whenNotMatchedBySource: [
            { where: "target.id > 95", delete: true },
            { where: "target.id < 3", update: { part: null } },
          ],
        },
      ),
  },
  {
    sql: `merge into TABLE target using (select id, 9 part, 'ins' value from range(90, 105)) source
          on target.id = source.id when not matched then insert *`,
    here: (table) =>
      table.merge(
        rowsFrom(90, 15, "ins").map((row) => ({ ...row, part: 9 })),
        { on: ["id"], whenNotMatched: [{ insert: "*" }] },
      ),
  },
  {
    sql: `insert into TABLE replace where part = 1
          select /*+ coalesce(1) */ id, cast(1 as int), 'again' from range(200, 205)`,
    here: (table) =>
      table.overwrite(
        rowsFrom(200, 5, "again").map((row) => ({ ...row, part: 1 })),
        { where: { part: 1 } },
      ),
  },
  {
    sql: "insert into TABLE select /*+ coalesce(1) */ id, cast(id % 2 as int), 'more' from range(250, 260)",
    here: (table) => table.append(rowsFrom(250, 10, "more")),
  },
  { sql: "optimize TABLE", here: (table) => table.optimize() },
  {
    sql: "insert overwrite TABLE select /*+ coalesce(1) */ id, cast(id % 2 as int), 'last' from range(300, 320)",
    here: (table) => table.overwrite(rowsFrom(300, 20, "last")),
  },
  { sql: "restore table TABLE to version as of 6", here: (table) => table.restore(6) },
];

const FORMS = [
  { name: "plain", properties: {}, partitioned: false },
  {
    name: "with deletion vectors and change files",
    properties: { "delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true" },
    partitioned: true,
  },
  {
    name: "whose rows are tracked, in mapped columns",
    properties: {
      "delta.enableRowTracking": "true",
      "delta.enableChangeDataFeed": "true",
      "delta.columnMapping.mode": "name",
    },
    partitioned: true,
  },
] as const;

/** Counts that mean the same in both, whatever files the rows come to be in. */
const COUNTS = [
  "numDeletedRows",
  "numUpdatedRows",
  "numSourceRows",
  "numTargetRowsInserted",
  "numTargetRowsUpdated",
  "numTargetRowsMatchedUpdated",
  "numTargetRowsNotMatchedBySourceUpdated",
  "numTargetRowsDeleted",
  "numTargetRowsMatchedDeleted",
  "numTargetRowsNotMatchedBySourceDeleted",
];

const texts = ({ rows }: Content) => rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
const withoutTimes = ({ types, rows }: Content): Content => ({
  types,
  rows: rows.map(({ _commit_timestamp, ...row }) => row),
});

async function changesHere(path: string, version: number): Promise<Content> {
  const scan = Table.open(path).changes({ from: version, to: version });
  const schema = await scan.schema();
  return { types: typesOf(schema), rows: (await scan.toArray()).map((row) => canonicalRow(row, schema)) };
}

describe.each(FORMS)("rows changed here and in Spark: a table $name", ({ properties, partitioned }) => {
  let folder: string;
  const pathOf = (who: "here" | "spark") => join(folder, who);
  const request = async <T>(text: string, who: "here" | "spark" = "spark") =>
    (await spark()).request<T>("sql", { text: text.replaceAll("TABLE", `delta.\`${pathOf(who)}\``) });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "interop-rows-"));
    const pairs = Object.entries(properties).map(([name, value]) => `'${name}' = '${value}'`);
    await request(
      `create table TABLE (id bigint, part int, value string) using delta ${partitioned ? "partitioned by (part)" : ""}
       ${pairs.length === 0 ? "" : `tblproperties (${pairs.join(", ")})`}`,
    );
    const table = Table.open<Row>(pathOf("here"));
    const schema = { id: "long", part: "integer", value: "string" } as const;
    await table.create({ schema, properties, partitionBy: partitioned ? ["part"] : [] });
    for (const step of STEPS) {
      await request(step.sql);
      await step.here(Table.open<Row>(pathOf("here")));
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("has the same rows at each version", async () => {
    const [sparks] = READERS.filter(({ name }) => name === "Spark");
    for (let version = 2; version <= STEPS.length; version++) {
      const expected = texts(await sparks!.read(pathOf("spark"), version));
      expect(texts(await here.read(pathOf("here"), version)), `version ${version}`).toEqual(expected);
    }
  });

  // pyarrow's own reader knows neither deletion vectors nor mapped columns.
  const readers = READERS.filter(({ name }) => Object.keys(properties).length === 0 || !name.includes("pyarrow"));

  test.each(readers)("is read by $name", async ({ read }) => {
    expect(texts(await read(pathOf("here")))).toEqual(texts(await here.read(pathOf("spark"))));
  });

  test("tells the same changes", async () => {
    if (!("delta.enableChangeDataFeed" in properties)) return;
    for (let version = 3; version <= STEPS.length; version++) {
      const [first, last] = [version, version];
      const told = await (await spark()).request<Content>("changes", { path: pathOf("spark"), first, last });
      const own = await (await spark()).request<Content>("changes", { path: pathOf("here"), first, last });
      expect(texts(withoutTimes(own)), `version ${version}`).toEqual(texts(withoutTimes(told)));
      expect(texts(withoutTimes(await changesHere(pathOf("here"), version)))).toEqual(texts(withoutTimes(told)));
    }
  });

  test("keeps its rows' ids", async () => {
    if (!("delta.enableRowTracking" in properties)) return;
    const select = "select id, _metadata.row_id, _metadata.row_commit_version v from TABLE version as of";
    const idsAt = async (version: number) =>
      new Map(
        (await request<{ id: number; row_id: number; v: number }[]>(`${select} ${version}`, "here")).map((row) => [
          row.id,
          row,
        ]),
      );
    const [before, after] = [await idsAt(4), await idsAt(5)];
    expect(after.get(50)).toEqual({ ...before.get(50), v: 5 });
    expect(after.get(80)).toEqual(before.get(80));
    expect(new Set([...after.values()].map(({ row_id }) => row_id)).size).toBe(after.size);
  });

  test("has the same history", async () => {
    const historyOf = async (who: "here" | "spark") => {
      const found = await Table.open(pathOf(who)).history();
      return found.map(({ version, operation, operationParameters, operationMetrics }) => ({
        version,
        operation,
        parameters: Object.entries(operationParameters ?? {})
          .flatMap(([key, value]) => (value === null ? [] : [key]))
          .sort(),
        counts: COUNTS.map((name) => [name, operationMetrics?.[name] ?? "0"]),
      }));
    };
    const sinceDelete = ({ version }: { version: number }) => version >= 3;
    expect((await historyOf("here")).filter(sinceDelete)).toEqual((await historyOf("spark")).filter(sinceDelete));
  });

  test("goes on in Spark, and here again", async () => {
    await request("insert into TABLE values (1000, 1, 'spark')", "here");
    await request("delete from TABLE where id = 20", "here");
    await request("update TABLE set value = 'spark' where id in (22, 46)", "here");
    const table = Table.open<Row>(pathOf("here"));
    expect(await table.count({ where: { value: "spark" } })).toBe(3);
    expect(await table.count({ where: { id: 20n } })).toBe(0);
    await table.merge([{ id: 22n, part: 0, value: "again" }], { on: "id", whenMatched: [{ update: "*" }] });
    const expected = texts(await here.read(pathOf("here")));
    for (const { read } of readers) expect(texts(await read(pathOf("here")))).toEqual(expected);
    expect((await table.verify()).findings).toEqual([]);
  });

  test("is appended to by delta-rs where it can", async () => {
    if (Object.keys(properties).length > 0) return;
    const schema = {
      type: "struct",
      fields: (["long", "integer", "string"] as const).map((type, i) => ({
        name: ["id", "part", "value"][i],
        type,
        nullable: true,
        metadata: {},
      })),
    };
    const rows = [{ id: "int:2000", part: "int:1", value: "string:rs" }];
    await (await python()).request("write", { path: pathOf("here"), schema, rows, partition_by: null });
    const table = Table.open<Row>(pathOf("here"));
    await table.delete({ id: 2000n });
    expect(await table.count({ where: { value: "rs" } })).toBe(0);
  });
});
