import { readFile } from "node:fs/promises";
import { cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { project } from "./folders.js";
import { capture } from "./process.js";

/** What the figures were measured on and with. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
}

export async function machine(python: string): Promise<Machine> {
  const { name, version } = JSON.parse(await readFile(join(project, "package.json"), "utf8"));
  const peers = await capture(python, [
    "-c",
    "import json, sys, deltalake, pyarrow;" +
      "print(json.dumps({'python': sys.version.split()[0], 'delta-rs (deltalake)': deltalake.__version__, 'pyarrow': pyarrow.__version__}))",
  ]);
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    versions: { [name]: version, node: process.versions.node, ...JSON.parse(peers) },
  };
}
