import { installJars } from "../../test/interop/environment.js";
import { pythonScript, script } from "../folders.js";
import { capture } from "../process.js";
import { rowTables } from "../rowTables.js";
import type { Contender, Setting, Workload } from "../workload.js";

/** One row of a hundred goes. */
export const deleteRows = (setting: Setting): Promise<Workload> =>
  change(setting, "delete", "delete 1 % of the rows, scattered", 0.1);

/** One row of a hundred gets another value. */
export const updateRows = (setting: Setting): Promise<Workload> =>
  change(setting, "update", "update 1 % of the rows, scattered", 0.3);

/** Rows are merged, half of them of ids that are there. */
export const mergeRows = (setting: Setting): Promise<Workload> =>
  change(setting, "merge", "merge 1 % as many rows, half of which match", 0.3);

async function change(setting: Setting, what: string, title: string, withVectors: number): Promise<Workload> {
  const { python, quick } = setting;
  const { rows, delta, lance } = await rowTables(setting);
  const args = ["{scratch}/table", what, String(rows)];
  const ours = (how: string) => ({
    name: `delta-table, ${how}`,
    peer: "delta-table" as const,
    command: [process.execPath, script("contenders/change"), delta, ...args, how] as const,
  });
  // A minute each, of which a second is the change.
  const spark: readonly Contender[] = quick
    ? []
    : [
        {
          name: "Spark, vectors",
          peer: "spark",
          command: [python, pythonScript("change"), "spark", delta, ...args, await installJars()],
        },
      ];
  const target = (how: string, atMost: number) => ({
    text: `the time by ${how}, against delta-rs (which copies)`,
    contender: `delta-table, ${how}`,
    measure: "time" as const,
    relativeTo: ["delta-rs"],
    atMost,
  });
  return {
    name: what,
    title: `${title}: ${rows} rows x 6 columns in ten files`,
    units: 1,
    unit: "run",
    contenders: [
      ours("copies"),
      ours("vectors"),
      { name: "delta-rs", peer: "delta-rs", command: [python, pythonScript("change"), "delta-rs", delta, ...args] },
      ...spark,
      {
        name: "lancedb",
        peer: "lancedb",
        command: [process.execPath, script("contenders/lanceChange"), lance, ...args],
      },
    ],
    targets: [target("copies", 0.6), target("vectors", withVectors)],
    readBack: async (scratch) => JSON.parse(await capture(python, [pythonScript("read_changed"), `${scratch}/table`])),
  };
}
