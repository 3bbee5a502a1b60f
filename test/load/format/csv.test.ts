import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { replaceLimits } from "#src/limits.js";
import { csvFormat } from "#src/load/format/csv/csvFormat.js";
import { expectCode } from "../../expectCode.js";
import { collect, schemaOf } from "./collect.js";
import { sourceFile, temporaryFolder } from "./sourceFile.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
let files = 0;
const csv = (text: string | Uint8Array) => sourceFile(join(folder.path, `${files++}.csv`), text, "csv");

async function load(text: string, columns: Record<string, string>, options: { notNull?: string[] } = {}) {
  const file = csv(text);
  const shape = await csvFormat.shape(file, {});
  const result = await collect(csvFormat, file, { shape, schema: schemaOf(columns, options.notNull) });
  const bad = result.bad.map((each) => ({ ...each, raw: Buffer.from(each.raw).toString() }));
  return { ...result, bad };
}

describe("the shape of a CSV file", () => {
  it("has the columns of the header with the types that the values show", async () => {
    const file = csv("id,name,day,at,price,ok\n1,a,2024-01-31,2024-01-31 10:00:00,1.5,true\n");
    const { schema, dialect } = await csvFormat.shape(file, {});
    expect(schema).toEqual(
      schemaOf({ id: "long", name: "string", day: "date", at: "timestamp_ntz", price: "double", ok: "boolean" }),
    );
    expect(dialect).toEqual({ delimiter: ",", quote: '"', escape: '"', header: true, nullValues: [""] });
  });

  it.each([
    [";", "a;b\n1,5;x\n2,5;y\n"],
    ["\t", "a\tb\n1\tx,y\n"],
    ["|", "a|b\n1|x\n"],
    [",", "a,b\n1,x;y;z\n2,x;y;z\n"],
    [",", "only\n1\n2\n"],
  ])("finds the delimiter %j", async (delimiter, text) => {
    expect((await csvFormat.shape(csv(text), {})).dialect.delimiter).toBe(delimiter);
  });

  it("isn't led astray by bad records", async () => {
    const file = csv('a,b,c\n1,x,2024-01-31\nbad\n4,"open,2024-01-31\n5,y,2024-01-31\n');
    expect((await csvFormat.shape(file, {})).schema.fields.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  it.each([
    ["loosely used", '5000,"loose"ly,1\n'],
    ["left open", '5000,"open,1\n'],
  ])("keeps its quote and its types where one is %s", async (_, bad) => {
    const lines = Array.from({ length: 5_000 }, (_, i) => `${i},"name, ${i}",${i}\n`);
    for (const at of [0, 2_500, 5_000]) {
      const file = csv(`id,name,n\n${[...lines.slice(0, at), bad, ...lines.slice(at)].join("")}`);
      const { schema, dialect } = await csvFormat.shape(file, {});
      expect(dialect).toMatchObject({ quote: '"', delimiter: "," });
      expect(schema).toEqual(schemaOf({ id: "long", name: "string", n: "long" }));
    }
  });

  it("finds single quotes where there are no others", async () => {
    const file = csv(`id,name\n${Array.from({ length: 100 }, (_, i) => `${i},'name, ${i}'\n`).join("")}`);
    expect((await csvFormat.shape(file, {})).dialect.quote).toBe("'");
  });

  it("calls columns by numbers where there is no header", async () => {
    const { schema } = await csvFormat.shape(csv("1,x\n2,y\n"), { header: false });
    expect(schema).toEqual(schemaOf({ column0: "long", column1: "string" }));
  });

  it.each(["a,A\n1,2\n", "a,,b\n1,2,3\n", "a,a\n1,2\n", '"a\n'])("refuses the header of %j", async (text) => {
    await expectCode("DELTA_INPUT_UNREADABLE", () => csvFormat.shape(csv(text), {}));
  });

  it("can't be told of an empty file", async () => {
    await expectCode("DELTA_CANNOT_INFER_SCHEMA", () => csvFormat.shape(csv(""), {}));
  });
});

describe("a CSV file", () => {
  it("gives each record as a row or as a bad record with its place", async () => {
    const text =
      'a,b,c\n1,x,2024-01-31\n1.5,y,2024-01-31\n"2","q ""z""\nnl",2024-01-31 10:00:00\n\nzz,1\n3,ok,2024-02-30\n7,"abc\n8,q,2024-01-31\n';
    const { rows, bad } = await load(text, { a: "long", b: "string", c: "date" });
    expect(rows).toEqual([
      { a: 1n, b: "x", c: new Date("2024-01-31") },
      { a: 8n, b: "q", c: new Date("2024-01-31") },
    ]);
    expect(bad.map(({ reason, ...rest }) => rest)).toEqual([
      { code: "TYPE", record: 1, line: 3, byteOffset: 21, column: "a", raw: "1.5,y,2024-01-31" },
      { code: "TYPE", record: 2, line: 4, byteOffset: 38, column: "c", raw: '"2","q ""z""\nnl",2024-01-31 10:00:00' },
      { code: "PARSE", record: 3, line: 7, byteOffset: 76, raw: "zz,1" },
      { code: "TYPE", record: 4, line: 8, byteOffset: 81, column: "c", raw: "3,ok,2024-02-30" },
      { code: "PARSE", record: 5, line: 9, byteOffset: 97, raw: '7,"abc' },
    ]);
  });

  it("keeps what doesn't fit in the column for that", async () => {
    const file = csv('id,day,extra,rest\n1,2024-01-31,,\n1.5,2024-01-31 10:00,"a ""b""",c\n3,,,\n4,x\n');
    const parse = { rescuedDataColumn: "rest" };
    const shape = await csvFormat.shape(file, parse);
    const schema = schemaOf({ id: "long", day: "date", rest: "string" });
    const { rows, bad } = await collect(csvFormat, file, { shape, schema, parse });
    expect(rows).toEqual([
      { id: 1n, day: new Date("2024-01-31"), rest: null },
      { id: null, day: null, rest: '{"id":"1.5","day":"2024-01-31 10:00","extra":"a \\"b\\"","rest":"c"}' },
      { id: 3n, day: null, rest: null },
    ]);
    expect(bad).toMatchObject([{ code: "PARSE", record: 3 }]);
  });

  it("tells nulls where there must be values from values that aren't of their type, also behind bad records", async () => {
    const text = "a,b\n1,2\nx,1\n,3\n4,\n5,1.5\n6\n7,8\n";
    const { rows, bad } = await load(text, { a: "long", b: "integer" }, { notNull: ["a"] });
    expect(rows).toEqual([
      { a: 1n, b: 2 },
      { a: 4n, b: null },
      { a: 7n, b: 8 },
    ]);
    expect(bad.map(({ code, column, record, raw }) => [code, column, record, raw])).toEqual([
      ["TYPE", "a", 1, "x,1"],
      ["CONSTRAINT", "a", 2, ",3"],
      ["TYPE", "b", 4, "5,1.5"],
      ["PARSE", undefined, 5, "6"],
    ]);
  });

  it("finds a value that doesn't fit behind one that DuckDB's reader refuses in another column", async () => {
    const lines = Array.from({ length: 50 }, (_, i) => `${i},${i === 5 ? "x" : i}\n`);
    const { rows, bad } = await load(`a,v\n${lines.join("")}1.5,1\n`, { a: "long", v: "double" });
    expect(rows).toHaveLength(49);
    expect(bad.map(({ code, column, record }) => [code, column, record])).toEqual([
      ["TYPE", "v", 5],
      ["TYPE", "a", 50],
    ]);
  });

  it("loses nothing of a value: no rounding, no cut times, no infinite days", async () => {
    const text =
      "d,n,t\n1.50,1,2024-01-31\n1.005,1,2024-01-31\n1,1.5,2024-01-31\n1,1.0,2024-01-31 00:00:00\n1,1,infinity\n";
    const { rows, bad } = await load(text, { d: "decimal(5,2)", n: "byte", t: "date" });
    expect(rows.map(({ d, n }) => [d, n])).toEqual([
      ["1.50", 1],
      ["1.00", 1],
    ]);
    expect(bad.map(({ column, record }) => [column, record])).toEqual([
      ["d", 1],
      ["n", 2],
      ["t", 4],
    ]);
  });

  it("may hold arrays and structs as JSON", async () => {
    const list = { type: "array", elementType: "long", containsNull: true } as unknown as string;
    const { rows, bad } = await load('a,l\n1,"[1,2]"\n2,nope\n3,\n', { a: "long", l: list });
    expect(rows).toEqual([
      { a: 1n, l: [1n, 2n] },
      { a: 3n, l: null },
    ]);
    expect(bad.map(({ code, column, record }) => [code, column, record])).toEqual([["TYPE", "l", 1]]);
  });

  it("isn't swallowed by a quote that stays open", async () => {
    using _ = { [Symbol.dispose]: replaceLimits({ MAX_CSV_RECORD_BYTES: 50 }) };
    const rest = Array.from({ length: 20 }, (_, i) => `${i},row\n`).join("");
    const { rows, bad } = await load(`a,b\n1,"open\n${rest}`, { a: "long", b: "string" });
    expect(rows).toHaveLength(20);
    expect(bad).toMatchObject([{ code: "PARSE", record: 0, line: 2, byteOffset: 4, raw: '1,"open' }]);
  });
});
