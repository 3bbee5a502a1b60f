import { beforeEach, describe, expect, test } from "vitest";
import { type StructField, type StructType, sql, Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";

const field = (
  name: string,
  type: StructField["type"],
  metadata: Record<string, unknown> = {},
  nullable = true,
): StructField => ({ name, type, nullable, metadata });
const struct = (...fields: StructField[]): StructType => ({ type: "struct", fields });
const invariant = (expression: string) => ({ "delta.invariants": JSON.stringify({ expression: { expression } }) });
const identity = (start: number, step: number, explicit = false) => ({
  "delta.identity.start": start,
  "delta.identity.step": step,
  "delta.identity.allowExplicitInsert": explicit,
});
const generated = (expression: string) => ({ "delta.generationExpression": expression });

let store: ObjectStore;
let table: Table;
beforeEach(() => {
  store = memoryStore();
  table = Table.open(store);
});

const violation = "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES";

describe("CHECK constraints", () => {
  const create = (check: string) =>
    table.create({
      schema: struct(field("x", "integer"), field("s", "string")),
      properties: { "delta.constraints.own": check },
    });

  test("refuse the first row that breaks one, and nothing is written", async () => {
    await create("x > 0 AND s <> 'bad'");
    await table.append([{ x: 1, s: "good" }]);
    const rows = [
      { x: 1, s: "good" },
      { x: 2, s: "bad" },
      { x: 0, s: "good" },
    ];
    const error = await expectCode(violation, () => table.append(rows));
    expect(error.data).toEqual({
      row: 1,
      constraint: "own",
      expression: "x > 0 AND s <> 'bad'",
      values: { x: 2, s: "bad" },
    });
    expect(await table.version()).toBe(1);
    const files: string[] = [];
    for await (const { path } of store.list("")) if (path.endsWith(".parquet")) files.push(path);
    expect(files).toHaveLength(1);
  });

  test("[R-RULE-1] are broken by null, as Delta has it", async () => {
    await create("x > 0");
    await expectCode(violation, () => table.append([{ x: null, s: "a" }]));
    await expectCode(violation, () => table.append([{ s: "a" }]));
  });

  test("need an expression that is a condition on the table's columns", async () => {
    await expectCode("DELTA_NON_BOOLEAN_CHECK_CONSTRAINT", () => create("x + 1"));
    await expectCode("DELTA_INVALID_EXPRESSION", () => create("y > 0"));
    await expectCode("DELTA_UNSUPPORTED_EXPRESSION", () => create("x >"));
    await expectCode("DELTA_UNSUPPORTED_EXPRESSION", () => create("java_method(s) = 'a'"));
    await expectCode("DELTA_TABLE_NOT_FOUND", () => table.version());
  });

  test("that can't be evaluated let nothing be written", async () => {
    await create("x > 0");
    const first = Buffer.from(await store.get("_delta_log/00000000000000000000.json")).toString();
    const metaData = first.split("\n").find((line) => line.startsWith('{"metaData"'))!;
    const changed = `${metaData.replace("x > 0", "java_method(s) > 0")}\n`;
    await store.put("_delta_log/00000000000000000001.json", Buffer.from(changed));
    const fresh = Table.open(store);
    await expectCode("DELTA_UNSUPPORTED_EXPRESSION", () => fresh.append([{ x: 1, s: "a" }]));
    expect(await fresh.version()).toBe(1);
  });

  test("name the row where an expression fails", async () => {
    await create("10 / x > 1");
    const error = await expectCode("DELTA_EXPRESSION_FAILED", () =>
      table.append([{ x: 1 }, { x: 2 }, { x: 0 }, { x: 3 }]),
    );
    expect(error.data.row).toBe(2);
  });

  test("name the row and its values where they need functions that DuckDB hasn't", async () => {
    await create("hash(x) <> 1 AND initcap(s) = s AND forall(split(s, ' '), word -> length(word) < 6)");
    const error = await expectCode(violation, () =>
      table.append([
        { x: 1, s: "Two Words" },
        { x: 2, s: "Oneword" },
      ]),
    );
    expect(error.data).toMatchObject({ row: 1, constraint: "own", values: { x: 2, s: "Oneword" } });
    const failed = await expectCode("DELTA_EXPRESSION_FAILED", () =>
      table.append([
        { x: 1, s: "A" },
        { x: 2, s: "\u01c6" },
      ]),
    );
    expect(failed.data.row).toBe(1);
    await table.append([{ x: 1, s: "Two Words" }]);
    expect(await table.count()).toBe(1);
  });

  test("hold for tables that an append creates, and for rows of later batches", async () => {
    const properties = { "delta.constraints.small": "x < 40000" };
    await expectCode(violation, () => table.append([{ x: 50_000 }], { properties }));
    const rows = Array.from({ length: 50_000 }, (_, x) => ({ x }));
    const error = await expectCode(violation, () => table.append(rows, { properties }));
    expect(error.data.row).toBe(40_000);
    await table.append(rows.slice(0, 40_000), { properties });
    expect(await table.count()).toBe(40_000);
    const { features } = await table.protocol();
    expect(features.filter(({ source }) => source === "listed").map(({ name }) => name)).toEqual(["checkConstraints"]);
  });
});

describe("invariants of columns", () => {
  test("[R-RULE-2] are conditions, also of columns in structs", async () => {
    const at = struct(field("lat", "double", invariant("at.lat BETWEEN -90 AND 90")));
    await table.create({ schema: struct(field("id", "long", invariant("id > 3")), field("at", at)) });
    await table.append([{ id: 4n, at: { lat: 90 } }]);
    const one = await expectCode(violation, () => table.append([{ id: 3n, at: { lat: 0 } }]));
    expect(one.data).toMatchObject({ column: "id", constraint: "EXPRESSION(id > 3)", values: { id: 3n } });
    const two = await expectCode(violation, () => table.append([{ id: 4n, at: { lat: 91 } }]));
    expect(two.data).toMatchObject({ column: "at.lat", expression: "at.lat BETWEEN -90 AND 90" });
  });
});

describe("generated columns", () => {
  test("have values of functions that DuckDB hasn't, and take no others", async () => {
    const schema = struct(
      field("d", "double"),
      field("rounded", "double", generated("round(d, 1)")),
      field("text", "string", generated("cast(d as string)")),
      field("bucket", "integer", generated("pmod(hash(d), 16)")),
    );
    await table.create({ schema });
    await table.append([{ d: 2.25 }, { d: null }]);
    expect(await table.toArray()).toEqual([
      { d: 2.25, rounded: 2.3, text: "2.25", bucket: 7 },
      { d: null, rounded: null, text: null, bucket: 10 },
    ]);
    const error = await expectCode(violation, () => table.append([{ d: 2.25, rounded: 2.2 }]));
    expect(error.data).toMatchObject({ row: 0, values: { d: 2.25, rounded: 2.2 } });
  });

  const create = () =>
    table.create({
      schema: struct(
        field("at", "timestamp"),
        field("day", "date", generated("CAST(at AS DATE)")),
        field("twice", "long", generated("n * 2L"), false),
        field("n", "integer"),
      ),
      partitionBy: ["day"],
    });
  const at = new Date("2024-03-01T23:00:00Z");

  test("[R-RULE-3] are made where rows leave them out, and may be given as they would be", async () => {
    await create();
    await table.append([
      { at, n: 1 },
      { at, n: 2, twice: 4n },
      { at, n: 3, twice: 6n, day: "2024-03-01" },
    ]);
    const rows = await table.toArray();
    expect(rows.map(({ twice }) => twice)).toEqual([2n, 4n, 6n]);
    expect(rows.map(({ day }) => (day as Date).toISOString().slice(0, 10))).toEqual(Array(3).fill("2024-03-01"));
    expect((await table.files()).map(({ path }) => path.split("/")[0])).toEqual(["day=2024-03-01"]);
  });

  test("refuse other values, null too, and nulls where there must be none", async () => {
    await create();
    const wrong = await expectCode(violation, () =>
      table.append([
        { at, n: 1 },
        { at, n: 1, twice: 3n },
      ]),
    );
    expect(wrong.data).toMatchObject({
      row: 1,
      column: "twice",
      constraint: "Generated Column",
      values: { n: 1, twice: 3n },
    });
    await expectCode(violation, () => table.append([{ at, n: 1, day: null }]));
    const none = await expectCode("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", () => table.append([{ at, n: null }]));
    expect(none.data).toEqual({ row: 0, column: "twice" });
  });

  test("follow an update", async () => {
    await create();
    await table.append([
      { at, n: 1 },
      { at, n: 2 },
    ]);
    await table.update({ set: { n: 5 }, where: { n: 1 } });
    expect((await table.toArray()).map(({ n, twice }) => [n, twice]).sort()).toEqual([
      [2, 4n],
      [5, 10n],
    ]);
    await expectCode(violation, () => table.update({ set: { twice: 7n } }));
    await table.update({ set: { n: sql`n + 1`, twice: sql`(n + 1) * 2` } });
    expect((await table.toArray()).map(({ twice }) => twice).sort()).toEqual([12n, 6n]);
  });

  test("need the type of their expression, and columns that aren't generated themselves", async () => {
    const mismatch = struct(field("a", "integer"), field("b", "integer", generated("a * 2L")));
    await expectCode("DELTA_GENERATED_COLUMNS_EXPR_TYPE_MISMATCH", () => table.create({ schema: mismatch }));
    const chain = struct(
      field("a", "integer"),
      field("b", "integer", generated("a + 1")),
      field("c", "integer", generated("b + 1")),
    );
    await expectCode("DELTA_INVALID_GENERATED_COLUMN_REFERENCES", () => table.create({ schema: chain }));
    const unsteady = struct(field("a", "integer"), field("b", "timestamp", generated("current_timestamp()")));
    await expectCode("DELTA_INVALID_EXPRESSION", () => table.create({ schema: unsteady }));
  });
});

describe("default values", () => {
  const create = () =>
    table.create({
      schema: struct(
        field("id", "integer"),
        field("s", "string", { CURRENT_DEFAULT: "'none'" }),
        field("n", "decimal(10,2)", { CURRENT_DEFAULT: "1.5" }, false),
        field("day", "date", { CURRENT_DEFAULT: "DATE '2024-01-01' + 30" }),
        field("at", "timestamp", { CURRENT_DEFAULT: "current_timestamp()" }),
      ),
    });

  test("[R-RULE-4] stand where rows leave columns out, not where they say null", async () => {
    await create();
    await table.append([{ id: 1 }, { id: 2, s: null, day: null, at: null }, { id: 3, s: "own", n: "2" }]);
    const rows = await table.toArray({ columns: ["id", "s", "n", "day"] });
    expect(rows).toMatchObject([
      { id: 1, s: "none", n: "1.50" },
      { id: 2, s: null, n: "1.50", day: null },
      { id: 3, s: "own", n: "2.00" },
    ]);
    expect(rows[0]!.day).toEqual(new Date("2024-01-31"));
    const [one, two, three] = await table.toArray({ columns: ["at"] });
    expect(one!.at).toBeInstanceOf(Date);
    expect(two!.at).toBeNull();
    expect(three!.at).toEqual(one!.at);
    await expectCode("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", () => table.append([{ id: 1, n: null }]));
  });

  test("come with Arrow data and other tables that lack the column", async () => {
    await create();
    const other = Table.open(memoryStore());
    await other.append([{ id: 7 }], { schema: { id: "integer" } });
    await table.append(other.scan());
    expect(await table.toArray({ columns: ["id", "s", "n"] })).toEqual([{ id: 7, s: "none", n: "1.50" }]);
  });

  test("that aren't of the column's type or name columns are refused", async () => {
    const of = (text: string) => struct(field("id", "integer"), field("n", "integer", { CURRENT_DEFAULT: text }));
    await expectCode("DELTA_INVALID_EXPRESSION", () => table.create({ schema: of("'many'") }));
    await expectCode("DELTA_INVALID_EXPRESSION", () => table.create({ schema: of("id") }));
  });

  test("can't come with a column that is added", async () => {
    await table.append([{ id: 1 }], { schema: { id: "integer" } });
    const schema = struct(field("id", "integer"), field("s", "string", { CURRENT_DEFAULT: "'x'" }));
    const code = "DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT";
    await expectCode(code, () => table.append([{ id: 2 }], { schema, mergeSchema: true }));
    const ruled = Table.open(memoryStore());
    await ruled.create({ schema });
    const more = struct(...schema.fields, field("t", "string", { CURRENT_DEFAULT: "'y'" }));
    await expectCode("DELTA_INVALID_SCHEMA", () => ruled.append([{ id: 2 }], { schema: more, mergeSchema: true }));
  });

  test("aren't another table's that takes the rows", async () => {
    await create();
    await table.append([{ id: 1 }]);
    const copy = Table.open(memoryStore());
    await copy.append(table.scan());
    expect((await copy.schema()).fields.map(({ metadata }) => metadata)).toEqual(Array(5).fill({}));
  });
});

describe("identity columns", () => {
  const schemaOf = (start: number, step: number, explicit = false) =>
    struct(field("id", "long", identity(start, step, explicit)), field("x", "integer"));
  const idsOf = async (of: Table) => (await of.toArray({ columns: ["id"] })).map(({ id }) => id);

  test("count on from commit to commit, in files of any order", async () => {
    await table.create({ schema: schemaOf(10, 5) });
    await table.append([{ x: 1 }, { x: 2 }]);
    await table.append([{ x: 3 }]);
    await Table.open(store).append([{ x: 4 }, { x: 5 }]);
    expect(await idsOf(table)).toEqual([10n, 15n, 20n, 25n, 30n]);
    const { fields } = await table.schema();
    expect(fields[0]!.metadata["delta.identity.highWaterMark"]).toBe(30);
  });

  test("[R-RULE-6] may count down, and take no given values", async () => {
    await table.create({ schema: schemaOf(-1, -2) });
    await table.append([{ x: 1 }, { x: 2 }]);
    expect(await idsOf(table)).toEqual([-1n, -3n]);
    const code = "DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED";
    const error = await expectCode(code, () => table.append([{ x: 1 }, { x: 2, id: 5n }]));
    expect(error.data).toEqual({ row: 1, column: "id" });
    await expectCode(code, () => table.append([{ x: 1, id: null }]));
    await expectCode("DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED", () => table.update({ set: { id: 1n } }));
    await table.update({ set: { x: 9 } });
    expect(await idsOf(table)).toEqual([-1n, -3n]);
  });

  test("by default only take given values, which don't move them on", async () => {
    await table.create({ schema: schemaOf(1, 1, true) });
    await table.append([{ x: 1 }, { x: 2, id: 100n }, { x: 3 }]);
    await table.append([{ x: 4 }]);
    expect(await idsOf(table)).toEqual([1n, 100n, 2n, 3n]);
  });

  test("that are used up are an error", async () => {
    const near = struct(
      field("id", "long", { ...identity(1, 1), "delta.identity.highWaterMark": 2n ** 63n - 3n }),
      field("x", "integer"),
    );
    await table.create({ schema: near });
    await table.append([{ x: 1 }]);
    expect(await idsOf(table)).toEqual([2n ** 63n - 2n]);
    await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.append([{ x: 1 }, { x: 2 }]));
    await table.append([{ x: 1 }]);
    await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.append([{ x: 1 }]));
  });

  test("[R-RULE-5] never give a value twice where writers meet: the rows are written again", async () => {
    await table.create({ schema: schemaOf(1, 1) });
    const writers = Array.from({ length: 8 }, () => Table.open(store));
    for (const writer of writers) await writer.version();
    await Promise.all(writers.map((writer, x) => writer.append([{ x }, { x }])));
    const ids = (await idsOf(table)) as bigint[];
    expect(ids.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
  });

  test("leave a stream of rows, which can't be read again, to its caller", async () => {
    await table.create({ schema: schemaOf(1, 1) });
    async function* rows() {
      yield { x: 1 };
      await Table.open(store).append([{ x: 2 }]);
    }
    const error = await expectCode("DELTA_METADATA_CHANGED", () => table.append(rows()));
    expect(error.kind).toBe("rebase");
    expect(await table.toArray()).toEqual([{ id: 1n, x: 2 }]);
  });

  test("are of type long, with a step, and no table is partitioned by them", async () => {
    const of = (type: StructField["type"], step: number) =>
      struct(field("id", type, identity(1, step)), field("x", "integer"));
    await expectCode("DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE", () => table.create({ schema: of("integer", 1) }));
    await expectCode("DELTA_IDENTITY_COLUMNS_ILLEGAL_STEP", () => table.create({ schema: of("long", 0) }));
    await expectCode("DELTA_INVALID_SCHEMA", () => table.create({ schema: of("long", 1), partitionBy: ["id"] }));
  });
});

describe("rules and other writes", () => {
  const schema = struct(
    field("id", "long", identity(1, 1)),
    field("x", "integer"),
    field("y", "integer", generated("x + 1")),
  );
  const properties = { "delta.constraints.positive": "x > 0" };

  test("overwrites keep them", async () => {
    await table.create({ schema, properties });
    await table.append([{ x: 1 }, { x: 2 }]);
    await table.overwrite([{ x: 3 }, { x: 4 }]);
    expect(await table.toArray()).toEqual([
      { id: 3n, x: 3, y: 4 },
      { id: 4n, x: 4, y: 5 },
    ]);
    await expectCode(violation, () => table.overwrite([{ x: 0 }]));
    await table.overwrite([{ x: 9 }], { where: "x > 3" });
    expect((await table.toArray()).map(({ id, x, y }) => [id, x, y])).toEqual([
      [3n, 3, 4],
      [5n, 9, 10],
    ]);
    await expectCode(violation, () => table.overwrite([{ x: -1 }], { where: "x < 0" }));
    await table.append([{ x: 7 }]);
    expect((await table.toArray()).map(({ id }) => id).sort()).toEqual([3n, 5n, 6n]);
  });

  test("updates keep them", async () => {
    await table.create({ schema, properties });
    await table.append([{ x: 1 }, { x: 2 }]);
    await expectCode(violation, () => table.update({ set: { x: 0 }, where: { x: 2 } }));
    await table.update({ set: { x: 5 }, where: { x: 2 } });
    expect((await table.toArray()).map(({ id, x, y }) => [id, x, y]).sort()).toEqual([
      [1n, 1, 2],
      [2n, 5, 6],
    ]);
  });

  test("merges keep them", async () => {
    await table.create({ schema, properties });
    await table.append([{ x: 1 }, { x: 2 }]);
    const source = [{ x: 2 }, { x: 7 }];
    const set = { x: sql`source.x + 10` };
    await table.merge(source, { on: "x", whenMatched: [{ update: set }], whenNotMatched: [{ insert: "*" }] });
    expect((await table.toArray()).map(({ id, x, y }) => [id, x, y]).sort()).toEqual([
      [1n, 1, 2],
      [2n, 12, 13],
      [3n, 7, 8],
    ]);
    await expectCode(violation, () => table.merge([{ x: 0 }], { on: "x", whenNotMatched: [{ insert: "*" }] }));
    const broken = { on: "x", whenMatched: [{ update: { x: 0 } }] };
    await expectCode(violation, () => table.merge([{ x: 7 }], broken));
    const moved = { on: "x", whenMatched: [{ update: { id: 9n } }] };
    await expectCode("DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED", () => table.merge([{ x: 7 }], moved));
    await table.append([{ x: 8 }]);
    expect((await table.toArray({ where: { x: 8 } })).map(({ id }) => Number(id))[0]).toBeGreaterThan(3);
  });

  test("transactions keep them", async () => {
    await table.create({ schema, properties });
    await table.transaction(async (tx) => {
      await tx.append([{ x: 1 }]);
      await tx.append([{ x: 2 }]);
      await tx.update({ set: { x: 5 }, where: { x: 2 } });
    });
    expect((await table.toArray()).map(({ id, x, y }) => [id, x, y]).sort()).toEqual([
      [1n, 1, 2],
      [2n, 5, 6],
    ]);
    await table.append([{ x: 3 }]);
    expect((await table.toArray({ where: { x: 3 } })).map(({ id }) => id)).toEqual([3n]);
  });

  test("a constraint that another writer adds meanwhile counts for rows that are on their way", async () => {
    await table.create({ schema: struct(field("x", "integer")), properties: { "delta.constraints.a": "x > 0" } });
    const first = Buffer.from(await store.get("_delta_log/00000000000000000000.json")).toString();
    const metaData = first.split("\n").find((line) => line.startsWith('{"metaData"'))!;
    let isAdded = false;
    async function* rows() {
      yield { x: 1 };
      if (isAdded) return;
      isAdded = true;
      const changed = metaData.replace("x > 0", "x > 5");
      await store.put("_delta_log/00000000000000000001.json", Buffer.from(`${changed}\n`));
    }
    await expectCode("DELTA_METADATA_CHANGED", () => table.append(rows()));
    await expectCode(violation, () => table.append([{ x: 1 }]));
  });
});
