import { describe, expect, expectTypeOf, test } from "vitest";
import { notNull, type RowOf, type SchemaLiteral, schemaOf } from "#src/schema/literal.js";
import { expectCode } from "../expectCode.js";

const schema = {
  id: "long not null",
  name: "string",
  price: "decimal(10,2)",
  at: "timestamp not null",
  tags: ["string not null"],
  props: { map: ["string", "long"] },
  address: { city: "string", zip: "integer not null" },
  items: notNull([notNull({ n: "double" })]),
  map: ["binary"],
} as const;

test("a literal is the Delta schema it looks like", () => {
  const field = (name: string, type: unknown, nullable = true) => ({ name, type, nullable, metadata: {} });
  expect(schemaOf(schema)).toEqual({
    type: "struct",
    fields: [
      field("id", "long", false),
      field("name", "string"),
      field("price", "decimal(10,2)"),
      field("at", "timestamp", false),
      field("tags", { type: "array", elementType: "string", containsNull: false }),
      field("props", { type: "map", keyType: "string", valueType: "long", valueContainsNull: true }),
      field("address", { type: "struct", fields: [field("city", "string"), field("zip", "integer", false)] }),
      field(
        "items",
        { type: "array", elementType: { type: "struct", fields: [field("n", "double")] }, containsNull: false },
        false,
      ),
      field("map", { type: "array", elementType: "binary", containsNull: true }),
    ],
  });
});

test("its row type follows", () => {
  expectTypeOf<RowOf<typeof schema>>().toEqualTypeOf<{
    id: bigint;
    name: string | null;
    price: string | null;
    at: Date;
    tags: string[] | null;
    props: Map<string, bigint | null> | null;
    address: { city: string | null; zip: number } | null;
    items: { n: number | null }[];
    map: (Uint8Array | null)[] | null;
  }>();
});

test("a struct may have one column named map, and columns named type and fields", () => {
  const [only, like] = schemaOf({ s: { map: ["string"] }, t: { type: "string", fields: ["long"] } }).fields;
  expect(only!.type).toMatchObject({ type: "struct", fields: [{ name: "map", type: { elementType: "string" } }] });
  expect(like!.type).toMatchObject({ type: "struct", fields: [{ name: "type" }, { name: "fields" }] });
});

test("a Delta schema stays as it is", () => {
  const delta = schemaOf({ a: "long" });
  expect(schemaOf(delta)).toBe(delta);
});

describe("refused, naming the column", () => {
  test.each<[string, unknown, string | undefined]>([
    ["int", "int", "integer"],
    ["strin", "strin", "string"],
    ["a decimal out of range", "decimal(40,2)", undefined],
    ["null", null, undefined],
    ["a number", 7, undefined],
    ["an array of nothing", [], undefined],
    ["an array of two types", ["long", "string"], undefined],
  ])("%s", async (_, type, nearest) => {
    const literal = { x: { a: type } } as unknown as SchemaLiteral;
    const error = await expectCode("DELTA_INVALID_SCHEMA", () => schemaOf(literal));
    expect(error.data.column).toBe("x.a");
    if (nearest) expect(error.data.nearest).toBe(nearest);
  });

  test.each([[null], [undefined], ["long"], [["long"]]])("%j for a schema", async (literal) => {
    await expectCode("DELTA_INVALID_SCHEMA", () => schemaOf(literal as unknown as SchemaLiteral));
  });
});
