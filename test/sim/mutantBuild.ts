import fs from "node:fs";
import path from "node:path";
import { MUTANTS } from "./mutants.js";

/**
 * Makes a copy of the compiled product and simulator below `root`'s `.cache`, with the bug in it (or none), and gives
 * the program to run. Throws where the bug's place isn't found exactly once.
 */
export function buildMutant(root: string, name: string | undefined): string {
  const folder = path.join(root, ".cache/mutants", name ?? "none");
  fs.rmSync(folder, { recursive: true, force: true });
  fs.cpSync(path.join(root, "dist"), path.join(folder, "dist"), { recursive: true });
  fs.cpSync(path.join(root, ".cache/build/test"), path.join(folder, "test"), { recursive: true });
  const manifest = { name: "mutant", type: "module", imports: { "#src/*": "./dist/*" } };
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest));
  if (name !== undefined) mutate(path.join(folder, "dist"), name);
  return path.join(folder, "test/sim/main.js");
}

function mutate(dist: string, name: string): void {
  const { file, from, to } = MUTANTS[name]!;
  const at = path.join(dist, file);
  const parts = fs.readFileSync(at, "utf8").split(from);
  if (parts.length !== 2)
    throw new Error(`The bug ${name} is outdated: ${file} has its place ${parts.length - 1} times.`);
  fs.writeFileSync(at, parts.join(to));
}
