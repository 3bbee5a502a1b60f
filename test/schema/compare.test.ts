import { describe, expect, test } from "vitest";
import { checkAssignable, schemaDifferences, schemaMismatch } from "#src/schema/compare.js";
import { notNull, schemaOf } from "#src/schema/literal.js";
import type { DataType, StructType } from "#src/schema/types.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { anySchema } from "./arbitrary.js";

test("a schema doesn't differ from itself", () => {
  const unique = anySchema.filter((schema) => !JSON.stringify(schema).includes('"name":""'));
  fc.assert(fc.property(unique, (schema) => schemaMismatch(schemaDifferences(schema, schema)) === undefined));
});

test("every differing column is listed with what is wrong about it", async () => {
  const table = schemaOf({
    id: "long not null",
    note: "string",
    City: "string",
    n: "integer",
    tags: ["string not null"],
    address: { zip: "integer", street: "string" },
    props: { map: ["string", "long"] },
  });
  const given = schemaOf({
    city: "string",
    n: "string",
    tags: ["string"],
    address: { zip: "long", floor: "byte" },
    props: { map: ["string", "integer"] },
    more: ["long"],
  });
  expect(schemaDifferences(table, given)).toEqual([
    { column: "id", kind: "missing", table: "long", assignable: false },
    { column: "note", kind: "missing", table: "string", assignable: true },
    expect.objectContaining({ column: "city", kind: "case", assignable: false }),
    { column: "n", kind: "type", table: "integer", given: "string", assignable: false },
    expect.objectContaining({ column: "tags.element", kind: "nullability", assignable: true }),
    { column: "address.zip", kind: "type", table: "integer", given: "long", assignable: false },
    { column: "address.street", kind: "missing", table: "string", assignable: true },
    { column: "address.floor", kind: "extra", given: "byte", assignable: false },
    { column: "props.value", kind: "type", table: "long", given: "integer", assignable: true },
    { column: "more", kind: "extra", given: "array<long>", assignable: false },
  ]);
  const error = await expectCode("DELTA_SCHEMA_MISMATCH", () => checkAssignable(table, given));
  const columns = error.data.columns as { column: string }[];
  expect(columns.map(({ column }) => column)).toEqual(["id", "city", "n", "address.zip", "address.floor", "more"]);
});

test("order doesn't matter, nor a nullable column left out, nor nulls that may come", () => {
  const table = schemaOf({ a: notNull("long"), b: "string", c: "date" });
  expect(() => checkAssignable(table, schemaOf({ b: "string", a: "integer" }))).not.toThrow();
});

const isAssignable = (given: DataType, table: DataType): boolean => {
  const of = (type: DataType): StructType => ({
    type: "struct",
    fields: [{ name: "a", type, nullable: true, metadata: {} }],
  });
  return schemaMismatch(schemaDifferences(of(table), of(given))) === undefined;
};

describe("assignable without loss", () => {
  test.each<[DataType, DataType, boolean]>([
    ["byte", "long", true],
    ["integer", "long", true],
    ["long", "integer", false],
    ["short", "float", true],
    ["integer", "float", false],
    ["integer", "double", true],
    ["long", "double", false],
    ["float", "double", true],
    ["double", "float", false],
    ["integer", "decimal(10,0)", true],
    ["integer", "decimal(10,1)", false],
    ["long", "decimal(19,0)", true],
    ["decimal(10,2)", "decimal(12,3)", true],
    ["decimal(10,2)", "decimal(11,3)", true],
    ["decimal(10,2)", "decimal(10,3)", false],
    ["decimal(10,2)", "double", false],
    ["date", "timestamp", false],
    ["timestamp", "timestamp_ntz", false],
    ["string", "long", false],
    ["boolean", "decimal(38,0)", false],
  ])("%s to %s: %s", (given, table, expected) => expect(isAssignable(given, table)).toBe(expected));

  test("arrays by their elements", () => {
    const of = (elementType: DataType): DataType => ({ type: "array", elementType, containsNull: true });
    expect(isAssignable(of("integer"), of("long"))).toBe(true);
    expect(isAssignable(of("long"), of("integer"))).toBe(false);
    expect(isAssignable(of("long"), "long")).toBe(false);
  });
});
