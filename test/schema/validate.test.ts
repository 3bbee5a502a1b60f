import { describe, expect, test } from "vitest";
import { type SchemaLiteral, schemaOf } from "#src/schema/literal.js";
import type { StructType } from "#src/schema/types.js";
import { validateNewTable } from "#src/schema/validate.js";
import { expectCode } from "../expectCode.js";

const structOf = (name: string, type: StructType["fields"][0]["type"] = "long"): StructType => ({
  type: "struct",
  fields: [{ name, type, nullable: true, metadata: {} }],
});

describe("columns", () => {
  test.each(["a b", "a,b", "a;b", "a{", "a}", "a(", "a)", "a\nb", "a\tb", "a=b"])(
    "no name like %j, nested or not",
    async (name) => {
      const error = await expectCode("DELTA_INVALID_SCHEMA", () => validateNewTable(structOf(name)));
      expect(error.data.column).toBe(name);
      const nested = structOf("x", { type: "array", elementType: structOf(name), containsNull: true });
      const inner = await expectCode("DELTA_INVALID_SCHEMA", () => validateNewTable(nested));
      expect(inner.data.column).toBe(`x.element.${name}`);
    },
  );

  test.each(["a.b", "größe", "日本", "a-b", "a'b", 'a"b', "a`b", "a/b", "a%20b", "a+b", "a:b"])(
    "a name like %j",
    (name) => {
      expect(() => validateNewTable(structOf(name))).not.toThrow();
    },
  );

  test.each<[string, SchemaLiteral]>([
    ["none", {}],
    ["an empty name", { "": "long" }],
    ["two that differ in case only", { id: "long", ID: "string" }],
    ["two nested ones that differ in case only", { a: { x: "long", X: "long" } }],
    ["a struct without fields", { a: {} }],
  ])("not %s", async (_, literal) => {
    await expectCode("DELTA_INVALID_SCHEMA", () => validateNewTable(schemaOf(literal)));
  });

  test("no decimal out of range, no unknown type", async () => {
    await expectCode("DELTA_INVALID_SCHEMA", () => validateNewTable(structOf("a", "decimal(39,0)")));
    await expectCode("DELTA_INVALID_SCHEMA", () => validateNewTable(structOf("a", "decimal(3,4)")));
    await expectCode("DELTA_INVALID_SCHEMA", () => validateNewTable(structOf("a", "int" as "long")));
  });
});

describe("partition columns", () => {
  const schema = schemaOf({ id: "long", day: "date", bin: "binary", tags: ["string"], address: { city: "string" } });

  test("any primitive columns, but not all columns", () => {
    expect(() => validateNewTable(schema, ["day", "bin", "id"])).not.toThrow();
    expect(() => validateNewTable(schemaOf({ id: "long" }), [])).not.toThrow();
  });

  test.each([
    ["unknown", ["dya"]],
    ["nested", ["address.city"]],
    ["an array", ["tags"]],
    ["a struct", ["address"]],
    ["named twice", ["day", "day"]],
  ])("not %s", async (_, columns) => {
    const error = await expectCode("DELTA_INVALID_PARTITION_COLUMN", () => validateNewTable(schema, columns));
    expect(error.data.column).toBe(columns[0]);
  });

  test("not all of the columns", async () => {
    const schema = schemaOf({ a: "long", b: "long" });
    await expectCode("DELTA_INVALID_PARTITION_COLUMN", () => validateNewTable(schema, ["a", "b"]));
  });
});
