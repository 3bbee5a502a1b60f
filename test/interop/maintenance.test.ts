import { existsSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { fileDuckdb, quoteText } from "#src/sql/duckdb.js";
import { python, spark } from "./engines.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "interop-maintenance-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const sql = async <T = Record<string, unknown>>(name: string, text: string): Promise<T[]> =>
  (await spark()).request<T[]>("sql", { text: text.replaceAll("TABLE", `delta.\`${at(name)}\``) });

const sparkIds = async (name: string) =>
  (await sql<{ id: number }>(name, "select id from TABLE order by id")).map(({ id }) => id);
const idsHere = async (table: Table) => (await table.toArray()).map(({ id }) => Number(id)).sort((a, b) => a - b);
const deltaRsIds = async (name: string) => {
  const { rows } = await (await python()).request<{ rows: { id: string }[] }>("read", {
    path: at(name),
    version: null,
  });
  return rows.map(({ id }) => Number(String(id).slice("int:".length))).sort((a, b) => a - b);
};
const operations = async (name: string) =>
  (await sql<{ operation: string }>(name, "describe history TABLE")).map(({ operation }) => operation);

describe("a table made by Spark", () => {
  beforeAll(async () => {
    await sql(
      "made",
      `create table TABLE (id bigint, part string) using delta partitioned by (part)
       tblproperties ('delta.enableDeletionVectors' = 'true', 'delta.enableChangeDataFeed' = 'true')`,
    );
    await sql("made", "insert into TABLE select id, concat('a b', id % 2) from range(0, 20)");
    await sql("made", "insert into TABLE values (100, null)");
    await sql("made", "delete from TABLE where id = 3");
    await sql("made", "update TABLE set id = id + 1000 where id = 5");
    await sql("made", "optimize TABLE");
    await sql("made", "delete from TABLE where id = 7");
  });

  test("is vacuumed here of the files that Spark would delete, and Spark reads what is left", async () => {
    await sql("made", "set spark.databricks.delta.retentionDurationCheck.enabled = false");
    await sql("made", "set spark.sql.sources.parallelPartitionDiscovery.parallelism = 2");
    const listed = await sql<{ path: string }>("made", "vacuum TABLE retain 0 hours dry run");
    const files = listed
      .map(({ path }) => fileURLToPath(path.replace(/^file:\/*/, "file:///")))
      .filter((path) => existsSync(path) && statSync(path).isFile())
      .map((path) => relative(at("made"), path));
    const table = Table.open(at("made"));
    const retention = { retentionHours: 0, enforceRetention: false };
    const { paths } = await table.vacuum({ ...retention, dryRun: true });
    expect(files.length).toBeGreaterThan(3);
    expect([...paths].sort()).toEqual(files.sort());
    const before = await idsHere(table);
    await table.vacuum(retention);
    expect(await idsHere(table)).toEqual(before);
    expect(await sparkIds("made")).toEqual(before);
    expect((await operations("made")).slice(0, 2)).toEqual(["VACUUM END", "VACUUM START"]);
  });

  test("is cloned here, and the clones are Spark's to read and to write", async () => {
    const table = Table.open(at("made"));
    const expected = await idsHere(table);
    await table.clone(at("deep"));
    await table.clone(at("shallow"), { shallow: true });
    for (const name of ["deep", "shallow"]) {
      expect(await sparkIds(name), name).toEqual(expected);
      await sql(name, "delete from TABLE where id = 100");
      expect((await operations(name)).slice(0, 2)).toEqual(["DELETE", "CLONE"]);
    }
    const without = expected.filter((id) => id !== 100);
    expect(await idsHere(Table.open(at("deep")))).toEqual(without);
    expect(await idsHere(Table.open(at("shallow"), { dataRoots: [at("made")] }))).toEqual(without);
    expect(await idsHere(table)).toEqual(expected);
  });

  test("is shallowly cloned there, and read here", async () => {
    await sql("made", `create table delta.\`${at("theirs")}\` shallow clone TABLE`);
    const clone = Table.open(at("theirs"), { dataRoots: [at("made")] });
    expect(await idsHere(clone)).toEqual(await sparkIds("made"));
  });
});

test("a restored table is the same in Spark, delta-rs and here", async () => {
  const table = Table.open(at("restored"));
  await table.append([{ id: 1n }, { id: 2n }]);
  await table.append([{ id: 3n }]);
  await table.delete({ id: 1n });
  await table.restore(1);
  const expected = [1, 2, 3];
  expect(await idsHere(table)).toEqual(expected);
  expect(await sparkIds("restored")).toEqual(expected);
  expect(await deltaRsIds("restored")).toEqual(expected);
  expect(await operations("restored")).toEqual(["RESTORE", "DELETE", "WRITE", "WRITE"]);
  await sql("restored", "restore TABLE to version as of 2");
  expect(await idsHere(table)).toEqual([2, 3]);
});

test("a folder of Parquet files that is converted is a table to Spark and delta-rs", async () => {
  const query = "select range as id, 'v' || range as name, range % 3 as part from range(10)";
  const copy = `COPY (${query}) TO ${quoteText(at("converted"))} (FORMAT parquet, PARTITION_BY (part))`;
  await (await fileDuckdb()).columns(copy);
  await Table.open(at("converted")).convert();
  const expected = Array.from({ length: 10 }, (_, id) => id);
  expect(await sparkIds("converted")).toEqual(expected);
  expect(await deltaRsIds("converted")).toEqual(expected);
  await sql("converted", "insert into TABLE values (10, 'new', 7)");
  expect(await sql("converted", "select id from TABLE where part = 7")).toEqual([{ id: 10 }]);
  expect(await operations("converted")).toEqual(["WRITE", "CONVERT"]);
  expect(await Table.open(at("converted")).count({ where: { part: { gte: 2 } } })).toBe(4);
});

test("a table whose lost files were taken out is read by Spark", async () => {
  const table = Table.open(at("repaired"));
  await table.append([{ id: 1n }]);
  await table.append([{ id: 2n }]);
  const [lost] = await table.at(0).files();
  await rm(join(at("repaired"), lost!.path));
  await table.fsck();
  expect(await sparkIds("repaired")).toEqual([2]);
  expect((await operations("repaired"))[0]).toBe("FSCK");
});
