// Kills processes until as many have died as asked for: npm run crash -- --kills 1000 [--seed N]; --load-kills 1000 instead kills loads,
// so many of each source's.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { flightLines } from "../load/flights.js";
import { killProcesses, reportOf } from "./kills.js";
import { KILLED_SOURCES, killLoads, loadReportOf } from "./loadKills.js";
import { seeded } from "./random.js";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    "load-kills": { type: "string" },
    seed: { type: "string" },
  },
});
const seed = values.seed === undefined ? Date.now() % 2 ** 32 : Number(values.seed);
const lanes = Math.max(2, os.availableParallelism() - 1);
console.log(`Seed ${seed}`);
if (values["load-kills"] === undefined) await killAppends(Number(values.kills));
else await killAllLoads(Number(values["load-kills"]));

async function killAppends(kills: number): Promise<void> {
  const started = performance.now();
  const onProgress = (killed: number) => {
    if (killed % 50 === 0) console.log(`${killed} killed, ${Math.round((performance.now() - started) / 1000)} s`);
  };
  console.log(reportOf(await killProcesses({ kills, seed, lanes, onProgress })));
}

async function killAllLoads(kills: number): Promise<void> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "delta-load-kills-"));
  const lines = await flightLines(150_000);
  for (const [n, source] of KILLED_SOURCES.entries()) {
    const tally = await killLoads(path.join(root, String(n)), source, lines, {
      kills,
      lanes,
      random: seeded(seed + n),
    });
    console.log(`${source.name}: ${loadReportOf(tally)}`);
    for (const problem of tally.problems) console.log(`PROBLEM: ${problem}`);
    if (tally.problems.length > 0) process.exitCode = 1;
  }
  fs.rmSync(root, { recursive: true, force: true });
}
