import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { StructType } from "#src/schema/types.js";
import { readCsv } from "#src/sql/csv.js";
import { duckdb, fileDuckdb, withWorkFolder } from "#src/sql/duckdb.js";
import { expectCode } from "../expectCode.js";
import { freshLocation } from "./tables.js";

// A folder of which DuckDB's readers would make a column, were they let to.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "delta-table-sql-id=5-"));
const before = process.env.TMPDIR;
beforeAll(() => {
  fs.mkdirSync(path.join(folder, "id=5"));
  process.env.TMPDIR = path.join(folder, "id=5");
});
afterAll(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  fs.rmSync(folder, { recursive: true });
});

async function table(
  rows: object[] = [
    { id: 1n, s: "a" },
    { id: 2n, s: "b" },
  ],
): Promise<Table> {
  const made = Table.open(freshLocation());
  await made.append(rows);
  return made;
}

describe("a condition in SQL", () => {
  const secret = path.join(folder, "secret.csv");
  fs.writeFileSync(secret, "x\n1\n");

  test.each([
    `(SELECT max(x) FROM read_csv('${secret}')) = 1`,
    `EXISTS (FROM read_csv('${secret}'))`,
    `id IN (FROM read_csv('${secret}'))`,
    `EXISTS (FROM glob('/*'))`,
    `EXISTS (FROM '${secret}')`,
    `id = ANY (SELECT 1)`,
    `read_text('${secret}') IS NULL`,
    `read_csv('${secret}') IS NULL`,
    `query('SELECT 1') IS NULL`,
    `id = 1; ATTACH '${path.join(folder, "pwned.db")}'`,
    `id = 1; COPY (SELECT 1) TO '${path.join(folder, "pwned")}'`,
    "id = 1; INSTALL httpfs",
    "id = 1; SET lock_configuration = false",
    "id = 1) OR (1 = 1",
    "id = 1) UNION (SELECT 1",
    "id = 1 UNION ALL SELECT 1",
    "id = 1 ORDER BY 1",
    "id = 1 LIMIT (SELECT 1)",
    "getenv('HOME') <> ''",
    "upper(s) = getenv('HOME')",
    "current_setting('temp_directory') = s",
    "system.main.current_setting('temp_directory') = s",
    "CURRENT_SETTING('temp_directory') = s",
    "getvariable('x') IS NULL",
    "current_query() = s",
    "nextval('x') = id",
    "sleep_ms(1) IS NULL",
    "pg_sleep(1) IS NULL",
    "write_log(s) IS NULL",
    "list_transform([1], x -> current_setting('threads')::INTEGER)[1] = id",
    "row_number() OVER () = 1",
    "COLUMNS(*) = 1",
    "$1 = id",
  ])("%s: refused", async (where) => {
    const rows = await table();
    await expectCode("DELTA_INVALID_PREDICATE", () => rows.scan({ where }).count());
    expect(fs.readdirSync(folder).sort()).toEqual(["id=5", "secret.csv"]);
  });

  test("is evaluated where no file can be reached and no setting be changed, whatever gets there", async () => {
    const db = await duckdb();
    for (const sql of [
      `FROM read_csv('${secret}')`,
      "FROM read_text('/etc/passwd')",
      "FROM glob('/*')",
      `COPY (SELECT 1) TO '${path.join(folder, "pwned")}'`,
      `ATTACH '${path.join(folder, "pwned.db")}'`,
      "INSTALL httpfs",
      "LOAD httpfs",
      "FROM 'https://example.org/x.csv'",
      "SET enable_external_access = true",
      "SET GLOBAL TimeZone = 'Europe/Berlin'",
      "SET allowed_directories = ['/']",
      "RESET lock_configuration",
    ]) {
      await expect(db.columns(sql), sql).rejects.toThrow();
    }
    await expect((await fileDuckdb()).columns("SET threads = 1")).rejects.toThrow();
    expect(fs.readdirSync(folder).sort()).toEqual(["id=5", "secret.csv"]);
  });

  test("sees the table's columns only, and leaves no file behind", async () => {
    const rows = await table();
    expect(await rows.scan({ where: "id % 2 = 0" }).toArray()).toEqual([{ id: 2n, s: "b" }]);
    await Promise.all(Array.from({ length: 8 }, () => rows.scan({ where: "id % 2 = 0" }).count()));
    await expect(withWorkFolder(() => Promise.reject(new Error("work")))).rejects.toThrow("work");
    expect(fs.readdirSync(os.tmpdir())).toEqual([]);
  });

  test.each([
    'a"b',
    "a'b",
    "a`b",
    "a\\b",
    '" OR 1=1 --',
    "x); DROP TABLE t; --",
    "/*",
    "--",
    "$1",
    "?",
    "a\nb",
    "rows of the batch",
    "t",
    "select",
    "\u{1f600}",
    "x".repeat(1000),
  ])("names the column %j and nothing else", async (name) => {
    const quoted = `"${name.replaceAll('"', '""')}"`;
    const { predicateOf } = await import("#src/ops/where.js");
    const { evaluatePredicate } = await import("#src/arrow/evaluate.js");
    const { buildBatch } = await import("#src/arrow/build.js");
    const schema: StructType = {
      type: "struct",
      fields: [name, "other"].map((column) => ({ name: column, type: "long", nullable: true, metadata: {} })),
    };
    const batch = buildBatch(
      schema,
      [
        { [name]: 1n, other: 5n },
        { [name]: 2n, other: 6n },
      ],
      0,
    );
    const found = async (where: string) => evaluatePredicate((await predicateOf(where, schema))!, batch);
    expect(await found(`${quoted} % 2 = 0`)).toEqual(Uint32Array.of(1));
    expect(await found(`${quoted} % 2 = 0 AND other < 6`)).toEqual(new Uint32Array(0));
    expect(await found(`${quoted} = 1`)).toEqual(Uint32Array.of(0));
  });

  test("takes a value as a value, whatever it holds", async () => {
    const value = "'; DROP TABLE t; --\n\u001b[2J\"";
    const rows = await table([
      { id: 1n, s: value },
      { id: 2n, s: "b" },
    ]);
    expect(await rows.scan({ where: { s: value } }).count()).toBe(1);
    expect(await rows.scan({ where: `upper(s) = '${value.toUpperCase().replaceAll("'", "''")}'` }).count()).toBe(1);
  });

  test("with ten thousand terms is evaluated, one that nests as deep is refused", async () => {
    const rows = await table();
    const terms = Array.from({ length: 10_000 }, (_, i) => `id = ${i}`).join(" OR ");
    expect(await rows.scan({ where: terms }).count()).toBe(2);
    const deep = `${"(".repeat(10_000)}id${")".repeat(10_000)} = 1`;
    const nested = `${"NOT (".repeat(5_000)}id = 1${")".repeat(5_000)}`;
    for (const where of [deep, nested]) {
      const outcome = await rows
        .scan({ where })
        .count()
        .catch((error: unknown) => error);
      if (outcome !== 1) expect(outcome).toMatchObject({ code: "DELTA_INVALID_PREDICATE" });
    }
  });
});

describe("a CSV file's name", () => {
  test.each([
    "'); COPY (SELECT 1) TO 'pwned' --.csv",
    "*.csv",
    "[a-z].csv",
    "?.csv",
    "{a,b}.csv",
    "a\\b.csv",
    'a"b.csv',
    "a'b.csv",
    "**.csv",
    "s3:.csv",
    "day=5.csv",
  ])("%s is that file, and no other", async (name) => {
    const at = path.join(folder, "id=5", "csv", "day=1");
    fs.mkdirSync(at, { recursive: true });
    fs.writeFileSync(path.join(at, "a.csv"), "other\n1\n");
    fs.writeFileSync(path.join(at, name), "mine,more\n7,8\n");
    try {
      const csv = (await readCsv(path.join(at, name)))!;
      expect(csv.schema.fields.map((field) => field.name)).toEqual(["mine", "more"]);
      let rows = 0;
      for await (const batch of csv.batches()) rows += batch.numRows;
      expect(rows).toBe(1);
      expect(fs.existsSync("pwned")).toBe(false);
    } finally {
      fs.rmSync(path.join(folder, "id=5", "csv"), { recursive: true });
    }
  });

  test("that looks like a URL is a path", async () => {
    const here = process.cwd();
    const at = path.join(folder, "id=5", "http:", "127.0.0.1:1");
    fs.mkdirSync(at, { recursive: true });
    fs.writeFileSync(path.join(at, "x.csv"), "mine\n7\n");
    try {
      process.chdir(path.join(folder, "id=5"));
      expect((await readCsv("http://127.0.0.1:1/x.csv"))?.schema.fields[0]?.name).toBe("mine");
    } finally {
      process.chdir(here);
      fs.rmSync(path.join(folder, "id=5", "http:"), { recursive: true });
    }
  });
});
