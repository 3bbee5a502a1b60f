import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder, wherever the compiled script lies below it. */
export const project = (() => {
  let folder = fileURLToPath(new URL(".", import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = join(folder, "..");
  return folder;
})();

/** Generated tables: made once by seed, kept between runs. */
export const dataFolder = join(project, ".cache", "bench");

/** A compiled script of bench/. */
export const script = (name: string): string => join(project, ".cache", "build", "bench", `${name}.js`);

/** A peer's script in Python. */
export const pythonScript = (name: string): string => join(project, "bench", "peers", `${name}.py`);
