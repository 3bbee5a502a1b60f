import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { project } from "./folders.js";
import { capture } from "./process.js";

const source = join(project, "bench", "peers", "kernel");
const folder = join(project, ".cache", "interop", "kernel");
const FILES = ["Cargo.toml", "Cargo.lock", join("src", "main.rs")];

/** Builds delta-kernel-rs's program once, with cargo, into a folder that git ignores; gives the program. */
export async function installKernel(): Promise<string> {
  const program = join(folder, "target", "release", "kernel_peer");
  const hash = createHash("sha256");
  for (const file of FILES) hash.update(await readFile(join(source, file)));
  const wanted = hash.digest("hex");
  const stamp = join(folder, "installed");
  if (existsSync(program) && existsSync(stamp) && (await readFile(stamp, "utf8")) === wanted) return program;
  await mkdir(join(folder, "src"), { recursive: true });
  for (const file of FILES) await copyFile(join(source, file), join(folder, file));
  await capture("cargo", ["build", "--release", "--locked", "--quiet", "--manifest-path", join(folder, "Cargo.toml")]);
  await writeFile(stamp, wanted);
  return program;
}
