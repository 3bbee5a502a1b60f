import { pythonScript, script } from "../folders.js";
import { capture } from "../process.js";
import type { Contender, Setting, Workload } from "../workload.js";

/** Small appends to one table: what a commit costs. */
export async function append({ python, quick }: Setting): Promise<Workload> {
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
      floor("fsync"),
      floor("no-fsync"),
    ],
    targets: [
      {
        text: "a durable append on an open handle, against delta-rs on an open handle (which doesn't sync)",
        contender: "delta-table, open, fsync",
        measure: "time",
        relativeTo: ["delta-rs, open", "delta-rs, reopened"],
        atMost: 0.25,
      },
    ],
    readBack: async (scratch) => JSON.parse(await capture(python, [pythonScript("read_back"), `${scratch}/table`])),
  };
}
