// npm run bench -- [--workload NAME] [--peer NAME] [--rounds N] [--quick]
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installNode, installPython } from "../test/interop/environment.js";
import { dataFolder, project } from "./folders.js";
import { machine } from "./machine.js";
import { runWorkload } from "./measure.js";
import { barChart } from "./plot.js";
import { markdown, type Results } from "./report.js";
import type { Setting, Workload } from "./workload.js";
import { append } from "./workloads/append.js";
import { bulk } from "./workloads/bulk.js";
import { deleteRows, mergeRows, updateRows } from "./workloads/change.js";
import {
  checkpoint1m,
  checkpoint300k,
  partition1m,
  partition300k,
  replay,
  replayAtVersion,
  statistics1m,
  statistics300k,
} from "./workloads/listFiles.js";
import { load } from "./workloads/load.js";
import { checkpointCommits, checkpointFiles, compact, vacuum } from "./workloads/maintain.js";
import { scanAll, scanColumn, scanFilter, scanSum } from "./workloads/scan.js";
import { start } from "./workloads/start.js";
import { writers } from "./workloads/writers.js";

const WORKLOADS: Record<string, (setting: Setting) => Promise<Workload>> = {
  append,
  bulk,
  writers,
  replay,
  "replay-at-version": replayAtVersion,
  "checkpoint-300k": checkpoint300k,
  "checkpoint-1m": checkpoint1m,
  "checkpoint-300k-partition": partition300k,
  "checkpoint-1m-partition": partition1m,
  "checkpoint-300k-statistics": statistics300k,
  "checkpoint-1m-statistics": statistics1m,
  "scan-all": scanAll,
  "scan-sum": scanSum,
  "scan-filter": scanFilter,
  "scan-column": scanColumn,
  delete: deleteRows,
  update: updateRows,
  merge: mergeRows,
  "checkpoint-commits": checkpointCommits,
  "checkpoint-files": checkpointFiles,
  compact,
  vacuum,
  start,
  load,
};

const { values } = parseArgs({
  options: {
    workload: { type: "string", multiple: true },
    peer: { type: "string", multiple: true },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const names = values.workload ?? Object.keys(WORKLOADS);
const unknown = names.filter((name) => WORKLOADS[name] === undefined);
if (unknown.length > 0)
  throw new Error(`no workload ${unknown.join(", ")}; there are ${Object.keys(WORKLOADS).join(", ")}`);

const setting: Setting = {
  python: await installPython(),
  node: () => installNode(join(project, "bench", "peers", "node")),
  quick: values.quick,
};
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
const scratch = await mkdtemp(join(tmpdir(), "delta-table-bench-"));
try {
  const workloads = [];
  for (const name of names) {
    workloads.push(await runWorkload(await WORKLOADS[name]!(setting), { rounds, scratch, peers: values.peer }));
  }
  const results: Results = { machine: await machine(setting.python), rounds, quick: values.quick, workloads };
  const text = markdown(results);
  console.log(text);
  await writeFile(join(dataFolder, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  const isWhole = !values.quick && rounds >= 5 && !values.workload && !values.peer;
  if (isWhole) {
    await writeFile(join(project, "bench", "RESULTS.md"), text);
    await mkdir(join(project, "bench", "plots"), { recursive: true });
    for (const { name, title, unit, figures } of workloads) {
      const bars = figures.map(({ contender, medianMs, minMs, maxMs }) => {
        const isOurs = contender.startsWith("delta-table");
        return { label: contender, value: medianMs, low: minMs, high: maxMs, isOurs };
      });
      await writeFile(join(project, "bench", "plots", `${name}.svg`), barChart(title, `ms per ${unit}`, bars));
    }
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
