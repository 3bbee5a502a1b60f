import path from "node:path";
import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { isLong } from "../form.js";
import { daysLater, judgeChange } from "./changeJudge.js";
import { CHANGE_SCENARIOS, type ChangeScenario, CLONE, rowsOf } from "./changeScenarios.js";
import { seeded } from "./random.js";
import { Disk } from "./states.js";
import { type Recording, record, TABLE, type World } from "./world.js";

const SEED = Number(process.env.CRASH_SEED ?? 1);
/** States of a moment that are looked at; where the rules allow no more, all are. */
const SAMPLE = isLong ? 64 : 6;

type Row = { id: bigint; part: string; n: number };

function recorded(scenario: ChangeScenario): Promise<Recording> {
  const { name, properties = {} } = scenario;
  const opener = (world: World) => (of: string) =>
    Table.open<Row>(path.join(world.root, of), { dataRoots: [path.join(world.root, TABLE)] });
  return record({
    name,
    before: async (world) => {
      const table = opener(world)(TABLE);
      await table.create({ schema: { id: "long", part: "string", n: "double" }, properties });
      await table.append(rowsOf(0, 1, 2));
      await table.append(rowsOf(3, 4, 5));
      await scenario.before?.(table, world);
    },
    run: async (world) => {
      const setRight = daysLater(scenario.days);
      await world.process(async () => {
        const open = opener(world);
        await scenario.change(open(TABLE), open);
        world.acknowledge("done");
      });
      setRight();
    },
  });
}

describe.skipIf(process.platform === "win32")(
  "a change of a table is done or not, whatever a power cut leaves of it, and can be done again (not on Windows, which flushes no folders)",
  () => {
    it.each(CHANGE_SCENARIOS)("$name", async (scenario) => {
      const { trace, root } = await recorded(scenario);
      const disk = new Disk(trace);
      const random = seeded(SEED);
      const seen = new Set<string>();
      const violations: string[] = [];
      for (let moment = 0; moment <= trace.calls.length; moment++) {
        const isAcknowledged = disk.acknowledged(moment).length > 0;
        for (const image of disk.outcomes(moment, SAMPLE, random).images) {
          const key = `${isAcknowledged} ${image.key}`;
          if (seen.has(key)) continue;
          seen.add(key);
          const violation = await judgeChange(scenario, image, { root, isAcknowledged });
          if (violation !== undefined) violations.push(`after ${moment} calls: ${violation}\n  ${image.key}`);
        }
      }
      console.log(`${seen.size} states: ${scenario.name}`);
      expect(violations).toEqual([]);
    });
  },
);

it("has a table to clone to beside the one that is cloned", () => {
  expect(path.dirname(CLONE)).toBe(path.dirname(TABLE));
});
