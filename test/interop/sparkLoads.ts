import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { Table } from "#src/index.js";
import type { LoadOptions, LoadProgress } from "#src/load/loadOptions.js";
import { sparkConfig } from "#src/load/spark/sparkConfig.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { openStore } from "#src/storage/open.js";
import { CREDENTIALS } from "../servers/s3Server.js";
import { installJars, installPython, peersFolder, scratchFolder } from "./environment.js";
import { Peer } from "./peer.js";

const MODULES = fileURLToPath(new URL("../../src/load/spark/job/", import.meta.url));

const COMMAND = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** For all S3 servers of the tests. */
const KEYS = { AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId, AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey };

let started: Promise<Peer> | undefined;

/** A Spark with two executors, started at first use; it ends with this process. */
function sparkForLoads(): Promise<Peer> {
  started ??= Promise.all([installPython(), installJars()]).then(
    ([python, jars]) => new Peer(python, [join(peersFolder, "spark_load_peer.py"), jars, scratchFolder, MODULES], KEYS),
  );
  return started;
}

/** What keeps a run on Spark from coming to its end. */
interface Crash {
  /** It ends between the batch's commit and its letters'. */
  readonly crash?: "letters";
  /** It ends after so many commits, without tidying up. */
  readonly batches?: number;
  /** It waits, its batch staged, until there is a file `committed` in this folder, where it makes `staged`. */
  readonly meanwhile?: string;
  /** It ends before or after so many of the things that it does to the tables, and does nothing after that. */
  readonly kill?: { readonly at: number; readonly isAfter: boolean };
}

type Told = Readonly<Record<string, unknown>>;

/** Loads on Spark; the last that the job tells. */
export async function loadOnSpark(
  source: string | readonly string[],
  target: string,
  options: LoadOptions<object> = {},
  crash: Crash = {},
): Promise<Told> {
  const operands = typeof source === "string" ? [source] : source;
  const store = openStore(target, options.storage ?? {});
  await using _ = store;
  const config = await sparkConfig(new DeltaLog(store), operands, options);
  const told = await (await sparkForLoads()).request<Told[]>("load", { config, ...crash });
  return told.at(-1)!;
}

/** Loads here, up to so many batches. */
export async function loadHere(
  source: string,
  target: string,
  batches: number,
  options: LoadOptions<object>,
): Promise<void> {
  const stop = new AbortController();
  let left = batches;
  const onProgress = ({ isCommitted }: LoadProgress) => isCommitted && --left === 0 && stop.abort();
  await using table = Table.open(target, options.storage);
  const load = table.load(source, { ...options, signal: stop.signal, onProgress });
  await load.catch((error: unknown) => expect(error).toMatchObject({ code: "DELTA_ABORTED" }));
}

interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly batchBytes: number;
  /** All of its processes are killed so long after the first commit. */
  readonly killedMs?: number;
}

/** Loads rows of the fixture with the command, on a Spark of its own; gives the last that it tells. */
export async function loadByCommand(
  source: string,
  target: string,
  { env = {}, batchBytes, killedMs }: CommandOptions,
): Promise<unknown> {
  const [python, jars] = [await installPython(), await installJars()];
  const conf = {
    "spark.master": "local[1]",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "spark.ui.enabled": "false",
    "spark.local.dir": scratchFolder,
    "spark.sql.warehouse.dir": scratchFolder,
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.jars": (await readdir(jars)).map((name) => join(jars, name)).join(","),
  };
  const given = Object.entries(conf).flatMap(([key, value]) => ["--spark-conf", `${key}=${value}`]);
  const args = [COMMAND, "load", source, target, "--json", "--batch-size", String(batchBytes)];
  args.push("--schema", "id long, name string, v double", "--engine", "spark");
  const child = spawn(process.execPath, [...args, "--spark-submit", join(dirname(python), "spark-submit"), ...given], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PYSPARK_PYTHON: python, ...env, SPARK_LOCAL_IP: "127.0.0.1" },
  });
  let [stdout, stderr] = ["", ""];
  let killing: NodeJS.Timeout | undefined;
  child.stderr.on("data", (text) => (stderr += text));
  child.stdout.on("data", (text) => {
    stdout += text;
    if (killedMs === undefined || !stdout.includes('"event":"commit"')) return;
    killing ??= setTimeout(() => process.kill(-child.pid!, "SIGKILL"), killedMs);
  });
  await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(killing);
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  expect(lines, stderr.slice(-3000)).not.toEqual([]);
  return JSON.parse(lines.at(-1)!);
}

/** All that a load of the source without an interruption gives: the rows, which have an `id`, and the letters. */
export async function contentOf(target: string, options: LoadOptions<object> = {}): Promise<unknown[]> {
  await using table = Table.open(target, options.storage);
  const rows = (await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id));
  const columns = ["job", "file", "byte_offset", "line", "record", "column", "code", "raw", "parser"];
  await using dead = Table.open(`${target}/_dead_letters`, options.storage);
  const letters = await dead.toArray({ columns });
  return [rows, letters.map((letter) => JSON.stringify(letter, (_, value) => String(value))).sort()];
}

interface PlannedBatch {
  readonly plan: { readonly ranges: readonly { readonly from: number; readonly to: number }[] };
  readonly letters: readonly Told[];
  readonly filtered: number;
}

/** Has the job's Python plan and read all batches, without Spark, the rows into a table at `target`. */
export async function readByJob(
  source: string | readonly string[],
  target: string,
  options: LoadOptions<object>,
  env: Readonly<Record<string, string>> = {},
): Promise<PlannedBatch[]> {
  const operands = typeof source === "string" ? [source] : source;
  const config = await sparkConfig(new DeltaLog(openStore(target, {})), operands, options);
  const folder = await mkdtemp(join(tmpdir(), "delta-load-plan-"));
  try {
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    return await (await plannerPeer()).request<PlannedBatch[]>("plan", { config, target, folder, env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

let planner: Promise<Peer> | undefined;

function plannerPeer(): Promise<Peer> {
  planner ??= installPython().then((python) => new Peer(python, [join(peersFolder, "load_plan_peer.py"), MODULES]));
  return planner;
}
