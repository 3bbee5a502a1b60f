import { script } from "../folders.js";
import type { Contender, Setting, Workload } from "../workload.js";

const WRITERS = 8;

/** Several processes append to one table. */
export async function writers({ python, node, quick }: Setting): Promise<Workload> {
  await node();
  const appends = quick ? 3 : 50;
  const contender = (engine: "delta-table" | "delta-rs" | "lancedb"): Contender => ({
    name: engine,
    peer: engine,
    command: [
      process.execPath,
      script("contenders/writers"),
      engine,
      "{scratch}/table",
      String(WRITERS),
      String(appends),
      python,
    ],
  });
  return {
    name: "writers",
    title: `${WRITERS} processes, each with ${appends} appends of 10 rows to one table (delta-table flushes each, the others none)`,
    units: WRITERS * appends,
    unit: "commit",
    contenders: [contender("delta-table"), contender("delta-rs"), contender("lancedb")],
    targets: [
      {
        text: "the time of a commit, against LanceDB (1.5 times its commits a second)",
        contender: "delta-table",
        measure: "time",
        relativeTo: ["lancedb"],
        atMost: 1 / 1.5,
      },
    ],
  };
}
