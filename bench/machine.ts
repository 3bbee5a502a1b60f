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

/** The Python packages that take part; Delta's version for Spark is that of its jars. */
const PYTHON_PEERS = ["deltalake", "polars", "pyarrow", "pyspark"];
/** The Node packages that take part, installed with the project's own. */
const NODE_PEERS = ["@duckdb/node-api", "hyparquet", "parquetjs-lite"];

export async function machine(python: string): Promise<Machine> {
  const { name, version } = await json(join(project, "package.json"));
  const peers = await capture(python, [
    "-c",
    "import importlib.metadata as m, json, sys;" +
      "print(json.dumps({'python': sys.version.split()[0]} | {name: m.version(name) for name in sys.argv[1:]}))",
    ...PYTHON_PEERS,
  ]);
  const ofNode = NODE_PEERS.map(async (peer) => {
    const { version } = await json(join(project, "node_modules", peer, "package.json"));
    return [peer, version] as const;
  });
  const { dependencies: lance } = await json(join(project, "bench", "peers", "node", "package.json"));
  const kernel = await readFile(join(project, "bench", "peers", "kernel", "Cargo.toml"), "utf8");
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    versions: {
      [name]: version,
      node: process.versions.node,
      ...JSON.parse(peers),
      delta_kernel: /^delta_kernel = .*?"=([^"]+)"/m.exec(kernel)?.[1] ?? "unknown",
      "@lancedb/lancedb": lance["@lancedb/lancedb"],
      ...Object.fromEntries(await Promise.all(ofNode)),
    },
  };
}

async function json(path: string) {
  return JSON.parse(await readFile(path, "utf8"));
}
