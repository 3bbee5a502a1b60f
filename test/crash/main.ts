// Kills processes until as many have died as asked for: npm run crash -- --kills 1000 [--seed N]
import os from "node:os";
import { parseArgs } from "node:util";
import { killProcesses, reportOf } from "./kills.js";

const { values } = parseArgs({ options: { kills: { type: "string", default: "1000" }, seed: { type: "string" } } });
const seed = values.seed === undefined ? Date.now() % 2 ** 32 : Number(values.seed);
console.log(`Seed ${seed}`);
const started = performance.now();
const tally = await killProcesses({
  kills: Number(values.kills),
  seed,
  lanes: Math.max(2, os.availableParallelism() - 1),
  onProgress: (killed) => {
    if (killed % 50 === 0) console.log(`${killed} killed, ${Math.round((performance.now() - started) / 1000)} s`);
  },
});
console.log(reportOf(tally));
