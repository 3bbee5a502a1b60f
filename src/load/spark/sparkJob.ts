import { spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DeltaError, type ErrorCode } from "../../errors.js";
import type { LoadResult } from "../loadOptions.js";
import type { SparkConfig } from "./sparkConfig.js";

/** The Python of the job, as the package has it. */
const SCRIPTS = new URL("../../../src/load/spark/job/", import.meta.url);
const MAIN = "delta_load_job.py";
const MODULES = [
  ...["bytes", "codecs", "columnar", "csv", "delta", "done", "files", "infer", "jsonl", "letters"],
  ...["open", "plan", "progress", "rows", "s3", "source", "values"],
].map((name) => `delta_load_${name}.py`);
const CONFIG = "config.json";

/** The codes of the job's own errors. */
const CODES = [
  "DELTA_CONCURRENT_TRANSACTION",
  "DELTA_INVALID_ARGUMENT",
  "DELTA_FILE_NOT_FOUND",
  "DELTA_INPUT_UNREADABLE",
  "DELTA_INTERNAL",
  "DELTA_LOAD_OPTIONS_CHANGED",
  "DELTA_LOAD_PROGRESS_LOST",
  "DELTA_LOAD_SOURCE_CHANGED",
  "DELTA_LOAD_TOO_MANY_BAD_RECORDS",
  "DELTA_MISSING_DEPENDENCY",
  "DELTA_SCHEMA_MISMATCH",
  "DELTA_TABLE_NOT_FOUND",
  "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE",
] as const satisfies readonly ErrorCode[];

/** How a job is given to Spark. */
export interface SparkSubmit {
  /** The program; default `spark-submit`. */
  readonly program?: string | undefined;
  readonly conf?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Gets what the job tells after each commit. */
  readonly onCommit?: (told: Readonly<Record<string, unknown>>) => void;
}

/** What a load on Spark did. */
export type SparkResult = Omit<LoadResult, "deadLetters" | "filesSkipped">;

/** Writes the job and its configuration to a folder; gives the arguments of `spark-submit` that run it there. */
export async function writeSparkJob(folder: string, config: SparkConfig): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  for (const name of [MAIN, ...MODULES]) await copyFile(fileURLToPath(new URL(name, SCRIPTS)), join(folder, name));
  await writeFile(join(folder, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
  return ["--py-files", MODULES.map((name) => join(folder, name)).join(","), join(folder, MAIN), join(folder, CONFIG)];
}

/**
 * Runs a load on Spark, to its end. Throws DELTA_MISSING_DEPENDENCY where there is no `spark-submit`, DELTA_ENGINE_FAILED where Spark ends
 * otherwise than well, DELTA_ABORTED, and what the job itself tells of with a code: what a load throws.
 */
export async function runOnSpark(config: SparkConfig, submit: SparkSubmit = {}): Promise<SparkResult> {
  const folder = await mkdtemp(join(tmpdir(), "delta-table-spark-"));
  try {
    return await run(await writeSparkJob(folder, config), submit);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(
  job: readonly string[],
  { program = "spark-submit", conf = {}, signal, onCommit }: SparkSubmit,
): Promise<SparkResult> {
  const settings = Object.entries(conf).flatMap(([name, value]) => ["--conf", `${name}=${value}`]);
  const child = spawn(program, [...settings, ...job], { stdio: ["ignore", "pipe", "inherit"] });
  const stop = () => child.kill("SIGTERM");
  signal?.addEventListener("abort", stop, { once: true });
  let last: Readonly<Record<string, unknown>> = {};
  createInterface({ input: child.stdout }).on("line", (line) => {
    const told = toldOf(line);
    if (told === undefined) return;
    last = told;
    if (told.event === "commit") onCommit?.(told);
  });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (cause) => reject(missing(program, cause)));
      child.once("close", resolve);
    });
    if (last.event === "done") {
      const { event: _, ...result } = last;
      return result as unknown as SparkResult;
    }
    if (signal?.aborted) {
      throw new DeltaError("DELTA_ABORTED", "The load on Spark was stopped. Load again to go on from there.", {});
    }
    const code = CODES.find((one) => last.event === "error" && one === last.code);
    if (code !== undefined) throw new DeltaError(code, String(last.message), {});
    const message = `${program} ended with exit code ${exitCode}. What it wrote tells why; what is committed stays, and the same load goes on from there.`;
    throw new DeltaError("DELTA_ENGINE_FAILED", message, { program, exitCode });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** A line that the job wrote; undefined for others'. */
function toldOf(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{"event":')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function missing(program: string, cause: Error): DeltaError {
  return new DeltaError(
    "DELTA_MISSING_DEPENDENCY",
    `${program} can't be started. Install Spark (pip install pyspark==4.0.1 pyarrow duckdb, and Java 17), or say where it is (--spark-submit PATH); --write-job FOLDER writes the job for another machine.`,
    { program },
    cause,
  );
}
