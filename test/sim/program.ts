import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildMutant } from "./mutantBuild.js";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

let isCompiled = false;

/** Runs the simulator as a program of its own, with a bug in the product or none: its exit code and what it prints. */
export async function simulate(
  mutant: string | undefined,
  ...options: readonly string[]
): Promise<{ readonly code: number; readonly output: string }> {
  if (!isCompiled) compile();
  const program = spawn(process.execPath, [programOf(mutant), ...options], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [program.stdout, program.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const [code] = await once(program, "close");
  return { code, output };
}

const programs = new Map<string | undefined, string>();

function programOf(mutant: string | undefined): string {
  let program = programs.get(mutant);
  if (program === undefined) {
    program = buildMutant(root, mutant);
    programs.set(mutant, program);
  }
  return program;
}

function compile(): void {
  const tsc = path.join(root, "node_modules/.bin/tsc");
  const { status, stdout } = spawnSync(tsc, ["-p", path.join(root, "test/sim/tsconfig.json")], { encoding: "utf8" });
  if (status !== 0) throw new Error(stdout);
  isCompiled = true;
}
