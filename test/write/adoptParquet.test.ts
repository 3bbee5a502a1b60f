import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { conformBatch } from "#src/arrow/conform.js";
import { FileStatistics } from "#src/arrow/statistics.js";
import { chunkBounds } from "#src/parquet/chunkBounds.js";
import { readParquet } from "#src/parquet/read.js";
import type { StructType } from "#src/schema/types.js";
import { fileDuckdb } from "#src/sql/duckdb.js";
import { memoryStore } from "#src/storage/memory.js";
import { adoptParquet } from "#src/write/adoptParquet.js";

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

describe("adoptParquet", () => {
  it("finds the statistics that the rows themselves would show", async () => {
    const db = await fileDuckdb();
    await fc.assert(
      fc.asyncProperty(ROWS, fc.integer({ min: 1, max: 3 }), async (rows, repeats) => {
        const path = join(folder, `${files++}.parquet`);
        const values = rows.map(
          (row) => `(${row.map((value, i) => `CAST(${value} AS ${VALUES[TYPES[i]!]!.sql})`).join(", ")})`,
        );
        const names = schema.fields.map(({ name }) => `"${name}"`).join(", ");
        // DuckDB makes row groups of 2,048 rows at least.
        const source = `SELECT t.* FROM (VALUES ${values.join(", ")}) t(${names}), range(${repeats === 1 ? 1 : 700 * repeats})`;
        await db.columns(`COPY (${source}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
        const store = memoryStore();
        const add = await adoptParquet(store, path, { schema, statisticsColumns: columns, compression: "snappy" });
        const expected = new FileStatistics(schema, columns);
        for await (const batch of readParquet(store, { path: add.path, sizeBytes: add.size })) {
          expected.add(conformBatch(batch, schema));
        }
        expect(add.stats).toBe(expected.toJson());
        expect(add).toMatchObject({ partitionValues: {}, dataChange: true });
      }),
      { numRuns: 20 },
    );
  });

  it.each(["NaN", "inf", "-inf", "-0.0"])("sees %s between other doubles", async (value) => {
    const path = join(folder, `${files++}.parquet`);
    const db = await fileDuckdb();
    await db.columns(`COPY (SELECT unnest([1.5::DOUBLE, '${value}', 2.5]) AS "x") TO '${path}' (FORMAT parquet)`);
    const store = memoryStore();
    const doubles: StructType = {
      type: "struct",
      fields: [{ name: "x", type: "double", nullable: true, metadata: {} }],
    };
    const options = { schema: doubles, statisticsColumns: [["x"]], compression: "snappy" } as const;
    const stats = JSON.parse((await adoptParquet(store, path, options)).stats!);
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
    const found = chunkBounds(readFileSync(path));
    expect([...found].map(([name, groups]) => [name, groups.every((group) => group?.bounds !== undefined)])).toEqual([
      ["id", true],
      ["name", true],
      ["price", true],
    ]);
  });
});
