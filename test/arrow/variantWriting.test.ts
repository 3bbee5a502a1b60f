import * as arrow from "apache-arrow";
import { describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { conformBatch } from "#src/arrow/conform.js";
import { rowReader } from "#src/arrow/rows.js";
import { fromArrowSchema } from "#src/arrow/schema.js";
import { Timestamp } from "#src/arrow/timestamp.js";
import { VariantError } from "#src/arrow/variant/error.js";
import { type EncodedVariant, VariantJson } from "#src/arrow/variant/values.js";
import { replaceLimits } from "#src/limits.js";
import type { DataType, StructType } from "#src/schema/types.js";
import { withVariantBytes } from "#src/schema/variantBytes.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { batchOf, binaryColumn, encodeNames, encodeVariant, structColumn } from "./variantBytes.js";

const schemaOf = (type: DataType): StructType => ({
  type: "struct",
  fields: [{ name: "v", type, nullable: true, metadata: {} }],
});
const schema = schemaOf("variant");
const stored = withVariantBytes(schema);
const NO_NAMES = encodeNames([]);
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** A value's bytes, and its names'. */
function written(value: unknown): readonly [value: string, metadata: string] {
  const [row] = rowReader(stored)(buildBatch(schema, [{ v: value }], 0));
  const { value: bytes, metadata } = row!.v as EncodedVariant;
  return [hexOf(bytes), hexOf(metadata)];
}

/** The JSON texts of a column of variants' bytes. */
const jsonOf = (batch: arrow.RecordBatch) => [...conformBatch(batch, schema).getChildAt(0)!] as (string | null)[];
const texts = (values: readonly (string | null)[]) =>
  conformBatch(batchOf(arrow.vectorFromArray(values, new arrow.Utf8()).data[0]!), stored);

describe("a value's bytes, as Spark's parse_json makes them", () => {
  test.each<[unknown, string]>([
    [true, "04"],
    [false, "08"],
    [0, "0c00"],
    [-0, "0c00"],
    [127, "0c7f"],
    [-128, "0c80"],
    [128, "108000"],
    [-32768, "100080"],
    [32768, "1400800000"],
    [-2147483648, "1400000080"],
    [2147483648, "180000008000000000"],
    [9007199254740991, "18ffffffffffff1f00"],
    [7n, "0c07"],
    [2n ** 63n - 1n, "18ffffffffffffff7f"],
    [2n ** 63n, "280000000000000000800000000000000000"],
    [-(2n ** 63n) - 1n, "2800ffffffffffffff7fffffffffffffffff"],
    [0.1, "200101000000"],
    [-12.5, "200183ffffff"],
    [1234567890.5, "2401391cdcdf02000000"],
    [1e21, "1c50efe2d6e41a4b44"],
    [1e300, "1c9c7500883ce4377e"],
    [5e-7, "1c8dedb5a0f7c6a03e"],
    [Number.NaN, "1c000000000000f87f"],
    [Number.NEGATIVE_INFINITY, "1c000000000000f0ff"],
    ["", "01"],
    ["é", "09c3a9"],
    ["x".repeat(63), `fd${"78".repeat(63)}`],
    ["x".repeat(64), `4040000000${"78".repeat(64)}`],
    [Uint8Array.of(1, 2, 255), "3c030000000102ff"],
    [new Date(1), "30e803000000000000"],
    [new Timestamp(-1, 1), "3019fcffffffffffff"],
    [[], "030000"],
    [[null, undefined, 7], "03030001020400000c07"],
    [{}, "020000"],
    [new VariantJson(" [ 1.50 , 1e2, -0 ] "), "030300060f112002960000001c00000000000059400c00"],
    [new VariantJson("99999999999999999999999999999999999999"), "2800ffffffff3f228a097ac4865aa84c3b4b"],
    [new VariantJson("999999999999999999999999999999999999999"), "1c1d4a9cf487820748"],
    [new VariantJson("null"), "00"],
    [new VariantJson('"\\u00e9"'), "09c3a9"],
  ])("%s", (value, bytes) => {
    expect(written(value)).toEqual([bytes, "010000"]);
  });

  test("members are in the order of their names' bytes, names in the order that they come in", () => {
    // {"b": 1, "a": {"b": true}}: the names are b, a.
    expect(written({ b: 1, left: undefined, a: { b: true } })).toEqual([
      "020201000200080c01020100000104",
      "01020001026261",
    ]);
    expect(written(new Map([["b", 1]]))).toEqual(["02010000020c01", "0101000162"]);
    expect(written(Object.assign(Object.create(null), { a: 1 }))).toEqual(["02010000020c01", "0101000161"]);
  });

  test("many members and long names take wider numbers", () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}`.padStart(300, "n"), i]));
    const batch = buildBatch(schema, [{ v: many }, { v: Array.from({ length: 70_000 }, () => 1) }], 0);
    expect(rowReader(schema)(conformBatch(batch, schema)).map(({ v }) => v)).toEqual([
      many,
      Array.from({ length: 70_000 }, () => 1),
    ]);
  });

  test("null and nothing are null, which isn't a variant's null", () => {
    const batch = buildBatch(schema, [{ v: null }, {}, { v: new VariantJson("null") }], 0);
    expect(jsonOf(batch)).toEqual([null, null, "null"]);
    expect(jsonOf(texts([null, "null"]))).toEqual([null, "null"]);
  });

  test.each<[string, unknown]>([
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["half of a surrogate pair", "\ud800"],
    ["half of a pair in a name", { "\ud800": 1 }],
    ["an invalid date", new Date(Number.NaN)],
    ["an integer of 39 digits", 10n ** 38n],
    ["a set", new Set([1])],
    ["numbers of another array", Float64Array.of(1)],
    ["names that are none", new Map([[1, 1]])],
    ["no JSON", new VariantJson("{")],
    ["a name twice", new VariantJson('{"a": 1, "\\u0061": 2}')],
    ["a number beyond the largest", new VariantJson("1e400")],
  ])("%s is refused", async (_, value) => {
    const error = await expectCode("DELTA_VALUE_OUT_OF_RANGE", async () =>
      buildBatch(schema, [{ v: 1 }, { v: [value] }, { v: 2 }], 10),
    );
    expect(error.data).toMatchObject({ row: 11, column: "v", type: "variant" });
  });

  test("what nests too deep, or takes more than others read, is refused", async () => {
    let deep: unknown = 1;
    for (let i = 0; i < 11; i++) deep = [deep];
    const restore = replaceLimits({ MAX_JSON_DEPTH: 10 });
    try {
      for (const v of [deep, "x".repeat(16 * 1024 * 1024)]) {
        await expectCode("DELTA_VALUE_OUT_OF_RANGE", async () => buildBatch(schema, [{ v }], 0));
      }
    } finally {
      restore();
    }
  });
});

const json = fc.jsonValue({ noUnicodeString: false } as object);

test("any JSON value reads as what it was, and its text too", () => {
  fc.assert(
    fc.property(fc.array(json, { maxLength: 5 }), (values) => {
      const built = buildBatch(
        schema,
        values.map((v) => ({ v: { in: v } })),
        0,
      );
      const read = rowReader(schema)(conformBatch(built, schema)).map(({ v }) => (v as { in: unknown }).in);
      // JSON has no -0.
      expect(JSON.stringify(read, asNumber)).toBe(JSON.stringify(sorted(values)));
      const ofTexts = texts(values.map((value) => JSON.stringify({ in: value })));
      expect(rowReader(stored)(ofTexts)).toEqual(rowReader(stored)(built));
    }),
  );
});

const asNumber = (_: string, value: unknown) => (typeof value === "bigint" ? Number(value) : value);

/** With the members of objects in the order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return Object.fromEntries(members.map(([name, item]) => [name, sorted(item)]));
}

describe("bytes that are there", () => {
  const given = [
    "0c05",
    "180500000000000000",
    "1c000000000000f03f",
    "200264000000",
    "2c01000000",
    "300000000000000000",
    "340000000000000000",
    "380000803f",
    "3c0100000001",
    "440000000000000000",
    "480000000000000000",
    "4c0000000000000000",
    `50${"07".repeat(16)}`,
    "00",
  ].map((text) => hex(text));
  const data = structColumn(
    { value: binaryColumn(given), metadata: binaryColumn(given.map(() => NO_NAMES)) },
    given.length,
  );

  test("stay what they are, of every type", () => {
    const batch = conformBatch(batchOf(data), stored);
    const rows = rowReader(stored)(batch);
    expect(rows.map(({ v }) => hexOf((v as EncodedVariant).value))).toEqual(given.map(hexOf));
    // As JavaScript values, too.
    expect(rowReader(stored)(buildBatch(schema, rows, 0))).toEqual(rows);
  });

  test("in wider layouts are taken, and nulls of either kind stay", () => {
    const wide = structColumn(
      {
        metadata: arrow.vectorFromArray([NO_NAMES, NO_NAMES, NO_NAMES], new arrow.LargeBinary()).data[0]!,
        value: arrow.vectorFromArray([hex("00"), hex("0c01"), hex("0c02")], new arrow.LargeBinary()).data[0]!,
      },
      3,
      [1],
    );
    expect(jsonOf(conformBatch(batchOf(wide), stored))).toEqual(["null", null, "2"]);
    const none = arrow.makeData({ type: new arrow.Null(), length: 2 });
    expect(jsonOf(conformBatch(batchOf(none), stored))).toEqual([null, null]);
  });

  test("an Arrow field says that it has them, or the table does", () => {
    const struct = data.type;
    const named = (name?: string) =>
      new arrow.Field("v", struct, true, name === undefined ? undefined : new Map([["ARROW:extension:name", name]]));
    const typeOf = (field: arrow.Field, known?: StructType) => {
      return fromArrowSchema(new arrow.Schema([field]), known).fields[0]!.type;
    };
    expect(typeOf(named("arrow.parquet.variant"))).toBe("variant");
    expect(typeOf(named())).toMatchObject({ type: "struct" });
    expect(typeOf(named(), schema)).toBe("variant");
    const text = new arrow.Field("v", new arrow.Utf8(), true, new Map([["ARROW:extension:name", "arrow.json"]]));
    expect(typeOf(text)).toBe("string");
    expect(typeOf(text, schema)).toBe("variant");
    expect(typeOf(new arrow.Field("v", new arrow.Utf8(), true), schema)).toBe("string");
  });
});

describe("shredded variants are put together as bytes", () => {
  const rest = (values: readonly (string | null)[]) =>
    binaryColumn(values.map((value) => (value === null ? null : hex(value))));
  const shredded = (parts: Record<string, arrow.Data>, length: number, metadata: Uint8Array = NO_NAMES) =>
    structColumn({ metadata: binaryColumn(Array.from({ length }, () => metadata)), ...parts }, length);
  const column = (type: arrow.DataType, values: readonly unknown[]) =>
    arrow.vectorFromArray(values as never[], type).data[0]!;
  const bytesOf = (data: arrow.Data) =>
    rowReader(stored)(conformBatch(batchOf(data), stored)).map(({ v }) => hexOf((v as EncodedVariant).value));

  test.each<[string, arrow.DataType, unknown, string]>([
    ["boolean", new arrow.Bool(), false, "08"],
    ["int8", new arrow.Int8(), -1, "0cff"],
    ["int16", new arrow.Int16(), 1, "100100"],
    ["int32", new arrow.Int32(), 34, "1422000000"],
    ["int64", new arrow.Int64(), 5n, "180500000000000000"],
    ["float", new arrow.Float32(), 1, "380000803f"],
    ["double", new arrow.Float64(), 1, "1c000000000000f03f"],
    ["decimal4", new arrow.Decimal(2, 9, 128), Uint32Array.of(1230, 0, 0, 0), "2002ce040000"],
    ["decimal8", new arrow.Decimal(2, 10, 128), Uint32Array.of(1230, 0, 0, 0), "2402ce04000000000000"],
    [
      "decimal16",
      new arrow.Decimal(0, 38, 128),
      Uint32Array.of(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff),
      `2800${"ff".repeat(16)}`,
    ],
    ["date", new arrow.DateDay(), new Date(86_400_000), "2c01000000"],
    ["string", new arrow.Utf8(), "é", "09c3a9"],
    ["binary", new arrow.Binary(), Uint8Array.of(1), "3c0100000001"],
    ["uuid", new arrow.FixedSizeBinary(16), new Uint8Array(16).fill(7), `50${"07".repeat(16)}`],
  ])("of %s", (_, type, value, expected) => {
    const columns = { value: rest([null, "0561", "00"]), typed_value: column(type, [value, null, null]) };
    expect(bytesOf(shredded(columns, 3))).toEqual([expected, "0561", "00"]);
  });

  test.each<[string, arrow.DataType, number, string]>([
    ["time", new arrow.TimeMicrosecond(), 64, "44"],
    ["timestamp", new arrow.TimestampMicrosecond("UTC"), 64, "30"],
    ["timestamp without a zone", new arrow.TimestampMicrosecond(), 64, "34"],
    ["timestamp with nanoseconds", new arrow.TimestampNanosecond("UTC"), 64, "48"],
    ["the same without a zone", new arrow.TimestampNanosecond(), 64, "4c"],
  ])("of %s", (_, type, __, header) => {
    const typed = arrow.makeData({
      type,
      length: 1,
      nullCount: 0,
      data: BigInt64Array.of(258n),
    } as never) as arrow.Data;
    expect(bytesOf(shredded({ typed_value: typed }, 1))).toEqual([`${header}0201000000000000`]);
  });

  test("names that the metadata lacks come behind its own", () => {
    // {"a": 1, "b": 2, "c": …}: a is shredded and new, the others are left as bytes, one in an object of its own.
    const left = encodeVariant({ b: 2, c: { b: null } }, 1);
    const group = structColumn({ typed_value: column(new arrow.Int32(), [1]) }, 1);
    const typed = structColumn({ a: group }, 1);
    const data = shredded({ value: binaryColumn([left.value]), typed_value: typed }, 1, left.metadata);
    const batch = conformBatch(batchOf(data), stored);
    expect(jsonOf(batch)).toEqual(['{"a":1,"b":2,"c":{"b":null}}']);
    const { metadata } = rowReader(stored)(batch)[0]!.v as EncodedVariant;
    expect(hexOf(metadata)).toBe(hexOf(encodeNames(["b", "c", "a"])));
  });

  test("any of them reads as it does from its parts", () => {
    const member = fc.oneof(fc.integer(), json);
    const objects = fc.record({ a: member, b: member, z: member }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.array(fc.oneof(objects, json), { minLength: 1, maxLength: 6 }), (values) => {
        const data = shred(values);
        expect(jsonOf(conformBatch(batchOf(data), stored))).toEqual([
          ...conformBatch(batchOf(data), schema).getChildAt(0)!,
        ]);
      }),
    );
  });

  test("damage is damage", () => {
    const both = { value: rest(["0c01"]), typed_value: column(new arrow.Int32(), [1]) };
    const twice = shredded(both, 1);
    const noObject = shredded({ value: rest(["0c01"]), typed_value: structColumn({ a: structColumn(both, 1) }, 1) }, 1);
    const none = structColumn({ metadata: binaryColumn([null]), value: rest(["0c01"]) }, 1);
    const cut = shredded(
      { value: rest(["0201000002"]), typed_value: structColumn({ a: structColumn({ value: rest([null]) }, 1) }, 1) },
      1,
    );
    for (const data of [twice, noObject, none, cut]) {
      expect(() => conformBatch(batchOf(data), stored)).toThrow(VariantError);
    }
  });

  /** Objects whose members `a` and `b` have columns of their own where they are scalars: `b` one of integers. */
  function shred(values: readonly unknown[]): arrow.Data {
    const encoded = values.map((value) => {
      if (!isObject(value)) return { ...encodeVariant(value), a: null, b: null };
      const { a, b, ...others } = value as Record<string, unknown>;
      const isOwn = a !== undefined && (typeof a !== "object" || a === null);
      const isWhole = Number.isInteger(b) && Math.abs(b as number) < 2 ** 31;
      const kept = {
        ...others,
        ...(isOwn || a === undefined ? {} : { a }),
        ...(isWhole || b === undefined ? {} : { b }),
      };
      const left = encodeVariant(kept);
      const rest = Object.keys(kept).length === 0 ? null : left.value;
      return { metadata: left.metadata, value: rest, a: isOwn ? encodeVariant(a).value : null, b: isWhole ? b : null };
    });
    const integers = encoded.map(({ b }) => b);
    const groups = {
      a: structColumn({ value: binaryColumn(encoded.map(({ a }) => a)) }, values.length),
      b: structColumn({ typed_value: column(new arrow.Int32(), integers) }, values.length),
    };
    const others = values.flatMap((value, i) => (isObject(value) ? [] : [i]));
    return structColumn(
      {
        metadata: binaryColumn(encoded.map(({ metadata }) => metadata)),
        value: binaryColumn(encoded.map(({ value }) => value)),
        typed_value: structColumn(groups, values.length, others),
      },
      values.length,
    );
  }

  function isObject(value: unknown): boolean {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }
});
