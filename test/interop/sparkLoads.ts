import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LoadOptions } from "#src/load/loadOptions.js";
import { sparkConfig } from "#src/load/spark/sparkConfig.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { openStore } from "#src/storage/open.js";
import { installJars, installPython, peersFolder, scratchFolder } from "./environment.js";
import { Peer } from "./peer.js";

const MODULES = fileURLToPath(new URL("../../src/load/spark/job/", import.meta.url));

let started: Promise<Peer> | undefined;

/** A Spark with two executors, started at first use; it ends with this process. */
function sparkForLoads(): Promise<Peer> {
  started ??= Promise.all([installPython(), installJars()]).then(
    ([python, jars]) => new Peer(python, [join(peersFolder, "spark_load_peer.py"), jars, scratchFolder, MODULES]),
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
  const config = await sparkConfig(new DeltaLog(openStore(target, {})), operands, options);
  const told = await (await sparkForLoads()).request<Told[]>("load", { config, ...crash });
  return told.at(-1)!;
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
