import { pythonScript, script } from "../folders.js";
import { capture } from "../process.js";
import type { Contender, Setting, Target, Workload } from "../workload.js";

/** Small appends to one table: what a commit costs. */
export async function append({ python, node, quick }: Setting): Promise<Workload> {
  await node();
  const appends = quick ? 20 : 200;
  const table = ["{scratch}/table", String(appends)];
  const ours = (how: string, sync: string): Contender => ({
    name: `delta-table, ${how}, ${sync}`,
    peer: "delta-table",
    command: [process.execPath, script("contenders/append"), ...table, how, sync],
  });
  const theirs = (how: string): Contender => ({
    name: `delta-rs, ${how}`,
    peer: "delta-rs",
    command: [python, pythonScript("append"), ...table, how],
  });
  const lance = (how: string): Contender => ({
    name: `lancedb, ${how}`,
    peer: "lancedb",
    command: [process.execPath, script("contenders/lanceAppend"), ...table, how],
  });
  const floor = (sync: string): Contender => ({
    name: `plain writes, ${sync}`,
    peer: "floor",
    command: [process.execPath, script("contenders/plainWrites"), ...table, sync],
  });
  return {
    name: "append",
    title: `${appends} appends of 100 rows x 6 columns, each with the table's default settings`,
    units: appends,
    unit: "commit",
    contenders: [
      ours("open", "fsync"),
      ours("reopened", "fsync"),
      ours("open", "no-fsync"),
      ours("reopened", "no-fsync"),
      theirs("open"),
      theirs("reopened"),
      lance("open"),
      lance("reopened"),
      floor("fsync"),
      floor("no-fsync"),
    ],
    targets: [
      ...["open", "reopened"].flatMap((how) => [
        against(how, "delta-rs", 0.15),
        against(how, "lancedb", 0.6),
        {
          text: `the 99th percentile of a durable append, ${how}, over the median`,
          contender: `delta-table, ${how}, fsync`,
          measure: "tail" as const,
          atMost: 4,
        },
      ]),
    ],
    readBack: async (scratch) => JSON.parse(await capture(python, [pythonScript("read_back"), `${scratch}/table`])),
  };
}

function against(how: string, peer: string, atMost: number): Target {
  return {
    text: `a durable append, ${how}, against ${peer}, ${how}, which flushes nothing`,
    contender: `delta-table, ${how}, fsync`,
    measure: "time",
    relativeTo: [`${peer}, ${how}`],
    atMost,
  };
}
