import { pythonScript, script } from "../folders.js";
import { generated } from "../generated.js";
import { capture } from "../process.js";
import type { Setting, Workload } from "../workload.js";

/** A row in Arrow's columns: two of 8 bytes and one of 8, a bit, two texts with their offsets. */
const ARROW_BYTES = 8 + 8 + 8 + 1 / 8 + (7 + 4) + (1 + 4);

/** One append of many rows to a new table. */
export async function bulk({ python, node, quick }: Setting): Promise<Workload> {
  await node();
  const count = quick ? 10_000 : 1_000_000;
  const rows = String(count);
  const source = await generated(`rows-${count}`, ["make_rows", "rows"].map(pythonScript), async (folder) => {
    await capture(python, [pythonScript("make_rows"), folder, rows, "1"]);
  });
  const table = "{scratch}/table";
  const ours = (from: string, sync: string) => ({
    name: `delta-table, ${from}, ${sync}`,
    peer: "delta-table" as const,
    command: [process.execPath, script("contenders/bulk"), table, rows, source, from, sync] as const,
  });
  const lance = (from: string) => ({
    name: `lancedb, ${from}`,
    peer: "lancedb" as const,
    command: [process.execPath, script("contenders/lanceBulk"), table, rows, from] as const,
  });
  return {
    name: "bulk",
    title: `one append of ${rows} rows x 6 columns, which creates the table`,
    units: 1,
    unit: "append",
    contenders: [
      ours("arrow", "fsync"),
      ours("arrow", "no-fsync"),
      ours("objects", "fsync"),
      { name: "delta-rs, arrow", peer: "delta-rs", command: [python, pythonScript("bulk"), table, rows] },
      lance("arrow"),
      lance("objects"),
      {
        name: "parquetjs-lite, objects, a file without a table",
        peer: "parquetjs-lite",
        command: [process.execPath, script("contenders/parquetjsBulk"), "{scratch}", rows],
      },
    ],
    targets: [
      {
        text: "the time of an append from Arrow, without flushes as it has none, against delta-rs",
        contender: "delta-table, arrow, no-fsync",
        measure: "time",
        relativeTo: ["delta-rs, arrow"],
        atMost: 1.2,
      },
      {
        text: "the memory of an append from Arrow, at most three times the data",
        contender: "delta-table, arrow, no-fsync",
        measure: "addedRss",
        atMost: 3 * ARROW_BYTES * count,
      },
      {
        text: "the time of an append from objects, against LanceDB",
        contender: "delta-table, objects, fsync",
        measure: "time",
        relativeTo: ["lancedb, objects"],
        atMost: 0.5,
      },
    ],
    readBack: async (scratch) => {
      const { rows } = JSON.parse(await capture(python, [pythonScript("read_changed"), `${scratch}/table`]));
      return { rows };
    },
  };
}
