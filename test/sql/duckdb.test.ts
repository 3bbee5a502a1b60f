import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { duckdb, quoteName, quoteText } from "#src/sql/duckdb.js";

const run = promisify(execFile);
const child = (name: string) => run(process.execPath, [new URL(name, import.meta.url).pathname]);

test("there is one DuckDB, in UTC, that loads no extensions by itself", async () => {
  const db = await duckdb();
  expect(await duckdb()).toBe(db);
  const settings = ["TimeZone", "autoinstall_known_extensions", "autoload_known_extensions"];
  const values = settings.map((name) => `current_setting('${name}')::VARCHAR`);
  expect(await db.columns(`SELECT ${values.join(", ")}`)).toEqual([["UTC"], ["false"], ["false"]]);
});

test("statements at the same time don't disturb each other", async () => {
  const db = await duckdb();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => db.columns("SELECT $1 FROM range(1000)", [String(i)])),
  );
  expect(answers.map(([column]) => new Set(column))).toEqual(
    Array.from({ length: 20 }, (_, i) => new Set([String(i)])),
  );
});

test("names and texts are quoted", async () => {
  const [name] = await (await duckdb()).columns(`SELECT ${quoteText("it's")} AS ${quoteName('a"b')}`);
  expect(name).toEqual(["it's"]);
});

test("a missing package is an error that says so", async () => {
  const { stdout } = await child("missingChild.mjs");
  expect(JSON.parse(stdout)).toEqual({
    code: "DELTA_MISSING_DEPENDENCY",
    data: { package: "@duckdb/node-api" },
  });
});

test("rules that only compare with literals need no package, others say so", async () => {
  const { stdout } = await child("rulesWithoutChild.mjs");
  expect(JSON.parse(stdout)).toEqual({
    rows: [[1, 1, "none"]],
    broken: "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
    missing: "DELTA_MISSING_DEPENDENCY",
  });
});

test("a process that used SQL ends", async () => {
  expect((await child("endChild.mjs")).stdout).toBe("opaque\n");
});
