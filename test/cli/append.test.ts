import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { encodeParquet } from "#src/parquet/write.js";
import { formatDdl, parseDdl } from "#src/schema/ddl.js";
import { Table } from "#src/table.js";
import { failed, inFolder, objects, ok, run } from "./command.js";

const DDL =
  "b tinyint, s smallint, i int, l bigint, f float, d double, x decimal(38,10), t string, bin binary, ok boolean, " +
  "day date, ts timestamp, ntz timestamp_ntz, a array<array<bigint>>, m map<string,double>, m2 map<bigint,binary>, " +
  "o struct<x: bigint, `y-z`: struct<n: double>>";
const LINE =
  '{"b":-128,"s":32767,"i":-2147483648,"l":9223372036854775807,"f":"NaN","d":-0.0,"x":"1234567890123456789012345678.0123456789",' +
  '"t":"\\u0000é😀","bin":"AAH/","ok":false,"day":"0001-01-01","ts":"2024-01-31T12:00:00.123456Z","ntz":"9999-12-31T23:59:59.999999",' +
  '"a":[[9007199254740993],[],null],"m":{"k":"Infinity"},"m2":[[9007199254740993,"AA=="]],"o":{"x":-9223372036854775808,"y-z":{"n":"NaN"}}}\n';

const schemaOf = async (path: string) => formatDdl(await Table.open(path).schema()).replace(/\s+/g, " ");
const versionOf = (path: string) => Table.open(path).version();

describe("append of JSON lines", () => {
  it("takes exactly what read prints, and again", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      await ok(["create", T, "--schema", DDL]);
      expect(await ok(["append", T], LINE)).toContain(`appended 1 row (1 file, `);
      const lines = await ok(["read", T]);
      expect(lines).toBe(LINE);
      await ok(["append", T, "-"], lines);
      expect(await ok(["read", T])).toBe(LINE + LINE);
    });
  });

  it("infers a new table: whole numbers are long, others double, objects structs", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const lines =
        '\ufeff{"n":1,"d":1,"w":1.0,"s":"2024-01-31","b":true,"a":[null,1],"o":{"x":null}}\r\n\r\n{"d":0.5,"n":9007199254740993,"o":{"x":"y"}}';
      expect(JSON.parse(await ok(["append", T, "--json", "--partition-by", "s"], lines))).toMatchObject({
        location: T,
        version: 0,
        rowCount: 2,
        fileCount: 2,
        skipped: false,
      });
      expect(await schemaOf(T)).toBe(
        "n bigint, d double, w double, s string, b boolean, a array<bigint>, o struct< x string >",
      );
      expect((await Table.open(T).detail()).partitionColumns).toEqual(["s"]);
      expect(await ok(["read", T, "--columns", "n,d,w", "--where", "n > 1"])).toBe(
        '{"n":9007199254740993,"d":0.5,"w":null}\n',
      );
    });
  });

  it("adds columns that files have and the table lacks with --merge-schema only", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      await ok(["append", T, "--schema", "id int"], '{"id":1}\n');
      const files = ["a.csv", "b.jsonl", "c.csv"].map((name) => join(folder, name));
      await writeFile(files[0]!, "id,day\n2,2024-01-31\n");
      await writeFile(files[1]!, '{"id":3,"o":{"x":1},"nothing":null}\n');
      await writeFile(files[2]!, "v,id\n1.5,4\n");
      expect(await failed(1, ["append", T, ...files])).toMatchObject({ code: "DELTA_SCHEMA_MISMATCH" });
      expect(await failed(1, ["append", T, ...files, "--merge-schema"])).toMatchObject({
        code: "DELTA_SCHEMA_MISMATCH",
        data: { columns: ["nothing"] },
      });
      await writeFile(files[1]!, '{"id":3,"o":{"x":1}}\n');
      await ok(["append", T, ...files, "--merge-schema"]);
      expect(await schemaOf(T)).toBe("id int, day date, o struct< x bigint >, v double");
      await ok(["append", T, "-", "--merge-schema", "--format", "csv"], "id,w\n5,x\n");
      expect(objects(await ok(["read", T, "--where", "id > 2"]))).toEqual([
        { id: 3, day: null, o: { x: 1 }, v: null, w: null },
        { id: 4, day: null, o: null, v: 1.5, w: null },
        { id: 5, day: null, o: null, v: null, w: "x" },
      ]);
      expect((await Table.open(T).history()).length).toBe(3);
    });
  });

  it("takes decimals from numbers by their digits, and a schema for a new table", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      await ok(
        ["append", T, "--schema", "x decimal(38,18), y decimal(4,2)"],
        '{"x":12345678901234567890.123456789012345678,"y":1.5}\n{"x":1e3}\n',
      );
      expect(await ok(["read", T])).toBe(
        '{"x":"12345678901234567890.123456789012345678","y":"1.50"}\n{"x":"1000.000000000000000000","y":null}\n',
      );
    });
  });

  it.each<[string, string, string, string, number]>([
    ["broken JSON", "DELTA_INPUT_UNREADABLE", '{"id":1}\n\n{"id":}\n', "id bigint", 3],
    ["an array", "DELTA_INPUT_UNREADABLE", "[1]\n", "id bigint", 1],
    ["no object", "DELTA_INPUT_UNREADABLE", '{"id":1}\nnull\n', "id bigint", 2],
    ["a value out of range", "DELTA_VALUE_OUT_OF_RANGE", '\n{"id":1}\n{"id":300}\n', "id tinyint", 3],
    ["a fraction for a whole number", "DELTA_VALUE_OUT_OF_RANGE", '{"id":1}\n{"id":1.5}\n', "id bigint", 2],
    ["a number beyond long", "DELTA_VALUE_OUT_OF_RANGE", '{"id":9223372036854775808}\n', "id bigint", 1],
    ["a number beyond double", "DELTA_VALUE_OUT_OF_RANGE", '{"id":1e400}\n', "id double", 1],
    ["a decimal with too many digits", "DELTA_VALUE_OUT_OF_RANGE", '{"id":1.005}\n', "id decimal(4,2)", 1],
    ["a text for a number", "DELTA_VALUE_OUT_OF_RANGE", '{"id":"1"}\n', "id bigint", 1],
    ["a large number for a text", "DELTA_VALUE_OUT_OF_RANGE", '{"id":12345678901234567890}\n', "id string", 1],
    ["no base64", "DELTA_VALUE_OUT_OF_RANGE", '{"id":"AA="}\n', "id binary", 1],
    ["a column that the table lacks", "DELTA_SCHEMA_MISMATCH", '{"id":1}\n{"id":1,"x":2}\n', "id bigint", 2],
    ["no value where one must be", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED", '{"id":1}\n{}\n', "id bigint not null", 2],
  ])("refuses %s with file and line, and commits nothing", async (_, code, lines, schema, line) => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      await ok(["create", T, "--schema", schema]);
      const file = join(folder, "rows.jsonl");
      await writeFile(file, lines);
      expect(await failed(1, ["append", T, file])).toMatchObject({ code, data: { file, line } });
      expect(await versionOf(T)).toBe(0);
      expect(await readdir(T)).toEqual(["_delta_log"]);
    });
  });

  it("refuses bytes that are no UTF-8, and columns whose type can't be told", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const bytes = Buffer.concat([Buffer.from('{"a":1}\n{"a":"'), Buffer.of(0xff), Buffer.from('"}\n')]);
      expect(await failed(1, ["append", T], bytes)).toMatchObject({
        code: "DELTA_INPUT_UNREADABLE",
        data: { line: 2 },
      });
      expect(await failed(1, ["append", T], '{"a":1}\n{"a":"x"}\n')).toMatchObject({
        code: "DELTA_CANNOT_INFER_SCHEMA",
        data: { columns: ["a"] },
      });
      expect(await failed(1, ["append", T], '{"a":1,"b":{"c":[]}}\n')).toMatchObject({
        code: "DELTA_CANNOT_INFER_SCHEMA",
        data: { columns: ["b.c.element"] },
      });
      expect(await failed(1, ["append", T], "")).toMatchObject({ code: "DELTA_CANNOT_INFER_SCHEMA" });
      expect(await readdir(folder)).toEqual([]);
    });
  });

  it("streams more than a piece of the file, lines across its pieces included", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const file = join(folder, "rows.ndjson");
      const pad = "é".repeat(700);
      const lines = Array.from({ length: 4000 }, (_, id) => JSON.stringify({ id, pad })).join("\n");
      await writeFile(file, lines);
      await ok(["append", T, file]);
      const read = objects(await ok(["read", T]));
      expect(read.map((row) => row.id)).toEqual(Array.from({ length: 4000 }, (_, id) => id));
      expect(new Set(read.map((row) => row.pad))).toEqual(new Set([pad]));
      await writeFile(file, `${lines}\n{"id":"x"}`);
      expect(await failed(1, ["append", T, file])).toMatchObject({ data: { line: 4001 } });
    });
  });
});

describe("append of files", () => {
  it("makes one commit of several files of any formats", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const schema = parseDdl("id bigint, name string");
      const batch = (id: bigint) => buildBatch(schema, [{ id, name: `n${id}` }], 0);
      const files = ["a.parquet", "b.arrow", "c.arrows", "d.jsonl", "e.csv", "f.tsv"].map((name) => join(folder, name));
      await writeFile(files[0], (await encodeParquet([batch(1n)], { compression: "snappy" })).bytes);
      const arrow = tableFromArrays({ name: ["n2"], id: BigInt64Array.of(2n) });
      await writeFile(files[1], tableToIPC(arrow, "file"));
      await writeFile(files[2], tableToIPC(arrow, "stream"));
      await writeFile(files[3], '{"name":"n4","id":4}\n');
      await writeFile(files[4], "id,name\n5,n5\n");
      await writeFile(files[5], 'name\tid\n"n6,"\t6\n');
      const result = JSON.parse(await ok(["append", T, ...files, "--json", "--user-metadata", "six"]));
      expect(result).toMatchObject({ version: 0, rowCount: 6 });
      const rows = objects(await ok(["read", T]));
      expect(rows).toEqual([1, 2, 2, 4, 5, 6].map((id) => ({ id, name: id === 6 ? "n6," : `n${id}` })));
      expect((await Table.open(T).history())[0].userMetadata).toBe("six");
    });
  });

  it("reads Parquet, Arrow and CSV from the standard input", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const batch = buildBatch(parseDdl("id bigint"), [{ id: 1n }], 0);
      await ok(["append", T, "--format", "parquet"], (await encodeParquet([batch], { compression: "zstd" })).bytes);
      await ok(["append", T, "--format", "arrow", "-"], tableToIPC(tableFromArrays({ id: BigInt64Array.of(2n) })));
      await ok(["append", T, "--format", "csv"], "id\n3\n");
      expect(
        objects(await ok(["read", T]))
          .map((row) => row.id)
          .sort(),
      ).toEqual([1, 2, 3]);
    });
  });

  it("carries an Arrow stream that read prints, whole", async () => {
    await inFolder(async (folder) => {
      const [T, U] = [join(folder, "t"), join(folder, "u")];
      await ok(["append", T, "--schema", DDL], LINE);
      await ok(["append", U, "--format", "arrow"], (await run(["read", T, "--format", "arrow"])).bytes);
      expect(await schemaOf(U)).toBe(await schemaOf(T));
      expect(await ok(["read", U])).toBe(LINE);
    });
  });

  it("is done once for a transaction", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const args = ["append", T, "--txn-app-id", "job", "--txn-version", "7"];
      expect(JSON.parse(await ok([...args, "--json"], '{"id":1}'))).toMatchObject({ version: 0, skipped: false });
      expect(JSON.parse(await ok([...args, "--json"], '{"id":1}'))).toMatchObject({ version: 0, skipped: true });
      expect(await ok(args, '{"id":1}')).toContain("skipped");
      expect(objects(await ok(["read", T]))).toHaveLength(1);
    });
  });

  it("writes no version for no rows", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      await ok(["create", T, "--schema", "id bigint"]);
      expect(await ok(["append", T], "\n\n")).toBe(`no rows: ${T} stays at version 0\n`);
    });
  });

  it("names a file that can't be read, and commits nothing", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const file = (name: string) => join(folder, name);
      await writeFile(file("good.jsonl"), '{"id":1}\n');
      for (const name of ["bad.parquet", "bad.arrow", "bad.csv"])
        await writeFile(file(name), Buffer.of(1, 2, 3, 0, 255));
      const append = (name: string) => failed(1, ["append", T, file("good.jsonl"), file(name)]);
      expect(await append("none.csv")).toMatchObject({
        code: "DELTA_FILE_NOT_FOUND",
        data: { path: file("none.csv") },
      });
      await ok(["create", file("folder.csv"), "--schema", "id int"]);
      expect(await append("folder.csv")).toMatchObject({
        code: "DELTA_INVALID_ARGUMENT",
        data: { path: file("folder.csv") },
      });
      expect((await append("bad.parquet")).code).toBe("DELTA_PARQUET_UNREADABLE");
      expect(await append("bad.arrow")).toMatchObject({
        code: "DELTA_INPUT_UNREADABLE",
        data: { file: file("bad.arrow") },
      });
      expect(await append("bad.csv")).toMatchObject({ data: { file: file("bad.csv") } });
      await writeFile(
        file("other.parquet"),
        (await encodeParquet([buildBatch(parseDdl("id string"), [{ id: "x" }], 0)], { compression: "snappy" })).bytes,
      );
      expect(await append("other.parquet")).toMatchObject({
        code: "DELTA_SCHEMA_MISMATCH",
        data: { file: file("other.parquet") },
      });
      expect((await readdir(folder)).includes("t")).toBe(false);
    });
  });
});
