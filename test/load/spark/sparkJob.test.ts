import { chmod, readdir, readFile } from "node:fs/promises";
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
    expect(config).toMatchObject({ table: join(at, "t"), sources: [file], newTable: null });
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

  it.each<[string, LoadOptions<object>]>([
    ["a condition", { where: "id > 1" }],
    ["more columns", { mergeSchema: true }],
    ["rescued values", { rescuedDataColumn: "rest" }],
    ["another begin", { restart: true }],
    ["another encoding", { encoding: "latin1" }],
    ["another format", { format: "jsonl" }],
    ["nested columns", { schema: { id: ["long"], name: "string", v: "double" } }],
  ])("refuses %s", async (_, options) => {
    const at = folder();
    const file = await write(join(at, "a.csv"), HEADER + csvLines(0, 10));
    await expectCode("DELTA_INVALID_ARGUMENT", () => configOf(at, [file], options));
  });

  it.each(["s3://bucket/a.csv", "-", "/tmp/*.csv"])("refuses the source %s", async (source) => {
    await expectCode("DELTA_INVALID_ARGUMENT", () => configOf(folder(), [source], { job: "j" }));
  });

  it("refuses files that aren't plain CSV", async () => {
    const at = folder();
    await write(join(at, "src/a.csv"), HEADER + csvLines(0, 10));
    await write(join(at, "src/b.jsonl"), "{}\n");
    await expectCode("DELTA_INVALID_ARGUMENT", () => configOf(at, [join(at, "src")]));
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
    expect((await readdir(at)).toSorted()).toEqual([
      "config.json",
      "delta_load_job.py",
      "delta_load_progress.py",
      "delta_load_records.py",
      "delta_load_source.py",
    ]);
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
