import { RecordBatch, tableFromArrays } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { type MergeOptions, sql, Table } from "#src/index.js";
import type { Action } from "#src/log/actions.js";
import { parseCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { parseDdl } from "#src/schema/ddl.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { CountingStore } from "../storage/countingStore.js";

interface Row {
  readonly id: bigint | null;
  readonly part: string | null;
  readonly n: number | null;
  readonly text: string | null;
}

const VECTORS = { "delta.enableDeletionVectors": "true" };
const CHANGES = { "delta.enableChangeDataFeed": "true" };

const FORMS: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
  ["copies", {}, []],
  ["deletion vectors", VECTORS, []],
  ["copies and changes", CHANGES, []],
  ["vectors and changes", { ...VECTORS, ...CHANGES }, []],
  ["partitions", CHANGES, ["part"]],
  ["partitions and vectors", { ...VECTORS, ...CHANGES }, ["part"]],
  ["mapped columns", { ...CHANGES, "delta.columnMapping.mode": "name" }, ["part"]],
];

/** Ids 0 to 9 in part a, 10 to 19 in part b, each in a file of its own. */
async function tableOf(properties: Readonly<Record<string, string>> = {}, partitionBy: readonly string[] = []) {
  const store = memoryStore();
  const table = Table.open<Row>(store);
  const schema = { id: "long", part: "string", n: "integer", text: "string" } as const;
  await table.create({ schema, properties, partitionBy });
  for (const [part, first] of [["a", 0] as const, ["b", 10] as const]) {
    const rows = Array.from({ length: 10 }, (_, i) => ({ id: BigInt(first + i), part, n: first + i, text: `t${i}` }));
    await table.append(rows);
  }
  const actionsOf = async (version: number) => parseCommit(version, await store.get(commitPath(version)));
  return { store, table, actionsOf };
}

async function filesOf(store: ReturnType<typeof memoryStore>): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of store.list("")) paths.push(path);
  return paths;
}

const texts = (rows: readonly object[]) =>
  rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? Number(value) : value))).sort();
const kinds = (actions: readonly Action[]) => actions.map((action) => Object.keys(action)[0]).sort();
const row = (id: number, part: string, n: number | null, text: string | null): Row => ({
  id: BigInt(id),
  part,
  n,
  text,
});

async function changesOf(table: Table<Row>, version: number): Promise<[string, number][]> {
  const rows = await table.changes({ from: version, to: version }).toArray();
  return rows.map(({ _change_type, id }): [string, number] => [_change_type, Number(id)]).sort();
}

describe.each(FORMS)("with %s", (_, properties, partitionBy) => {
  const tells = "delta.enableChangeDataFeed" in properties;

  test("each row goes by the first clause that holds for it", async () => {
    const { table } = await tableOf(properties, partitionBy);
    const source = [
      row(1, "a", 0, "gone"),
      row(2, "c", 200, "all"),
      row(3, "a", 300, "some"),
      row(30, "z", 30, "new"),
      row(31, "z", 31, "unwanted"),
      { id: null, part: "z", n: 0, text: "new" },
    ];
    const result = await table.merge(source, {
      on: "target.id = source.id",
      whenMatched: [
        { where: "source.text = 'gone'", delete: true },
        { where: "source.text = 'all'", update: "*" },
        { update: { n: sql`target.n + source.n`, text: "fixed" } },
      ],
      whenNotMatched: [
        { where: "source.id IS NULL", insert: { id: -1n, text: sql`'null ' || source.text` } },
        { where: "source.text = 'new'", insert: "*" },
      ],
      whenNotMatchedBySource: [
        { where: "target.id = 19", delete: true },
        { where: "target.id >= 17", update: { text: sql`text || '!'`, part: "b" } },
      ],
    });
    const counts = { sourceRowCount: 6, insertedRowCount: 2, updatedRowCount: 4, deletedRowCount: 2 };
    expect(result).toMatchObject({ version: 3, skipped: false, ...counts });
    const others = [0, 4, 5, 6, 7, 8, 9].map((id) => row(id, "a", id, `t${id}`));
    const inB = [10, 11, 12, 13, 14, 15, 16].map((id) => row(id, "b", id, `t${id - 10}`));
    const changed = [
      row(2, "c", 200, "all"),
      row(3, "a", 303, "fixed"),
      row(17, "b", 17, "t7!"),
      row(18, "b", 18, "t8!"),
    ];
    const inserted = [row(30, "z", 30, "new"), { id: -1n, part: null, n: null, text: "null new" }];
    expect(texts(await table.toArray())).toEqual(texts([...others, ...inB, ...changed, ...inserted]));
    expect(await table.count()).toBe(20);
    expect((await table.verify()).findings).toEqual([]);
    if (!tells) return;
    expect(await changesOf(table, 3)).toEqual([
      ["delete", 1],
      ["delete", 19],
      ["insert", -1],
      ["insert", 30],
      ...["update_postimage", "update_preimage"].flatMap((type) => [17, 18, 2, 3].map((id) => [type, id])),
    ]);
  });

  test("an insert leaves the files that are there", async () => {
    const { table, actionsOf } = await tableOf(properties, partitionBy);
    const source = [row(1, "a", 0, "known"), row(30, "z", 30, "new")];
    const result = await table.merge(source, { on: "id", whenNotMatched: [{ insert: "*" }] });
    expect(result).toMatchObject({ version: 3, insertedRowCount: 1, copiedRowCount: 0 });
    expect(kinds(await actionsOf(3))).toEqual(["add", "commitInfo"]);
    expect(await table.toArray({ where: { id: { in: [1n, 30n] } } })).toHaveLength(2);
    if (tells) expect(await changesOf(table, 3)).toEqual([["insert", 30]]);
  });

  test("a delete of whole files reads none of their other columns", async () => {
    const { table } = await tableOf(properties, partitionBy);
    const source = Array.from({ length: 10 }, (_, i) => ({ id: BigInt(i) }));
    const result = await table.merge(source, { on: "id", whenMatched: [{ delete: true }] });
    expect(result).toMatchObject({ deletedRowCount: 10, copiedRowCount: 0 });
    expect(await table.files()).toHaveLength(1);
    if (tells) expect(await changesOf(table, 3)).toHaveLength(10);
  });

  test("rows that are gone already match nothing", async () => {
    const { table } = await tableOf(properties, partitionBy);
    await table.delete({ id: { in: [2n, 12n] } });
    const source = [row(2, "a", 1, "again"), row(3, "a", 1, "there")];
    const result = await table.merge(source, {
      on: "id",
      whenMatched: [{ update: "*" }],
      whenNotMatchedBySource: [{ where: "target.id > 15", delete: true }],
    });
    expect(result).toMatchObject({ updatedRowCount: 1, deletedRowCount: 4, insertedRowCount: 0 });
    const ids = (await table.toArray()).map(({ id }) => Number(id)).sort((a, b) => a - b);
    expect(ids).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15]);
  });
});

test("nothing is committed where nothing changes", async () => {
  const { table, store } = await tableOf();
  const before = (await filesOf(store)).length;
  const nothing: MergeOptions<Row> = {
    on: "id",
    whenMatched: [{ where: "source.n = 5", delete: true }],
    whenNotMatched: [{ where: "false", insert: "*" }],
  };
  const result = await table.merge([row(1, "a", 0, "x"), row(90, "a", 0, "x")], nothing);
  expect(result).toMatchObject({ version: 2, skipped: false, updatedRowCount: 0 });
  expect(await table.merge([], nothing)).toMatchObject({ version: 2 });
  expect((await filesOf(store)).length).toBe(before);
});

test("history tells what was done, as Spark does", async () => {
  const { table } = await tableOf();
  await table.merge([row(1, "a", 0, "x"), row(90, "a", 0, "x")], {
    on: "target.id = source.id",
    whenMatched: [{ where: "source.n = 5", delete: true }, { update: "*" }],
    whenNotMatched: [{ insert: "*" }],
    userMetadata: "why",
  });
  const [entry] = await table.history();
  expect(entry).toMatchObject({ version: 3, operation: "MERGE", userMetadata: "why", isBlindAppend: false });
  expect(entry!.operationParameters).toEqual({
    predicate: '["target.id = source.id"]',
    matchedPredicates: '[{"predicate":"source.n = 5","actionType":"delete"},{"actionType":"update"}]',
    notMatchedPredicates: '[{"actionType":"insert"}]',
    notMatchedBySourcePredicates: "[]",
  });
  expect(entry!.operationMetrics).toMatchObject({
    numSourceRows: "2",
    numTargetRowsInserted: "1",
    numTargetRowsUpdated: "1",
    numTargetRowsMatchedUpdated: "1",
    numTargetRowsDeleted: "0",
    numTargetRowsCopied: "9",
    numOutputRows: "11",
    numTargetFilesAdded: "1",
    numTargetFilesRemoved: "1",
  });
});

test("a repeated txn does nothing", async () => {
  const { table } = await tableOf();
  const txn = { appId: "job", version: 1 };
  const options: MergeOptions<Row> = { on: "id", whenNotMatched: [{ insert: "*" }], txn };
  expect(await table.merge([row(90, "a", 0, "x")], options)).toMatchObject({ version: 3, insertedRowCount: 1 });
  expect(await table.merge([row(91, "a", 0, "x")], options)).toMatchObject({
    version: 3,
    skipped: true,
    insertedRowCount: 0,
  });
  expect(await table.count()).toBe(21);
});

describe("several source rows of one target row", () => {
  const twice = [row(1, "a", 1, "one"), row(1, "a", 2, "two")];

  test("are refused where they would change it", async () => {
    const { table, store } = await tableOf();
    const before = (await filesOf(store)).length;
    const code = "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE";
    await expectCode(code, () => table.merge(twice, { on: "id", whenMatched: [{ update: "*" }] }));
    await expectCode(code, () =>
      table.merge(twice, { on: "id", whenMatched: [{ where: "source.n > 0", delete: true }] }),
    );
    expect((await filesOf(store)).length).toBe(before);
  });

  test("may delete it, be told apart by conditions, or not insert", async () => {
    const { table } = await tableOf();
    await table.merge(twice, { on: "id", whenMatched: [{ where: "source.n = 2", update: "*" }] });
    expect(await table.toArray({ where: { id: 1n } })).toEqual([row(1, "a", 2, "two")]);
    expect(await table.merge(twice, { on: "id", whenNotMatched: [{ insert: "*" }] })).toMatchObject({
      insertedRowCount: 0,
    });
    expect(await table.merge(twice, { on: "id", whenMatched: [{ delete: true }] })).toMatchObject({
      deletedRowCount: 1,
    });
    expect(await table.count()).toBe(19);
  });
});

test("wrong merges are refused before anything is written", async () => {
  const { table, store } = await tableOf();
  const before = (await filesOf(store)).length;
  const source = [row(1, "a", 1, "one")];
  const refused = (code: Parameters<typeof expectCode>[0], options: object) =>
    expectCode(code, () => table.merge(source, options as MergeOptions<Row>));
  await refused("DELTA_MERGE_MISSING_WHEN", { on: "id" });
  await refused("DELTA_INVALID_ARGUMENT", { on: [], whenMatched: [{ delete: true }] });
  await refused("DELTA_INVALID_ARGUMENT", { on: ["nope"], whenMatched: [{ delete: true }] });
  await refused("DELTA_INVALID_ARGUMENT", { on: "id", whenMatched: [{ delete: true, update: "*" }] });
  await refused("DELTA_INVALID_ARGUMENT", { on: "id", whenMatched: [{ insert: "*" }] });
  await refused("DELTA_INVALID_ARGUMENT", { on: "id", whenMatched: [{ update: {} }] });
  await refused("DELTA_INVALID_ARGUMENT", { on: "id", whenMatched: [{ update: { nope: 1 } }] });
  await refused("DELTA_INVALID_ARGUMENT", { on: "id", whenNotMatchedBySource: [{ update: "*" }] });
  await refused("DELTA_VALUE_OUT_OF_RANGE", { on: "id", whenMatched: [{ update: { n: 2 ** 40 } }] });
  await refused("DELTA_NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION", {
    on: "id",
    whenMatched: [{ delete: true }, { update: "*" }],
  });
  await refused("DELTA_NON_LAST_NOT_MATCHED_CLAUSE_OMIT_CONDITION", {
    on: "id",
    whenNotMatched: [{ insert: "*" }, { insert: "*" }],
  });
  await refused("DELTA_NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION", {
    on: "id",
    whenNotMatchedBySource: [{ delete: true }, { delete: true }],
  });
  await refused("DELTA_INVALID_PREDICATE", { on: "target.id = source.nope", whenMatched: [{ delete: true }] });
  await refused("DELTA_INVALID_PREDICATE", { on: "id = 5", whenMatched: [{ delete: true }] });
  await refused("DELTA_INVALID_PREDICATE", { on: "id", whenNotMatched: [{ where: "target.id = 1", insert: "*" }] });
  await refused("DELTA_INVALID_PREDICATE", { on: "id", whenMatched: [{ where: "(SELECT true)", delete: true }] });
  await refused("DELTA_INVALID_PREDICATE", { on: "id", whenMatched: [{ update: { n: sql`nope(source.n)` } }] });
  await refused("DELTA_INVALID_PREDICATE", { on: "id", whenMatched: [{ update: { n: sql`source.text` } }] });
  await refused("DELTA_INVALID_PREDICATE", {
    on: "id",
    whenMatched: [{ update: { n: sql`source.n + 2147483647::BIGINT` } }],
  });
  expect(await table.version()).toBe(2);
  expect((await filesOf(store)).length).toBe(before);
});

test("a table that only takes rows takes inserts", async () => {
  const { table } = await tableOf({ "delta.appendOnly": "true" });
  await expectCode("DELTA_CANNOT_MODIFY_APPEND_ONLY", () =>
    table.merge([row(1, "a", 1, "x")], { on: "id", whenMatched: [{ delete: true }] }),
  );
  await table.merge([row(90, "a", 1, "x")], { on: "id", whenNotMatched: [{ insert: "*" }] });
  expect(await table.count()).toBe(21);
});

test("only files that may match are read", async () => {
  const { store } = await tableOf();
  const counting = new CountingStore(store);
  const table = Table.open<Row>(counting);
  const filesRead = async (source: readonly Row[], options: MergeOptions<Row>) => {
    await table.version();
    counting.take();
    await table.merge(source, options);
    const read = counting.calls.filter(({ verb, path }) => verb === "get" && path.endsWith(".parquet"));
    return new Set(read.map(({ path }) => path)).size;
  };
  const never: MergeOptions<Row>["whenMatched"] = [{ where: "false", delete: true }];
  expect(await filesRead([row(15, "b", 1, "x")], { on: "id", whenMatched: never })).toBe(1);
  expect(await filesRead([row(150, "b", 1, "x")], { on: "id", whenMatched: never })).toBe(0);
  const many = Array.from({ length: 100 }, (_, i) => row(10 + i, "b", 1, "x"));
  expect(await filesRead(many, { on: "target.id = source.id", whenMatched: never })).toBe(1);
  expect(await filesRead(many, { on: "target.part = 'a' AND target.text = source.text", whenMatched: never })).toBe(0);
  expect(await filesRead(many, { on: "target.id < source.id", whenMatched: never })).toBe(2);
  expect(
    await filesRead([row(15, "b", 1, "x")], { on: "id", whenNotMatchedBySource: [{ where: "false", delete: true }] }),
  ).toBe(2);
});

test("rows that another writer added meanwhile are not passed over", async () => {
  const { store, table } = await tableOf();
  const other = Table.open<Row>(store);
  await table.version();
  async function* during(rows: readonly Row[], added: Row) {
    await other.append([added]);
    yield* rows;
  }
  const options: MergeOptions<Row> = { on: "id", whenMatched: [{ update: "*" }], whenNotMatched: [{ insert: "*" }] };
  await table.merge(during([row(5, "a", 1, "x")], row(15, "b", 2, "y")), options);
  expect(await table.count()).toBe(21);
  await expectCode("DELTA_CONCURRENT_APPEND", () =>
    table.merge(during([row(6, "a", 1, "z")], row(6, "a", 2, "y")), options),
  );
  async function* rewritten(rows: readonly Row[]) {
    await other.update({ set: { n: 0 }, where: { id: 7n } });
    yield* rows;
  }
  await expectCode("DELTA_CONCURRENT_APPEND", () => table.merge(rewritten([row(8, "a", 1, "z")]), options));
  expect(await table.count({ where: { text: "z" } })).toBe(0);
});

describe("sources", () => {
  const upsert: MergeOptions<Row> = { on: "id", whenMatched: [{ update: "*" }], whenNotMatched: [{ insert: "*" }] };
  const wanted = [row(1, "a", 100, "x"), row(90, "a", 900, "y")];

  test("are what append takes", async () => {
    const arrow = tableFromArrays({
      id: BigInt64Array.from([1n, 90n]),
      part: ["a", "a"],
      n: Float64Array.from([100, 900]),
      text: ["x", "y"],
    });
    const other = Table.open<Row>(memoryStore());
    await other.append(wanted, { schema: { id: "long", part: "string", n: "integer", text: "string" } });
    async function* stream() {
      yield* wanted;
    }
    const batches = arrow.batches.map((batch) => new RecordBatch(batch.schema, batch.data));
    for (const source of [wanted, new Set(wanted), stream(), arrow, arrow.batches[0]!, batches, other, other.scan()]) {
      const { table } = await tableOf();
      expect(await table.merge(source, upsert)).toMatchObject({ updatedRowCount: 1, insertedRowCount: 1 });
      expect(texts(await table.toArray({ where: { id: { in: [1n, 90n] } } }))).toEqual(texts(wanted));
    }
  });

  test("need all columns for *, unless the schema merges", async () => {
    const { table } = await tableOf();
    const source = [{ id: 1n, n: 5 }];
    await expectCode("DELTA_MERGE_UNRESOLVED_EXPRESSION", () => table.merge(source, upsert));
    await expectCode("DELTA_MERGE_UNRESOLVED_EXPRESSION", () => table.merge([{ n: 5 }], { ...upsert, on: ["id"] }));
    await table.merge([...source, { id: 90n, n: 6 }], { ...upsert, mergeSchema: true });
    expect(texts(await table.toArray({ where: { id: { in: [1n, 90n] } } }))).toEqual(
      texts([row(1, "a", 5, "t1"), { id: 90n, part: null, n: 6, text: null }]),
    );
  });

  test("of objects may lack columns here and there, but show them early", async () => {
    const { table, store } = await tableOf();
    const some = [{ id: 1n }, { id: 2n, n: 5 }, { id: 3n, n: 6, text: "x", part: "a" }];
    await table.merge(some, upsert);
    expect(await table.toArray({ where: { id: 2n } })).toEqual([{ id: 2n, part: null, n: 5, text: null }]);
    const before = (await filesOf(store)).length;
    async function* late() {
      for (let i = 0; i < 16_384; i++) yield { id: BigInt(100 + i) };
      yield row(1, "a", 1, "late");
    }
    const lacking = { ...upsert, mergeSchema: true };
    await expectCode("DELTA_SCHEMA_MISMATCH", () => table.merge(late(), lacking));
    async function* failing() {
      yield row(1, "a", 1, "x");
      throw new TypeError("the source's own");
    }
    await expect(table.merge(failing(), upsert)).rejects.toBeInstanceOf(TypeError);
    expect((await filesOf(store)).length).toBe(before);
  });

  test("of Arrow data must fit", async () => {
    const { table } = await tableOf();
    const big = tableFromArrays({ id: BigInt64Array.from([1n]), n: Float64Array.from([1e10]) });
    await expectCode("DELTA_INVALID_PREDICATE", () =>
      table.merge(big, { on: "id", whenMatched: [{ update: { n: sql`source.n` } }] }),
    );
    expect(await table.version()).toBe(2);
  });
});

test.each([["none"], ["name"], ["id"]])("mergeSchema adds the columns of the source, mapped by %s", async (mode) => {
  const properties: Record<string, string> = mode === "none" ? {} : { "delta.columnMapping.mode": mode };
  const { table } = await tableOf({ ...properties, ...CHANGES });
  const source = [
    { ...row(1, "a", 5, "x"), extra: { deep: 1n } },
    { ...row(90, "a", 6, "y"), extra: null },
  ];
  const upsert: MergeOptions<Row> = { on: "id", whenMatched: [{ update: "*" }], whenNotMatched: [{ insert: "*" }] };
  await table.merge(source, upsert);
  expect((await table.schema()).fields).toHaveLength(4);
  await table.merge(source, { ...upsert, mergeSchema: true });
  expect((await table.schema()).fields.map(({ name }) => name)).toEqual(["id", "part", "n", "text", "extra"]);
  const rows = (await table.toArray()) as unknown as { id: bigint; extra: unknown }[];
  expect(rows.find(({ id }) => id === 1n)?.extra).toEqual({ deep: 1n });
  expect(rows.find(({ id }) => id === 2n)?.extra).toBeNull();
  await table.merge([{ id: 1n, extra: { deep: 2n, more: "m" } }], { ...upsert, mergeSchema: true });
  const again = (await table.toArray({ where: { id: 1n } })) as unknown as { text: string; extra: unknown }[];
  expect(again).toEqual([{ ...row(1, "a", 5, "x"), extra: { deep: 2n, more: "m" } }]);
  expect((await table.verify()).findings).toEqual([]);
});

test("values of all types survive, copied, updated and inserted", async () => {
  const schema = {
    id: "long",
    tinyint: "byte",
    price: "decimal(38,18)",
    day: "date",
    at: "timestamp",
    local: "timestamp_ntz",
    bytes: "binary",
    flag: "boolean",
    x: "float",
    y: "double",
    s: { a: "integer", b: { c: "string" } },
    list: ["string"],
  } as const;
  const rowOf = (id: bigint, seed: number) => ({
    id,
    tinyint: -seed,
    price: `${seed}2345678901234567.890123456789012345`,
    day: "1899-12-31",
    at: new Date("2024-01-31T12:00:00.123Z"),
    local: new Date("1970-01-01T00:00:00.001Z"),
    bytes: Uint8Array.from([0, seed, 255]),
    flag: seed % 2 === 0,
    x: 0.1,
    y: Number.NaN,
    s: { a: seed, b: { c: `c${seed}` } },
    list: ["x", null, `y${seed}`],
  });
  const table = Table.open(memoryStore());
  await table.create({ schema: schema as never });
  await table.append([rowOf(1n, 1), rowOf(2n, 2)]);
  const written = await table.toArray();
  const other = Table.open(memoryStore());
  await other.create({ schema: schema as never });
  await other.append([rowOf(2n, 3), rowOf(3n, 4), { id: 4n }]);
  await table.merge(other, { on: "id", whenMatched: [{ update: "*" }], whenNotMatched: [{ insert: "*" }] });
  const byId = (rows: Record<string, unknown>[]) => rows.sort((a, b) => Number((a.id as bigint) - (b.id as bigint)));
  expect(byId(await table.toArray())).toEqual([written[0], ...byId(await other.toArray())]);
});

test("columns in structs get values; a struct that was null is there then", async () => {
  const schema = parseDdl("id bigint, s struct<a:int,t:struct<b:string,c:array<int>>>, n int");
  for (const properties of [{}, VECTORS, CHANGES]) {
    const table = Table.open(memoryStore());
    await table.create({ schema, properties });
    await table.append([
      { id: 1n, s: { a: 1, t: { b: "x", c: [1, 2] } }, n: 1 },
      { id: 2n, s: { a: 2, t: null }, n: 2 },
      { id: 3n, s: null, n: 3 },
      { id: 4n, s: { a: 4, t: { b: "y", c: null } }, n: 4 },
    ]);
    const source = [1n, 2n, 3n].map((id) => ({ id, text: `new ${id}` }));
    await table.merge(source, {
      on: ["id"],
      whenMatched: [{ update: { "s.t.b": sql`source.text`, "s.a": 9, n: sql`target.s.a` } }],
      whenNotMatchedBySource: [{ update: { "s.t.b": null } }],
    });
    expect((await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id))).toEqual([
      { id: 1n, s: { a: 9, t: { b: "new 1", c: [1, 2] } }, n: 1 },
      { id: 2n, s: { a: 9, t: { b: "new 2", c: null } }, n: 2 },
      { id: 3n, s: { a: 9, t: { b: "new 3", c: null } }, n: null },
      { id: 4n, s: { a: 4, t: { b: null, c: null } }, n: 4 },
    ]);
    const set = { s: { a: 1, t: null }, "s.a": 2 };
    const twice = { on: ["id"], whenMatched: [{ update: set }] };
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.merge(source, twice));
    const insert = { id: sql`source.id`, "s.a": 1 };
    const inside = { on: ["id"], whenNotMatched: [{ insert }] };
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.merge(source, inside));
  }
});

test("fields of structs go by their names, within lists and maps too", async () => {
  const create = async (ddl: string, rows: readonly object[]) => {
    const table = Table.open<Record<string, unknown>>(memoryStore());
    await table.create({ schema: parseDdl(ddl) });
    await table.append(rows);
    return table;
  };
  const table = await create(
    "id bigint, m map<string,struct<a:int,b:string>>, l array<struct<x:bigint,y:array<int>>>, s struct<q:decimal(10,2),w:struct<e:date>>",
    [{ id: 1n, m: new Map([["k", { a: 1, b: "b" }]]), l: [{ x: 1n, y: [1, null] }, null], s: { q: "1.50", w: null } }],
  );
  const other = await create(
    "s struct<w:struct<e:date>,q:decimal(12,1)>, l array<struct<y:array<bigint>,x:int>>, id int, m map<string,struct<b:string,a:bigint>>",
    [
      { id: 1, m: new Map([["n", { a: 9n, b: "nn" }]]), l: [{ x: 7, y: [5n, null] }, null], s: { q: "3.5", w: null } },
      { id: 2, m: new Map([["n", null]]), l: [], s: null },
    ],
  );
  const upsert: MergeOptions = { on: "id", whenMatched: [{ update: "*" }], whenNotMatched: [{ insert: "*" }] };
  await table.merge(other, upsert);
  const rows = await table.toArray();
  expect(rows.sort((a, b) => Number((a.id as bigint) - (b.id as bigint)))).toEqual([
    { id: 1n, m: new Map([["n", { a: 9, b: "nn" }]]), l: [{ x: 7n, y: [5, null] }, null], s: { q: "3.50", w: null } },
    { id: 2n, m: new Map([["n", null]]), l: [], s: null },
  ]);
  const wider = await create("id bigint, s struct<q:decimal(10,2),extra:int>, l array<struct<x:bigint,new:string>>", [
    { id: 1n, s: { q: "9.99", extra: 4 }, l: [{ x: 1n, new: "n" }] },
  ]);
  await table.merge(wider, { ...upsert, mergeSchema: true });
  expect(await table.toArray({ where: { id: 1n }, columns: ["s", "l"] })).toEqual([
    { s: { q: "9.99", w: null, extra: 4 }, l: [{ x: 1n, y: null, new: "n" }] },
  ]);
});

test("columns may have any name", async () => {
  const table = Table.open<Record<string, unknown>>(memoryStore());
  const schema = parseDdl("`my id` bigint, `a.b` string, `select` int, target struct<id:int>");
  await table.create({ schema, properties: { "delta.columnMapping.mode": "name" } });
  const named = (text: string, select: number, id: number) => ({ "my id": 1n, "a.b": text, select, target: { id } });
  await table.append([named("x", 1, 5)]);
  await table.merge([named("y", 2, 6)], {
    on: "my id",
    whenMatched: [
      {
        where: "source.\"a.b\" = 'y'",
        update: { "a.b": sql`source."a.b" || target."a.b"`, select: sql`source."select" + target.target.id` },
      },
    ],
  });
  expect(await table.toArray()).toEqual([named("yx", 7, 5)]);
});

test("rows keep their ids through updates", async () => {
  const { table } = await tableOf({ "delta.enableRowTracking": "true" });
  const idsOf = async () => {
    const columns = ["id", "_metadata.row_id", "_metadata.row_commit_version"] as const;
    const rows = (await table.toArray({ columns })) as unknown as Record<string, bigint>[];
    return new Map(rows.map((found) => [found.id, [found["_metadata.row_id"], found["_metadata.row_commit_version"]]]));
  };
  const before = await idsOf();
  await table.merge([row(1, "a", 1, "x"), row(90, "a", 1, "x")], {
    on: "id",
    whenMatched: [{ update: { text: sql`upper(source.text)` } }],
    whenNotMatched: [{ insert: "*" }],
  });
  const after = await idsOf();
  expect(after.get(1n)).toEqual([before.get(1n)![0], 3n]);
  expect(after.get(2n)).toEqual(before.get(2n));
  expect(after.get(90n)![1]).toBe(3n);
  expect(new Set([...after.values()].map(([id]) => id)).size).toBe(21);
  expect((await table.verify()).findings).toEqual([]);
});

test("a merge is part of a transaction", async () => {
  const { table } = await tableOf(CHANGES);
  const counts = await table.transaction(async (tx) => {
    await tx.delete({ id: 1n });
    return tx.merge([row(2, "a", 1, "x"), row(90, "a", 1, "x")], {
      on: "id",
      whenMatched: [{ where: "source.n = 5", update: "*" }],
      whenNotMatched: [{ insert: "*" }],
    });
  });
  expect(counts).toMatchObject({ version: 3, value: { insertedRowCount: 1, updatedRowCount: 0 } });
  expect(await changesOf(table, 3)).toEqual([
    ["delete", 1],
    ["insert", 90],
  ]);
});

test("progress is told, and a signal ends it", async () => {
  const { table } = await tableOf();
  const seen: number[][] = [];
  await table.merge([row(1, "a", 1, "x"), row(90, "a", 1, "x")], {
    on: "id",
    whenMatched: [{ update: "*" }],
    whenNotMatched: [{ insert: "*" }],
    onProgress: ({ sourceRowCount, targetRowCount, changedRowCount }) =>
      seen.push([sourceRowCount, targetRowCount, changedRowCount]),
  });
  expect(seen.at(-1)).toEqual([2, 1, 2]);
  await expectCode("DELTA_ABORTED", () =>
    table.merge([row(1, "a", 1, "x")], { on: "id", whenMatched: [{ update: "*" }], signal: AbortSignal.abort() }),
  );
});
