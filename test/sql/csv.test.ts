import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conformBatch } from "#src/arrow/conform.js";
import { rowReader } from "#src/arrow/rows.js";
import { formatDdl, parseDdl } from "#src/schema/ddl.js";
import { type ReadCsvOptions, readCsv } from "#src/sql/csv.js";
import { expectCode } from "../expectCode.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-table-test-csv-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function read(text: string, options: ReadCsvOptions = {}, name = `${files++}.csv`) {
  const path = join(folder, name);
  await writeFile(path, text);
  const csv = await readCsv(path, options);
  const rows: object[] = [];
  if (csv === undefined) return undefined;
  for await (const batch of csv.batches()) rows.push(...rowReader(csv.schema)(conformBatch(batch, csv.schema)));
  return { ddl: formatDdl(csv.schema).replace(/\s+/g, " "), rows };
}
const typed = (ddl: string, text: string) => read(text, { schema: parseDdl(ddl) });

describe("CSV", () => {
  it("shows its types: never narrower than long and double, times with and without a zone", async () => {
    const text =
      "i,d,b,s,day,z,n,mixed\n1,1.5,true,x,2024-01-31,2024-01-31T12:00:00Z,2024-01-31 12:00:00.5,1\n2,2,false,y,2024-02-01,2024-01-31T12:00:00+02:00,2024-01-31 12:00:00,x\n";
    const csv = await read(text);
    expect(csv?.ddl).toBe(
      "i bigint, d double, b boolean, s string, day date, z timestamp, n timestamp_ntz, mixed string",
    );
    expect(csv?.rows[1]).toEqual({
      i: 2n,
      d: 2,
      b: false,
      s: "y",
      day: new Date("2024-02-01"),
      z: new Date("2024-01-31T10:00:00Z"),
      n: new Date("2024-01-31T12:00:00Z"),
      mixed: "x",
    });
  });

  it("tells null from an empty text, and keeps lines that look like notes", async () => {
    const csv = await read('a,b\n"",1\n,2\n#x,3\n"two\nlines, ""quoted""",4\n');
    expect(csv?.rows.map((row) => (row as { a: string }).a)).toEqual(["", null, "#x", 'two\nlines, "quoted"']);
  });

  it("finds out other delimiters and the formats of dates", async () => {
    expect((await read("a;b\n1;2\n"))?.rows).toEqual([{ a: 1n, b: 2n }]);
    expect((await read("a\tb\n1,5\t2\n", { delimiter: "\t" }))?.rows).toEqual([{ a: "1,5", b: 2n }]);
    expect((await read("d\n31/01/2024\n01/02/2024\n"))?.rows).toEqual([
      { d: new Date("2024-01-31") },
      { d: new Date("2024-02-01") },
    ]);
  });

  it("takes the types that are given, in the file's order, exactly", async () => {
    const ddl =
      "x decimal(38,10), l bigint, b tinyint, f float, bin binary, ts timestamp, ntz timestamp_ntz, d date, t string";
    const header = "t,l,x,b,f,bin,ts,ntz,d";
    const row =
      "007,-9223372036854775808,1234567890123456789012345678.0123456789,5,NaN,AAH/,2024-01-31T12:00:00.123456Z,2024-01-31T12:00:00.000000,0001-01-01";
    const csv = await typed(ddl, `${header}\n${row}\n`);
    expect(csv?.ddl).toBe(
      "t string, l bigint, x decimal(38,10), b tinyint, f float, bin binary, ts timestamp, ntz timestamp_ntz, d date",
    );
    expect(csv?.rows).toMatchObject([
      {
        t: "007",
        l: -9223372036854775808n,
        x: "1234567890123456789012345678.0123456789",
        b: 5,
        f: Number.NaN,
        bin: Uint8Array.of(0, 1, 255),
        ntz: new Date("2024-01-31T12:00:00Z"),
        d: new Date("0001-01-01"),
      },
    ]);
  });

  it.each([
    ["bigint", "1.5"],
    ["bigint", "9223372036854775808"],
    ["bigint", "1e-3"],
    ["tinyint", "128"],
    ["decimal(10,2)", "0.005"],
    ["decimal(3,2)", "12.34"],
    ["double", "x"],
    ["boolean", "perhaps"],
    ["date", "2024-02-30"],
    ["date", "2024-01-31 10:00:00"],
    ["timestamp", "soon"],
    ["date", "infinity"],
    ["timestamp", "-infinity"],
    ["timestamp", "2024-01-31 10:00:00.1234561"],
    ["timestamp_ntz", "2024-01-31 10:00:00.123456001"],
    ["double", "1e400"],
    ["float", "-1e39"],
    ["double", "1_000"],
    ["binary", "A?"],
  ])("refuses a %s %s, naming the row", async (type, value) => {
    const error = await expectCode("DELTA_VALUE_OUT_OF_RANGE", () =>
      typed(`a string, v ${type}`, `a,v\nx,\ny,${value}\n`),
    );
    expect(error.data).toMatchObject({ row: 2, column: "v", value });
  });

  it("takes whole numbers that are written with zeros behind the point", async () => {
    expect((await typed("v bigint, w decimal(4,1)", "v,w\n2.00,1.500\n"))?.rows).toEqual([{ v: 2n, w: "1.5" }]);
  });

  it("takes what is the same however it is written", async () => {
    const ddl = "d date, t timestamp_ntz, f double, g float";
    const csv = await typed(ddl, "d,t,f,g\n2024-01-31 00:00:00,2024-01-31 10:00:00.123456000,-inf,Infinity\n");
    expect(csv?.rows).toEqual([
      {
        d: new Date("2024-01-31"),
        t: new Date("2024-01-31T10:00:00.123456Z"),
        f: Number.NEGATIVE_INFINITY,
        g: Number.POSITIVE_INFINITY,
      },
    ]);
  });

  it("names columns that the table lacks, and lines of another length", async () => {
    const lacking = await expectCode("DELTA_SCHEMA_MISMATCH", () => typed("a bigint", "a,b\n1,2\n"));
    expect(lacking.data.columns).toEqual(["b"]);
    const rows = Array.from({ length: 30_000 }, (_, i) => `${i},x`).join("\n");
    await expectCode("DELTA_INPUT_UNREADABLE", () => read(`a,b\n${rows}\n1,2,3\n`));
  });

  it("opens names that are patterns elsewhere, and leaves no files behind", async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith("delta-table-csv-"));
    expect((await read("a\n1\n", {}, "a[1]*?'.csv"))?.rows).toEqual([{ a: 1n }]);
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith("delta-table-csv-"));
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  });

  it("has no rows in an empty file and none below a header", async () => {
    expect(await read("")).toBeUndefined();
    expect((await read("a,b\n"))?.rows).toEqual([]);
  });

  it("stops at its signal", async () => {
    const signal = AbortSignal.abort();
    await expectCode("DELTA_ABORTED", () => read("a\n1\n", { signal }));
  });
});
