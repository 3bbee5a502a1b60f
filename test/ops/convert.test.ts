import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fileDuckdb, quoteText } from "#src/sql/duckdb.js";
import { Table } from "#src/table.js";
import { expectCode } from "../expectCode.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-table-convert-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function parquet(name: string, query: string): Promise<void> {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  await (await fileDuckdb()).columns(`COPY (${query}) TO ${quoteText(file)} (FORMAT parquet)`);
}

const open = () => Table.open(folder);
const sorted = async (table: Table) => (await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id));

it("makes a folder of Parquet files a table, in place", async () => {
  await parquet("a.parquet", "select 1::bigint as id, 'a' as name");
  await parquet("sub/b b.parquet", "select 2::bigint as id, null::varchar as name");
  writeFileSync(join(folder, "_SUCCESS"), "");
  writeFileSync(join(folder, ".a.parquet.crc"), "x");
  const result = await open().convert();
  expect(result).toMatchObject({ version: 0, fileCount: 2, skipped: false });
  expect(await sorted(open())).toEqual([
    { id: 1n, name: "a" },
    { id: 2n, name: null },
  ]);
  expect((await open().verify()).findings).toEqual([]);
  expect((await open().files()).map(({ path, stats }) => [path, JSON.parse(String(stats))])).toEqual([
    [
      "a.parquet",
      {
        numRecords: 1,
        minValues: { id: 1, name: "a" },
        maxValues: { id: 1, name: "a" },
        nullCount: { id: 0, name: 0 },
      },
    ],
    ["sub/b b.parquet", { numRecords: 1, minValues: { id: 2 }, maxValues: { id: 2 }, nullCount: { id: 0, name: 1 } }],
  ]);
  expect((await open().history())[0]).toMatchObject({
    operation: "CONVERT",
    operationParameters: { numFiles: "2", partitionedBy: "[]", collectStats: "true", sourceFormat: "parquet" },
    operationMetrics: { numConvertedFiles: "2" },
  });
  await open().append([{ id: 3n, name: "c" }]);
  expect(await open().count({ where: { id: { gt: 1n } } })).toBe(2);
  expect(await open().convert()).toEqual({ version: 1, fileCount: 0, sizeBytes: 0, skipped: true });
});

it("takes partitions from folders, guessed or given", async () => {
  await parquet("year=2024/city=New%20York/a.parquet", "select 1::integer as id");
  await parquet("year=2025/city=__HIVE_DEFAULT_PARTITION__/b.parquet", "select 2::integer as id");
  await open().convert();
  expect(await sorted(open())).toEqual([
    { id: 1, year: 2024, city: "New York" },
    { id: 2, year: 2025, city: null },
  ]);
  expect((await open().detail()).partitionColumns).toEqual(["year", "city"]);
  await rm(join(folder, "_delta_log"), { recursive: true });
  await open().convert({ partitionBy: { year: "string", city: "string" }, statistics: false });
  expect((await open().toArray({ where: { id: 1 } }))[0]).toEqual({ id: 1, year: "2024", city: "New York" });
});

it("guesses no type that would change a folder's text", async () => {
  await parquet("a=01/d=2026-01-31/n=3000000000/x.parquet", "select 1 as id");
  await parquet("a=2/d=2026-02-01/n=1/x.parquet", "select 2 as id");
  await open().convert();
  expect((await sorted(open()))[0]).toEqual({ id: 1, a: "01", d: new Date("2026-01-31"), n: 3000000000n });
});

it("prefers folders to a column of their name, and merges the files' columns", async () => {
  await parquet("part=1/a.parquet", "select 1 as id, 99 as part");
  await parquet("part=2/b.parquet", "select 2 as id, 99 as part, 'x' as extra, {'a': 1, 'b': [1.5]} as nested");
  await open().convert();
  expect(await sorted(open())).toEqual([
    { id: 1, part: 1, extra: null, nested: null },
    { id: 2, part: 2, extra: "x", nested: { a: 1, b: ["1.5"] } },
  ]);
});

it("takes the types that Parquet has", async () => {
  const query = `select true as bo, 1::tinyint as by, 2::smallint as sh, 3::integer as i, 4::bigint as id, 5::utinyint as ut,
    6::uinteger as ui, 1.5::float as f, 2.5::double as d, 12.30::decimal(10,2) as dec, 1::decimal(30,5) as big, 'x' as s,
    '\\xFF'::blob as bin, date '2026-01-31' as da, timestamptz '2026-01-31 12:00:00.123456+00' as tz,
    timestamp '2026-01-31 12:00:00' as ntz, [1, null] as li, map {'k': 1} as m`;
  await parquet("a.parquet", query);
  await open().convert();
  const fields = (await open().schema()).fields.map(({ name, type }) => [
    name,
    typeof type === "string" ? type : type.type,
  ]);
  expect(Object.fromEntries(fields)).toEqual({
    ...{
      bo: "boolean",
      by: "byte",
      sh: "short",
      i: "integer",
      id: "long",
      ut: "short",
      ui: "long",
      f: "float",
      d: "double",
    },
    ...{ dec: "decimal(10,2)", big: "decimal(30,5)", s: "string", bin: "binary", da: "date", tz: "timestamp" },
    ...{ ntz: "timestamp_ntz", li: "array", m: "map" },
  });
  expect((await open().toArray())[0]).toMatchObject({
    ut: 5,
    ui: 6n,
    dec: "12.30",
    li: [1, null],
    m: new Map([["k", 1]]),
  });
  expect((await open().verify()).ok).toBe(true);
});

it("takes a schema that is given", async () => {
  await parquet("a.parquet", "select 1::integer as id, 'x' as dropped");
  await open().convert({ schema: { id: "integer", later: "string" } });
  expect(await open().toArray()).toEqual([{ id: 1, later: null }]);
});

it("refuses folders that make no table, and leaves them as they were", async () => {
  await expectCode("DELTA_EMPTY_DIRECTORY", () => open().convert());
  await parquet("a=1/x.parquet", "select 1 as id");
  await parquet("y.parquet", "select 1 as id");
  await expectCode("DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME", () => open().convert());
  await rm(join(folder, "y.parquet"));
  await expectCode("DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME", () =>
    open().convert({ partitionBy: { b: "long" } }),
  );
  await expectCode("DELTA_PARTITION_COLUMN_CAST_FAILED", () => open().convert({ partitionBy: { a: "date" } }));
  await parquet("a=2/x.parquet", "select 'text' as id");
  await expectCode("DELTA_FAILED_TO_MERGE_FIELDS", () => open().convert());
  await rm(join(folder, "a=2"), { recursive: true });
  writeFileSync(join(folder, "a=1/notes.txt"), "no Parquet file");
  await expectCode("DELTA_PARQUET_UNREADABLE", () => open().convert());
  await rm(join(folder, "a=1/notes.txt"));
  await parquet("a=1/t.parquet", "select time '12:00:00' as t");
  await expectCode("DELTA_INVALID_SCHEMA", () => open().convert());
  expect(readdirSync(folder)).toEqual(["a=1"]);
});
