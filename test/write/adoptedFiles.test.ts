import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { conformBatch } from "#src/arrow/conform.js";
import { FileStatistics } from "#src/arrow/statistics.js";
import { chunkBounds } from "#src/parquet/chunkBounds.js";
import { readParquet } from "#src/parquet/read.js";
import type { StructType } from "#src/schema/types.js";
import { fileDuckdb } from "#src/sql/duckdb.js";
import { memoryStore } from "#src/storage/memory.js";
import { AdoptedFiles, type AdoptOptions } from "#src/write/adoptedFiles.js";
import fc from "../fastCheck.js";

const folder = mkdtempSync(join(tmpdir(), "delta-adopt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** Each type with SQL texts of values that lie at its edges, or that footers and statistics may see differently. */
const VALUES: Readonly<Record<string, { readonly sql: string; readonly values: readonly string[] }>> = {
  byte: { sql: "TINYINT", values: ["-128", "0", "127"] },
  short: { sql: "SMALLINT", values: ["-32768", "0", "32767"] },
  integer: { sql: "INTEGER", values: ["-2147483648", "0", "2147483647"] },
  long: { sql: "BIGINT", values: ["-9223372036854775808", "0", "9223372036854775807", "42"] },
  float: { sql: "FLOAT", values: ["-1.5", "0.0", "-0.0", "'NaN'", "'inf'", "3.25", "0.1"] },
  double: { sql: "DOUBLE", values: ["-1.5", "0.0", "-0.0", "'NaN'", "'-inf'", "3.25", "1e300"] },
  boolean: { sql: "BOOLEAN", values: ["true", "false"] },
  date: { sql: "DATE", values: ["'2024-01-31'", "'0001-01-01'", "'9999-12-31'", "'1969-12-31'"] },
  timestamp: {
    sql: "TIMESTAMPTZ",
    values: ["'2024-01-31 10:00:00.123456Z'", "'1969-12-31 23:59:59.999999Z'", "'9999-12-31 23:59:59.999999Z'"],
  },
  timestamp_ntz: { sql: "TIMESTAMP", values: ["'2024-01-31 10:00:00.123456'", "'1500-01-01 00:00:00.000001'"] },
  "decimal(5,2)": { sql: "DECIMAL(5,2)", values: ["-999.99", "0.01", "12.30"] },
  "decimal(18,4)": { sql: "DECIMAL(18,4)", values: ["-99999999999999.9999", "0.0001", "56294995342131.1999"] },
  "decimal(38,10)": { sql: "DECIMAL(38,10)", values: ["-1234567890123456789012345678.0123456789", "0.1", "7"] },
  string: {
    sql: "VARCHAR",
    values: [
      "''",
      "'a'",
      "'é'",
      "'z'",
      "'\u{10ffff}'",
      "repeat('x', 40)",
      "repeat('é', 33)",
      "repeat('\u{10ffff}', 70)",
      "repeat('long ', 20)",
    ],
  },
  binary: { sql: "BLOB", values: ["'\\xFF'::BLOB", "''::BLOB"] },
};

const TYPES = Object.keys(VALUES);
const schema: StructType = {
  type: "struct",
  fields: TYPES.map((type) => ({ name: `a ${type}`, type: type as "string", nullable: true, metadata: {} })),
};
const columns = schema.fields.map(({ name }) => [name]);

const ROWS = fc.array(
  fc.tuple(...TYPES.map((type) => fc.option(fc.constantFrom(...VALUES[type]!.values), { nil: "NULL", freq: 3 }))),
  { minLength: 1, maxLength: 12 },
);

/** Footers don't tell zeros apart. */
const smallestZeros = (stats: string) =>
  stats.replaceAll('":0.0', '":-0.0').replace(/"maxValues".*?}/, (all) => all.replaceAll("-0.0", "0.0"));

async function adopt(paths: readonly string[], options: Partial<AdoptOptions> = {}) {
  const store = memoryStore();
  const files = new AdoptedFiles(store, {
    schema,
    statisticsColumns: columns,
    compression: "snappy",
    targetFileSizeBytes: 2 ** 27,
    ...options,
  });
  for (const path of paths) await files.add(path);
  const { adds, stored } = await files.finish();
  await stored;
  return { store, adds };
}

describe("AdoptedFiles", () => {
  it("finds the statistics that the rows themselves would show", async () => {
    const db = await fileDuckdb();
    await fc.assert(
      fc.asyncProperty(
        fc.array(ROWS, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 3 }),
        async (pieces, repeats) => {
          const paths = [];
          for (const rows of pieces) {
            const path = join(folder, `${files++}.parquet`);
            const values = rows.map(
              (row) => `(${row.map((value, i) => `CAST(${value} AS ${VALUES[TYPES[i]!]!.sql})`).join(", ")})`,
            );
            const names = schema.fields.map(({ name }) => `"${name}"`).join(", ");
            // DuckDB makes row groups of 2,048 rows at least.
            const source = `SELECT t.* FROM (VALUES ${values.join(", ")}) t(${names}), range(${repeats === 1 ? 1 : 700 * repeats})`;
            await db.columns(
              `COPY (${source}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048, WRITE_BLOOM_FILTER false)`,
            );
            paths.push(path);
          }
          const { store, adds } = await adopt(paths);
          const [add] = adds;
          const expected = new FileStatistics(schema, columns);
          const rows: unknown[] = [];
          for await (const batch of readParquet(store, { path: add!.path, sizeBytes: add!.size })) {
            const conformed = conformBatch(batch, schema);
            expected.add(conformed);
            for (const row of conformed.toArray()) rows.push(row);
          }
          expect(adds).toHaveLength(1);
          expect(smallestZeros(add!.stats!)).toBe(smallestZeros(expected.toJson()));
          expect(add).toMatchObject({ partitionValues: {}, dataChange: true });
          const counts = pieces.map((piece) => piece.length * (repeats === 1 ? 1 : 700 * repeats));
          expect(rows).toHaveLength(counts.reduce((sum, count) => sum + count, 0));
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each(["NaN", "inf", "-inf", "-0.0"])("sees %s between other doubles", async (value) => {
    const path = join(folder, `${files++}.parquet`);
    const db = await fileDuckdb();
    await db.columns(
      `COPY (SELECT unnest([1.5::DOUBLE, '${value}', 2.5]) AS "x") TO '${path}' (FORMAT parquet, WRITE_BLOOM_FILTER false)`,
    );
    const doubles: StructType = {
      type: "struct",
      fields: [{ name: "x", type: "double", nullable: true, metadata: {} }],
    };
    const { adds } = await adopt([path], { schema: doubles, statisticsColumns: [["x"]] });
    const stats = JSON.parse(adds[0]!.stats!);
    const min = { NaN: 1.5, inf: 1.5, "-0.0": -0 }[value];
    const max = { "-inf": 2.5, "-0.0": 2.5 }[value];
    expect(stats).toEqual({
      numRecords: 3,
      minValues: min === undefined ? {} : { x: min },
      maxValues: max === undefined ? {} : { x: max },
      nullCount: { x: 0 },
    });
  });

  it("reads no column whose bounds the footer has", async () => {
    const path = join(folder, `${files++}.parquet`);
    const db = await fileDuckdb();
    const values = `i AS "id", 'text ' || i AS "name", CASE WHEN i % 2 = 0 THEN i / 7 END::DECIMAL(9,2) AS "price"`;
    await db.columns(`COPY (SELECT ${values} FROM range(1, 5000) t(i)) TO '${path}' (FORMAT parquet)`);
    const { columns: found } = chunkBounds(readFileSync(path));
    expect([...found].map(([name, groups]) => [name, groups.every((group) => group?.bounds !== undefined)])).toEqual([
      ["id", true],
      ["name", true],
      ["price", true],
    ]);
  });

  it("makes files of the target size, of which the pieces are read as they were", async () => {
    const db = await fileDuckdb();
    const numbers: StructType = { type: "struct", fields: [{ name: "i", type: "long", nullable: true, metadata: {} }] };
    const paths = [];
    for (let from = 0; from < 50_000; from += 10_000) {
      const path = join(folder, `${files++}.parquet`);
      const rows = `SELECT range AS "i" FROM range(${from}, ${from + 10_000})`;
      await db.columns(`COPY (${rows}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048, WRITE_BLOOM_FILTER false)`);
      paths.push(path);
    }
    const size = readFileSync(paths[0]!).length;
    const { store, adds } = await adopt(paths, {
      schema: numbers,
      statisticsColumns: [["i"]],
      targetFileSizeBytes: 2.5 * size,
    });
    const found = [];
    for (const { path, size: sizeBytes, stats } of adds) {
      let [first, last, count] = [-1n, -1n, 0];
      for await (const batch of readParquet(store, { path, sizeBytes })) {
        const values = batch.getChildAt(0)!;
        if (count === 0) first = values.get(0);
        last = values.get(batch.numRows - 1);
        count += batch.numRows;
      }
      found.push([Number(first), Number(last), count]);
      expect(JSON.parse(stats!)).toMatchObject({ minValues: { i: Number(first) }, maxValues: { i: Number(last) } });
    }
    expect(found).toEqual([
      [0, 19_999, 20_000],
      [20_000, 39_999, 20_000],
      [40_000, 49_999, 10_000],
    ]);
  });

  it("leaves nothing where it is discarded", async () => {
    const db = await fileDuckdb();
    const path = join(folder, `${files++}.parquet`);
    await db.columns(`COPY (SELECT 1::BIGINT AS "i") TO '${path}' (FORMAT parquet, WRITE_BLOOM_FILTER false)`);
    const numbers: StructType = { type: "struct", fields: [{ name: "i", type: "long", nullable: true, metadata: {} }] };
    const store = memoryStore();
    const options = { schema: numbers, statisticsColumns: [], compression: "snappy", targetFileSizeBytes: 1 } as const;
    const adopted = new AdoptedFiles(store, options);
    await adopted.add(path);
    await adopted.add(path);
    await adopted.finish();
    expect(await store.listNames("")).toHaveLength(2);
    await adopted.discard();
    expect(await store.listNames("")).toEqual([]);
  });
});
