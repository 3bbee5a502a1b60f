import { expect, it } from "vitest";
import { killProcesses, reportOf } from "./kills.js";
import { nameOf, POINTS } from "./points.js";

const KILLS = 100;

it.skipIf(process.platform === "win32")(
  `survives ${KILLS} kills of appending and checkpointing processes, at every named point and at times by chance (not on Windows, which has no SIGKILL)`,
  async () => {
    const seed = Number(process.env.CRASH_SEED ?? 1);
    console.log(`CRASH_SEED=${seed}`);
    const tally = await killProcesses({ kills: KILLS, seed, lanes: 2 });
    console.log(reportOf(tally));
    expect([...tally.kills.values()].reduce((sum, count) => sum + count, 0)).toBe(KILLS);
    expect([...tally.kills.keys()].sort()).toEqual([...POINTS, undefined].map(nameOf).sort());
  },
);
