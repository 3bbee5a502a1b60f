import * as arrow from "apache-arrow";
import { describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import { readFooter } from "#src/parquet/footer.js";
import type { StructField, StructType } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

const field = (name: string, type: StructField["type"]): StructField => ({ name, type, nullable: true, metadata: {} });
const struct = (...fields: StructField[]): StructType => ({ type: "struct", fields });
const SCHEMA = struct(
  field("n", "void"),
  field("id", "integer"),
  field("s", struct(field("n", "void"), field("x", "integer"))),
);
const row = (id: number, s: object | null) => ({ n: null, id, s });

describe.each<[string, Record<string, string>]>([
  ["that copies rows", {}],
  [
    "with deletion vectors, change files and mapped columns",
    {
      "delta.enableDeletionVectors": "true",
      "delta.enableChangeDataFeed": "true",
      "delta.columnMapping.mode": "name",
    },
  ],
])("void columns of a table %s", (_, properties) => {
  test("[R-SCHEMA-3] are in no file, and null through every change", async () => {
    const store = memoryStore();
    const table = Table.open<{ id: number }>(store);
    await table.create({ schema: SCHEMA, properties });
    await table.append([{ id: 1, s: { x: 1 } }, row(2, { x: 2, n: null }), row(3, null)] as { id: number }[]);
    await table.update({ set: { "s.x": 20 }, where: { id: 2 } });
    await table.delete({ id: 1 });
    await table.merge([{ id: 3 }, { id: 4 }], {
      on: ["id"],
      whenMatched: [{ update: { id: sql`source.id * 10` } }],
      whenNotMatched: [{ insert: { id: sql`source.id` } }],
    });
    await table.merge(await table.toArrow(), { on: ["id"], whenMatched: [{ where: "source.id = 4", update: "*" }] });
    await table.optimize();
    await table.append(await table.toArrow({ where: { id: 2 } }));
    await table.checkpoint();
    const rows = (await Table.open<{ id: number }>(store).toArray()).sort((a, b) => a.id - b.id);
    const two = row(2, { n: null, x: 20 });
    expect(rows).toEqual([two, two, row(4, null), row(30, null)]);
    for (const { path, size } of await table.files()) {
      const { leaves } = await readFooter(store, { path, sizeBytes: size });
      expect(leaves).toHaveLength(2);
    }
    expect(await table.count({ where: { n: null } as never })).toBe(4);
    expect((await table.verify()).findings).toEqual([]);
    await table.overwrite([row(9, null)] as { id: number }[]);
    expect(await table.toArray()).toEqual([row(9, null)]);
  });
});

describe("a void column", () => {
  test("takes nulls only", async () => {
    const table = Table.open(memoryStore());
    await table.create({ schema: { id: "integer", n: "void" } });
    const error = await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.append([{ id: 1, n: 5 }]));
    expect(error.data).toMatchObject({ row: 0, column: "n", type: "void" });
    await table.append([{ id: 1 }]);
    await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.update({ set: { n: 5 } }));
    await expectCode("DELTA_INVALID_PREDICATE", () => table.update({ set: { n: sql`id` } }));
    await table.update({ set: { n: sql`null` } });
    await expectCode("DELTA_SCHEMA_MISMATCH", () => table.append(arrow.tableFromArrays({ n: Int32Array.of(1) })));
    expect(await table.toArray()).toEqual([{ id: 1, n: null }]);
  });

  test("gets the type of the first rows that have one, where they may change the schema", async () => {
    const table = Table.open(memoryStore());
    await table.append(arrow.tableFromArrays({ id: Int32Array.of(1) }));
    await table.alter.addColumns({ n: "void" });
    await table.append([{ id: 2, n: null }]);
    const typed = arrow.tableFromArrays({ id: Int32Array.of(3), n: Float64Array.of(0.5) });
    await expectCode("DELTA_SCHEMA_MISMATCH", () => table.append(typed));
    await table.append(typed, { mergeSchema: true });
    const { fields } = await table.schema();
    expect(fields[1]).toEqual(field("n", "double"));
    expect((await table.toArray()).map(({ n }) => n).sort()).toEqual([0.5, null, null]);
  });

  test("nulls of no type fit every column, and make one that is void", async () => {
    const nulls = new arrow.Table({
      id: arrow.vectorFromArray([1], new arrow.Int32()),
      n: new arrow.Vector([arrow.makeData({ type: new arrow.Null(), length: 1 })]),
    } as never);
    const made = Table.open(memoryStore());
    await made.append(nulls);
    expect((await made.schema()).fields[1]!.type).toBe("void");
    const typed = Table.open(memoryStore());
    await typed.create({ schema: { id: "integer", n: "string" } });
    await typed.append(nulls);
    await typed.append(nulls, { mergeSchema: true });
    expect(await typed.toArray()).toEqual([
      { id: 1, n: null },
      { id: 1, n: null },
    ]);
    expect((await typed.schema()).fields[1]!.type).toBe("string");
  });

  test("can't be all that there is, nor in arrays and maps, nor name folders", async () => {
    const create = (schema: StructType, partitionBy: string[] = []) =>
      Table.open(memoryStore()).create({ schema, partitionBy });
    const void_ = field("n", "void");
    for (const schema of [
      struct(void_),
      struct(field("id", "integer"), field("s", struct(void_))),
      struct(field("l", { type: "array", elementType: "void", containsNull: true })),
      struct(field("m", { type: "map", keyType: "string", valueType: struct(void_), valueContainsNull: true })),
    ]) {
      await expectCode("DELTA_COMPLEX_TYPE_COLUMN_CONTAINS_NULL_TYPE", () => create(schema));
    }
    await expectCode("DELTA_INVALID_PARTITION_COLUMN", () => create(struct(field("id", "integer"), void_), ["n"]));
  });
});
