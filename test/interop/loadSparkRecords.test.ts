import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { LoadOptions } from "#src/load/loadOptions.js";
import { s3Store } from "#src/storage/s3.js";
import { csvLines, HEADER, isBad, range, SCHEMA, write } from "../load/loadFixture.js";
import { s3Servers } from "../servers/servers.js";
import { installPython } from "./environment.js";
import { readByJob } from "./sparkLoads.js";

const root = await mkdtemp(join(tmpdir(), "delta-load-records-"));
afterAll(() => rm(root, { recursive: true, force: true }));
let folders = 0;

type Files = Readonly<Record<string, string | Uint8Array>>;
type Options = LoadOptions<object>;

async function sourceOf(files: Files): Promise<string> {
  const folder = join(root, String(folders++), "src");
  for (const [name, content] of Object.entries(files)) await write(join(folder, name), content as string);
  return folder;
}

/** A value that can be compared whatever the order of rows. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (typeof part === "bigint") return `${part}n`;
    if (part instanceof Map) return [...part];
    if (part instanceof Uint8Array) return [...part];
    return typeof part === "number" && (Object.is(part, -0) || !Number.isFinite(part)) ? `${1 / part} ${part}` : part;
  });
}

const rowsOf = async (at: string) => (await Table.open(at).toArray()).map(shown).sort();

/** Loads here, and with the job's Python: rows, letters and books must be the same. Gives the books. */
async function same(
  source: string | readonly string[],
  options: Options,
  {
    sameReasons = true,
    env = {},
  }: { readonly sameReasons?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<number[]> {
  const at = join(root, String(folders++));
  const all: Options = { batchBytes: 40_000, maxBadRecords: 10_000, ...options };
  const result = await Table.open(join(at, "here")).load(source, all);
  const batches = await readByJob(source, join(at, "there"), all, env);
  if (result.rowsLoaded > 0) expect(await rowsOf(join(at, "there"))).toEqual(await rowsOf(join(at, "here")));
  const ranges = batches.flatMap(({ plan }) => plan.ranges);
  const letters = batches.flatMap((batch) => batch.letters);
  const filtered = batches.reduce((sum, batch) => sum + batch.filtered, 0);
  const read = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  const books = [result.rowsRead, result.rowsDead, result.rowsFiltered];
  expect([read, letters.length, filtered]).toEqual(books);
  if (letters.length > 0) {
    const columns = ["file", "byte_offset", "line", "record", "column", "code", "raw", "parser"];
    if (sameReasons) columns.push("reason");
    const own = await Table.open(join(at, "here/_dead_letters")).toArray({ columns });
    const plain = (letter: Record<string, unknown>) =>
      columns.map((name) => {
        const value = letter[name];
        return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value === null ? null : String(value);
      });
    expect(letters.map(plain).map(shown).sort()).toEqual(own.map(plain).map(shown).sort());
  }
  return books;
}

const big = HEADER + csvLines(0, 6000);
const some = (from: number, to: number) => HEADER + csvLines(from, to);

describe("the job for Spark makes the same of CSV", () => {
  test.each<[string, Files, Options]>([
    ["in batches", { "a.csv": big, "b.csv": "v,id\r\n1.5,2000\r\n\r\nx,2001\r\n" }, {}],
    ["packed in one gzip member", { "a.csv.gz": gzipSync(big) }, {}],
    [
      "packed in many gzip members",
      { "a.csv.gz": Buffer.concat([HEADER, csvLines(0, 900), csvLines(900, 1900)].map((text) => gzipSync(text))) },
      {},
    ],
    [
      "with byte order marks",
      { "a.csv": `\ufeff${big}`, "b.csv": Buffer.from("\ufeffid,name,v\n1,é,2\n", "utf16le") },
      {},
    ],
    ["in another encoding", { "a.csv": Buffer.from("id,name,v\n1,é,2\n2,ü,x\n", "latin1") }, { encoding: "latin1" }],
    ["in UTF-16", { "a.csv": Buffer.from(big, "utf16le") }, { encoding: "utf-16le" }],
    ["under a condition", { "a.csv": big }, { where: "id > 100.5 and name like 'n%' and v < 2500" }],
    ["under a condition that DuckDB evaluates", { "a.csv": big }, { where: "length(name) > 7 or v is null" }],
    [
      "with values rescued",
      { "a.csv": some(0, 300), "b.csv": "id,name,v,more\n1,b,x,5\n2,c,4,\n" },
      { rescuedDataColumn: "_rest" },
    ],
    ["without a header", { "a.csv": csvLines(0, 300) }, { header: false }],
    ["with quotes that are loose or open", { "a.csv": 'id,name,v\n1,a,2\n2,"a"x,3\n2,b\n2,"open,3\n4,b,5\n' }, {}],
  ])("%s", async (_, files, options) => {
    const [read] = await same(await sourceOf(files), { schema: SCHEMA, ...options });
    expect(read).toBeGreaterThan(0);
  });

  test("with columns that are added, nested or never null", async () => {
    const files = { "a.csv": some(0, 300), "b.csv": "id,extra,v\n9,2024-01-31,3\n", "c.csv": "id,third\n5,true\n" };
    await same(await sourceOf(files), { mergeSchema: true });
    const nested =
      'id,tags,s,m\n1,"[1,2]","{""a"":1.5}","{""k"":1}"\n2,[3],,\n3,,{},"[[""x"",2]]"\n4,nope,,\n5,"[""x""]",,\n';
    const schema = { id: "long", tags: ["long"], s: { a: "double" }, m: { map: ["string", "long"] } } as const;
    expect(await same(await sourceOf({ "a.csv": nested }), { schema })).toEqual([5, 2, 0]);
    const strict = { id: "long not null", name: "string not null", v: "double" } as const;
    expect(await same(await sourceOf({ "a.csv": "id,name,v\n1,,2\n,b,3\n" }), { schema: strict })).toEqual([2, 2, 0]);
  });

  test("that patterns stand for", async () => {
    const folder = await sourceOf({
      ...{ "x1.csv": some(0, 30), "x2.csv": some(30, 60), "y.csv": some(60, 90), "_x3.csv": HEADER },
      ...{ "deep/er/z.csv": some(90, 97), "deep/_no/z.csv": HEADER },
    });
    const patterns = ["x[12].csv", "{y,z}.c?v", "**/z.csv"].map((pattern) => join(folder, pattern));
    expect(await same(patterns, { schema: SCHEMA })).toEqual([97, 1, 0]);
  });

  test("with columns that the table lacks: neither loads it", async () => {
    const source = await sourceOf({ "a.csv": some(0, 30), "b.csv": "id,zz\n1,2\n" });
    await expect(readByJob(source, join(root, "lacking"), { schema: SCHEMA })).rejects.toThrow("DELTA_SCHEMA_MISMATCH");
  });
});

/** A column, its type, and values as JSON. */
const VALUES: readonly (readonly [string, NonNullable<Options["schema"]>, readonly string[]])[] = [
  ["a byte", { x: "byte" }, ["1", "128", "-128", "1.0", "1.5", "true", '"1"', "1e2"]],
  [
    "a long",
    { x: "long" },
    ["9223372036854775807", "9223372036854775808", "9007199254740993", "1.0", "1e3", "-0", "1.5", "null"],
  ],
  ["a double", { x: "double" }, ["1", "1e400", "-0", '"NaN"', '"Infinity"', '"x"', "9007199254740993", "[1]"]],
  ["a float", { x: "float" }, ["1e39", "1.1", "3.4028235e38"]],
  ["a decimal", { x: "decimal(10,2)" }, ["1.25", "1.255", '"12.30"', '"1e2"', "123456789", '".5"', '"."']],
  ["a string", { x: "string" }, ["1", "1.10", '"a"', "true", '{"a":1.0}', "[1,2]", '"\\ud800"', '"\\u00e9"']],
  ["binary", { x: "binary" }, ['"AQI="', '"x"', "1"]],
  ["a boolean", { x: "boolean" }, ["true", '"true"', "0"]],
  ["a date", { x: "date" }, ['"2024-01-31"', '"2024-02-30"', '"24-1-1"', '"+12024-01-31"', "1"]],
  [
    "a timestamp",
    { x: "timestamp" },
    ['"2024-01-31T12:00:00.123456Z"', '"2024-01-31T12:00:00"', '"2024-01-31T12:00+02:00"', '"1583-01-01T00:00:00Z"'],
  ],
  ["a timestamp without zone", { x: "timestamp_ntz" }, ['"2024-01-31T12:00:00"', '"2024-01-31T12:00:00Z"']],
  ["an array", { x: ["long"] }, ["[1,null,3]", '["x"]', "[]", "{}", "[1.5]"]],
  [
    "a struct",
    { x: { a: "long", b: "string not null" } },
    ['{"a":1,"b":"x"}', '{"a":1}', '{"b":"x","c":1}', '{"b":"x","c":null}', "[]", "null"],
  ],
  [
    "a map",
    { x: { map: ["string", "long"] } },
    ['{"2":1,"1":2,"b":3}', '[["a",1]]', '[["a",1],["a",2]]', '{"a":"x"}', "[1]"],
  ],
  ["what is never null", { x: "string not null" }, ['"x"', "null"]],
];

describe("the job for Spark makes the same of JSON lines", () => {
  test.each(VALUES)("as %s", async (_, schema, values) => {
    const source = await sourceOf({ "a.jsonl": values.map((value) => `{"x":${value}}`).join("\n") });
    expect((await same(source, { schema }))[0]).toBe(values.length);
    await same(source, { schema: { ...(schema as object), y: "long" }, rescuedDataColumn: "_rest" });
  });

  test("in batches, with lines that are none, and packed", async () => {
    const line = (id: number) =>
      id % 97 === 5 ? `{"id":${id},"v":"x"}\r\n` : `{"id":${id},"name":"n","v":${id / 2}}\n`;
    const text = range(0, 3000).map(line).join("");
    const odd = '\n  \nnope\n[1]\n{"id":2,"zz":null}\n{"id":3';
    const source = await sourceOf({ "a.jsonl": text + odd, "b.ndjson.gz": gzipSync(text) });
    expect(await same(source, { schema: SCHEMA, where: "id < 2500" }, { sameReasons: false })).toEqual([6004, 65, 990]);
  });

  test("with columns that are added where they come, however late", async () => {
    const source = await sourceOf({
      "a.jsonl": '{"id":1}\n',
      "b.jsonl": '{"id":2,"x":{"y":1}}\n{"id":3,"x":{"z":true}}\n',
    });
    expect(await same(source, { mergeSchema: true })).toEqual([3, 0, 0]);
    const plain = (count: number) => `{"id":1,"text":"${"words ".repeat(30)}"}\n`.repeat(count);
    const kinds = ['{"v":1}', '{"v":2.50,"w":[{"a":1}]}', '{"w":[{"b":[null,1e3]}],"x":{"p":true}}', '{"x":{"q":"q"}}'];
    kinds.push('{"big":9223372036854775808,"mixed":1.10}', '{"big":1,"mixed":"x"}', '{"none":null,"empty":{"e":[]}}');
    kinds.push(
      '{"v":"no number"}',
      '{"id":{"no":"number"}}',
      '{"ID":2}',
      '{"deep":[[[{"x":9007199254740993}]]]}',
      '{"deep":[[1]]}',
    );
    const files = {
      "a.jsonl": plain(1),
      "b.jsonl": `${plain(1500)}${kinds.join("\n")}\n${plain(100)}{"x":{"late":1}}\n`,
    };
    const late = await sourceOf({ ...files, "c.csv": "id,text\n9,a\nx,b\n" });
    const options = { mergeSchema: true, schema: { id: "long", text: "string" }, batchBytes: 400_000 } as const;
    expect(await same(join(late, "[ab].jsonl"), options, { sameReasons: false })).toEqual([1614, 3, 0]);
    expect(await same(join(late, "[ab].jsonl"), { ...options, rescuedDataColumn: "_rest" })).toEqual([1614, 0, 0]);
    expect(await same(join(late, "*"), options, { sameReasons: false })).toEqual([1616, 4, 0]);
  });
});

describe("the job for Spark makes the same of columns", () => {
  test("in Parquet and Arrow files, with casts, rescued values and bad rows", async () => {
    const folder = await sourceOf({ ".keep": "" });
    const python = await installPython();
    execFileSync(python, ["-c", COLUMNS, folder]);
    const at = (name: string) => join(folder, name);
    expect(await same([at("a.parquet"), at("b.arrow"), at("c.arrows")], {})).toEqual([9000, 0, 0]);
    const schema = {
      i: "long",
      s: "string not null",
      t: "timestamp_ntz",
      z: "timestamp",
      l: ["long"],
      st: { a: "long" },
      d: "decimal(20,4)",
      da: "date",
      f: "double",
      b: "binary",
      m: { map: ["string", "long"] },
    } as const;
    expect(await same(at("a.parquet"), { schema, where: "i > 5" })).toEqual([3000, 1000, 4]);
    const few = { i: "long", s: "long", t: "timestamp_ntz" } as const;
    expect(await same(at("a.parquet"), { schema: few, rescuedDataColumn: "_rest" })).toEqual([3000, 0, 0]);
    const other = readByJob(at("a.parquet"), join(root, "other"), { schema: { i: "string" } });
    await expect(other).rejects.toMatchObject({ code: "DELTA_SCHEMA_MISMATCH" });
  });

  test("and of text in a zip archive or zstd frames", async () => {
    const folder = await sourceOf({ ".keep": "" });
    execFileSync(await installPython(), ["-c", PACKED, folder]);
    expect(await same(folder, { schema: SCHEMA })).toEqual([403, 5, 0]);
  });
});

for (const choice of await s3Servers()) {
  test.skipIf(choice.skip)(`the job for Spark reads the same of ${choice.name}${choice.skip ?? ""}`, async () => {
    const server = await choice.start();
    const store = s3Store(`s3://${server.bucket}`, server.options);
    try {
      await store.put("raw/a.csv", Buffer.from(some(0, 500)));
      await store.put("raw/deep/b.csv.gz", gzipSync(some(500, 1000)));
      await store.put("raw/_hidden.csv", Buffer.from(HEADER));
      const options = { schema: SCHEMA, storage: { s3: server.options } };
      for (const source of ["raw", "raw/**/*.csv*"].map((at) => `s3://${server.bucket}/${at}`)) {
        expect(await same(source, options, { env: server.env })).toEqual([
          1000,
          range(0, 1000).filter(isBad).length,
          0,
        ]);
      }
    } finally {
      await store[Symbol.asyncDispose]();
      await server.stop();
    }
  });
}

const COLUMNS = `
import datetime, decimal, sys
import pyarrow as pa, pyarrow.parquet as pq
from pyarrow import ipc
n, at = 3000, sys.argv[1]
begin = datetime.datetime(1960, 1, 1)
t = pa.table({
    "i": pa.array(range(n), pa.int32()),
    "s": pa.array([f"n{i}" if i % 3 else None for i in range(n)]).dictionary_encode(),
    "t": pa.array([begin + datetime.timedelta(seconds=i * 7, microseconds=i) for i in range(n)], pa.timestamp("ns")),
    "z": pa.array([i * 1000 for i in range(n)], pa.timestamp("ms", "UTC")),
    "l": pa.array([[i, None] for i in range(n)], pa.list_(pa.int16())),
    "st": pa.array([{"a": i} if i % 5 else None for i in range(n)], pa.struct([("a", pa.int64())])),
    "d": pa.array([decimal.Decimal(i) / 10 for i in range(n)], pa.decimal128(10, 1)),
    "da": pa.array(list(range(n)), pa.date32()),
    "f": pa.array([i / 3 for i in range(n)], pa.float32()),
    "b": pa.array([b"x%d" % i for i in range(n)], pa.large_binary()),
    "m": pa.array([[("k", i)] for i in range(n)], pa.map_(pa.string(), pa.int64())),
})
pq.write_table(t, f"{at}/a.parquet", row_group_size=700)
with ipc.new_file(f"{at}/b.arrow", t.schema) as writer:
    writer.write_table(t, 500)
with ipc.new_stream(f"{at}/c.arrows", t.schema) as writer:
    writer.write_table(t, 500)
`;

const PACKED = `
import sys, zipfile
import pyarrow as pa
at = sys.argv[1]
row = lambda i: f"{i},n,{'x' if i % 97 == 5 else i}\\n"
pack = lambda text: pa.compress(text.encode(), codec="zstd", asbytes=True)
rows = [row(i) for i in range(400)]
open(f"{at}/a.csv.zst", "wb").write(pack("id,name,v\\n" + "".join(rows[:200])) + pack("".join(rows[200:])))
with zipfile.ZipFile(f"{at}/z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("b.csv", "id,name,v\\n1,a,2\\n")
    archive.writestr("a/c.jsonl", '{"id":5}\\n')
    archive.writestr("../up.csv", "id,name,v\\n2,b,3\\n")
    archive.writestr("_x.csv", "q")
`;
