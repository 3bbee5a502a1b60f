import { existsSync } from "node:fs";
import { chmod, readdir, readFile, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import type { LoadOptions } from "#src/load/loadOptions.js";
import { type SparkConfig, sparkConfig } from "#src/load/spark/sparkConfig.js";
import { runOnSpark, writeSparkJob } from "#src/load/spark/sparkJob.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { openStore } from "#src/storage/open.js";
import { expectCode } from "../../expectCode.js";
import { csvLines, HEADER, SCHEMA, scratchFolder, write } from "../loadFixture.js";

const root = await scratchFolder();
let folders = 0;
const folder = () => join(root, String(folders++));
const configOf = (at: string, operands: string[], options: LoadOptions<object> = {}) =>
  sparkConfig(new DeltaLog(openStore(join(at, "t"), {})), operands, options);

describe("the configuration of a load on Spark", () => {
  it("is that of the job that delta-table has begun", async () => {
    const at = folder();
    const file = await write(join(at, "a.csv"), HEADER + csvLines(0, 500));
    const stop = new AbortController();
    const load = Table.open(join(at, "t")).load(file, {
      ...{ schema: SCHEMA, batchBytes: 2000, nullValues: ["-"], signal: stop.signal },
      onProgress: ({ isCommitted }) => isCommitted && stop.abort(),
    });
    await expectCode("DELTA_ABORTED", () => load);
    await expectCode("DELTA_LOAD_OPTIONS_CHANGED", () => configOf(at, [file]));
    const config = await configOf(at, [file], { nullValues: ["-"] });
    expect(config).toMatchObject({ table: join(at, "t"), sources: [{ url: file, glob: null }], newTable: null });
    expect(config.options).toEqual({ nullValues: ["-"] });
    expect(config.shapes.csv?.dialect).toMatchObject({ delimiter: ",", nullValues: ["-"] });
    expect(config.columns.map(({ name, type }) => [name, type])).toEqual(Object.entries(SCHEMA));
    expect(await Table.open(join(at, "t")).version()).toBe(0);
  });

  it("says how to create a table that isn't there, and doesn't", async () => {
    const at = folder();
    const file = await write(join(at, "a.csv"), HEADER + csvLines(0, 10));
    const { newTable } = await configOf(at, [file], { schema: SCHEMA, partitionBy: ["name"] });
    expect(newTable?.partitionColumns).toEqual(["name"]);
    await expectCode("DELTA_TABLE_NOT_FOUND", () => Table.open(join(at, "t")).version());
  });

  it.each(["-", "http://host/a.csv"])("refuses the source %s", async (source) => {
    await expectCode("DELTA_INVALID_ARGUMENT", () => configOf(folder(), [source], { job: "j" }));
  });

  it("refuses a table that isn't on a disk or S3", async () => {
    const file = await write(join(folder(), "a.csv"), HEADER);
    const log = new DeltaLog(openStore("memory:spark", {}));
    await expectCode("DELTA_INVALID_ARGUMENT", () => sparkConfig(log, [file], {}));
  });

  it("has patterns as rules for names, and what S3 is reached by", async () => {
    const at = folder();
    await write(join(at, "a1.csv"), HEADER + csvLines(0, 10));
    const storage = { s3: { endpoint: "http://127.0.0.1:9", region: "here" } };
    const { sources, s3 } = await configOf(at, [join(at, "**/a[0-9].{csv,tsv}")], { storage });
    const names = at.slice(1).split("/");
    expect(sources[0]?.glob).toEqual({
      folder: `${names.join("/")}/`,
      alternatives: ["csv", "tsv"].map((end) => [...names, null, { rule: `^a[0-9]\\.${end}$` }]),
    });
    expect(s3).toEqual(storage.s3);
  });

  it("never has keys", async () => {
    const at = folder();
    const file = await write(join(at, "a.csv"), HEADER + csvLines(0, 10));
    const credentials = { accessKeyId: "its-id", secretAccessKey: "its-secret" };
    const reached = { endpoint: "http://127.0.0.1:9", region: "here", forcePathStyle: false };
    const config = await configOf(at, [file], { storage: { s3: { ...reached, credentials } } });
    expect(config.s3).toEqual(reached);
    const args = await writeSparkJob(join(at, "job"), config);
    const written = await readFile(join(at, "job/config.json"), "utf8");
    for (const text of [written, ...args]) expect(text).not.toMatch(/its-id|its-secret/);
  });

  it("has the columns that all files show where they are to be added", async () => {
    const at = folder();
    await write(join(at, "src/a.csv"), "id,name\n1,a\n");
    await Table.open(join(at, "t")).load(join(at, "src"));
    await write(join(at, "src/b.csv"), "id,v\n1,1.5\n");
    await write(join(at, "src/c.jsonl"), '{"id":1,"more":{"x":true}}\n');
    await expectCode("DELTA_SCHEMA_MISMATCH", () => configOf(at, [join(at, "src/b.csv")]));
    const config = await configOf(at, [join(at, "src")], { mergeSchema: true, rescuedDataColumn: "rest", job: "j" });
    expect(config.columns.map(({ name }) => name)).toEqual(["id", "name", "v", "more", "rest"]);
    expect(config.addedColumns).toEqual(["v", "more", "rest"]);
    expect(JSON.parse(config.schemaString).fields).toHaveLength(5);
    expect(Object.keys(config.shapes)).toEqual(["csv", "jsonl"]);
    expect(config.csvColumns.csv).toHaveLength(5);
  });

  it.each<[unknown, string]>([
    [
      "id > 2.5 and (name like 'a%' or name is null)",
      `("id" > CAST(2 AS BIGINT)) AND (starts_with("name", 'a') OR ("name" IS NULL))`,
    ],
    [{ id: { in: [1n, 2n] } }, `"id" IN (CAST(1 AS BIGINT), CAST(2 AS BIGINT))`],
    [{ v: { lt: 1.5 }, name: { ne: "it's" } }, `("v" < CAST('1.5' AS DOUBLE)) AND ("name" != 'it''s')`],
    ["length(name) = 3", "CAST(((length"],
    ["d = 12.5 and t >= '2024-01-31T00:00:00Z'", `("d" = CAST('12.50' AS DECIMAL(10, 2)))`],
  ])("has the condition %s as SQL", async (where, sql) => {
    const at = folder();
    const file = await write(join(at, "a.csv"), HEADER + csvLines(0, 10));
    const schema = { ...SCHEMA, d: "decimal(10,2)", t: "timestamp" } as const;
    const config = await configOf(at, [file], { schema, where: where as never });
    expect(config.where).toContain(sql);
  });
});

describe("a job for Spark", () => {
  const config = { job: "j" } as SparkConfig;
  /** A program in the place of spark-submit that prints this and ends. */
  const program = async (lines: readonly object[], exitCode: number) => {
    const text = lines.map((line) => `echo '${JSON.stringify(line)}'\n`).join("");
    const path = await write(join(folder(), "submit"), `#!/bin/sh\necho noise\n${text}exit ${exitCode}\n`);
    await chmod(path, 0o755);
    return path;
  };

  it("is written with all that it needs", async () => {
    const at = folder();
    const args = await writeSparkJob(at, config);
    const shipped = await readdir(new URL("../../../src/load/spark/job/", import.meta.url));
    const scripts = shipped.filter((name) => name.endsWith(".py"));
    expect((await readdir(at)).toSorted()).toEqual(["config.json", ...scripts].toSorted());
    expect(JSON.parse(await readFile(join(at, "config.json"), "utf8"))).toEqual(config);
    expect(args.slice(-2)).toEqual([join(at, "delta_load_job.py"), join(at, "config.json")]);
  });

  it("gives what it tells at its end, and its commits", async () => {
    const told: unknown[] = [];
    const submit = await program(
      [
        { event: "commit", version: 1 },
        { event: "done", job: "j", version: 2 },
      ],
      0,
    );
    const result = await runOnSpark(config, { program: submit, onCommit: (one) => told.push(one) });
    expect([result, told]).toEqual([{ job: "j", version: 2 }, [{ event: "commit", version: 1 }]]);
  });

  it("fails with its own code, or as the engine", async () => {
    const changed = await program([{ event: "error", code: "DELTA_LOAD_SOURCE_CHANGED", message: "m" }], 1);
    await expectCode("DELTA_LOAD_SOURCE_CHANGED", () => runOnSpark(config, { program: changed }));
    const killed = await program([{ event: "commit", version: 1 }], 137);
    await expectCode("DELTA_ENGINE_FAILED", () => runOnSpark(config, { program: killed }));
    const missing = { program: join(folder(), "none") };
    await expectCode("DELTA_MISSING_DEPENDENCY", () => runOnSpark(config, missing));
  });
});

it("what a killed run on Spark left in the job's folder goes after seven days", async () => {
  const at = folder();
  const file = await write(join(at, "src/a.csv"), HEADER + csvLines(0, 10));
  const table = Table.open(join(at, "t"));
  const { job } = await table.load(join(at, "src"), { schema: SCHEMA });
  const left = (name: string) => join(at, "t/_delta_log/_loads", job, name);
  const week = 7 * 24 * 3600;
  for (const [name, ageS] of [
    ["00000000000aa.json", week + 60] as const,
    ["00000000000bb.json", week - 3600] as const,
  ]) {
    await write(left(name), "{}");
    const time = Date.now() / 1000 - ageS;
    await utimes(left(name), time, time);
  }
  await write(file, HEADER + csvLines(0, 10) + csvLines(20, 30));
  expect(await table.load(join(at, "src"), { schema: SCHEMA })).toMatchObject({ rowsRead: 10 });
  expect([existsSync(left("00000000000aa.json")), existsSync(left("00000000000bb.json"))]).toEqual([false, true]);
});
