import assert from "node:assert/strict";
import { RecordBatchReader } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { jsonLines } from "#src/arrow/jsonLines.js";
import { rowReader } from "#src/arrow/rows.js";
import { sliceBatch } from "#src/arrow/take.js";
import { arrowStream } from "#src/cli/formats/arrowStream.js";
import { gridCells, gridColumns } from "#src/cli/formats/cells.js";
import { csvHeader, csvLines } from "#src/cli/formats/csv.js";
import { gridLines } from "#src/cli/formats/grid.js";
import { displayWidth } from "#src/cli/text.js";
import { type KeptNumbers, mayHaveLongNumber, parseJson } from "#src/load/format/jsonl/jsonNumbers.js";
import { jsonRowConverter } from "#src/load/format/jsonl/jsonValues.js";
import { parseDdl } from "#src/schema/ddl.js";
import type { StructType } from "#src/schema/types.js";
import { schemas, tables } from "../arrow/arbitrary.js";
import fc from "../fastCheck.js";

const textOf = (pieces: Iterable<Uint8Array>) => Buffer.concat([...pieces]).toString();
const json = (ddl: string, rows: object[]) => {
  const schema = parseDdl(ddl);
  return textOf(jsonLines(schema, buildBatch(schema, rows, 0)));
};
const csv = (ddl: string, rows: object[], escapeControls = false) => {
  const schema = parseDdl(ddl);
  return textOf([
    csvHeader(schema, { escapeControls }),
    ...csvLines(schema, buildBatch(schema, rows, 0), { escapeControls }),
  ]);
};

/** The rows that `append` reads from the lines that `read` writes. */
function readBack(schema: StructType, lines: string, kept: KeptNumbers): unknown[] {
  const convert = jsonRowConverter(schema);
  const rows = lines
    .split("\n")
    .slice(0, -1)
    .map((line) => parseJson(line, kept) as Record<string, unknown>);
  for (const row of rows) convert(row);
  return rowReader(schema)(buildBatch(schema, rows, 0));
}

describe("JSON lines", () => {
  it.each<[string, unknown, string]>([
    ["bigint", 9223372036854775807n, "9223372036854775807"],
    ["bigint", -9223372036854775808n, "-9223372036854775808"],
    ["bigint", 9007199254740993n, "9007199254740993"],
    ["bigint", 1000000000n, "1000000000"],
    ["bigint", -1000000001n, "-1000000001"],
    ["int", -2147483648, "-2147483648"],
    ["tinyint", -128, "-128"],
    ["decimal(10,2)", "12.30", '"12.30"'],
    ["decimal(10,2)", "-0.05", '"-0.05"'],
    ["decimal(5,0)", "7", '"7"'],
    ["decimal(38,38)", "0.00000000000000000000000000000000000001", '"0.00000000000000000000000000000000000001"'],
    ["decimal(38,0)", "-99999999999999999999999999999999999999", '"-99999999999999999999999999999999999999"'],
    ["decimal(16,15)", "8.999999999999999", '"8.999999999999999"'],
    ["double", -0, "-0.0"],
    ["double", 0, "0.0"],
    ["double", 3, "3.0"],
    ["double", -1.5, "-1.5"],
    ["double", 0.1 + 0.2, "0.30000000000000004"],
    ["double", 5e-324, "5e-324"],
    ["double", 1e21, "1e+21"],
    ["double", 123456789012345680, "123456789012345680.0"],
    ["double", Number.NaN, '"NaN"'],
    ["double", Number.POSITIVE_INFINITY, '"Infinity"'],
    ["float", Number.NEGATIVE_INFINITY, '"-Infinity"'],
    ["float", 0.1, "0.10000000149011612"],
    ["boolean", true, "true"],
    ["date", "2024-01-31", '"2024-01-31"'],
    ["date", "0001-01-01", '"0001-01-01"'],
    ["date", "+12024-01-31", '"+12024-01-31"'],
    ["timestamp", "2024-01-31T12:00:00.123456Z", '"2024-01-31T12:00:00.123456Z"'],
    ["timestamp", "1969-12-31T23:59:59.999999Z", '"1969-12-31T23:59:59.999999Z"'],
    ["timestamp", "0099-01-01T00:00:00Z", '"0099-01-01T00:00:00.000000Z"'],
    ["timestamp", "9999-12-31T23:59:59.999999Z", '"9999-12-31T23:59:59.999999Z"'],
    ["timestamp", "+10000-01-01T00:00:00Z", '"+10000-01-01T00:00:00.000000Z"'],
    ["timestamp_ntz", "2024-01-31T12:00:00", '"2024-01-31T12:00:00.000000"'],
    ["binary", Uint8Array.of(0, 1, 2, 255), '"AAEC/w=="'],
    ["string", "", '""'],
    ["string", 'é"\\\n\t\b\f\r\u0000\u001b\u007f\u009b°😀', String.raw`"é\"\\\n\t\b\f\r\u0000\u001b\u007f\u009b°😀"`],
    ["array<int>", [1, null], "[1,null]"],
    ["array<int>", [], "[]"],
    ["map<string,bigint>", new Map([['k"', 1n]]), String.raw`{"k\"":1}`],
    [
      "map<int,string>",
      new Map([
        [1, "a"],
        [2, null],
      ]),
      '[[1,"a"],[2,null]]',
    ],
    ["struct<a: int, b: struct<c: string>>", { a: 1, b: { c: null } }, '{"a":1,"b":{"c":null}}'],
  ])("writes a %s %s", (type, value, text) => {
    expect(json(`v ${type}`, [{ v: value }, { v: null }])).toBe(`{"v":${text}}\n{"v":null}\n`);
  });

  it("keeps the order of columns and escapes their names", () => {
    expect(json('b int, `a"\u009b` int', [{ b: 1, 'a"\u009b': 2 }])).toBe(`${String.raw`{"b":1,"a\"\u009b":2}`}\n`);
  });

  it("any rows of any schema are appended as they were read, and every line is JSON with every column", () => {
    fc.assert(
      fc.property(tables(schemas), fc.nat(3), ({ schema, rows }, from) => {
        const batch = sliceBatch(buildBatch(schema, rows, 0), Math.min(from, rows.length), rows.length);
        const lines = textOf(jsonLines(schema, batch));
        assert.doesNotMatch(lines, /[^\P{Cc}\n]/u);
        for (const line of lines.split("\n").slice(0, -1)) {
          assert.deepEqual(new Set(Object.keys(JSON.parse(line))), new Set(schema.fields.map((field) => field.name)));
        }
        const kept = mayHaveLongNumber(Buffer.from(lines)) ? "inexact" : "none";
        assert.deepEqual(readBack(schema, lines, kept), rows.slice(from));
        assert.deepEqual(readBack(schema, lines, "points"), rows.slice(from));
      }),
      { numRuns: 300 },
    );
  });

  it("cuts large batches into pieces at the ends of lines", () => {
    const schema = parseDdl("s string");
    const rows = Array.from({ length: 400 }, (_, i) => ({ s: String(i).repeat(1000) }));
    const pieces = [...jsonLines(schema, buildBatch(schema, rows, 0))];
    expect(pieces.length).toBeGreaterThan(1);
    for (const piece of pieces) expect(piece.at(-1)).toBe(10);
    expect(readBack(schema, textOf(pieces), "none")).toEqual(rows);
  });
});

describe("parseJson", () => {
  it("finds the numbers that may be inexact wherever they are", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 40 }), (before, digits) => {
        const text = " ".repeat(before) + "1".repeat(digits) + " ".repeat(7);
        expect(mayHaveLongNumber(Buffer.from(text))).toBe(digits >= 16);
      }),
    );
  });

  it("keeps digits in numbers, not in texts", () => {
    const value = parseJson(
      '{"a":[12345678901234567890],"b":"12345678901234567890\\"1","c":1,"d":0.12345678901234567}',
      "inexact",
    );
    expect(value).toEqual({
      a: [{ text: "12345678901234567890" }],
      b: '12345678901234567890"1',
      c: 1,
      d: { text: "0.12345678901234567" },
    });
  });

  it("takes texts of many megabytes", () => {
    const text = "x".repeat(20_000_000);
    expect(parseJson(`{"a":"${text}","b":1.5}`, "points")).toEqual({ a: text, b: { text: "1.5" } });
  });
});

describe("CSV", () => {
  it("quotes what must be quoted, tells null from an empty text, and writes nested values as JSON", () => {
    const rows = [
      { s: 'a,"b"\r\n', n: 9007199254740993n, d: Number.NaN, t: [1, null], b: Uint8Array.of(1) },
      { s: "", n: null, d: -0, t: null, b: null },
      { s: null, n: 1n, d: 1.5, t: [], b: null },
    ];
    expect(csv("s string, n bigint, d double, t array<int>, b binary", rows)).toBe(
      's,n,d,t,b\n"a,""b""\r\n",9007199254740993,NaN,"[1,null]",AQ==\n"",,-0.0,,\n,1,1.5,[],\n',
    );
  });

  it("any texts come back by RFC 4180's rules", () => {
    const cell = fc.option(fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", "é", " ") }));
    fc.assert(
      fc.property(fc.array(fc.record({ x: cell, "y,z": cell })), (rows) => {
        assert.deepEqual(parseCsv(csv("x string, `y,z` string", rows)), [
          ["x", "y,z"],
          ...rows.map((row) => [row.x, row["y,z"]]),
        ]);
      }),
    );
  });

  it("shows control characters as escapes where a person reads", () => {
    expect(csv("`a\u001b` string", [{ "a\u001b": "x\u001b[2J\ny" }], true)).toBe("a\\u001b\nx\\u001b[2J\\ny\n");
  });
});

/** A reader of RFC 4180 for texts: an empty value is null, a quoted one never. */
function parseCsv(text: string): (string | null)[][] {
  const cells = text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\n"]*))(,|\n)/g);
  const rows: (string | null)[][] = [[]];
  for (const [, quoted, plain, end] of cells) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? (plain === "" ? null : plain));
    if (end === "\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

describe("a table for people", () => {
  const grid = (ddl: string, rows: object[], width = Number.POSITIVE_INFINITY) => {
    const schema = parseDdl(ddl);
    return gridLines(gridColumns(schema), gridCells(schema, buildBatch(schema, rows, 0)), width);
  };

  it("aligns numbers right and texts left, by the width of their characters", () => {
    const rows = [
      { n: 5n, s: "日本" },
      { n: -1234n, s: null },
      { n: null, s: "e\u0301" },
    ];
    expect(grid("n bigint, s string, f float", [...rows, { f: 0.1 }])).toEqual([
      "    n  s        f",
      "─────  ────  ────",
      "    5  日本  NULL",
      "-1234  NULL  NULL",
      " NULL  e\u0301     NULL",
      " NULL  NULL   0.1",
    ]);
  });

  it("shows no control characters and nothing that turns the direction of text", () => {
    const lines = grid("`\u001b[1m` string", [{ "\u001b[1m": "a\nb\u009b1m\u202e" }]);
    expect(lines).toEqual(["\\u001b[1m", "──────────────────", "a\\nb\\u009b1m\\u202e"]);
  });

  it("fits any rows into any width", () => {
    fc.assert(
      fc.property(tables(schemas, 5), fc.integer({ min: 60, max: 200 }), ({ schema, rows }, width) => {
        const [, , ...lines] = gridLines(gridColumns(schema), gridCells(schema, buildBatch(schema, rows, 0)), width);
        for (const line of lines) assert.ok(displayWidth(line) <= width, line);
        assert.ok(lines.length >= rows.length);
      }),
    );
  });

  it("cuts the widest columns, never numbers, and names the columns that find no room", () => {
    const rows = [{ a: "x".repeat(50), b: "y".repeat(50), n: 1234567890123n, c: "z".repeat(50) }];
    expect(grid("a string, b string, n bigint, c string", rows, 45)).toEqual([
      `${"a".padEnd(16)}${"b".padEnd(16)}${"n".padStart(13)}`,
      "──────────────  ──────────────  ─────────────",
      "xxxxxxxxxxxxx…  yyyyyyyyyyyyy…  1234567890123",
      "… and 1 more column: c",
    ]);
  });
});

describe("an Arrow stream", () => {
  it("is read back as it was, also without rows", async () => {
    const schema = parseDdl("id bigint, tags array<string>");
    for (const rows of [
      [],
      [
        { id: 1n, tags: ["a", null] },
        { id: null, tags: null },
      ],
    ]) {
      const batches = (async function* () {
        if (rows.length > 0) yield* [buildBatch(schema, rows, 0), buildBatch(schema, rows, 0)];
      })();
      const pieces: Uint8Array[] = [];
      for await (const piece of arrowStream(schema, batches)) pieces.push(piece);
      const reader = RecordBatchReader.from(Buffer.concat(pieces)).open();
      expect(reader.schema.fields.map(String)).toEqual(["id: Int64", "tags: List<Utf8>"]);
      const read = [...reader].filter((batch) => batch.numRows > 0);
      expect(read.flatMap((batch) => rowReader(schema)(batch))).toEqual([...rows, ...rows]);
    }
  });
});
