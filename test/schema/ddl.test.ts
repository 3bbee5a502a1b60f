import { describe, expect, it } from "vitest";
import { formatDdl, parseDdl } from "#src/schema/ddl.js";
import type { DataType, StructField } from "#src/schema/types.js";
import { schemas } from "../arrow/arbitrary.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";

const field = (name: string, type: DataType, nullable = true, metadata = {}): StructField => ({
  name,
  type,
  nullable,
  metadata,
});

describe("parseDdl", () => {
  it.each<[string, StructField[]]>([
    ["id bigint", [field("id", "long")]],
    ["id: bigint not null", [field("id", "long", false)]],
    ["a INT, b Integer", [field("a", "integer"), field("b", "integer")]],
    ["a tinyint, b smallint, c real", [field("a", "byte"), field("b", "short"), field("c", "float")]],
    ["a decimal", [field("a", "decimal(10,0)")]],
    ["a dec(5)", [field("a", "decimal(5,0)")]],
    ["a numeric ( 38 , 38 )", [field("a", "decimal(38,38)")]],
    ["t timestamp, n timestamp_ntz", [field("t", "timestamp"), field("n", "timestamp_ntz")]],
    [
      "v variant, l array<variant>, n void",
      [
        field("v", "variant"),
        field("l", { type: "array", elementType: "variant", containsNull: true }),
        field("n", "void"),
      ],
    ],
    ["`a b``c` string", [field("a b`c", "string")]],
    ["größe_2 double", [field("größe_2", "double")]],
    ["a string COMMENT 'it''s'", [field("a", "string", true, { comment: "it's" })]],
    ['a string not null comment "say ""x"""', [field("a", "string", false, { comment: 'say "x"' })]],
    ["a string -- a remark\n, b long", [field("a", "string"), field("b", "long")]],
    ["a array<string>", [field("a", { type: "array", elementType: "string", containsNull: true })]],
    ["a array<int not null>", [field("a", { type: "array", elementType: "integer", containsNull: false })]],
    [
      "m map<string,array<long>>",
      [
        field("m", {
          type: "map",
          keyType: "string",
          valueType: { type: "array", elementType: "long", containsNull: true },
          valueContainsNull: true,
        }),
      ],
    ],
    [
      "s struct<a: long not null, b string> not null",
      [field("s", { type: "struct", fields: [field("a", "long", false), field("b", "string")] }, false)],
    ],
    [
      "date date, map map<date,date>",
      [
        field("date", "date"),
        field("map", { type: "map", keyType: "date", valueType: "date", valueContainsNull: true }),
      ],
    ],
  ])("reads %s", (text, fields) => {
    expect(parseDdl(text)).toEqual({ type: "struct", fields });
  });

  it.each<[string, number]>([
    ["", 0],
    ["id", 2],
    ["id lnog", 3],
    ["id long,", 8],
    ["id long name string", 8],
    ["a array<string", 14],
    ["a map<string>", 12],
    ["a decimal(39,2)", 14],
    ["a decimal(4,5)", 13],
    ["a decimal(x)", 10],
    ["a long not", 10],
    ["a long comment 5", 15],
    ["'a' long", 0],
    ["a varchar(10)", 2],
    ["a long; drop", 6],
    ["`a long", 0],
  ])("refuses %j", async (text, position) => {
    const error = await expectCode("DELTA_INVALID_SCHEMA", () => parseDdl(text));
    expect(error.data.position).toBe(position);
  });

  it("refuses types nested without end instead of overflowing", async () => {
    await expectCode("DELTA_INVALID_SCHEMA", () => parseDdl(`a ${"array<".repeat(50_000)}`));
  });

  it("reads every schema that formatDdl writes", () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        expect(parseDdl(formatDdl(schema))).toEqual(schema);
      }),
    );
  });
});

describe("formatDdl", () => {
  it("writes a line for each column, as Spark reads it", () => {
    const text = [
      "id     bigint NOT NULL,",
      "`a b`  array<int NOT NULL>,",
      "s      struct<",
      "  x       smallint COMMENT 'it''s',",
      "  `y``z`  map<string, struct<",
      "    t  timestamp_ntz",
      "  >>",
      "> COMMENT '',",
      "none   struct<>",
    ].join("\n");
    expect(formatDdl(parseDdl(text))).toBe(text);
  });
});
