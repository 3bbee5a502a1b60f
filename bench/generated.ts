import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { dataFolder } from "./folders.js";

/**
 * The folder of generated data, made anew when a generator's text changes; made under another name first, so that a broken-off run
 * leaves none.
 */
export async function generated(
  name: string,
  generators: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  for (const generator of generators) hash.update(await readFile(generator));
  const folder = join(dataFolder, `${name}-${hash.digest("hex").slice(0, 8)}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(dataFolder, { recursive: true });
  await make(unfinished);
  await rename(unfinished, folder);
  return folder;
}
