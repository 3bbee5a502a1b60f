import { pythonScript, script } from "../folders.js";
import { generated } from "../generated.js";
import { capture } from "../process.js";
import type { Setting, Workload } from "../workload.js";

/** A whole process: what a command line or a function in the cloud waits for. */
export async function start({ python, node }: Setting): Promise<Workload> {
  await node();
  const scripts = ["make_rows", "rows"].map(pythonScript);
  const delta = await generated("small", scripts, async (folder) => {
    await capture(python, [pythonScript("make_rows"), folder, "1000", "5"]);
  });
  const lance = await generated("small-lance", [...scripts, script("contenders/makeLance")], async (folder) => {
    await capture(process.execPath, [script("contenders/makeLance"), delta, folder]);
  });
  return {
    name: "start",
    title: "a whole process that opens a table of five files and prints its count",
    units: 1,
    unit: "process",
    wholeProcess: true,
    contenders: [
      { name: "delta-table", peer: "delta-table", command: [process.execPath, script("contenders/start"), delta] },
      { name: "bare node", peer: "floor", command: [process.execPath, "-e", "0"] },
      { name: "delta-rs", peer: "delta-rs", command: [python, pythonScript("start"), "delta-rs", delta] },
      { name: "polars", peer: "polars", command: [python, pythonScript("start"), "polars", delta] },
      { name: "lancedb", peer: "lancedb", command: [process.execPath, script("contenders/lanceStart"), lance] },
    ],
    targets: [
      {
        text: "the time of the process, against one of Node that does nothing",
        contender: "delta-table",
        measure: "time",
        relativeTo: ["bare node"],
        atMost: 2,
      },
    ],
  };
}
