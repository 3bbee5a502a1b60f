import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { DeltaError } from "#src/errors.js";
import { explore, type Finding, NOTHING } from "./explore.js";
import { MUTANTS, type Mutant } from "./mutants.js";
import { seeded } from "./random.js";
import { recordings } from "./scenarios.js";

/** The first crash that shows the bug; what the run itself says counts as well. */
async function firstFinding({ build, caughtBy }: Mutant): Promise<Finding | undefined> {
  try {
    for await (const recording of recordings(build, caughtBy)) {
      const findings = explore(
        recording,
        { ...NOTHING },
        { random: seeded(1), sample: 64, diskEvery: Number.POSITIVE_INFINITY },
      );
      for await (const finding of findings) return finding;
    }
  } catch (error) {
    if (!(error instanceof DeltaError)) throw error;
    return { scenario: caughtBy, moment: 0, state: "", violation: `the run fails: ${(error as Error).message}` };
  }
  return undefined;
}

describe.skipIf(process.platform === "win32")(
  "bugs that crashes show (not on Windows, which flushes no folders)",
  () => {
    it.each(MUTANTS)("$bug", async (mutant) => {
      const finding = await firstFinding(mutant);
      expect(finding?.violation).toMatch(mutant.shows);
    });
  },
);

it("spec/crash.md tells of each", () => {
  const rows = fs.readFileSync("spec/crash.md", "utf8").split("\n");
  expect(rows).toEqual(expect.arrayContaining(MUTANTS.map(({ bug, caughtBy }) => `| ${bug} | ${caughtBy} |`)));
});
