import { type Data, Int32, vectorFromArray } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { Action } from "#src/log/actions.js";
import { encodeParquet } from "#src/parquet/write.js";
import type { StructField } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { batchOf, binaryColumn, encodeVariant, structColumn } from "../arrow/variantBytes.js";
import { expectCode } from "../expectCode.js";
import { add, metaData, putCommit } from "../log/build.js";

const field = (name: string, type: unknown, metadata = {}) => ({ name, type, nullable: true, metadata }) as StructField;

function protocol(...features: string[]): Action {
  return { protocol: { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: features, writerFeatures: features } };
}

/** A table of these columns and one file, `f.parquet`, whose column is `v`. */
async function tableOf(
  fields: readonly StructField[],
  data: Data,
  feature: string,
  stats?: string,
): Promise<ObjectStore> {
  const store = memoryStore();
  const schemaString = JSON.stringify({ type: "struct", fields });
  await putCommit(store, 0, protocol(feature), metaData({}, schemaString));
  const { bytes } = await encodeParquet([batchOf(data)]);
  await store.put("f.parquet", bytes);
  await putCommit(store, 1, add("f.parquet", { size: bytes.length, ...(stats !== undefined && { stats }) }));
  return store;
}

function variants(values: readonly unknown[]): Data {
  const encoded = values.map((value) => encodeVariant(value));
  const columns = {
    metadata: binaryColumn(encoded.map(({ metadata }) => metadata)),
    value: binaryColumn(encoded.map(({ value }) => value)),
  };
  return structColumn(columns, values.length);
}

describe("a table with variants", () => {
  const values = [{ a: 1, b: ["x", null] }, "text", 7];
  const make = () => tableOf([field("v", "variant")], variants(values), "variantType");

  test("is read and counted", async () => {
    const table = Table.open(await make());
    expect(await table.toArray()).toEqual(values.map((v) => ({ v })));
    expect(await table.count({ where: { v: null } })).toBe(0);
    expect([...(await table.toArrow()).getChild("v")!]).toEqual(['{"a":1,"b":["x",null]}', '"text"', "7"]);
  });

  test("[R-STAT-6] is asked for nulls by their counts; bounds of what can't be compared are passed over", async () => {
    const text = "0S&u501fk+ze0(tB98CpzF6vU0rJl95HpNdvjbtatpi(cu0wW^cTu";
    const statsOf = (nulls: number) =>
      JSON.stringify({ numRecords: 3, minValues: { v: text }, maxValues: { v: text }, nullCount: { v: nulls } });
    const countOf = async (nulls: number, where: { v: unknown }) =>
      Table.open(await tableOf([field("v", "variant")], variants(values), "variantType", statsOf(nulls))).count({
        where,
      });
    expect(await countOf(0, { v: null })).toBe(0);
    expect(await countOf(0, { v: { ne: null } })).toBe(3);
    // What the log says is believed: no file is opened for it.
    expect(await countOf(3, { v: null })).toBe(3);
  });

  test("can't be compared with a value", async () => {
    await expectCode("DELTA_INVALID_PREDICATE", async () => Table.open(await make()).toArray({ where: { v: "text" } }));
  });

  test("gives rows or an error that names the file, whatever its bytes are", async () => {
    const store = await make();
    const sound = await store.get("f.parquet");
    let unreadable = 0;
    for (let i = 0; i < 8 * (sound.length - 4); i += 5) {
      const bytes = Uint8Array.from(sound);
      bytes[4 + (i >> 3)]! ^= 1 << (i & 7);
      await store.put("f.parquet", bytes);
      try {
        await Table.open(store).toArray();
      } catch (error) {
        unreadable++;
        // A flip may well give the file another schema.
        const code = expect.stringMatching(/^DELTA_(PARQUET_UNREADABLE|SCHEMA_MISMATCH)$/);
        expect(error).toMatchObject({ code, data: { path: "f.parquet" } });
      }
    }
    expect(unreadable).toBeGreaterThan(50);
  });
});

describe("a table with columns of no type", () => {
  const make = () =>
    tableOf(
      [
        field("v", "integer"),
        field("n", "void"),
        field("s", { type: "struct", fields: [field("n", "void")] }),
        field("l", { type: "array", elementType: "void", containsNull: true }),
      ],
      vectorFromArray([1, 2], new Int32()).data[0]!,
      "appendOnly",
    );

  test("gives nulls", async () => {
    const table = Table.open(await make());
    const row = (v: number) => ({ v, n: null, s: null, l: null });
    expect(await table.toArray()).toEqual([row(1), row(2)]);
    expect((await table.toArray({ where: { n: null, v: 2 } })).length).toBe(1);
    expect(await table.count({ where: { n: null } })).toBe(2);
    expect([...(await table.toArrow({ columns: ["n"] })).getChild("n")!]).toEqual([null, null]);
  });

  test("isn't written where a file would have to hold what has no type", async () => {
    await expectCode("DELTA_COMPLEX_TYPE_COLUMN_CONTAINS_NULL_TYPE", async () =>
      Table.open(await make()).append([{ v: 1 }]),
    );
  });
});

describe("a table of which a column's type was widened", () => {
  const changes = (from: string, to: string) => ({ "delta.typeChanges": [{ fromType: from, toType: to }] });
  const ints = () => vectorFromArray([1, 2 ** 31 - 1], new Int32()).data[0]!;

  test("is read, with statistics of the older type", async () => {
    const stats = '{"numRecords":2,"minValues":{"v":1},"maxValues":{"v":2147483647},"nullCount":{"v":0}}';
    const store = await tableOf([field("v", "long", changes("integer", "long"))], ints(), "typeWidening", stats);
    const table = Table.open(store);
    expect(await table.toArray()).toEqual([{ v: 1n }, { v: 2147483647n }]);
    expect(await table.toArray({ where: { v: { gt: 2147483646n } } })).toEqual([{ v: 2147483647n }]);
    expect(await table.count({ where: { v: { gt: 2147483647n } } })).toBe(0);
  });

  test("is refused where the change isn't one of the protocol's", async () => {
    const store = await tableOf([field("v", "string", changes("integer", "string"))], ints(), "typeWidening");
    const error = await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_READ", () => Table.open(store).toArray());
    expect(error.data).toMatchObject({ column: "v", from: "integer", to: "string" });
  });

  test("is refused, naming the file, where a file holds what the column never was", async () => {
    const store = await tableOf([field("v", "date")], ints(), "typeWidening");
    const error = await expectCode("DELTA_SCHEMA_MISMATCH", () => Table.open(store).toArray());
    expect(error.data).toMatchObject({ column: "v", path: "f.parquet" });
  });
});

test("places and shapes are read as well-known binary", async () => {
  const store = await tableOf(
    [field("v", "geometry(OGC:CRS84)")],
    binaryColumn([Uint8Array.of(1, 2), null]),
    "geospatial",
  );
  expect(await Table.open(store).toArray()).toEqual([{ v: Uint8Array.of(1, 2) }, { v: null }]);
});
