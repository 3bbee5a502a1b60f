import assert from "node:assert/strict";
import * as arrow from "apache-arrow";
import { describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { conformBatch } from "#src/arrow/conform.js";
import { constantVector } from "#src/arrow/constant.js";
import { checkNotNull } from "#src/arrow/notNull.js";
import { rowReader } from "#src/arrow/rows.js";
import { fromArrowSchema, toArrowSchema } from "#src/arrow/schema.js";
import { sliceBatch } from "#src/arrow/take.js";
import { Timestamp } from "#src/arrow/timestamp.js";
import type { Literal } from "#src/schema/predicate.js";
import type { DataType, StructType } from "#src/schema/types.js";

const field = (name: string, type: DataType, nullable = true) => ({ name, type, nullable, metadata: {} });
const struct = (...fields: ReturnType<typeof field>[]): StructType => ({ type: "struct", fields });
const list = (elementType: DataType): DataType => ({ type: "array", elementType, containsNull: true });

/** A batch of one column `x`. */
function batchOf(data: arrow.Data): arrow.RecordBatch {
  const fields = [new arrow.Field("x", data.type, true)];
  const rows = arrow.makeData({ type: new arrow.Struct(fields), length: data.length, children: [data] });
  return new arrow.RecordBatch(new arrow.Schema(fields), rows);
}

function column(type: arrow.DataType, values: unknown[]): arrow.Data {
  return arrow.vectorFromArray(values as never[], type).data[0];
}

/** The column as it is read once conformed, whole and its middle. */
function conformed(data: arrow.Data, type: DataType): unknown[] {
  const schema = struct(field("x", type));
  const read = (batch: arrow.RecordBatch) => rowReader(schema)(conformBatch(batch, schema)).map((row) => row.x);
  const whole = read(batchOf(data));
  const end = Math.max(data.length - 1, 1);
  assert.deepEqual(read(sliceBatch(batchOf(data), 1, end)), whole.slice(1, end));
  return whole;
}

function error(data: arrow.Data, type: DataType, firstRow = 0): unknown {
  try {
    conformBatch(batchOf(data), struct(field("x", type)), firstRow);
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

describe("conformBatch", () => {
  test("orders columns by name, drops others, fills missing ones with nulls and shares buffers", () => {
    const source = struct(field("b", "long"), field("c", "string"), field("a", "string"));
    const batch = buildBatch(
      source,
      [
        { a: "x", b: 1n, c: "gone" },
        { a: null, b: 2n },
      ],
      0,
    );
    const target = struct(
      field("a", "string"),
      field("n", struct(field("m", list("long"))), false),
      field("b", "long"),
    );
    const result = conformBatch(batch, target);
    expect(rowReader(target)(result)).toEqual([
      { a: "x", n: null, b: 1n },
      { a: null, n: null, b: 2n },
    ]);
    expect(result.data.children[2].values).toBe(batch.data.children[0].values);
    expect(result.schema.toString()).toBe(toArrowSchema(target).toString());
  });

  test("widens integers and floats", () => {
    expect(conformed(column(new arrow.Int8(), [1, null, -1]), "short")).toEqual([1, null, -1]);
    expect(conformed(column(new arrow.Int32(), [1, null, -(2 ** 31)]), "long")).toEqual([1n, null, -(2n ** 31n)]);
    expect(conformed(column(new arrow.Uint8(), [255, 0]), "short")).toEqual([255, 0]);
    expect(conformed(column(new arrow.Uint32(), [2 ** 32 - 1, 0]), "long")).toEqual([2n ** 32n - 1n, 0n]);
    expect(conformed(column(new arrow.Uint64(), [2n ** 63n - 1n, null]), "long")).toEqual([2n ** 63n - 1n, null]);
    expect(conformed(column(new arrow.Float32(), [0.5, null, Number.NaN]), "double")).toEqual([0.5, null, Number.NaN]);
    expect(conformed(column(new arrow.Int32(), [7]), "double")).toEqual([7]);
    const halves = arrow.makeData({ type: new arrow.Float16(), data: Uint16Array.of(0x3c00, 0x0001, 0xfc00, 0x8000) });
    assert.deepEqual(conformed(halves, "float"), [1, 2 ** -24, Number.NEGATIVE_INFINITY, -0]);
  });

  test("[R-PQ-6] takes 32-bit integers for shorter ones where each value fits", () => {
    const ints = (...values: (number | null)[]) => column(new arrow.Int32(), values);
    expect(conformed(ints(-128, null, 127), "byte")).toEqual([-128, null, 127]);
    expect(conformed(ints(-32768, null, 32767), "short")).toEqual([-32768, null, 32767]);
    for (const [type, value] of [
      ["byte", 128],
      ["byte", -129],
      ["byte", 256],
      ["short", 32768],
      ["short", 65536],
      ["short", -(2 ** 31)],
    ] as const) {
      expect(error(ints(0, value), type), `${value}`).toMatchObject({
        code: "DELTA_VALUE_OUT_OF_RANGE",
        data: { row: 1, value },
      });
    }
    expect(error(column(new arrow.Int16(), [1]), "byte")).toMatchObject({ code: "DELTA_SCHEMA_MISMATCH" });
  });

  test("brings times to microseconds, nanoseconds rounded down", () => {
    const units = [arrow.TimestampSecond, arrow.TimestampMillisecond] as const;
    for (const [index, Unit] of units.entries()) {
      const data = arrow.makeData({ type: new Unit("UTC"), data: BigInt64Array.of(-1n, 1_700_000_000n) });
      const ms = index === 0 ? 1000 : 1;
      expect(conformed(data, "timestamp")).toEqual([new Date(-ms), new Date(1_700_000_000 * ms)]);
    }
    const nanos = [-1n, 1_700_000_000_123_456_789n, 2n ** 63n - 1n, -(2n ** 63n), 999n, -999_999n];
    const data = arrow.makeData({ type: new arrow.TimestampNanosecond(), data: BigInt64Array.from(nanos) });
    const expected = nanos.map((value) => {
      const micros = (value - (((value % 1000n) + 1000n) % 1000n)) / 1000n;
      const timestamp = Timestamp.fromMicroseconds(micros);
      return timestamp.microsecond === 0 ? new Date(timestamp.getTime()) : timestamp;
    });
    assert.deepEqual(conformed(data, "timestamp_ntz"), expected);
    const days = arrow.makeData({ type: new arrow.DateMillisecond(), data: BigInt64Array.of(-86_400_000n, 0n) });
    expect(conformed(days, "date")).toEqual([new Date(-86_400_000), new Date(0)]);
    expect(conformed(column(new arrow.DateDay(), [new Date(86_400_000)]), "timestamp_ntz")).toEqual([
      new Date(86_400_000),
    ]);
  });

  test("brings decimals to more digits, and 256-bit ones where they fit", () => {
    const decimal = (precision: number, scale: number, bits: number, values: bigint[]) => {
      const words = values.flatMap((value) =>
        Array.from({ length: bits / 32 }, (_, k) => Number(BigInt.asUintN(32, value >> BigInt(32 * k)))),
      );
      return arrow.makeData({ type: new arrow.Decimal(scale, precision, bits), data: Uint32Array.from(words) });
    };
    expect(conformed(decimal(5, 1, 128, [-15n, 99999n]), "decimal(12,3)")).toEqual(["-1.500", "9999.900"]);
    expect(conformed(decimal(5, 1, 128, [-15n]), "decimal(8,1)")).toEqual(["-1.5"]);
    expect(conformed(decimal(9, 2, 32, [-1n, 5n]), "decimal(9,2)")).toEqual(["-0.01", "0.05"]);
    expect(conformed(decimal(18, 2, 64, [-1n]), "decimal(18,2)")).toEqual(["-0.01"]);
    expect(conformed(decimal(76, 2, 256, [-(10n ** 37n)]), "decimal(38,2)")).toEqual([`-1${"0".repeat(35)}.00`]);
    expect(conformed(column(new arrow.Int32(), [-7]), "decimal(12,2)")).toEqual(["-7.00"]);
    expect(error(decimal(76, 2, 256, [1n, 10n ** 38n]), "decimal(38,2)", 5)).toMatchObject({
      code: "DELTA_VALUE_OUT_OF_RANGE",
      data: { row: 6, column: "x", value: 10n ** 38n },
    });
    for (const type of ["decimal(5,0)", "decimal(4,1)", "decimal(5,2)"] as const) {
      expect(error(decimal(5, 1, 128, [1n]), type)).toMatchObject({ code: "DELTA_SCHEMA_MISMATCH" });
    }
  });

  test("unpacks dictionaries, large, view and fixed-size layouts", () => {
    const words = ["a", "é", null, "long enough to be no inline view", "a"];
    const dictionary = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8());
    expect(conformed(column(dictionary, words), "string")).toEqual(words);
    expect(conformed(column(dictionary, [null, null]), "string")).toEqual([null, null]);
    expect(conformed(column(new arrow.LargeUtf8(), words), "string")).toEqual(words);
    const pair = new arrow.FixedSizeList(2, new arrow.Field("item", new arrow.Int8(), true));
    expect(conformed(column(pair, [[1, 2], null, [3, null]]), list("integer"))).toEqual([[1, 2], null, [3, null]]);
    const fixed = column(new arrow.FixedSizeBinary(2), [Uint8Array.of(1, 2), null, Uint8Array.of(3, 4)]);
    expect(conformed(fixed, "binary")).toEqual([Uint8Array.of(1, 2), null, Uint8Array.of(3, 4)]);
    const inner = new arrow.List(new arrow.Field("item", dictionary, true));
    const offsets = Int32Array.of(0, 2, 2, 5);
    const parts = { length: 3, valueOffsets: offsets, child: column(dictionary, words) };
    const nested = arrow.makeData<arrow.List>({ type: inner, ...parts });
    expect(conformed(nested, list("string"))).toEqual([["a", "é"], [], words.slice(2)]);
  });

  test("unpacks string views, in the view itself and in blocks", () => {
    const text = ["short", null, "a text of more than twelve bytes", ""];
    const blocks = [Buffer.from("_a text of more than twelve bytes_")];
    const views = new DataView(new ArrayBuffer(64));
    views.setInt32(0, 5, true);
    new Uint8Array(views.buffer).set(Buffer.from("short"), 4);
    views.setInt32(16, 99, true);
    views.setInt32(32, 32, true);
    views.setInt32(40, 0, true);
    views.setInt32(44, 1, true);
    const data = arrow.makeData({
      type: new arrow.Utf8View(),
      length: 4,
      nullCount: 1,
      nullBitmap: Uint8Array.of(0b1101),
      views: new Uint8Array(views.buffer),
      variadicBuffers: blocks,
    });
    expect(conformed(data, "string")).toEqual(text);
  });

  test("takes bytes for a string where they are UTF-8", () => {
    expect(conformed(column(new arrow.Binary(), [Buffer.from("é"), null]), "string")).toEqual(["é", null]);
    expect(error(column(new arrow.Binary(), [Uint8Array.of(0xff)]), "string")).toMatchObject({
      code: "DELTA_SCHEMA_MISMATCH",
    });
  });

  test("a column of Arrow's null type is null in any type", () => {
    const nothing = arrow.makeData({ type: new arrow.Null(), length: 2 });
    for (const type of ["long", "string", "boolean", list("long"), struct(field("a", "decimal(3,1)"))] as DataType[]) {
      expect(conformed(nothing, type)).toEqual([null, null]);
    }
  });

  test("what can't be cast without loss is refused, naming the column and both types", () => {
    const cases: [arrow.Data, DataType][] = [
      [column(new arrow.Int64(), [1n]), "integer"],
      [column(new arrow.Uint32(), [1]), "integer"],
      [column(new arrow.Int64(), [1n]), "double"],
      [column(new arrow.Float64(), [1]), "float"],
      [column(new arrow.Float64(), [1]), "long"],
      [column(new arrow.Utf8(), ["1"]), "long"],
      [column(new arrow.Utf8(), ["1"]), "binary"],
      [column(new arrow.Int32(), [1]), "string"],
      [column(new arrow.Int64(), [1n]), "decimal(18,0)"],
      [column(new arrow.DateDay(), [new Date(0)]), "timestamp"],
      [column(new arrow.TimestampMicrosecond(), [0]), "date"],
      [column(new arrow.Int64(), [1n]), "timestamp"],
      [column(new arrow.Bool(), [true]), "byte"],
      [column(new arrow.Int32(), [1]), list("integer")],
    ];
    for (const [data, type] of cases) {
      expect(error(data, type), `${data.type} ${type}`).toMatchObject({
        code: "DELTA_SCHEMA_MISMATCH",
        data: { column: "x", found: String(data.type) },
      });
    }
  });

  test("a value that overflows is refused with its row", () => {
    const cases: [arrow.Data, DataType, unknown][] = [
      [column(new arrow.Uint64(), [1n, 2n ** 63n]), "long", 2n ** 63n],
      [
        arrow.makeData({ type: new arrow.TimestampSecond("UTC"), data: BigInt64Array.of(0n, 2n ** 60n) }),
        "timestamp",
        2n ** 60n,
      ],
      [arrow.makeData({ type: new arrow.DateMillisecond(), data: BigInt64Array.of(0n, 1n) }), "date", 1n],
    ];
    for (const [data, type, value] of cases) {
      expect(error(data, type, 100)).toMatchObject({
        code: "DELTA_VALUE_OUT_OF_RANGE",
        data: { row: 101, column: "x", value, type },
      });
    }
  });

  test("nulls are found by row also below sliced lists", () => {
    const loose = struct(field("l", list("long")));
    const strict = struct(field("l", { type: "array", elementType: "long", containsNull: false }));
    const batch = buildBatch(loose, [{ l: [null] }, { l: [1] }, { l: null }, { l: [2, null] }], 0);
    const slice = conformBatch(sliceBatch(batch, 1, 4), strict);
    expect(() => checkNotNull(slice, strict, 50)).toThrowError(
      expect.objectContaining({ code: "DELTA_NOT_NULL_CONSTRAINT_VIOLATED", data: { row: 52, column: "l.element" } }),
    );
    expect(() => checkNotNull(sliceBatch(slice, 0, 2), strict, 0)).not.toThrow();
  });

  test("items below a null list are no values", () => {
    const type = new arrow.List(new arrow.Field("element", new arrow.Int64(), true));
    const child = arrow.makeData({
      type: new arrow.Int64(),
      data: new BigInt64Array(2),
      nullBitmap: Uint8Array.of(0b10),
    });
    const valueOffsets = Int32Array.of(0, 1, 2);
    const data = arrow.makeData({
      type,
      length: 2,
      nullCount: 1,
      nullBitmap: Uint8Array.of(0b10),
      valueOffsets,
      child,
    });
    const strict = struct(field("x", { type: "array", elementType: "long", containsNull: false }));
    const batch = conformBatch(batchOf(data), strict);
    expect(() => checkNotNull(batch, strict, 0)).not.toThrow();
    expect(rowReader(strict)(batch)).toEqual([{ x: null }, { x: [0n] }]);
  });
});

describe("schemas", () => {
  test("a Delta schema survives the way through Arrow", () => {
    const primitives = "byte short integer long float double string binary boolean date timestamp timestamp_ntz".split(
      " ",
    );
    const schema = struct(
      ...primitives.map((type) => field(type, type as DataType, type !== "long")),
      field("d", "decimal(20,3)"),
      field("l", { type: "array", elementType: struct(field("a", "long", false)), containsNull: false }),
      field("m", { type: "map", keyType: "string", valueType: "long", valueContainsNull: false }),
    );
    expect(fromArrowSchema(toArrowSchema(schema))).toEqual(schema);
  });

  test("other Arrow types become the Delta type that holds them", () => {
    const types: [arrow.DataType, DataType][] = [
      [new arrow.Uint8(), "short"],
      [new arrow.Uint16(), "integer"],
      [new arrow.Uint32(), "long"],
      [new arrow.Float16(), "float"],
      [new arrow.LargeUtf8(), "string"],
      [new arrow.Utf8View(), "string"],
      [new arrow.FixedSizeBinary(3), "binary"],
      [new arrow.Null(), "void"],
      [new arrow.DateMillisecond(), "date"],
      [new arrow.TimestampNanosecond("Europe/Berlin"), "timestamp"],
      [new arrow.TimestampSecond(), "timestamp_ntz"],
      [new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()), "string"],
      [new arrow.FixedSizeList(2, new arrow.Field("i", new arrow.Int8(), true)), list("byte")],
    ];
    const fields = types.map(([type], i) => new arrow.Field(`c${i}`, type, true));
    expect(fromArrowSchema(new arrow.Schema(fields)).fields.map((f) => f.type)).toEqual(types.map(([, type]) => type));
  });

  test("types that Delta has nothing for are refused by column", () => {
    const none = [new arrow.Uint64(), new arrow.TimeMicrosecond(), new arrow.Decimal(2, 76, 256)];
    for (const type of none) {
      const inner = new arrow.Struct([new arrow.Field("b", type, true)]);
      expect(() => fromArrowSchema(new arrow.Schema([new arrow.Field("a", inner, true)]))).toThrowError(
        expect.objectContaining({ code: "DELTA_INVALID_SCHEMA", data: { column: "a.b", type: String(type) } }),
      );
    }
    const twice = [new arrow.Field("a", new arrow.Int8()), new arrow.Field("a", new arrow.Int8())];
    expect(() => fromArrowSchema(new arrow.Schema(twice))).toThrowError(
      expect.objectContaining({ code: "DELTA_INVALID_SCHEMA" }),
    );
  });
});

describe("constantVector", () => {
  const cases: [DataType, Literal, unknown][] = [
    ["byte", -3, -3],
    ["long", 2n ** 62n, 2n ** 62n],
    ["double", 0.5, 0.5],
    ["string", "é!", "é!"],
    ["string", "", ""],
    ["binary", Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)],
    ["boolean", true, true],
    ["boolean", false, false],
    ["date", 1, new Date(86_400_000)],
    ["timestamp", 5000n, new Date(5)],
    ["decimal(38,2)", -(10n ** 20n), "-1000000000000000000.00"],
  ];

  test.each(cases)("%s %s", (type, literal, value) => {
    const schema = struct(field("x", type));
    for (const length of [0, 1, 13, 1000]) {
      for (const [stored, expected] of [
        [literal, value],
        [null, null],
      ] as const) {
        const data = constantVector(type, stored, length);
        expect(rowReader(schema)(batchOf(data)).map((row) => row.x)).toEqual(Array(length).fill(expected));
      }
    }
  });
});

describe("columns of files from before a type was widened [R-TW-1]", () => {
  const INT8 = column(new arrow.Int8(), [-128, null, 127]);
  const INT16 = column(new arrow.Int16(), [-32768, null, 32767]);
  const INT32 = column(new arrow.Int32(), [-(2 ** 31), null, 2 ** 31 - 1]);
  const INT64 = column(new arrow.Int64(), [-(2n ** 63n), null, 2n ** 63n - 1n]);
  const FLOAT = column(new arrow.Float32(), [0.1, null, Number.NEGATIVE_INFINITY]);
  const DATE = column(new arrow.DateDay(), [new Date(-86_400_000), null, new Date(86_400_000)]);
  const DECIMAL = column(new arrow.Decimal(2, 6, 128), [
    Uint32Array.of(1230, 0, 0, 0),
    null,
    new Uint32Array(4).fill(2 ** 32 - 1),
  ]);

  test.each<[DataType, arrow.Data, unknown, unknown]>([
    ["short", INT8, -128, 127],
    ["integer", INT8, -128, 127],
    ["long", INT8, -128n, 127n],
    ["double", INT8, -128, 127],
    ["decimal(10,0)", INT8, "-128", "127"],
    ["decimal(12,2)", INT8, "-128.00", "127.00"],
    ["integer", INT16, -32768, 32767],
    ["long", INT16, -32768n, 32767n],
    ["double", INT16, -32768, 32767],
    ["decimal(10,0)", INT16, "-32768", "32767"],
    ["long", INT32, -(2n ** 31n), 2n ** 31n - 1n],
    ["double", INT32, -(2 ** 31), 2 ** 31 - 1],
    ["decimal(38,28)", INT32, `-2147483648.${"0".repeat(28)}`, `2147483647.${"0".repeat(28)}`],
    ["decimal(20,0)", INT64, "-9223372036854775808", "9223372036854775807"],
    ["decimal(22,2)", INT64, "-9223372036854775808.00", "9223372036854775807.00"],
    ["double", FLOAT, 0.10000000149011612, Number.NEGATIVE_INFINITY],
    ["timestamp_ntz", DATE, new Date(-86_400_000), new Date(86_400_000)],
    ["decimal(10,2)", DECIMAL, "12.30", "-0.01"],
    ["decimal(38,10)", DECIMAL, "12.3000000000", "-0.0100000000"],
  ])("to %s (%#)", (type, data, first, last) => {
    expect(conformed(data, type)).toEqual([first, null, last]);
  });
});

test("a void column is null, whatever a file holds [R-SCHEMA-3]", () => {
  expect(conformed(column(new arrow.Int32(), [1, null, 3]), "void")).toEqual([null, null, null]);
  const schema = struct(field("v", "void"), field("l", list("void")));
  const batch = conformBatch(batchOf(column(new arrow.Int32(), [1, 2])), schema);
  expect(rowReader(schema)(batch)).toEqual([
    { v: null, l: null },
    { v: null, l: null },
  ]);
  expect(rowReader(schema)(sliceBatch(batch, 1, 2))).toEqual([{ v: null, l: null }]);
});
