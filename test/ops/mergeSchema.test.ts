import { Field, Int32, makeData, RecordBatch, Schema, Struct, Utf8, vectorFromArray } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { type StructType, Table } from "#src/index.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { append } from "#src/ops/append.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

let tables = 0;
const newTable = () => Table.open(`memory:merge-schema-${tables++}`);
const names = (schema: StructType) => schema.fields.map(({ name }) => name);
const merging = { mergeSchema: true } as const;

describe("append with mergeSchema", () => {
  it("[R-FILE-9] adds the columns that rows have and the table lacks, null in the rows before", async () => {
    const table = newTable();
    await table.append([{ id: 1n, name: "a" }]);
    const { version } = await table.append([{ extra: 1.5, id: 2n, when: new Date(0) }], merging);
    expect(version).toBe(1);
    expect(names(await table.schema())).toEqual(["id", "name", "extra", "when"]);
    expect(await table.toArray()).toEqual([
      { id: 1n, name: "a", extra: null, when: null },
      { id: 2n, name: null, extra: 1.5, when: new Date(0) },
    ]);
    expect(names(await table.at(0).schema())).toEqual(["id", "name"]);
  });

  it("adds nested ones, in structs, arrays and maps", async () => {
    const table = newTable();
    const schema = { s: { a: "long" }, list: [{ a: "long" }], map: { map: ["string", { a: "long" }] } } as const;
    await table.create({ schema });
    const row = { s: { b: "x" }, list: [{ a: 1n, b: "y" }], map: new Map([["k", { b: "z" }]]) };
    await table.append([row], merging);
    expect(await table.toArray()).toEqual([
      { s: { a: null, b: "x" }, list: [{ a: 1n, b: "y" }], map: new Map([["k", { a: null, b: "z" }]]) },
    ]);
  });

  it("leaves the types of the table's columns as they are, whatever rows would show by themselves", async () => {
    const table = newTable();
    await table.create({ schema: { id: "integer", price: "decimal(10,2)", day: "date" } });
    await table.append([{ id: 1, price: "12.30", day: "2024-01-31", more: true }], merging);
    expect((await table.schema()).fields.map(({ type }) => type)).toEqual([
      "integer",
      "decimal(10,2)",
      "date",
      "boolean",
    ]);
    const mismatch = await expectCode("DELTA_VALUE_OUT_OF_RANGE", () =>
      table.append([{ id: 1.5, another: 1 }], merging),
    );
    expect(mismatch.data).toMatchObject({ column: "id", row: 0 });
    expect(names(await table.schema())).not.toContain("another");
  });

  it("takes new columns from Arrow data and from a declared schema too", async () => {
    const table = newTable();
    await table.append([{ id: 1n }]);
    const n = vectorFromArray([7], new Int32());
    const fields = [new Field("n", new Int32(), true), new Field("t", new Utf8(), true)];
    const data = makeData({
      type: new Struct(fields),
      length: 1,
      nullCount: 0,
      children: [n.data[0]!, vectorFromArray(["x"], new Utf8()).data[0]!],
    });
    await table.append(new RecordBatch(new Schema(fields), data), merging);
    await table.append([{ id: 2n }], { ...merging, schema: { id: "long", later: "string" } });
    expect(names(await table.schema())).toEqual(["id", "n", "t", "later"]);
    expect(await table.count()).toBe(3);
  });

  it("commits no metadata where nothing is new", async () => {
    const table = newTable();
    await table.append([{ id: 1n }]);
    await table.append([{ id: 2n }], merging);
    const log = new DeltaLog(memoryStore(table.url.slice("memory:".length)));
    const text = new TextDecoder().decode(await log.store.get("_delta_log/00000000000000000001.json"));
    expect(text).not.toContain('"metaData"');
  });

  it("refuses names that differ in case only, other types, and features that the protocol doesn't list", async () => {
    const table = newTable();
    await table.append([{ id: 1n, name: "a" }]);
    await expectCode("DELTA_SCHEMA_MISMATCH", () => table.append([{ ID: 2n }], merging));
    await expectCode("DELTA_SCHEMA_MISMATCH", () =>
      table.append([{ id: 2n }], { ...merging, schema: { id: "string" } }),
    );
    const refused = await expectCode("DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT", () =>
      table.append([], { ...merging, schema: { id: "long", at: "timestamp_ntz" } }),
    );
    expect(refused.data).toEqual({ features: ["timestampNtz"] });
    expect(await table.version()).toBe(0);
  });

  it("without it such rows don't fit", async () => {
    const table = newTable();
    await table.append([{ id: 1n }]);
    await expectCode("DELTA_SCHEMA_MISMATCH", () => table.append([{ id: 2n, extra: 1 }]));
  });

  it("of two writers that add columns at once both land", async () => {
    const store = memoryStore();
    const logs = Array.from({ length: 6 }, () => new DeltaLog(store));
    await append(logs[0]!, [{ id: 0n }]);
    for (const log of logs) await log.latest();
    await Promise.all(logs.map((log, n) => append(log, [{ id: BigInt(n), [`own${n}`]: "x", shared: 1 }], merging)));
    const schema = (await new DeltaLog(store).latest()).schema;
    expect(names(schema).sort()).toEqual(["id", "own0", "own1", "own2", "own3", "own4", "own5", "shared"]);
  });

  it("of two that add one column with different types the later one is refused, and leaves nothing", async () => {
    const store = memoryStore();
    const [a, b] = [new DeltaLog(store), new DeltaLog(store)];
    await append(a, [{ id: 0n }]);
    await b.latest();
    await append(a, [{ id: 1n, x: 1 }], merging);
    const late = append(b, [{ id: 2n, x: "text" }], merging);
    await expectCode("DELTA_SCHEMA_MISMATCH", () => late);
    const files = (await store.listNames("")).filter((path) => path.endsWith(".parquet"));
    expect(files).toHaveLength(2);
  });
});
