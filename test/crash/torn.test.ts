import { afterAll, describe, expect, it } from "vitest";
import { isLong } from "../form.js";
import { explore, type Finding, NOTHING } from "./explore.js";
import { seeded } from "./random.js";
import { recordings, SCENARIO_NAMES } from "./scenarios.js";

const SEED = Number(process.env.CRASH_SEED ?? 1);
/** States of a moment that are looked at; where the rules allow no more, all are. */
const SAMPLE = isLong ? 96 : 32;
const DISK_EVERY = 32;

const tally = { ...NOTHING };

describe.skipIf(process.platform === "win32")(
  "every state that a power cut can leave reads as a prefix of the commits, with all that was acknowledged (not on Windows, which flushes no folders)",
  () => {
    it.each(SCENARIO_NAMES)("%s", async (name) => {
      const findings: Finding[] = [];
      for await (const recording of recordings({}, name)) {
        const found = explore(recording, tally, { random: seeded(SEED), sample: SAMPLE, diskEvery: DISK_EVERY });
        for await (const finding of found) findings.push(finding);
      }
      expect(findings).toEqual([]);
    });

    afterAll(() => {
      const { moments, allowed, states, inMemory, onDisk } = tally;
      console.log(
        `CRASH_SEED=${SEED}: ${moments} crashes, after which ${allowed} states are allowed; ${states} different ones checked, ` +
          `${inMemory} by the product in memory (the others equal one of these in all it looks at), ${onDisk} on disk.`,
      );
    });
  },
);
