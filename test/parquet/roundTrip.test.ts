import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Map_,
  makeVector,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  Utf8,
} from "apache-arrow";
import { parquetMetadata } from "hyparquet/src/metadata.js";
import { describe, expect, it } from "vitest";
import { encodeParquet } from "#src/parquet/write.js";
import { expectCode } from "../expectCode.js";
import { batchesOf, encode, plain, read, types, vector } from "./fixtures.js";

const decimal = (digits: bigint) => {
  const words = BigInt.asUintN(128, digits);
  return new Uint32Array([0n, 32n, 64n, 96n].map((shift) => Number((words >> shift) & 0xffffffffn)));
};
const entries = (key: Field, value: Field) =>
  new Map_(new Field("entries", new Struct<{ key: DataType; value: DataType }>([key, value]), false));
const nullable = (name: string, type: Field["type"]) => new Field(name, type, true);

const inner = new Struct([nullable("x", new Int64()), nullable("y", new List(nullable("item", new Utf8())))]);

const EVERY_TYPE = {
  bool: vector(new Bool(), [true, null, false]),
  int8: vector(new Int8(), [-128, null, 127]),
  int16: vector(new Int16(), [-32768, null, 32767]),
  int32: vector(new Int32(), [-(2 ** 31), null, 2 ** 31 - 1]),
  int64: vector(new Int64(), [-(2n ** 63n), null, 2n ** 63n - 1n]),
  float: vector(new Float32(), [1.5, null, Number.NaN]),
  double: vector(new Float64(), [-0, null, Number.NEGATIVE_INFINITY]),
  string: vector(new Utf8(), ["", null, "é 𝄞\u0000"]),
  binary: vector(new Binary(), [new Uint8Array([]), null, new Uint8Array([0, 255])]),
  date: vector(new DateDay(), [new Date("0001-01-01"), null, new Date("9999-12-31")]),
  utc: vector(new TimestampMicrosecond("UTC"), [-62135596800000, null, 253402300799999]),
  ntz: vector(new TimestampMicrosecond(), [-1, null, 0]),
  decimal9: vector(new Decimal(2, 9, 128), [decimal(-123456789n), null, decimal(1n)]),
  decimal18: vector(new Decimal(0, 18, 128), [decimal(-(10n ** 17n)), null, decimal(10n ** 17n)]),
  decimal38: vector(new Decimal(38, 38, 128), [decimal(-(10n ** 37n)), null, decimal(10n ** 37n)]),
  struct: vector(inner, [{ x: 1n, y: ["a", null] }, null, { x: null, y: null }]),
  list: vector(new List(nullable("item", inner)), [[{ x: 5n, y: [] }, null], null, []]),
  "a.map`": vector(entries(new Field("key", new Utf8(), false), nullable("value", inner)), [
    new Map([["k", { x: 1n, y: ["z"] }]]),
    null,
    new Map([["n", null]]),
  ]),
};

describe("encodeParquet and readParquet", () => {
  it("[R-SCHEMA-1] give back every type with nulls on every level", async () => {
    const expected = batchesOf(EVERY_TYPE);
    const actual = await read(await encode(EVERY_TYPE));
    expect(plain(actual)).toEqual(plain(expected));
    expect(types(actual)).toEqual({
      bool: "Bool",
      int8: "Int8",
      int16: "Int16",
      int32: "Int32",
      int64: "Int64",
      float: "Float32",
      double: "Float64",
      string: "Utf8",
      binary: "Binary",
      date: "Date32<DAY>",
      utc: "Timestamp<MICROSECOND, UTC>",
      ntz: "Timestamp<MICROSECOND>",
      decimal9: "Decimal[9e+2]",
      decimal18: "Decimal[18e0]",
      decimal38: "Decimal[38e+38]",
      struct: "Struct<{x:Int64, y:List<Utf8>}>",
      list: "List<Struct<{x:Int64, y:List<Utf8>}>>",
      "a.map`": "Map<{key:Utf8, value:Struct<{x:Int64, y:List<Utf8>}>}>",
    });
  });

  it.each(["zstd", "snappy", "gzip", "lz4_raw", "uncompressed"] as const)("write and read %s", async (compression) => {
    const bytes = await encode(EVERY_TYPE, { compression });
    // Three values don't shrink: a small file leaves them as they are.
    const expected = compression === "snappy" ? "UNCOMPRESSED" : compression.toUpperCase();
    expect(parquetMetadata(bytes).row_groups[0]?.columns[0]?.meta_data?.codec).toBe(expected);
    expect(plain(await read(bytes))).toEqual(plain(batchesOf(EVERY_TYPE)));
  });

  it("use the annotations and names that other readers look for", async () => {
    const { schema } = parquetMetadata(await encode(EVERY_TYPE));
    const facts = (name: string) => schema.find((element) => element.name === name);
    expect(facts("decimal9")).toMatchObject({ type: "INT32", converted_type: "DECIMAL", precision: 9, scale: 2 });
    expect(facts("decimal18")).toMatchObject({ type: "INT64", converted_type: "DECIMAL" });
    expect(facts("decimal38")).toMatchObject({ type: "FIXED_LEN_BYTE_ARRAY", type_length: 16, precision: 38 });
    expect(facts("utc")?.logical_type).toEqual({ type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" });
    expect(facts("ntz")?.logical_type).toEqual({ type: "TIMESTAMP", isAdjustedToUTC: false, unit: "MICROS" });
    expect(facts("int8")?.converted_type).toBe("INT_8");
    const from = schema.findLastIndex((element) => element.converted_type === "LIST" && element.name === "list");
    expect(schema.slice(from, from + 3).map((element) => element.name)).toEqual(["list", "list", "element"]);
    const map = schema.findIndex((element) => element.name === "a.map`");
    expect(schema.slice(map, map + 4).map((element) => element.name)).toEqual(["a.map`", "key_value", "key", "value"]);
    expect(schema[map + 2]?.repetition_type).toBe("REQUIRED");
  });

  it("keep field ids, also below the top", async () => {
    const id = (name: string, type: Field["type"], value: string) =>
      new Field(name, type, true, new Map([["PARQUET:field_id", value]]));
    const columns = { s: vector(new Struct([nullable("x", new Int64())]), [{ x: 1n }]) };
    const [batch] = batchesOf(columns);
    const schema = new Schema([id("s", new Struct([id("x", new Int64(), "8")]), "7")]);
    const { bytes } = await encodeParquet([new RecordBatch(schema, batch!.data)]);
    expect(parquetMetadata(bytes).schema.map((element) => element.field_id)).toEqual([undefined, 7, 8]);
    const [read1] = await read(bytes);
    expect(read1!.schema.fields[0]!.metadata.get("PARQUET:field_id")).toBe("7");
    expect(read1!.schema.fields[0]!.type.children[0].metadata.get("PARQUET:field_id")).toBe("8");
  });

  it("keep one row, and no row at all", async () => {
    const one = { id: vector(new Int64(), [1n]), list: vector(new List(nullable("item", new Int32())), [[1]]) };
    expect(plain(await read(await encode(one)))).toEqual({ id: [1n], list: [[1]] });
    const [batch] = batchesOf(one);
    const { bytes, rowCount } = await encodeParquet([batch!.slice(0, 0)]);
    expect(rowCount).toBe(0);
    expect(await read(bytes)).toEqual([]);
  });

  it("join several batches, slices among them, in their order", async () => {
    const id = vector(new Int64(), [0n, 1n, 2n, 3n, 4n]);
    const name = vector(new Utf8(), ["zero", null, "two", "three", null]);
    const [batch] = batchesOf({ id, name });
    const { bytes, rowCount } = await encodeParquet([batch!.slice(3, 5), batch!.slice(1, 3)]);
    expect(rowCount).toBe(4);
    expect(plain(await read(bytes))).toEqual({ id: [3n, 4n, 1n, 2n], name: ["three", null, null, "two"] });
  });

  it("write slices of every type", async () => {
    const [batch] = batchesOf(EVERY_TYPE);
    const slices = [batch!.slice(2, 3), batch!.slice(0, 2), batch!.slice(1, 1)];
    expect(plain(await read((await encodeParquet(slices)).bytes))).toEqual(plain(slices));
  });

  it("write buffers that columns and batches share as often as they occur", async () => {
    const shared = makeVector(Float64Array.of(1, 2, 3, 4));
    const [batch] = new Table({ a: shared, b: shared, c: shared }).batches;
    const twice = [batch!.slice(0, 3), batch!.slice(1, 4)];
    const { bytes } = await encodeParquet(twice);
    const values = [1, 2, 3, 2, 3, 4];
    expect(plain(await read(bytes))).toEqual({ a: values, b: values, c: values });
  });

  it("refuse batches of different schemas, and none", async () => {
    const [first] = batchesOf({ id: vector(new Int64(), [1n]) });
    const [second] = batchesOf({ id: vector(new Int32(), [1]) });
    await expectCode("DELTA_INTERNAL", () => encodeParquet([first!, second!]));
    await expectCode("DELTA_INTERNAL", () => encodeParquet([]));
  });

  it("write a dictionary where values repeat, and only there", async () => {
    const rows = 10_000;
    const column = (type: Field["type"], value: (i: number) => unknown) =>
      vector(
        type,
        Array.from({ length: rows }, (_, i) => value(i)),
      );
    const bytes = await encode({
      unique: column(new Utf8(), (i) => `value ${i}`),
      uniqueLong: column(new Int64(), BigInt),
      few: column(new Utf8(), (i) => `value ${i % 100}`),
      fewLong: column(new Int64(), (i) => BigInt(i % 2)),
      nulls: column(new Utf8(), () => null),
    });
    const [group] = parquetMetadata(bytes).row_groups;
    const hasDictionary = Object.fromEntries(
      group!.columns.map(({ meta_data }) => [
        meta_data!.path_in_schema[0],
        meta_data!.encodings.includes("RLE_DICTIONARY"),
      ]),
    );
    expect(hasDictionary).toMatchObject({ unique: false, uniqueLong: false, few: true, fewLong: true });
  });
});
