import { describe, expect, expectTypeOf, test } from "vitest";
import type { RowOf } from "#src/schema/literal.js";
import { schemaOf } from "#src/schema/literal.js";
import { toLiteral } from "#src/schema/literalValue.js";
import { columnsOf, type Predicate } from "#src/schema/predicate.js";
import type { DataType } from "#src/schema/types.js";
import { resolveWhere, type Where } from "#src/schema/where.js";
import { expectCode } from "../expectCode.js";

const literal = {
  id: "long not null",
  n: "integer",
  tiny: "byte",
  price: "decimal(10,2)",
  ratio: "double",
  approx: "float",
  name: "string",
  ok: "boolean",
  raw: "binary",
  day: "date",
  at: "timestamp",
  address: { city: "string", "zip.code": "string", geo: { lat: "double" } },
  "a.b": "string",
  a: { b: "long" },
} as const;
const schema = schemaOf(literal);
const resolve = (where: Where<RowOf<typeof literal>>) => resolveWhere(where as Where, schema);
const isNull = (...column: string[]): Predicate => ({ op: "isNull", column });
const not = (term: Predicate): Predicate => ({ op: "not", term });
const never = (column: string): Predicate => ({ op: "and", terms: [isNull(column), { op: "constant", value: null }] });
const always = (column: string): Predicate => ({
  op: "or",
  terms: [not(isNull(column)), { op: "constant", value: null }],
});

test("values, conditions and their combinations", () => {
  expect(resolve({ id: 5 })).toEqual({ op: "=", column: ["id"], value: 5n });
  expect(resolve({ id: { gt: 1n, lte: 9 }, name: "x" })).toEqual({
    op: "and",
    terms: [
      {
        op: "and",
        terms: [
          { op: ">", column: ["id"], value: 1n },
          { op: "<=", column: ["id"], value: 9n },
        ],
      },
      { op: "=", column: ["name"], value: "x" },
    ],
  });
  expect(resolve({ $or: [{ ok: true }, { $not: { n: { lt: 3 } } }] })).toEqual({
    op: "or",
    terms: [{ op: "=", column: ["ok"], value: true }, not({ op: "<", column: ["n"], value: 3 })],
  });
  expect(resolve({ n: { between: [1, 5] }, $and: [{ name: { startsWith: "a" } }] })).toMatchObject({
    terms: [
      {
        terms: [
          { op: ">=", value: 1 },
          { op: "<=", value: 5 },
        ],
      },
      { op: "startsWith", value: "a" },
    ],
  });
  expect(resolve({})).toEqual({ op: "constant", value: true });
  expect(resolve({ $or: [] })).toEqual({ op: "constant", value: false });
});

test("null is null, not null is not null", () => {
  expect(resolve({ name: null })).toEqual(isNull("name"));
  expect(resolve({ name: { eq: null } })).toEqual(isNull("name"));
  expect(resolve({ name: { ne: null } })).toEqual(not(isNull("name")));
  expect(resolve({ name: { isNull: false } })).toEqual(not(isNull("name")));
  expect(resolve({ address: { isNull: true } as never })).toEqual(isNull("address"));
});

test("lists", () => {
  expect(resolve({ n: { in: [1, 2.5, 3] } })).toEqual({ op: "in", column: ["n"], values: [1, 3] });
  expect(resolve({ n: { in: [1, null] } })).toEqual({
    op: "or",
    terms: [{ op: "in", column: ["n"], values: [1] }, isNull("n")],
  });
  expect(resolve({ n: { in: [] } })).toEqual({ op: "constant", value: false });
  expect(resolve({ tiny: { in: [300] } })).toEqual(never("tiny"));
  expect(resolve({ n: { notIn: [1] } })).toEqual({
    op: "and",
    terms: [not({ op: "in", column: ["n"], values: [1] }), not(isNull("n"))],
  });
});

test("nested columns by their path; a top-level column of that very name comes first", () => {
  expect(resolve({ "address.city": "Rome" })).toEqual({ op: "=", column: ["address", "city"], value: "Rome" });
  expect(resolve({ "address.geo.lat": { gt: 1.5 } })).toMatchObject({ column: ["address", "geo", "lat"] });
  expect(resolve({ "a.b": "x" })).toEqual({ op: "=", column: ["a.b"], value: "x" });
  expect(resolve({ NAME: "x" } as never)).toEqual({ op: "=", column: ["name"], value: "x" });
});

describe("values between those of the column", () => {
  test.each<[Where, Predicate]>([
    [{ id: { gt: 2.5 } }, { op: ">", column: ["id"], value: 2n }],
    [{ id: { lt: 2.5 } }, { op: "<=", column: ["id"], value: 2n }],
    [{ id: { gte: -2.5 } }, { op: ">", column: ["id"], value: -3n }],
    [{ id: 2.5 }, never("id")],
    [{ id: { ne: 2.5 } }, always("id")],
    [{ tiny: { lt: 300 } }, always("tiny")],
    [{ tiny: { gt: 127.5 } }, never("tiny")],
    [{ tiny: { gte: -1000 } }, always("tiny")],
    [{ id: { lt: Infinity } }, always("id")],
    [{ id: { gt: -Infinity } }, always("id")],
    [{ id: Number.NaN }, never("id")],
    [{ price: { gt: 0.1 } }, { op: ">", column: ["price"], value: 10n }],
    [{ price: { lte: "12.345" } }, { op: "<=", column: ["price"], value: 1234n }],
    [{ price: 12 }, { op: "=", column: ["price"], value: 1200n }],
    [{ approx: 0.1 }, { op: "=", column: ["approx"], value: Math.fround(0.1) }],
    [{ approx: { lte: 1e39 } }, { op: "<=", column: ["approx"], value: 3.4028234663852886e38 }],
    [{ day: { lt: new Date("2024-01-31T12:00:00Z") } }, { op: "<=", column: ["day"], value: 19753 }],
    [{ day: "2024-01-31" }, { op: "=", column: ["day"], value: 19753 }],
    [{ at: "2024-01-31" }, { op: "=", column: ["at"], value: 1706659200000000n }],
    [{ at: { gte: "2024-01-31T02:00:00.000001+02:00" } }, { op: ">=", column: ["at"], value: 1706659200000001n }],
    [{ at: { gt: "2024-01-31T00:00:00.0000005Z" } }, { op: ">", column: ["at"], value: 1706659200000000n }],
  ])("%j", (where, predicate) => expect(resolveWhere(where, schema)).toEqual(predicate));
});

describe("refused, naming the column", () => {
  test.each<[string, unknown, object]>([
    ["an unknown column", { nme: "x" }, { column: "nme", nearest: "name" }],
    ["an unknown nested column", { "address.cty": "x" }, { column: "address.cty", nearest: "address.city" }],
    ["undefined for a value", { id: undefined }, { column: "id" }],
    ["undefined in a condition", { id: { gt: undefined } }, { column: "id" }],
    ["undefined in a list", { id: { in: [1, undefined] } }, { column: "id" }],
    ["an empty condition", { id: {} }, { column: "id" }],
    ["an unknown operator", { id: { greater: 1 } }, { column: "id", operator: "greater" }],
    ["null with an order", { id: { lt: null } }, { column: "id" }],
    ["null in notIn", { id: { notIn: [null] } }, { column: "id" }],
    ["half a range", { id: { between: [1] } }, { column: "id" }],
    ["a text for a boolean", { ok: "true" }, { column: "ok" }],
    ["a number for a text", { name: 5 }, { column: "name" }],
    ["a text that is no number", { id: "x" }, { column: "id" }],
    ["a text that is no time", { at: "yesterday" }, { column: "at" }],
    ["an invalid Date", { at: new Date(Number.NaN) }, { column: "at" }],
    ["startsWith on a number", { id: { startsWith: "1" } }, { column: "id" }],
    ["isNull with another value", { id: { isNull: 1 } }, { column: "id" }],
    ["a nested object", { address: { city: "x" } }, { column: "address" }],
    ["a struct compared", { address: "x" }, { column: "address" }],
    ["$or of no array", { $or: {} }, {}],
    ["$not of no object", { $not: 5 }, {}],
    ["no object", "id = 1", {}],
    ["null", null, {}],
    ["an array", [{ id: 1 }], {}],
  ])("%s", async (_, where, data) => {
    const error = await expectCode("DELTA_INVALID_PREDICATE", () => resolveWhere(where as Where, schema));
    expect(error.data).toMatchObject(data);
  });
});

test("a literal is a value that the column can hold", async () => {
  const read = (type: DataType, value: unknown) => toLiteral(type, value, ["c"]);
  expect(read("long", 5)).toBe(5n);
  expect(read("integer", 5n)).toBe(5);
  expect(read("decimal(10,2)", "-1.5")).toBe(-150n);
  expect(read("double", 5n)).toBe(5);
  expect(read("date", new Date(86_400_000))).toBe(1);
  expect(read("timestamp", new Date(-1))).toBe(-1000n);
  expect(read("binary", Uint8Array.of(1))).toEqual(Uint8Array.of(1));
  expect(read("string", null)).toBeNull();
  for (const [type, value] of [
    ["byte", 128],
    ["long", 1.5],
    ["decimal(3,2)", "10"],
    ["date", new Date(1)],
    ["string", 5],
  ] as const) {
    const error = await expectCode("DELTA_INVALID_PREDICATE", () => read(type, value));
    expect(error.data).toMatchObject({ column: "c", value });
  }
});

test("the columns of a predicate, each once", () => {
  const predicate = resolve({ id: 1, $or: [{ "address.city": "x" }, { id: 2 }], $not: { n: { in: [1] } } });
  const opaque: Predicate = { op: "opaque", text: "", columns: [["ok"], ["n"]], evaluate: () => Promise.reject() };
  expect(columnsOf({ op: "and", terms: [predicate, opaque, { op: "constant", value: null }] })).toEqual([
    ["id"],
    ["address", "city"],
    ["n"],
    ["ok"],
  ]);
});

test("a where object's type follows the rows", () => {
  type Rows = Where<{ id: bigint; name: string | null; at: Date }>;
  expectTypeOf<{ id: { gt: number }; name: null; at: "2024-01-31" }>().toExtend<Rows>();
  expectTypeOf<{ $or: [{ id: bigint }, { "x.y": string }] }>().toExtend<Rows>();
  expectTypeOf<{ name: Date }>().not.toExtend<Rows>();
  expectTypeOf<{ id: { startWith: "x" } }>().not.toExtend<Rows>();
});
