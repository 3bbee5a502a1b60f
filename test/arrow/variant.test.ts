import * as arrow from "apache-arrow";
import { describe, expect, test } from "vitest";
import { conformBatch } from "#src/arrow/conform.js";
import { jsonLines } from "#src/arrow/jsonLines.js";
import { rowReader } from "#src/arrow/rows.js";
import { toArrowField } from "#src/arrow/schema.js";
import { sliceBatch } from "#src/arrow/take.js";
import { VariantError } from "#src/arrow/variant/error.js";
import { DeltaError } from "#src/errors.js";
import { replaceLimits } from "#src/limits.js";
import type { DataType, StructType } from "#src/schema/types.js";
import fc from "../fastCheck.js";
import { batchOf, binaryColumn, encodeNames, encodeVariant, structColumn } from "./variantBytes.js";

const schemaOf = (type: DataType): StructType => ({
  type: "struct",
  fields: [{ name: "v", type, nullable: true, metadata: {} }],
});
const schema = schemaOf("variant");
const NO_NAMES = encodeNames([]);
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** The JSON texts of a column of variants. */
function jsonOf(data: arrow.Data): (string | null)[] {
  return [...conformBatch(batchOf(data), schema).getChildAt(0)!] as (string | null)[];
}

const rowsOf = (data: arrow.Data) => rowReader(schema)(conformBatch(batchOf(data), schema)).map(({ v }) => v);

function variants(values: readonly (Uint8Array | null)[], metadata: Uint8Array = NO_NAMES): arrow.Data {
  const columns = { value: binaryColumn(values), metadata: binaryColumn(values.map(() => metadata)) };
  return structColumn(columns, values.length);
}

function column(type: arrow.DataType, values: readonly unknown[]): arrow.Data {
  return arrow.vectorFromArray(values as never[], type).data[0]!;
}

describe("a value's JSON [R-VAR-1]", () => {
  test.each([
    ["null", "00", "null", null],
    ["true", "04", "true", true],
    ["false", "08", "false", false],
    ["int8", "0c 80", "-128", -128],
    ["int16", "10 ff7f", "32767", 32767],
    ["int32", "14 00000080", "-2147483648", -2147483648],
    ["int64", "18 0100000000002000", "9007199254740993", 9007199254740993n],
    ["a small int64", "18 0500000000000000", "5", 5],
    ["double", "1c 000000000000f03f", "1.0", 1],
    ["a double of many digits", "1c 343333333333d33f", "0.30000000000000004", 0.30000000000000004],
    ["a large double", "1c 9c7500883ce4377e", "1e+300", 1e300],
    ["NaN", "1c 000000000000f87f", '"NaN"', "NaN"],
    ["decimal4", "20 02 ce040000", "12.3", 12.3],
    ["a whole decimal4", "20 02 64000000", "1", 1],
    ["a decimal4 of zeros before the point", "20 00 64000000", "100", 100],
    ["decimal8", "24 12 15811c54d3ff7fff", "-0.036028988881338091", "-0.036028988881338091"],
    ["decimal16", "28 01 15cd5b07 000000000000000000000000", "12345678.9", 12345678.9],
    ["a negative decimal16", "28 00 ffffffff ffffffffffffffffffffffff", "-1", -1],
    ["date", "2c ffffffff", '"1969-12-31"', "1969-12-31"],
    ["timestamp", "30 40420f0000000000", '"1970-01-01T00:00:01.000000Z"', "1970-01-01T00:00:01.000000Z"],
    ["timestamp_ntz", "34 ffffffffffffffff", '"1969-12-31T23:59:59.999999"', "1969-12-31T23:59:59.999999"],
    ["float", "38 cdcccc3d", "0.1", 0.1],
    ["-0", "38 00000080", "-0.0", -0],
    ["binary", "3c 03000000 0102ff", '"AQL/"', "AQL/"],
    ["string", "40 02000000 c3a9", '"é"', "é"],
    ["time", "44 01ca9a3b00000000", '"00:16:40.000001"', "00:16:40.000001"],
    ["timestamp with nanoseconds", "48 ffffffffffffffff", '"1969-12-31T23:59:59.999999999Z"', undefined],
    ["timestamp_ntz with nanoseconds", "4c d204000000000000", '"1970-01-01T00:00:00.000001234"', undefined],
    [
      "uuid",
      "50 f24f9b64 81fa 49d1 b74e8c09a6e31c56",
      '"f24f9b64-81fa-49d1-b74e-8c09a6e31c56"',
      "f24f9b64-81fa-49d1-b74e-8c09a6e31c56",
    ],
    ["short string", "09 610a", '"a\\n"', "a\n"],
    ["empty object", "02 00 00", "{}", {}],
    ["empty array", "03 00 00", "[]", []],
    ["array", "03 02 00 01 03 00 0c07", "[null,7]", [null, 7]],
  ])("%s", (_, bytes, json, value) => {
    const data = variants([hex(bytes)]);
    expect(jsonOf(data)).toEqual([json]);
    expect(rowsOf(data)).toEqual([value ?? JSON.parse(json)]);
  });

  test("members come in the order of their names, wherever their values lie", () => {
    // {"a": 1, "b": 2}: the names are stored as b, a; the value of b lies first.
    const value = hex("02 02 01 00 02 00 04 0c02 0c01");
    expect(jsonOf(variants([value], encodeNames(["b", "a"])))).toEqual(['{"a":1,"b":2}']);
  });

  test("that of any JSON value is that value", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ noUnicodeString: false } as object), { maxLength: 5 }),
        fc.constantFrom(2, 3, 4),
        (values, width) => {
          const encoded = values.map((value) => encodeVariant(value, width as 2 | 3 | 4));
          const columns = {
            metadata: binaryColumn(encoded.map(({ metadata }) => metadata)),
            value: binaryColumn(encoded.map((part) => part.value)),
          };
          expect(rowsOf(structColumn(columns, values.length))).toEqual(values);
        },
      ),
    );
  });

  test("a null column is null, whatever lies below; a value that is absent is a variant's null", () => {
    const columns = {
      metadata: binaryColumn([NO_NAMES, NO_NAMES, null]),
      value: binaryColumn([hex("0c01"), null, null]),
    };
    expect(jsonOf(structColumn(columns, 3, [2]))).toEqual(["1", "null", null]);
  });

  test("a slice has its own rows", () => {
    const batch = sliceBatch(batchOf(variants(["0c01", "0c02", "0c03"].map(hex))), 1, 3);
    expect([...conformBatch(batch, schema).getChildAt(0)!]).toEqual(["2", "3"]);
  });

  test("variants lie in structs, arrays and maps", () => {
    const type: DataType = {
      type: "map",
      keyType: "string",
      valueType: { type: "array", elementType: "variant", containsNull: true },
      valueContainsNull: true,
    };
    const items = structColumn(
      { metadata: binaryColumn([NO_NAMES, NO_NAMES, NO_NAMES]), value: binaryColumn(["0c01", "00", "0561"].map(hex)) },
      3,
    );
    const list = arrow.makeData({
      type: new arrow.List(new arrow.Field("element", items.type, true)),
      length: 2,
      nullCount: 0,
      valueOffsets: Int32Array.of(0, 1, 3),
      child: items,
    });
    const entries = arrow.makeData({
      type: new arrow.Struct([
        new arrow.Field("key", new arrow.Utf8(), false),
        new arrow.Field("value", list.type, true),
      ]),
      length: 2,
      nullCount: 0,
      children: [column(new arrow.Utf8(), ["k", "l"]), list],
    });
    const map = arrow.makeData({
      type: new arrow.Map_(new arrow.Field("entries", entries.type, false) as never),
      length: 1,
      nullCount: 0,
      valueOffsets: Int32Array.of(0, 2),
      child: entries,
    } as never) as arrow.Data;
    const batch = conformBatch(batchOf(map), schemaOf(type));
    expect(rowReader(schemaOf(type))(batch)).toEqual([
      {
        v: new Map<string, unknown>([
          ["k", [1]],
          ["l", [null, "a"]],
        ]),
      },
    ]);
    const lines = Buffer.concat([...jsonLines(schemaOf(type), batch)]).toString();
    expect(lines).toBe('{"v":{"k":[1],"l":[null,"a"]}}\n');
  });

  test("the field says that its texts are JSON", () => {
    const [field] = schema.fields;
    expect(toArrowField(field!).metadata.get("ARROW:extension:name")).toBe("arrow.json");
    expect(toArrowField(field!).type).toBeInstanceOf(arrow.Utf8);
  });
});

describe("shredded [R-VAR-2]", () => {
  const rest = (values: readonly (string | null)[]) =>
    binaryColumn(values.map((value) => (value === null ? null : hex(value))));
  const shredded = (parts: Record<string, arrow.Data>, length: number, metadata: Uint8Array = NO_NAMES) =>
    structColumn({ metadata: binaryColumn(Array.from({ length }, () => metadata)), ...parts }, length);

  test.each<[string, arrow.DataType, unknown[], string[]]>([
    ["boolean", new arrow.Bool(), [true, false], ["true", "false"]],
    ["int8", new arrow.Int8(), [-1], ["-1"]],
    ["int32", new arrow.Int32(), [34], ["34"]],
    ["int64", new arrow.Int64(), [9007199254740993n], ["9007199254740993"]],
    ["float", new arrow.Float32(), [0.1], ["0.1"]],
    ["double", new arrow.Float64(), [0.5, Number.POSITIVE_INFINITY], ["0.5", '"Infinity"']],
    ["decimal", new arrow.Decimal(2, 10, 128), [Uint32Array.of(1230, 0, 0, 0)], ["12.3"]],
    ["date", new arrow.DateDay(), [new Date(86_400_000)], ['"1970-01-02"']],
    ["string", new arrow.Utf8(), ["é"], ['"é"']],
    ["binary", new arrow.Binary(), [Uint8Array.of(1)], ['"AQ=="']],
    ["uuid", new arrow.FixedSizeBinary(16), [new Uint8Array(16)], ['"00000000-0000-0000-0000-000000000000"']],
  ])("into %s", (_, type, values, expected) => {
    const count = values.length;
    const columns = {
      value: rest([...values.map(() => null), "0561", "00"]),
      typed_value: column(type, [...values, null, null]),
    };
    expect(jsonOf(shredded(columns, count + 2))).toEqual([...expected, '"a"', "null"]);
  });

  test.each<[string, arrow.DataType, bigint, string]>([
    ["timestamp", new arrow.TimestampMicrosecond("UTC"), 1n, '"1970-01-01T00:00:00.000001Z"'],
    ["timestamp_ntz", new arrow.TimestampMicrosecond(), 1n, '"1970-01-01T00:00:00.000001"'],
    ["timestamp with nanoseconds", new arrow.TimestampNanosecond("UTC"), 1n, '"1970-01-01T00:00:00.000000001Z"'],
    ["time", new arrow.TimeMicrosecond(), 1n, '"00:00:00.000001"'],
  ])("into %s", (_, type, value, expected) => {
    const data = arrow.makeData({
      type,
      length: 1,
      nullCount: 0,
      data: BigInt64Array.of(value),
    } as never) as arrow.Data;
    expect(jsonOf(shredded({ value: rest([null]), typed_value: data }, 1))).toEqual([expected]);
  });

  test("arrays have elements of one type and of others", () => {
    const element = structColumn(
      { value: rest([null, "00", null]), typed_value: column(new arrow.Utf8(), ["x", null, "y"]) },
      3,
    );
    const list = arrow.makeData({
      type: new arrow.List(new arrow.Field("element", element.type, false)),
      length: 3,
      nullCount: 1,
      nullBitmap: Uint8Array.of(0b011),
      valueOffsets: Int32Array.of(0, 2, 3, 3),
      child: element,
    });
    const data = shredded({ value: rest([null, null, "0c01"]), typed_value: list }, 3);
    expect(jsonOf(data)).toEqual(['["x",null]', '["y"]', "1"]);
  });

  test("objects have shredded members, others, both or none", () => {
    // VariantShredding.md's table of events.
    const names = encodeNames(["event_type", "event_ts", "email", "zip"]);
    const email = "02 01 02 00 02 0565";
    const emailAndZip = "02 02 02 03 00 02 04 0565 0c05";
    const type = structColumn(
      {
        value: rest([null, null, null, null, null, "00", null, null]),
        typed_value: column(new arrow.Utf8(), ["noop", "login", null, null, null, null, null, null]),
      },
      8,
    );
    const ts = structColumn(
      {
        value: rest([null, null, null, null, "09 6162", null, null, null]),
        typed_value: column(new arrow.Int64(), [5n, 6n, null, null, null, 7n, null, null]),
      },
      8,
    );
    const typed = structColumn({ event_type: type, event_ts: ts }, 8, [3, 7]);
    const value = rest([null, emailAndZip, email, "0561", null, null, null, null]);
    expect(jsonOf(shredded({ value, typed_value: typed }, 8, names))).toEqual([
      '{"event_ts":5,"event_type":"noop"}',
      '{"email":"e","event_ts":6,"event_type":"login","zip":5}',
      '{"email":"e"}',
      '"a"',
      '{"event_ts":"ab"}',
      '{"event_ts":7,"event_type":null}',
      "{}",
      "null",
    ]);
  });

  test("of a member in both places, the shredded one counts", () => {
    const names = encodeNames(["a"]);
    const a = structColumn({ typed_value: column(new arrow.Int32(), [1]) }, 1);
    const data = shredded({ value: rest(["02 01 00 00 02 0c02"]), typed_value: structColumn({ a }, 1) }, 1, names);
    expect(jsonOf(data)).toEqual(['{"a":1}']);
  });

  test("without a column for other values", () => {
    expect(jsonOf(shredded({ typed_value: column(new arrow.Int32(), [1, null]) }, 2))).toEqual(["1", "null"]);
  });

  test.each<[string, () => arrow.Data]>([
    ["a value in both places", () => shredded({ value: rest(["00"]), typed_value: column(new arrow.Int32(), [1]) }, 1)],
    [
      "a type that no variant has",
      () => shredded({ value: rest([null]), typed_value: column(new arrow.Uint32(), [1]) }, 1),
    ],
    [
      "a rest that is no object",
      () => {
        const typed = structColumn({ a: structColumn({ typed_value: column(new arrow.Int32(), [1]) }, 1) }, 1);
        return shredded({ value: rest(["0c01"]), typed_value: typed }, 1);
      },
    ],
  ])("%s is damage", (_, make) => {
    expect(() => jsonOf(make())).toThrow(VariantError);
  });
});

describe("damaged", () => {
  test.each([
    ["nothing", "", "01 00 00"],
    ["no metadata", "00", ""],
    ["metadata of another version", "00", "02 00 00"],
    ["metadata that is cut", "00", "01 05 00"],
    ["a value that is cut", "18 00", "01 00 00"],
    ["a string that is cut", "40 ff000000 61", "01 00 00"],
    ["a short string that is cut", "0961", "01 00 00"],
    ["an unknown type", "54", "01 00 00"],
    ["an object with an unknown name", "02 01 00 00 01 00", "01 00 00"],
    ["an object that is cut", "02 ff 00", "01 00 00"],
    ["an array that is cut", "03 01 00 05 00", "01 00 00"],
    ["an array's value behind its end", "03 01 05 01 00", "01 00 00"],
    ["elements that overlap", "03 03 00 00 00 02 09 6162", "01 00 00"],
    ["a decimal of too large a scale", "20 27 01000000", "01 00 00"],
    ["a time that is none", "44 ffffffffffffffff", "01 00 00"],
    ["text that isn't UTF-8", "05 ff", "01 00 00"],
    ["a name that isn't UTF-8", "02 01 00 00 01 00", "01 01 00 01 ff"],
  ])("%s", (_, value, metadata) => {
    expect(() => jsonOf(variants([hex(value)], hex(metadata)))).toThrow(VariantError);
  });

  test("bytes that tell of endlessly many values", () => {
    // Each level has two elements, which are the same bytes.
    let value = Buffer.of(0);
    for (let depth = 0; depth < 60; depth++) {
      const header = Buffer.of(3 | (3 << 2), 2);
      const offsets = Buffer.alloc(12);
      offsets.writeUInt32LE(value.length, 8);
      value = Buffer.concat([header, offsets, value]);
    }
    expect(() => jsonOf(variants([value]))).toThrow(VariantError);
  });

  test("values in each other: a thousand are read, more are refused", () => {
    const nested = (depth: number) => {
      let json: unknown = 1;
      for (let i = 0; i < depth; i++) json = i % 2 === 0 ? [json] : { a: json };
      const { metadata, value } = encodeVariant(json);
      return variants([value], metadata);
    };
    expect(jsonOf(nested(1000))[0]).toHaveLength(1000 * 2 + 500 * 4 + 1);
    expect(() => jsonOf(nested(1001))).toThrow(VariantError);
    const deep = (depth: number) => {
      const header = Buffer.of(3 | (3 << 2), 1);
      return Buffer.concat([
        ...Array.from({ length: depth }, (_, i) => offsetsTo(header, 10 * (depth - 1 - i) + 1)),
        Buffer.of(0),
      ]);
    };
    const offsetsTo = (header: Buffer, end: number) => {
      const offsets = Buffer.alloc(8);
      offsets.writeUInt32LE(end, 4);
      return Buffer.concat([header, offsets]);
    };
    expect(jsonOf(variants([deep(3)]))).toEqual(["[[[null]]]"]);
    expect(() => jsonOf(variants([deep(50_000)]))).toThrow(VariantError);
  });

  test("a long name in many places passes the limit before it takes memory", () => {
    const restore = replaceLimits({ MAX_VARIANT_JSON_BYTES: 10_000 });
    try {
      const names = encodeNames(["x".repeat(900)], 2);
      const one = "02 01 00 00 01 00";
      expect(jsonOf(variants([hex(one)], names))[0]).toHaveLength(909);
      const many = Array.from({ length: 12 }, () => hex(one));
      const error = (() => {
        try {
          return jsonOf(variants(many, names));
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(error).toBeInstanceOf(DeltaError);
      expect((error as DeltaError).code).toBe("DELTA_LIMIT_EXCEEDED");
    } finally {
      restore();
    }
  });

  test("any bytes give JSON or a VariantError", () => {
    const sound = [{ a: [1, "two", null], b: { c: 0.5 } }, [true, { a: "x".repeat(80) }], -7].map((json) =>
      encodeVariant(json),
    );
    const flipped = fc
      .tuple(fc.constantFrom(...sound), fc.nat(), fc.nat(), fc.nat({ max: 255 }), fc.boolean())
      .map(([{ metadata, value }, seed, cut, byte, inNames]) => {
        const target = Uint8Array.from(inNames ? metadata : value);
        target[seed % target.length] = byte;
        const end = target.length - (cut % 4 === 0 ? cut % target.length : 0);
        const part = target.subarray(0, end);
        return inNames ? { metadata: part, value } : { metadata, value: part };
      });
    const random = fc.record({ metadata: fc.uint8Array({ maxLength: 40 }), value: fc.uint8Array({ maxLength: 40 }) });
    fc.assert(
      fc.property(fc.oneof(flipped, random), ({ metadata, value }) => {
        try {
          for (const json of jsonOf(variants([value], metadata))) JSON.parse(json!);
        } catch (error) {
          if (!(error instanceof VariantError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});

test("a column that is no group of a variant's is refused", () => {
  const error = (() => {
    try {
      return jsonOf(column(new arrow.Utf8(), ["{}"]));
    } catch (thrown) {
      return thrown;
    }
  })();
  expect((error as DeltaError).code).toBe("DELTA_SCHEMA_MISMATCH");
});
