import { Binary, Field, Int32, List, Map_, Struct, Utf8 } from "apache-arrow";
import type { SchemaElement } from "hyparquet";
import { describe, expect, it } from "vitest";
import { conformBatch } from "#src/arrow/conform.js";
import { rowReader } from "#src/arrow/rows.js";
import type { DataType, StructType } from "#src/schema/types.js";
import { encode, read, vector } from "./fixtures.js";
import { rootOf, withSchema } from "./otherSchema.js";

const INTS = [[1, 2], [], null, [3]];
const array = (elementType: DataType): DataType => ({ type: "array", elementType, containsNull: true });

async function valuesOf(file: Uint8Array, type: DataType): Promise<unknown[]> {
  const schema: StructType = { type: "struct", fields: [{ name: "v", type, nullable: true, metadata: {} }] };
  const values: unknown[] = [];
  for (const batch of await read(file))
    values.push(...rowReader(schema)(conformBatch(batch, schema)).map(({ v }) => v));
  return values;
}

const group = (name: string, repetition: string, count: number, converted?: string) =>
  ({
    name,
    repetition_type: repetition,
    num_children: count,
    ...(converted && { converted_type: converted }),
  }) as SchemaElement;
const leaf = (name: string, repetition: string, type: string, more: object = {}) =>
  ({ name, repetition_type: repetition, type, ...more }) as SchemaElement;
const UTF8 = { converted_type: "UTF8" };

/** parquet-format, LogicalTypes.md, Backward-compatibility rules. */
describe("lists of old writers [R-PQ-3]", () => {
  // Levels as in a list of two levels: the elements can't be null.
  const ints = () => encode({ v: vector(new List(new Field("element", new Int32(), false)), INTS) });
  const structs = () =>
    encode({
      v: vector(new List(new Field("element", new Struct([new Field("a", new Int32(), true)]), false)), [
        [{ a: 1 }, { a: null }],
        [],
        null,
      ]),
    });

  it.each([
    ["a repeated primitive in a LIST", [group("v", "OPTIONAL", 1, "LIST"), leaf("array", "REPEATED", "INT32")]],
    ["the same, called element", [group("v", "OPTIONAL", 1, "LIST"), leaf("element", "REPEATED", "INT32")]],
    [
      "three levels under Hive's names",
      [group("v", "OPTIONAL", 1, "LIST"), group("bag", "REPEATED", 1), leaf("array_element", "REQUIRED", "INT32")],
    ],
  ])("%s", async (_, elements) => {
    expect(await valuesOf(await withSchema(await ints(), [rootOf(1), ...elements]), array("integer"))).toEqual(INTS);
  });

  it.each(["array", "v_tuple"])("a repeated group %s of one field in a LIST is a struct", async (name) => {
    const elements = [group("v", "OPTIONAL", 1, "LIST"), group(name, "REPEATED", 1), leaf("a", "OPTIONAL", "INT32")];
    const type = array({ type: "struct", fields: [{ name: "a", type: "integer", nullable: true, metadata: {} }] });
    expect(await valuesOf(await withSchema(await structs(), [rootOf(1), ...elements]), type)).toEqual([
      [{ a: 1 }, { a: null }],
      [],
      null,
    ]);
  });

  it("a repeated group of several fields in a LIST is a struct", async () => {
    const two = new Struct([new Field("a", new Int32(), true), new Field("b", new Int32(), true)]);
    const file = await encode({ v: vector(new List(new Field("element", two, false)), [[{ a: 1, b: null }], null]) });
    const elements = [
      group("v", "OPTIONAL", 1, "LIST"),
      group("bag", "REPEATED", 2),
      leaf("a", "OPTIONAL", "INT32"),
      leaf("b", "OPTIONAL", "INT32"),
    ];
    const fields = ["a", "b"].map((name) => ({ name, type: "integer" as const, nullable: true, metadata: {} }));
    expect(await valuesOf(await withSchema(file, [rootOf(1), ...elements]), array({ type: "struct", fields }))).toEqual(
      [[{ a: 1, b: null }], null],
    );
  });

  it("a repeated primitive without a LIST", async () => {
    const file = await encode({
      v: vector(new List(new Field("element", new Int32(), false)), [[1, 2], [], [3]]),
    });
    // Its levels have one more: the list that is there.
    const elements = [group("v", "OPTIONAL", 1, "LIST"), leaf("v", "REPEATED", "INT32")];
    expect(await valuesOf(await withSchema(file, [rootOf(1), ...elements]), array("integer"))).toEqual([
      [1, 2],
      [],
      [3],
    ]);
  });
});

describe("maps of old writers [R-PQ-3]", () => {
  const entry = new Struct<{ key: Utf8; value: Int32 }>([
    new Field("key", new Utf8(), false),
    new Field("value", new Int32(), true),
  ]);
  const maps = [new Map([["a", 1]]), new Map([["b", null]]), null, new Map()];
  const file = () => encode({ v: vector(new Map_(new Field("entries", entry, false)), maps) });
  const type: DataType = { type: "map", keyType: "string", valueType: "integer", valueContainsNull: true };

  it.each([
    ["MAP", "key_value", "key", "value"],
    ["MAP_KEY_VALUE", "map", "key", "value"],
    ["MAP", "map", "k", "v"],
  ])("%s of %s", async (annotation, inner, key, value) => {
    const elements = [
      group("v", "OPTIONAL", 1, annotation),
      group(inner, "REPEATED", 2),
      leaf(key, "REQUIRED", "BYTE_ARRAY", UTF8),
      leaf(value, "OPTIONAL", "INT32"),
    ];
    expect(await valuesOf(await withSchema(await file(), [rootOf(1), ...elements]), type)).toEqual(maps);
  });
});

describe("decimals in bytes of any length [R-PQ-2]", () => {
  const VALUES: readonly (readonly [bytes: string, text: string])[] = [
    ["7f", "1.27"],
    ["80", "-1.28"],
    ["00", "0.00"],
    ["ff80", "-1.28"],
    ["0080", "1.28"],
    ["ff", "-0.01"],
    ["0de0b6b3a763ffff", "9999999999999999.99"],
    ["4b3b4ca85a86c47a098a223fffffffff", "999999999999999999999999999999999999.99"],
    ["b4c4b357a5793b85f675ddc000000001", "-999999999999999999999999999999999999.99"],
  ];

  it.each([1, 50])("each value %i times", async (times) => {
    const repeated = VALUES.flatMap((value) => Array.from({ length: times }, () => value));
    const bytes = repeated.map(([hex]) => Uint8Array.from(Buffer.from(hex, "hex")));
    const file = await encode({ v: vector(new Binary(), [...bytes, null]) });
    const decimal = { converted_type: "DECIMAL", precision: 38, scale: 2 };
    const schema = [rootOf(1), leaf("v", "OPTIONAL", "BYTE_ARRAY", decimal)];
    const texts = repeated.map(([, text]) => text);
    expect(await valuesOf(await withSchema(file, schema), "decimal(38,2)")).toEqual([...texts, null]);
  });
});
