import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { type Row, rowReader } from "#src/arrow/rows.js";
import { Timestamp } from "#src/arrow/timestamp.js";
import type { DataType, StructType } from "#src/schema/types.js";
import { makeRow } from "./arbitrary.js";

const field = (name: string, type: DataType, nullable = true) => ({ name, type, nullable, metadata: {} });
const struct = (...fields: ReturnType<typeof field>[]): StructType => ({ type: "struct", fields });

/** The values as they are read after being written to a column of this type. */
function written(type: DataType, ...values: unknown[]): unknown[] {
  const schema = struct(field("x", type));
  const rows = values.map((x) => ({ x }));
  return rowReader(schema)(buildBatch(schema, rows, 0)).map((row) => row.x);
}

function error(schema: StructType, rows: readonly unknown[], firstRow = 0): unknown {
  try {
    buildBatch(schema, rows as object[], firstRow);
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

function refusal(type: DataType, value: unknown): unknown {
  return error(
    struct(field("ok", "string"), field("x", type)),
    [
      { ok: "a", x: null },
      { ok: "b", x: value },
    ],
    40,
  );
}

describe("values that a column takes", () => {
  test("integers as numbers or bigints, each type to its ends", () => {
    expect(written("byte", -128, 127, 5n, -0)).toEqual([-128, 127, 5, 0]);
    expect(written("short", -32768, 32767n)).toEqual([-32768, 32767]);
    expect(written("integer", -(2 ** 31), 2 ** 31 - 1)).toEqual([-(2 ** 31), 2 ** 31 - 1]);
    expect(written("long", Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1, 2 ** 32, -(2 ** 32) - 1)).toEqual([
      9007199254740991n,
      -9007199254740991n,
      -1n,
      4294967296n,
      -4294967297n,
    ]);
    expect(written("long", 2n ** 63n - 1n, -(2n ** 63n))).toEqual([2n ** 63n - 1n, -(2n ** 63n)]);
  });

  test("floats as numbers, and as bigints that they hold exactly", () => {
    expect(written("float", 0.1, Number.NaN, Number.POSITIVE_INFINITY, 3n)).toEqual([
      Math.fround(0.1),
      Number.NaN,
      Number.POSITIVE_INFINITY,
      3,
    ]);
    assert.deepEqual(written("double", -0, 2n ** 53n), [-0, 2 ** 53]);
  });

  test("decimals as texts, bigints and numbers, unrounded", () => {
    expect(written("decimal(10,2)", "12.3", "-0.05", ".5", "7", 12n, 0.1, 1e3, "12.300", "+1.5", "-0")).toEqual([
      "12.30",
      "-0.05",
      "0.50",
      "7.00",
      "12.00",
      "0.10",
      "1000.00",
      "12.30",
      "1.50",
      "0.00",
    ]);
    const nines = `-${"9".repeat(36)}.99`;
    expect(written("decimal(38,2)", nines, -(10n ** 35n))).toEqual([nines, `-1${"0".repeat(35)}.00`]);
    expect(written("decimal(38,38)", "1e-38")).toEqual([`0.${"0".repeat(37)}1`]);
    expect(written("decimal(20,0)", -4294967296n, "-4294967297", 2n ** 62n)).toEqual([
      "-4294967296",
      "-4294967297",
      "4611686018427387904",
    ]);
  });

  test("dates as Dates at midnight UTC and texts, to the ends of the type", () => {
    const day = new Date("2024-02-29T00:00:00Z");
    expect(written("date", day, "2024-02-29", "0001-01-01")).toEqual([day, day, new Date("0001-01-01T00:00:00Z")]);
    // No Date reaches so far.
    expect(written("date", "+300000-01-01")).toEqual(["+300000-01-01"]);
  });

  test("timestamps as Dates, Timestamps, texts with a zone and bigints", () => {
    const precise = new Timestamp(Date.UTC(2024, 0, 31, 12, 0, 0, 123), 456);
    const values = written(
      "timestamp",
      new Date(5),
      precise,
      "2024-01-31T14:00:00.123456+02:00",
      "2024-01-31T12:00:00.123456000Z",
      -1n,
      2n ** 63n - 1n,
    );
    assert.deepEqual(values, [new Date(5), precise, precise, precise, new Timestamp(-1, 999), 2n ** 63n - 1n]);
    assert.deepEqual(written("timestamp_ntz", "2024-01-31 12:00:00.123456", "2024-01-31T12:00"), [
      precise,
      new Date(Date.UTC(2024, 0, 31, 12)),
    ]);
    assert.deepEqual(written("timestamp", new Date(8.64e15), new Date(-8.64e15)), [
      new Date(8.64e15),
      new Date(-8.64e15),
    ]);
  });

  test("text of any script, also in a column of much of it", () => {
    const words = ["", "a", "é", "日本", "😀", "\u0000", "x".repeat(2000), "é".repeat(900), null];
    const many = Array.from({ length: 3000 }, (_, i) => words[i % words.length]);
    expect(written("string", ...many)).toEqual(many);
  });

  test("binaries are copied in and out", () => {
    const bytes = Uint8Array.of(1, 2);
    const [read] = written("binary", bytes) as [Uint8Array];
    bytes[0] = 9;
    expect(read).toEqual(Uint8Array.of(1, 2));
    expect(written("binary", Buffer.from("ab"), new Uint8Array(0))).toEqual([Uint8Array.of(97, 98), new Uint8Array(0)]);
  });

  test("arrays as typed arrays too, maps as pairs and objects", () => {
    expect(
      written({ type: "array", elementType: "double", containsNull: true }, Float64Array.of(1, 2), [null]),
    ).toEqual([[1, 2], [null]]);
    const map: DataType = { type: "map", keyType: "string", valueType: "long", valueContainsNull: true };
    const expected = new Map([["a", 1n]]);
    expect(written(map, { a: 1 }, [["a", 1n]], new Map([["a", 1]]), {})).toEqual([
      expected,
      expected,
      expected,
      new Map(),
    ]);
  });

  test("null, undefined and a missing column are null", () => {
    const schema = struct(field("a", "long"), field("s", struct(field("b", "string"))));
    const rows = [{}, { a: undefined, s: {} }, { a: null, s: null }];
    expect(rowReader(schema)(buildBatch(schema, rows, 0))).toEqual([
      { a: null, s: null },
      { a: null, s: { b: null } },
      { a: null, s: null },
    ]);
  });
});

describe("values that a column refuses", () => {
  const cases: [DataType, unknown[]][] = [
    ["byte", [128, -129, 1.5, Number.NaN, "1", true, 200n, Number.POSITIVE_INFINITY]],
    ["short", [32768, -32769n]],
    ["integer", [2 ** 31, -(2n ** 31n) - 1n, new Date(0)]],
    ["long", [2 ** 53, 1.5, Number.NaN, 2n ** 63n, -(2n ** 63n) - 1n, "1"]],
    ["float", [1e300, 16777217n, "1"]],
    ["double", [2n ** 53n + 1n, 10n ** 400n, false]],
    ["decimal(4,2)", ["100", "-100.00", "1.234", 100n, 0.001, Number.NaN, "abc", "", "-", ".", "1e5", "1.2.3", true]],
    ["decimal(38,0)", [10n ** 38n, -(10n ** 38n), "0.1"]],
    ["string", [1, 1n, true, "\ud800", "a\udc00b", {}, Symbol("s")]],
    ["binary", ["a", [1], new ArrayBuffer(1)]],
    ["boolean", [0, "true", 1n]],
    ["date", [new Date(1), new Date(Number.NaN), "2024-02-30", "2024-1-1", "2024-01-01T00:00:00Z", 19000]],
    ["date", [new Timestamp(0, 1), "0000-00-00"]],
    ["timestamp", [new Date(Number.NaN), "2024-01-31T12:00:00", "2024-01-31", "2024-01-31T12:00:00.1234567Z"]],
    ["timestamp", [2n ** 63n, 1.5, "2024-01-31T24:00:00Z", "+400000-01-01T00:00:00Z"]],
    ["timestamp_ntz", ["2024-01-31T12:00:00Z", 5]],
    [{ type: "array", elementType: "long", containsNull: true }, ["ab", {}, 1, new Map()]],
    [struct(field("a", "long")), [1, [1], new Date(0), new Map(), Uint8Array.of(1)]],
    [{ type: "map", keyType: "long", valueType: "long", valueContainsNull: true }, [{ a: 1 }, [1], [[1, 2, 3]]]],
    [
      { type: "map", keyType: "string", valueType: "long", valueContainsNull: true },
      [
        [
          ["a", 1],
          ["a", 2],
        ],
        "a",
      ],
    ],
  ];

  test.each(cases)("%j", (type, values) => {
    for (const value of values) {
      expect(refusal(type, value), String(value)).toMatchObject({
        code: "DELTA_VALUE_OUT_OF_RANGE",
        data: { row: 41, column: "x", value, type: typeof type === "string" ? type : type.type },
      });
    }
  });

  test("inside nested values, the error names the path and the row", () => {
    const list: DataType = { type: "array", elementType: struct(field("n", "byte")), containsNull: true };
    const schema = struct(field("l", list));
    const rows = [{ l: [{ n: 1 }, { n: 2 }] }, { l: null }, { l: [] }, { l: [{ n: 3 }, { n: 400 }] }];
    expect(error(schema, rows, 10)).toMatchObject({
      code: "DELTA_VALUE_OUT_OF_RANGE",
      data: { row: 13, column: "l.element.n", value: 400 },
    });
    const map: DataType = { type: "map", keyType: "string", valueType: "byte", valueContainsNull: true };
    const bad = new Map([
      ["a", 1],
      ["b", 1000],
    ]);
    expect(error(struct(field("m", map)), [{ m: {} }, { m: bad }])).toMatchObject({
      data: { row: 1, column: "m.value" },
    });
  });
});

describe("nulls where none may be", () => {
  const violated = (row: number, column: string) => ({
    code: "DELTA_NOT_NULL_CONSTRAINT_VIOLATED",
    data: { row, column },
  });

  test("in a column, in a field of a struct that is there, in lists and maps", () => {
    expect(error(struct(field("a", "long", false)), [{ a: 1 }, {}], 7)).toMatchObject(violated(8, "a"));
    const inner = struct(field("s", struct(field("a", "long", false))));
    expect(error(inner, [{ s: null }, { s: { a: 1 } }, { s: {} }])).toMatchObject(violated(2, "s.a"));
    expect(error(inner, [{ s: null }, {}])).toBeUndefined();
    const list = struct(field("l", { type: "array", elementType: "long", containsNull: false }));
    expect(error(list, [{ l: [1, 2] }, { l: [3] }, { l: [4, null] }])).toMatchObject(violated(2, "l.element"));
    const map = struct(field("m", { type: "map", keyType: "string", valueType: "long", valueContainsNull: false }));
    expect(error(map, [{ m: {} }, { m: { a: null } }])).toMatchObject(violated(1, "m.value"));
    expect(error(map, [{ m: [[null, 1]] }])).toMatchObject(violated(0, "m.key"));
  });
});

describe("rows", () => {
  const schema = struct(field("a", "long"), field("s", struct(field("b", "long"))));

  test("with keys that the table lacks are refused, naming row and keys", () => {
    const rows = [{ a: 1 }, { a: 1, s: { b: 1 } }, { z: 1, a: 2, y: null }];
    expect(error(schema, rows, 5)).toMatchObject({
      code: "DELTA_SCHEMA_MISMATCH",
      data: { row: 7, columns: ["z", "y"] },
    });
    expect(error(schema, [{ s: { b: 1 } }, { s: { c: 1 } }])).toMatchObject({ data: { row: 1, columns: ["s.c"] } });
    // The third row has the first one's keys, but a value where that one has none.
    const tricky = [
      { a: 1, x: undefined },
      { a: 1, x: undefined },
      { a: 1, x: 1 },
    ];
    expect(error(schema, tricky)).toMatchObject({ code: "DELTA_SCHEMA_MISMATCH", data: { row: 2, columns: ["x"] } });
    expect(error(schema, tricky.slice(0, 2))).toBeUndefined();
  });

  test("that are no objects are refused", () => {
    for (const row of [null, 1, "a", [1], new Date(0), new Map()]) {
      expect(error(schema, [{}, row], 3)).toMatchObject({
        code: "DELTA_INVALID_ARGUMENT",
        data: { row: 4, value: row },
      });
    }
  });

  test("have columns of any name, and inherit none from Object", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "x y", "'\"];//"];
    const odd = struct(...names.map((name) => field(name, "long")));
    const nothing = makeRow(names.map((name) => [name, null]));
    const full = makeRow(names.map((name, i) => [name, BigInt(i)]));
    const read = rowReader(odd)(buildBatch(odd, [{}, full, Object.create(null)], 0));
    assert.deepEqual(read, [nothing, full, nothing]);
    expect(Object.keys(read[1])).toEqual(names);
  });

  test("may be instances of classes, with getters", () => {
    class Point {
      readonly a: number;
      constructor(a: number) {
        this.a = a;
      }
      get constructor2(): bigint {
        return 7n;
      }
      get toString2(): bigint {
        return 8n;
      }
    }
    Object.defineProperty(Point.prototype, "toString", { get: () => 9n });
    const type = struct(
      field("a", "long"),
      field("constructor", "long"),
      field("toString", "long"),
      field("toString2", "long"),
    );
    const [row] = rowReader(type)(buildBatch(type, [new Point(1)], 0));
    assert.deepEqual(row, { a: 1n, constructor: null, toString: 9n, toString2: 8n });
  });
});

test("where code generation is forbidden, rows are read and written all the same", () => {
  const script = fileURLToPath(new URL("noCodeGeneration.mjs", import.meta.url));
  const output = execFileSync(process.execPath, ["--disallow-code-generation-from-strings", script], {
    encoding: "utf8",
  });
  expect(JSON.parse(output) satisfies Row).toEqual({
    forbidden: true,
    rows: 2000,
    last: [
      ["a", "1999"],
      ["__proto__", 1],
    ],
  });
});

test("Timestamp counts, prints and refuses microseconds", () => {
  const before = Timestamp.fromMicroseconds(-1_500n);
  expect([before.getTime(), before.microsecond, before.toMicroseconds()]).toEqual([-2, 500, -1500n]);
  expect(before.toISOString()).toBe("1969-12-31T23:59:59.998500Z");
  expect(JSON.stringify(new Timestamp(new Date(0), 7))).toBe('"1970-01-01T00:00:00.000007Z"');
  expect(JSON.stringify([new Timestamp(Number.NaN)])).toBe("[null]");
  for (const bad of [-1, 1000, 0.5, Number.NaN]) expect(() => new Timestamp(0, bad)).toThrow(RangeError);
});
