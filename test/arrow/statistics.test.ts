import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { FileStatistics } from "#src/arrow/statistics.js";
import { parseColumnNames, statisticsColumns } from "#src/arrow/statisticsColumns.js";
import { sliceBatch } from "#src/arrow/take.js";
import { Timestamp } from "#src/arrow/timestamp.js";
import type { DataType, StructType } from "#src/schema/types.js";
import fc from "../fastCheck.js";
import { schemas, tables } from "./arbitrary.js";

const field = (name: string, type: DataType) => ({ name, type, nullable: true, metadata: {} });
const struct = (...fields: ReturnType<typeof field>[]): StructType => ({ type: "struct", fields });
const all = { numIndexedCols: -1 };

function statistics(schema: StructType, rows: readonly object[]): string {
  const collected = new FileStatistics(schema, statisticsColumns(schema, [], all));
  collected.add(buildBatch(schema, rows, 0));
  return collected.toJson();
}

/** The statistics of one column `x` with these values: minimum and maximum as JSON texts. */
function boundsOf(type: DataType, ...values: unknown[]): [string | undefined, string | undefined] {
  const text = statistics(
    struct(field("x", type)),
    values.map((x) => ({ x })),
  );
  const find = (part: string) =>
    new RegExp(`"${part}":\\{(?:"x":("(?:[^"\\\\]|\\\\.)*"|[^}]+))?\\}`, "u").exec(text)?.[1];
  expect(text).toMatch(/^\{"numRecords":\d+,"minValues":/);
  return [find("minValues"), find("maxValues")];
}

type Json = { [name: string]: Json | string | number | undefined };

/** JSON with numbers as their texts, so that no digit is lost. */
function parseExactly(text: string): { numRecords: string; minValues: Json; maxValues: Json; nullCount: Json } {
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => {
    return token.startsWith('"') ? token : `"#${token}"`;
  });
  return JSON.parse(quoted);
}

function at(tree: Json | undefined, path: readonly string[]): string | undefined {
  let value: Json | string | number | undefined = tree;
  for (const name of path) {
    value = typeof value === "object" && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value as string | undefined;
}

/** Orders a value and a bound of its column. */
function compare(type: DataType, value: unknown, bound: string): number {
  if (type === "string") return Buffer.compare(Buffer.from(value as string), Buffer.from(bound));
  if (type === "date") return (value as Date).getTime() - Date.parse(bound);
  if (type === "timestamp" || type === "timestamp_ntz") {
    const micros =
      typeof value === "bigint"
        ? value
        : value instanceof Timestamp
          ? value.toMicroseconds()
          : BigInt((value as Date).getTime()) * 1000n;
    expect(bound).toMatch(type === "timestamp" ? /\.\d{3}Z$/ : /\.\d{3}$/);
    return Number(micros - BigInt(Date.parse(type === "timestamp" ? bound : `${bound}Z`)) * 1000n);
  }
  const number = bound.slice(1);
  if (type === "float" || type === "double") return (value as number) - Number(number);
  const unscaled = (text: string) => BigInt(text.replace(".", ""));
  return Number(unscaled(String(value)) - unscaled(number));
}

describe("FileStatistics", () => {
  test("bounds of texts that begin alike, and are each other's beginnings, are the first and the last in the order of bytes", () => {
    const text = fc.tuple(
      fc.constantFrom("", "a", "name ", "né"),
      fc.string({ unit: fc.constantFrom("a", "b", "é", "\u0000", "𝄞"), maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (pairs) => {
        const texts = pairs.map(([beginning, rest]) => beginning + rest);
        const inOrder = texts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(boundsOf("string", ...texts)).toEqual([JSON.stringify(inOrder[0]), JSON.stringify(inOrder.at(-1))]);
      }),
      { numRuns: 500 },
    );
  });

  test("bounds hold for every row of any batches and counts are right", () => {
    fc.assert(
      fc.property(tables(schemas), fc.nat(20), ({ schema, rows }, cut) => {
        const columns = statisticsColumns(schema, [], all);
        const collected = new FileStatistics(schema, columns);
        const batch = buildBatch(schema, rows, 0);
        collected.add(sliceBatch(batch, 0, cut));
        collected.add(sliceBatch(batch, cut, rows.length));
        const text = collected.toJson();
        expect(() => JSON.parse(text)).not.toThrow();
        const stats = parseExactly(text);
        expect(stats.numRecords).toBe(`#${rows.length}`);
        for (const path of columns) {
          let type: DataType = schema;
          for (const name of path) type = (type as StructType).fields.find((f) => f.name === name)!.type;
          const cells = rows.map((row) =>
            path.reduce<unknown>((value, name) => (value === null ? null : (value as Json)[name]), row),
          );
          const there = cells.filter((cell) => cell !== null);
          expect(at(stats.nullCount, path)).toBe(`#${cells.length - there.length}`);
          const min = at(stats.minValues, path);
          const max = at(stats.maxValues, path);
          for (const cell of there) {
            if (min !== undefined && !Number.isNaN(cell)) expect(compare(type, cell, min)).toBeGreaterThanOrEqual(0);
            if (max !== undefined) expect(compare(type, cell, max)).toBeLessThanOrEqual(0);
          }
          if (there.length === 0) expect([min, max]).toEqual([undefined, undefined]);
          const exact = ["byte", "short", "integer", "long"].includes(type as string);
          if (there.length > 0 && exact) {
            expect(there.map((cell) => `#${cell}`)).toContain(min);
            expect(there.map((cell) => `#${cell}`)).toContain(max);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  test("the JSON is Delta's, with nested columns nested", () => {
    const schema = struct(field("id", "long"), field("s", struct(field("a", "string"), field("b", "boolean"))));
    const rows = [
      { id: 2n ** 63n - 1n, s: { a: "x", b: true } },
      { id: -5n, s: null },
      { id: null, s: { a: "y" } },
    ];
    expect(statistics(schema, rows)).toBe(
      '{"numRecords":3,"minValues":{"id":-5,"s":{"a":"x"}},"maxValues":{"id":9223372036854775807,"s":{"a":"y"}},' +
        '"nullCount":{"id":1,"s":{"a":1,"b":2}}}',
    );
    expect(statistics(schema, [])).toBe(
      '{"numRecords":0,"minValues":{},"maxValues":{},"nullCount":{"id":0,"s":{"a":0,"b":0}}}',
    );
  });

  test("types without an order have their nulls counted only", () => {
    const schema = struct(
      field("bin", "binary"),
      field("list", { type: "array", elementType: "integer", containsNull: true }),
      field("map", { type: "map", keyType: "string", valueType: "integer", valueContainsNull: true }),
    );
    const rows = [{ bin: Uint8Array.of(1), list: [1], map: { a: 1 } }, {}];
    expect(statistics(schema, rows)).toBe(
      '{"numRecords":2,"minValues":{},"maxValues":{},"nullCount":{"bin":1,"list":1,"map":1}}',
    );
  });

  test("decimals keep all their digits, and the place of the point", () => {
    expect(boundsOf("decimal(38,2)", "-12.3", "999999999999999999999999999999999999.99")).toEqual([
      "-12.30",
      "999999999999999999999999999999999999.99",
    ]);
    expect(boundsOf("decimal(5,2)", "0.05", "-0.05")).toEqual(["-0.05", "0.05"]);
    expect(boundsOf("decimal(20,0)", "12345678901234567890", "7")).toEqual(["7", "12345678901234567890"]);
  });

  test("what JSON has no number for is no bound, and zero bounds both zeros", () => {
    expect(boundsOf("double", 1.5, Number.NaN, -2)).toEqual(["-2.0", undefined]);
    expect(boundsOf("double", Number.NaN)).toEqual([undefined, undefined]);
    expect(boundsOf("double", Number.POSITIVE_INFINITY, 3)).toEqual(["3.0", undefined]);
    expect(boundsOf("float", Number.NEGATIVE_INFINITY, 0.5)).toEqual([undefined, "0.5"]);
    expect(boundsOf("double", 0, -0)).toEqual(["-0.0", "0.0"]);
    expect(boundsOf("double", -0)).toEqual(["-0.0", "0.0"]);
    expect(boundsOf("double", 0, 1)).toEqual(["0.0", "1.0"]);
    expect(boundsOf("double", 1e300, -1e-7)).toEqual(["-1e-7", "1e+300"]);
  });

  test("timestamps have milliseconds, rounded outwards, also before 1970", () => {
    expect(boundsOf("timestamp", 1_700_000_000_123_456n)).toEqual([
      '"2023-11-14T22:13:20.123Z"',
      '"2023-11-14T22:13:20.124Z"',
    ]);
    expect(boundsOf("timestamp_ntz", -1n)).toEqual(['"1969-12-31T23:59:59.999"', '"1970-01-01T00:00:00.000"']);
    expect(boundsOf("timestamp", 5000n)).toEqual(['"1970-01-01T00:00:00.005Z"', '"1970-01-01T00:00:00.005Z"']);
    // Neither year 0 nor 10000 is a text that every reader takes.
    expect(boundsOf("timestamp", -62_135_596_800_000_001n, 253_402_300_799_999_001n)).toEqual([undefined, undefined]);
    expect(boundsOf("timestamp", -62_135_596_800_000_000n, 253_402_300_799_999_000n)).toEqual([
      '"0001-01-01T00:00:00.000Z"',
      '"9999-12-31T23:59:59.999Z"',
    ]);
    expect(boundsOf("date", "0001-01-01", "9999-12-31")).toEqual(['"0001-01-01"', '"9999-12-31"']);
    expect(boundsOf("date", "0000-12-31", "+10000-01-01")).toEqual([undefined, undefined]);
  });

  test("strings are cut at 32 code points and stay bounds", () => {
    const prefix = "p".repeat(31);
    const bounds = (text: string) => boundsOf("string", text).map((bound) => bound && JSON.parse(bound));
    expect(bounds(`${prefix}q`)).toEqual([`${prefix}q`, `${prefix}q`]);
    expect(bounds(`${prefix}qz`)).toEqual([`${prefix}q`, `${prefix}q\u007f`]);
    expect(bounds(`${prefix}q\u007f`)).toEqual([`${prefix}q`, `${prefix}q\u{10ffff}`]);
    expect(bounds(`${prefix}qé`)).toEqual([`${prefix}q`, `${prefix}q\u{10ffff}`]);
    expect(bounds(`${prefix}😀😀`)).toEqual([`${prefix}😀`, `${prefix}😀\u{10ffff}`]);
    expect(bounds(`${prefix}q\u{10ffff}a`)).toEqual([`${prefix}q`, `${prefix}q\u{10ffff}\u007f`]);
    expect(bounds(`${prefix}q${"\u{10ffff}".repeat(40)}`)).toEqual([`${prefix}q`, undefined]);
    // By UTF-8 bytes U+FFFF is below U+10000, though its UTF-16 code unit is above.
    expect(boundsOf("string", "\uffff", "😀").map((bound) => JSON.parse(bound!))).toEqual(["\uffff", "😀"]);
    expect(boundsOf("string", "\ufeffa").map((bound) => JSON.parse(bound!))).toEqual(["\ufeffa", "\ufeffa"]);
  });

  test("a column that the schema lacks is refused", () => {
    expect(() => new FileStatistics(struct(field("a", "long")), [["b"]])).toThrowError(
      expect.objectContaining({ code: "DELTA_INVALID_ARGUMENT" }),
    );
  });
});

describe("statisticsColumns", () => {
  const schema = struct(
    field("p", "string"),
    field("s", struct(field("x", "long"), field("y", struct(field("z", "long"))))),
    field("l", { type: "array", elementType: struct(field("i", "long")), containsNull: true }),
    field("odd, `name`", "long"),
    field("b", "binary"),
  );

  test("counts leaves in order, without partition columns", () => {
    const first = (numIndexedCols: number) => statisticsColumns(schema, ["p"], { numIndexedCols });
    expect(first(0)).toEqual([]);
    expect(first(2)).toEqual([
      ["s", "x"],
      ["s", "y", "z"],
    ]);
    expect(first(3)).toEqual([["s", "x"], ["s", "y", "z"], ["l"]]);
    expect(first(-1)).toHaveLength(5);
    expect(statisticsColumns(schema, [], all)).toHaveLength(6);
  });

  test("takes the named ones, a struct's name standing for all in it", () => {
    const named = (...statsColumns: string[]) => statisticsColumns(schema, ["p"], { numIndexedCols: 1, statsColumns });
    expect(named("B, s.Y")).toEqual([["s", "y", "z"], ["b"]]);
    expect(named("s")).toEqual([
      ["s", "x"],
      ["s", "y", "z"],
    ]);
    expect(named("`odd, ``name```", "`s`.`x`")).toEqual([["s", "x"], ["odd, `name`"]]);
    expect(named("p", "nothing", "s.x.more")).toEqual([]);
    expect(named("")).toEqual([]);
  });

  test("a text that is no list of names is refused", () => {
    expect(parseColumnNames(" a . b ,`c.d`")).toEqual([["a", "b"], ["c.d"]]);
    for (const text of [",", "a,", "a..b", "a b", "`a", "a`b`"]) {
      expect(() => parseColumnNames(text), text).toThrowError(
        expect.objectContaining({ code: "DELTA_INVALID_ARGUMENT" }),
      );
    }
  });
});
