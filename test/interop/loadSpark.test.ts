import { spawn } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { type LoadProgress, Table } from "#src/index.js";
import { csvLines, deadIdsOf, HEADER, idsOf, isBad, range, SCHEMA } from "../load/loadFixture.js";
import { installJars, installPython, scratchFolder } from "./environment.js";

const root = await mkdtemp(join(tmpdir(), "delta-load-spark-"));
afterAll(() => rm(root, { recursive: true, force: true }));
const python = await installPython();
const jars = await installJars();
const command = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

const BATCH_BYTES = 12_000;
const SCHEMA_GIVEN = ["--schema", "id long, name string, v double"];
/** Two executors, each a process of its own. */
const CONF = {
  "spark.master": "local-cluster[2,1,768]",
  "spark.executor.memory": "768m",
  "spark.driver.memory": "1g",
  "spark.driver.host": "127.0.0.1",
  "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
  "spark.executor.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
  "spark.ui.enabled": "false",
  "spark.local.dir": scratchFolder,
  "spark.sql.warehouse.dir": scratchFolder,
  "spark.sql.shuffle.partitions": "2",
  "spark.databricks.delta.snapshotPartitions": "2",
};

/** Loads on Spark; where it is to be killed, when the table has a version beyond the one it has now. */
async function loadOnSpark(source: string, target: string, isKilled = false): Promise<Record<string, unknown>> {
  const jar = (await readdir(jars)).map((name) => join(jars, name)).join(",");
  const conf = Object.entries({ ...CONF, "spark.jars": jar }).flatMap(([key, value]) => [
    "--spark-conf",
    `${key}=${value}`,
  ]);
  const submit = ["--engine", "spark", "--spark-submit", join(dirname(python), "spark-submit"), ...conf];
  const args = [
    command,
    "load",
    source,
    target,
    "--json",
    "--batch-size",
    String(BATCH_BYTES),
    ...SCHEMA_GIVEN,
    ...submit,
  ];
  const before = await commitsOf(target);
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PYSPARK_PYTHON: python, SPARK_LOCAL_IP: "127.0.0.1" },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => (stdout += text));
  child.stderr.on("data", (text) => (stderr += text));
  let isDone = false;
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  void ended.then(() => (isDone = true));
  while (isKilled && !isDone) {
    // The first commit of a new table creates it only.
    if ((await commitsOf(target)) > Math.max(before, 1)) process.kill(-child.pid!, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await ended;
  const told = stdout.split("\n").filter((line) => line.startsWith("{"));
  const last = told.map((line) => JSON.parse(line)).at(-1) ?? {};
  expect(last.event, stderr.slice(-3000)).toBe(isKilled ? undefined : "done");
  return last;
}

async function commitsOf(target: string): Promise<number> {
  const names = await readdir(join(target, "_delta_log")).catch(() => []);
  return names.filter((name) => /^\d{20}\.json$/.test(name)).length;
}

/** Loads here, up to so many batches. */
async function loadHere(source: string, target: string, batches = Number.POSITIVE_INFINITY): Promise<void> {
  const stop = new AbortController();
  let left = batches;
  const onProgress = ({ isCommitted }: LoadProgress) => isCommitted && --left === 0 && stop.abort();
  const options = { schema: SCHEMA, batchBytes: BATCH_BYTES, signal: stop.signal, onProgress };
  await Table.open(target)
    .load(source, options)
    .catch((error: unknown) => expect(error).toMatchObject({ code: "DELTA_ABORTED" }));
}

/** All that a load of the source without an interruption gives. */
async function contentOf(target: string): Promise<unknown[]> {
  const rows = (await Table.open(target).toArray()).sort((a, b) => Number(a.id) - Number(b.id));
  const letters = await Table.open(join(target, "_dead_letters")).toArray({
    columns: ["job", "file", "byte_offset", "line", "record", "column", "code", "reason", "raw", "parser"],
  });
  const at = (letter: object) => Number((letter as { record: bigint }).record);
  return [rows, letters.sort((a, b) => at(a) - at(b))];
}

const good = (to: number) => range(0, to).filter((id) => !isBad(id));

test("a load begun here goes on on Spark, whoever is killed, and is finished here", async () => {
  const source = join(root, "source");
  await mkdir(source);
  await writeFile(join(source, "a.csv"), HEADER + csvLines(0, 3500) + "3500,too few\n3501,n,x\n");
  const target = join(root, "target");
  await loadHere(source, target, 1);
  const begun = (await idsOf(Table.open(target))).length;
  await loadOnSpark(source, target, true);
  const killed = (await idsOf(Table.open(target))).length;
  expect(killed).toBeGreaterThan(begun);
  expect(killed).toBeLessThan(good(3500).length);
  await loadHere(source, target, 1);
  const { rowsRead, isUpToDate } = await loadOnSpark(source, target);
  expect([isUpToDate, Number(rowsRead) > 0]).toEqual([false, true]);
  expect(await Table.open(target).load(source, { schema: SCHEMA })).toMatchObject({ isUpToDate: true });
  await appendFile(join(source, "a.csv"), csvLines(3502, 3800));
  expect(await Table.open(target).load(source, { schema: SCHEMA })).toMatchObject({ rowsRead: 298, filesDone: 1 });

  const undisturbed = join(root, "undisturbed");
  await Table.open(undisturbed).load(source, { schema: SCHEMA });
  expect(await contentOf(target)).toEqual(await contentOf(undisturbed));
  expect(await idsOf(Table.open(target))).toEqual(good(3800).filter((id) => id !== 3500 && id !== 3501));
});

test("a load begun on Spark, and killed there, is finished here", async () => {
  const source = join(root, "source2");
  await mkdir(source);
  await writeFile(join(source, "a.csv"), HEADER + csvLines(0, 2000));
  await writeFile(join(source, "b.csv"), `v,id\r\n1.5,2000\r\n\r\nx,2001\r\n`);
  const target = join(root, "target2");
  await loadOnSpark(source, target, true);
  const killed = (await idsOf(Table.open(target))).length;
  expect(killed).toBeGreaterThan(0);
  await loadHere(source, target);
  expect(await idsOf(Table.open(target))).toEqual([...good(2000), 2000]);
  expect(await deadIdsOf(join(target, "_dead_letters"))).toHaveLength(range(0, 2000).filter(isBad).length + 1);
});
