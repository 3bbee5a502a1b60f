import { describe, expect, test } from "vitest";
import { SchemaInference } from "#src/schema/infer.js";
import { schemaOf } from "#src/schema/literal.js";
import { expectCode } from "../expectCode.js";

function infer(...rows: unknown[]) {
  const inference = new SchemaInference();
  rows.forEach((row, i) => {
    inference.add(row as object, i);
  });
  return inference.finish();
}

test("each kind of value has its type; columns come in order of first appearance", () => {
  const rows = [
    { n: 1, s: "x", big: null, skip: undefined },
    { b: false, n: Number.NaN, big: 5n, d: new Date(0), bytes: new Uint8Array(), skip: 1 },
    { list: [null, [1n]], struct: { a: null }, map: new Map([["k", { v: 1 }]]) },
    { struct: { b: "x", a: 1 } },
  ];
  expect(infer(...rows)).toEqual(
    schemaOf({
      n: "double",
      s: "string",
      big: "long",
      skip: "double",
      b: "boolean",
      d: "timestamp",
      bytes: "binary",
      list: [["long"]],
      struct: { a: "double", b: "string" },
      map: { map: ["string", { v: "double" }] },
    }),
  );
});

test("rows of a class have their own columns only", () => {
  class Base {
    a = 1;
    get computed() {
      return 2;
    }
  }
  const row = new Base();
  Object.defineProperty(Base.prototype, "inherited", { value: 3, enumerable: true });
  expect(infer(row)).toEqual(schemaOf({ a: "double" }));
  expect(infer({ a: 1, nested: row })).toEqual(schemaOf({ a: "double", nested: { a: "double" } }));
});

test("rows with the same columns in another order", () => {
  expect(infer({ a: 1, b: "x" }, { b: "y", a: 2 }, { c: true }, { b: "z" })).toEqual(
    schemaOf({ a: "double", b: "string", c: "boolean" }),
  );
});

describe("can't be inferred", () => {
  test.each<[string, unknown[], string, unknown[]]>([
    ["numbers and bigints", [{ a: 1 }, {}, { a: 2n }], "a", ["double", "long"]],
    ["strings and Dates", [{ a: "x" }, { a: null }, { a: new Date() }], "a", ["string", "timestamp"]],
    ["nested kinds", [{ a: { b: [1] } }, {}, { a: { b: ["x"] } }], "a.b.element", ["double", "string"]],
    ["an array and an object", [{ a: [1] }, {}, { a: { x: 1 } }], "a", ["array", "struct"]],
  ])("%s", async (_, rows, column, types) => {
    const error = await expectCode("DELTA_CANNOT_INFER_SCHEMA", () => infer(...rows));
    expect(error.data).toEqual({ column, rows: [0, 2], types });
  });

  test("what is null or empty in all rows is listed", async () => {
    const rows = [
      { a: null, b: [], c: 1, d: { e: null }, f: {} },
      { b: [null], g: new Map() },
    ];
    const error = await expectCode("DELTA_CANNOT_INFER_SCHEMA", () => infer(...rows));
    expect(error.data.columns).toEqual(["a", "b.element", "d.e", "f", "g.key", "g.value"]);
  });

  test.each([[[]], [[{}, {}]]])("rows %j", async (rows) => {
    await expectCode("DELTA_CANNOT_INFER_SCHEMA", () => infer(...rows));
  });

  test.each([() => 1, Symbol("x"), /x/, new Set([1]), new Float64Array(2)])(
    "a value that Delta has no type for",
    async (value) => {
      const error = await expectCode("DELTA_CANNOT_INFER_SCHEMA", () => infer({ ok: 1 }, { ok: 1, bad: value }));
      expect(error.data).toMatchObject({ column: "bad", rows: [1] });
    },
  );

  test("an object that holds itself", async () => {
    const row: Record<string, unknown> = {};
    row.self = row;
    await expectCode("DELTA_CANNOT_INFER_SCHEMA", () => infer(row));
  });

  test.each([[null], [5], ["row"], [[1]]])("a row that is %j", async (row) => {
    await expectCode("DELTA_INVALID_ARGUMENT", () => infer(row));
  });
});
