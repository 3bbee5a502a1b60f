import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pythonScript, script } from "../folders.js";
import { generated } from "../generated.js";
import { capture } from "../process.js";
import type { Setting, Workload } from "../workload.js";
import { checkpointTable, commitsTable } from "./listFiles.js";

/** Packs many small files. */
export async function compact(setting: Setting): Promise<Workload> {
  const files = setting.quick ? 20 : 1_000;
  const table = await generated(`files-${files}`, generators, (folder) => makeFiles(setting, folder, files));
  return maintain(setting, table, "compact", `pack ${files} files of 1,000 rows x 6 columns`, 0.6, "read_files");
}

/** Lists what a vacuum would delete. */
export async function vacuum(setting: Setting): Promise<Workload> {
  const orphans = setting.quick ? 100 : 10_000;
  const table = await generated(`orphans-${orphans}`, generators, async (folder) => {
    await makeFiles(setting, folder, 10);
    const old = new Date("2026-01-01T00:00:00Z");
    await mkdir(join(folder, "day=1"), { recursive: true });
    for (let n = 0; n < orphans; n++) {
      const file = join(folder, n % 2 === 0 ? "day=1" : "", `part-${String(n).padStart(5, "0")}-left.parquet`);
      await writeFile(file, "");
      await utimes(file, old, old);
    }
  });
  return maintain(
    setting,
    table,
    "vacuum",
    `list what a vacuum would delete: ${orphans} files that nothing names`,
    1.0,
  );
}

/** Writes the checkpoint of a table of many commits. */
export async function checkpointCommits(setting: Setting): Promise<Workload> {
  const commits = setting.quick ? 1_000 : 10_000;
  const table = await commitsTable(commits);
  const title = `open a table of ${commits} JSON commits and write its checkpoint`;
  return maintain(setting, table, "checkpoint", title, 0.1, "read_files", "checkpoint-commits");
}

/** Writes the next checkpoint of a table of many files. */
export async function checkpointFiles(setting: Setting): Promise<Workload> {
  const files = setting.quick ? 3_000 : 300_000;
  const table = await checkpointTable(setting, files);
  const title = `open a table of ${files} files in a checkpoint and three commits, write the next one`;
  return maintain(setting, table, "checkpoint", title, 0.7, "read_files", "checkpoint-files");
}

const generators = ["make_rows", "rows"].map(pythonScript);

async function makeFiles({ python }: Setting, folder: string, files: number): Promise<void> {
  await capture(python, [pythonScript("make_rows"), folder, String(files * 1_000), String(files)]);
}

function maintain(
  { python }: Setting,
  table: string,
  what: string,
  title: string,
  atMost: number,
  readBack?: string,
  name = what,
): Workload {
  const args = [table, "{scratch}/table", what];
  const target = (measure: "time" | "peakRss", text: string, most: number) => ({
    text,
    contender: "delta-table",
    measure,
    relativeTo: ["delta-rs"],
    atMost: most,
  });
  return {
    name,
    title,
    units: 1,
    unit: "run",
    contenders: [
      { name: "delta-table", peer: "delta-table", command: [process.execPath, script("contenders/maintain"), ...args] },
      { name: "delta-rs", peer: "delta-rs", command: [python, pythonScript("maintain"), ...args] },
    ],
    targets: [
      target("time", "the time, against delta-rs", atMost),
      ...(what === "checkpoint" ? [target("peakRss", "the memory, against delta-rs", 0.4)] : []),
    ],
    ...(readBack && {
      readBack: async (scratch: string) =>
        JSON.parse(await capture(python, [pythonScript(readBack), `${scratch}/table`])),
    }),
  };
}
