import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseSchema, schemaToJson } from "#src/schema/json.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { anySchema } from "./arbitrary.js";

const column = (type: string) =>
  `{"type":"struct","fields":[{"name":"a","type":${type},"nullable":true,"metadata":{}}]}`;

test("every schema reads back as written", () => {
  fc.assert(
    fc.property(anySchema, (schema) => {
      expect(parseSchema(schemaToJson(schema))).toEqual(schema);
    }),
  );
});

test("it is written with Spark's order of keys, compact", () => {
  const spark =
    '{"type":"struct","fields":[{"name":"a","type":{"type":"array","elementType":"long","containsNull":false},"nullable":false,"metadata":{"z":1,"a":[true,null]}},' +
    '{"name":"m","type":{"type":"map","keyType":"string","valueType":"decimal(10,2)","valueContainsNull":true},"nullable":true,"metadata":{}}]}';
  expect(schemaToJson(parseSchema(spark))).toBe(spark);
});

test("[R-SCHEMA-4] integers in metadata keep all their digits, strings with digits stay strings", () => {
  const metadata =
    '{"delta.identity.highWaterMark":9223372036854775807,"n":[-9007199254740993,1.5],"s":"9223372036854775807 \\"\\\\"}';
  const json = `{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":${metadata}}]}`;
  const schema = parseSchema(json);
  expect(schema.fields[0]!.metadata["delta.identity.highWaterMark"]).toBe(9223372036854775807n);
  expect(schema.fields[0]!.metadata.n).toEqual([-9007199254740993n, 1.5]);
  expect(schemaToJson(schema)).toBe(json);
});

test("what older writers leave out is filled in", () => {
  const schema = parseSchema('{"type":"struct","fields":[{"name":"a","type":"decimal"}]}');
  expect(schema.fields).toEqual([{ name: "a", type: "decimal(10,0)", nullable: true, metadata: {} }]);
});

test("variant is a name or, as the protocol's example has it, an object; void was once called null", () => {
  const typeOf = (json: string) => parseSchema(column(json)).fields[0]!.type;
  expect(typeOf('"variant"')).toBe("variant");
  expect(typeOf('{"type":"variant"}')).toBe("variant");
  expect(typeOf('"void"')).toBe("void");
  expect(typeOf('"null"')).toBe("void");
  expect(typeOf('{"type":"array","elementType":{"type":"variant"}}')).toMatchObject({ elementType: "variant" });
});

test("places and shapes keep their reference system", () => {
  for (const type of ["geometry(OGC:CRS84)", "geography(OGC:CRS84, spherical)", "geometry(EPSG:3857)"]) {
    expect(parseSchema(column(`"${type}"`)).fields[0]!.type).toBe(type);
    expect(schemaToJson(parseSchema(column(`"${type}"`)))).toBe(column(`"${type}"`));
  }
});

test("texts of a given length, and of a collation, are strings whose metadata says so [R-SCHEMA-4]", () => {
  const metadata = '{"__CHAR_VARCHAR_TYPE_STRING":"varchar(3)","__COLLATIONS":{"a":"icu.UNICODE_CI"}}';
  const json = `{"type":"struct","fields":[{"name":"a","type":"string","nullable":true,"metadata":${metadata}}]}`;
  expect(parseSchema(json).fields[0]!.type).toBe("string");
  expect(schemaToJson(parseSchema(json))).toBe(json);
});

describe("changes of a column's type", () => {
  const changed = (changes: string) =>
    `{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{"delta.typeChanges":${changes}}}]}`;

  test("are kept where the protocol has them", () => {
    const json = changed(
      '[{"fromType":"short","toType":"integer","tableVersion":1},{"fromType":"decimal(6, 2)","toType":"decimal(10, 4)","fieldPath":"element.value"}]',
    );
    expect(schemaToJson(parseSchema(json))).toBe(json);
  });

  test.each([
    ["a narrower type", '[{"fromType":"long","toType":"integer"}]', "long", "integer"],
    ["one of several", '[{"fromType":"byte","toType":"long"},{"fromType":"long","toType":"double"}]', "long", "double"],
    ["a text", '[{"fromType":"integer","toType":"string"}]', "integer", "string"],
    ["no list", "7", undefined, undefined],
  ])("others are refused: %s [R-TW-3]", async (_, changes, from, to) => {
    const error = await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_READ", () => parseSchema(changed(changes)));
    expect(error.data).toEqual({ column: "a", from, to });
  });
});

describe("refused", () => {
  test.each(["interval year to month", "interval day", "geometry", "timestamp_nanos", "char(3)"])(
    "[R-SCHEMA-2] a type of Delta's that isn't supported: %s",
    async (type) => {
      const error = await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_READ", () => parseSchema(column(`"${type}"`)));
      expect(error.data).toMatchObject({ column: "a", type });
    },
  );

  test.each([
    ["no JSON", "{"],
    ["no struct", '"long"'],
    ["an array", "[]"],
    ["another type at the top", '{"type":"array","elementType":"long"}'],
    ["fields that are no array", '{"type":"struct","fields":{}}'],
    ["a field without a name", '{"type":"struct","fields":[{"type":"long"}]}'],
    ["an unknown type", column('"lonk"')],
    ["a type that is a number", column("7")],
    ["an unknown nested type", column('{"type":"list"}')],
    ["a decimal beyond 38 digits", column('"decimal(39,2)"')],
    ["metadata that is no object", '{"type":"struct","fields":[{"name":"a","type":"long","metadata":[]}]}'],
    ["a nullable that is no boolean", '{"type":"struct","fields":[{"name":"a","type":"long","nullable":"no"}]}'],
    ["types nested very deep", column(`${'{"type":"array","elementType":'.repeat(5000)}"long"${"}".repeat(5000)}`)],
  ])("%s", async (_, json) => {
    await expectCode("DELTA_INVALID_SCHEMA", () => parseSchema(json));
  });
});

const golden = new URL("../../../shared/golden/", import.meta.url);
let tables: string[] = [];
try {
  tables = readdirSync(golden);
} catch {}

// The reference tables lie beside the repository; where they are absent this is skipped.
test.skipIf(tables.length === 0)("the schemas of other writers are written back byte for byte", () => {
  let compared = 0;
  for (const table of tables) {
    const log = new URL(`${table}/delta/_delta_log/`, golden);
    let files: string[] = [];
    try {
      files = readdirSync(log).filter((name) => /^\d{20}\.json$/.test(name));
    } catch {}
    for (const file of files) {
      for (const line of readFileSync(new URL(file, log), "utf8").split("\n")) {
        if (!line.includes('"metaData"')) continue;
        const { schemaString } = (JSON.parse(line) as { metaData: { schemaString?: string } }).metaData;
        if (!schemaString) continue;
        expect(schemaToJson(parseSchema(schemaString))).toBe(schemaString);
        compared++;
      }
    }
  }
  expect(compared).toBeGreaterThan(50);
});
