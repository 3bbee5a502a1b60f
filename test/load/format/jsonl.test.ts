import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { replaceLimits } from "#src/limits.js";
import type { ParseOptions } from "#src/load/format/format.js";
import { jsonlFormat } from "#src/load/format/jsonl/jsonlFormat.js";
import fc from "../../fastCheck.js";
import { collect, schemaOf } from "./collect.js";
import { sourceFile, temporaryFolder } from "./sourceFile.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
let files = 0;
const jsonl = (text: string | Uint8Array) => sourceFile(join(folder.path, `${files++}.jsonl`), text, "jsonl");

async function load(
  text: string | Uint8Array,
  schema = schemaOf({ a: "long", b: "string" }),
  parse: ParseOptions = {},
) {
  const shape = { dialect: {}, schema };
  const result = await collect(jsonlFormat, jsonl(text), { shape, schema, parse });
  const bad = result.bad.map(({ reason, ...each }) => ({ ...each, raw: Buffer.from(each.raw).toString("latin1") }));
  return { rows: result.rows, bad };
}

describe("JSON lines", () => {
  it("are rows or bad records with their places", async () => {
    const text = '{"a":1,"b":"x"}\r\n\n{"a":1.5}\nnot json\r\n  \n[1]\n{"a":2,"c":true}\n{"a":9007199254740993}';
    const { rows, bad } = await load(text);
    expect(rows).toEqual([
      { a: 1n, b: "x" },
      { a: 9007199254740993n, b: null },
    ]);
    expect(bad).toEqual([
      { code: "TYPE", column: "a", record: 1, line: 3, byteOffset: 18, raw: '{"a":1.5}' },
      { code: "PARSE", record: 2, line: 4, byteOffset: 28, raw: "not json" },
      { code: "PARSE", record: 3, line: 6, byteOffset: 41, raw: "[1]" },
      { code: "UNKNOWN_COLUMN", column: "c", record: 4, line: 7, byteOffset: 45, raw: '{"a":2,"c":true}' },
    ]);
  });

  it("break a rule where a column must have a value, and are named where they aren't UTF-8", async () => {
    const { rows, bad } = await load(
      Buffer.from('{"b":"x"}\n{"a":1,"b":"\xff"}\n{"a":2}\n', "latin1"),
      schemaOf({ a: "long", b: "string" }, ["a"]),
    );
    expect(rows).toEqual([{ a: 2n, b: null }]);
    expect(bad.map(({ code, record }) => [code, record])).toEqual([
      ["CONSTRAINT", 0],
      ["PARSE", 1],
    ]);
  });

  it("keep what doesn't fit in the column for that", async () => {
    const schema = schemaOf({ a: "long", b: "string", rest: "string" });
    const text = '{"a":1,"b":"x"}\n{"a":"no","b":"y","c":12345678901234567890}\n{"rest":1}\nbad\n';
    const { rows, bad } = await load(text, schema, { rescuedDataColumn: "rest" });
    expect(rows).toEqual([
      { a: 1n, b: "x", rest: null },
      { a: null, b: "y", rest: '{"a":"no","c":12345678901234567890}' },
      { a: null, b: null, rest: '{"rest":1}' },
    ]);
    expect(bad.map(({ code, record }) => [code, record])).toEqual([["PARSE", 3]]);
  });

  it("that are too long are bad, and reading goes on behind them", async () => {
    using _ = { [Symbol.dispose]: replaceLimits({ MAX_JSON_ROW_BYTES: 40, MAX_CSV_RECORD_BYTES: 30 }) };
    const text = `{"a":1}\n{"b":"${"x".repeat(100)}"}\n{"a":2}\n`;
    const shape = { dialect: {}, schema: schemaOf({ a: "long", b: "string" }) };
    const { rows, bad } = await collect(jsonlFormat, jsonl(text), { shape, schema: shape.schema, sliceBytes: 20 });
    expect(rows.map(({ a }) => a)).toEqual([1n, 2n]);
    expect(bad).toMatchObject([{ code: "PARSE", record: 1, line: 2, byteOffset: 8 }]);
    expect(bad[0]!.raw.length).toBe(30);
  });

  it("come the same however they are cut, opened anew or not", async () => {
    const line = fc.constantFrom('{"a":1}', '{"a":"x"}', "", " ", "{", '{"b":"é\\n"}', '{"z":1}');
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        fc.constantFrom("", "\n"),
        async (lines, sliceBytes, reopens, last) => {
          const schema = schemaOf({ a: "long", b: "string" });
          const file = jsonl(lines.join("\n") + last);
          const shape = { dialect: {}, schema };
          const whole = await collect(jsonlFormat, file, { shape, schema });
          const cut = await collect(jsonlFormat, file, { shape, schema, sliceBytes, reopens });
          expect({ rows: cut.rows, bad: cut.bad }).toEqual({ rows: whole.rows, bad: whole.bad });
          expect(whole.rows.length + whole.bad.length).toBe(lines.filter((each) => each.trim() !== "").length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("show their columns, bad lines left out, and a later file columns of its own", async () => {
    const shape = await jsonlFormat.shape(jsonl('{"a":1}\nbad\n{"a":2.5,"b":"x"}\n'), {});
    expect(shape.schema).toEqual(schemaOf({ a: "double", b: "string" }));
    await using reader = await jsonlFormat.open(jsonl('{"a":1,"d":true}\n'), undefined, shape, {});
    expect(reader.columns).toEqual(schemaOf({ a: "double", b: "string", d: "boolean" }));
  });
});
