import { Field, Int32, Int64, makeData, RecordBatch, Schema, Struct } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { type SchemaLiteral, type StructType, Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

const ON = { "delta.enableTypeWidening": "true" };

async function tableOf(schema: SchemaLiteral, properties: Record<string, string> = ON, partitionBy: string[] = []) {
  const table = Table.open(memoryStore());
  await table.create({ schema, properties, partitionBy });
  return table;
}

const merged = (schema: SchemaLiteral) => ({ mergeSchema: true, schema });
const changes = async (table: Table) =>
  (await table.schema()).fields.map(({ name, type, metadata }) => [name, type, metadata["delta.typeChanges"]]);

describe("an append with mergeSchema to a table whose types may be widened", () => {
  it("takes the wider types, and records what they were", async () => {
    const table = await tableOf({ i: "integer", f: "float", d: "decimal(5,2)", s: { b: "byte" }, l: ["short"] });
    await table.append([{ i: 1, f: 1.5, d: "1.25", s: { b: 1 }, l: [1] }]);
    await table.append([{ i: 2n ** 40n, f: 1e300, d: "12345.250", s: { b: 300 }, l: [2 ** 20] }], {
      ...merged({ i: "long", f: "double", d: "decimal(10,3)", s: { b: "short" }, l: ["integer"] }),
    });
    const s = (await table.schema()).fields[3]!.type as StructType;
    expect(s.fields[0]!.metadata).toEqual({ "delta.typeChanges": [{ fromType: "byte", toType: "short" }] });
    expect((await changes(table)).filter(([name]) => name !== "s")).toEqual([
      ["i", "long", [{ fromType: "integer", toType: "long" }]],
      ["f", "double", [{ fromType: "float", toType: "double" }]],
      ["d", "decimal(10,3)", [{ fromType: "decimal(5,2)", toType: "decimal(10,3)" }]],
      [
        "l",
        { type: "array", elementType: "integer", containsNull: true },
        [{ fromType: "short", toType: "integer", fieldPath: "element" }],
      ],
    ]);
    expect(await table.toArray()).toEqual([
      { i: 1n, f: 1.5, d: "1.250", s: { b: 1 }, l: [1] },
      { i: 2n ** 40n, f: 1e300, d: "12345.250", s: { b: 300 }, l: [2 ** 20] },
    ]);
    expect(await table.count({ where: { i: { gt: 1n } } })).toBe(1);
    expect((await table.verify()).findings).toEqual([]);
  });

  it("adds to the changes that there were", async () => {
    const table = await tableOf({ n: "byte" });
    await table.append([{ n: 1 }], merged({ n: "short" }));
    await table.append([{ n: 2 }], merged({ n: "long" }));
    expect(await changes(table)).toEqual([
      [
        "n",
        "long",
        [
          { fromType: "byte", toType: "short" },
          { fromType: "short", toType: "long" },
        ],
      ],
    ]);
    expect(await table.toArray()).toEqual([{ n: 1n }, { n: 2n }]);
  });

  it("takes those of Arrow columns", async () => {
    const table = await tableOf({ n: "integer" });
    const type = new Struct([new Field("n", new Int64())]);
    const n = makeData({ type: new Int64(), data: BigInt64Array.of(2n ** 50n) });
    const batch = new RecordBatch(new Schema(type.children), makeData({ type, children: [n], length: 1 }));
    await table.append(batch, { mergeSchema: true });
    expect(await table.toArray()).toEqual([{ n: 2n ** 50n }]);
    const narrow = makeData({ type: new Int32(), data: Int32Array.of(7) });
    const narrowType = new Struct([new Field("n", new Int32())]);
    const rows = makeData({ type: narrowType, children: [narrow], length: 1 });
    await table.append(new RecordBatch(new Schema(narrowType.children), rows), { mergeSchema: true });
    expect(await table.toArray()).toEqual([{ n: 2n ** 50n }, { n: 7n }]);
  });

  it("widens partition columns too", async () => {
    const table = await tableOf({ n: "integer", v: "string" }, ON, ["n"]);
    await table.append([{ n: 1, v: "a" }]);
    await table.append([{ n: 2n ** 40n, v: "b" }], merged({ n: "long", v: "string" }));
    expect(await table.toArray({ where: { n: { gte: 1n } } })).toEqual([
      { n: 1n, v: "a" },
      { n: 2n ** 40n, v: "b" },
    ]);
  });

  it("stays within a family of types", async () => {
    const table = await tableOf({ n: "integer" });
    await table.append([{ n: 1 }]);
    await expectCode("DELTA_SCHEMA_MISMATCH", () => table.append([{ n: 1.5 }], merged({ n: "double" })));
    await expectCode("DELTA_SCHEMA_MISMATCH", () => table.append([{ n: "1.5" }], merged({ n: "decimal(12,2)" })));
  });

  it("leaves types alone without mergeSchema, and where the property is off", async () => {
    const on = await tableOf({ n: "integer" });
    await expectCode("DELTA_SCHEMA_MISMATCH", () => on.append([{ n: 1n }], { schema: { n: "long" } }));
    const off = await tableOf({ n: "integer" }, {});
    await expectCode("DELTA_SCHEMA_MISMATCH", () => off.append([{ n: 1n }], merged({ n: "long" })));
  });

  it("refuses a type that needs a feature which the table lacks", async () => {
    const table = await tableOf({ d: "date" });
    await expectCode("DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT", () =>
      table.append([{ d: "2024-01-31T12:00:00" }], merged({ d: "timestamp_ntz" })),
    );
  });
});

describe("two appends", () => {
  it("stand where one widens while the other adds rows of the narrow type", async () => {
    const store = memoryStore();
    const [one, other] = [Table.open(store), Table.open(store)];
    await one.create({ schema: { n: "integer" }, properties: ON });
    async function* rows() {
      yield { n: 1 };
      await other.append([{ n: 2n ** 40n }], merged({ n: "long" }));
    }
    await one.append(rows());
    expect(await one.toArray()).toEqual([{ n: 2n ** 40n }, { n: 1n }]);
  });
});
