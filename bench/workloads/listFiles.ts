import { makeCommits } from "../data/commits.js";
import { pythonScript, script } from "../folders.js";
import { generated } from "../generated.js";
import { capture } from "../process.js";
import type { Contender, Setting, Target, Workload } from "../workload.js";

/** Opening a table of many JSON commits and listing its files. */
export async function replay(setting: Setting): Promise<Workload> {
  const commits = setting.quick ? 1_000 : 10_000;
  const table = await generated(`commits-${commits}`, [script("data/commits")], (folder) =>
    makeCommits(folder, commits),
  );
  return listFiles(
    setting,
    "replay",
    `open a table of ${commits} JSON commits without a checkpoint, list its files`,
    table,
    [relative(0.15)],
  );
}

/** Opening a table of 300,000 files whose state is in a checkpoint, and listing them. */
export async function checkpoint300k(setting: Setting): Promise<Workload> {
  return checkpoint(setting, "checkpoint-300k", setting.quick ? 3_000 : 300_000, []);
}

/** The same with 1,000,000 files. */
export async function checkpoint1m(setting: Setting): Promise<Workload> {
  return checkpoint(setting, "checkpoint-1m", setting.quick ? 10_000 : 1_000_000, [
    relative(0.2),
    {
      text: "memory while the files are listed, as Arrow columns",
      contender: "delta-table, batches",
      measure: "peakRss",
      atMost: 300e6,
    },
  ]);
}

async function checkpoint(setting: Setting, name: string, files: number, targets: readonly Target[]) {
  const table = await checkpointTable(setting, files);
  return listFiles(
    setting,
    name,
    `open a table of ${files} files in a checkpoint and three commits, list them`,
    table,
    targets,
  );
}

/** A table of JSON commits without a checkpoint. */
export function commitsTable(commits: number): Promise<string> {
  return generated(`commits-${commits}`, [script("data/commits")], (folder) => makeCommits(folder, commits));
}

/** A table of files in a checkpoint, and three commits. */
export function checkpointTable({ python }: Setting, files: number): Promise<string> {
  return generated(`checkpoint-${files}`, [pythonScript("make_checkpoint")], async (folder) => {
    await capture(python, [pythonScript("make_checkpoint"), folder, String(files)]);
  });
}

function relative(atMost: number): Target {
  return {
    text: "listing the files as Arrow columns, against the faster of delta-rs's two ways",
    contender: "delta-table, batches",
    measure: "time",
    relativeTo: ["delta-rs, file_uris", "delta-rs, get_add_actions"],
    atMost,
  };
}

function listFiles(
  { python }: Setting,
  name: string,
  title: string,
  table: string,
  targets: readonly Target[],
): Workload {
  const ours = (how: string): Contender => ({
    name: `delta-table, ${how}`,
    peer: "delta-table",
    command: [process.execPath, script("contenders/listFiles"), table, how],
  });
  const theirs = (name: string, how: string): Contender => ({
    name: `delta-rs, ${name}`,
    peer: "delta-rs",
    command: [python, pythonScript("list_files"), table, how],
  });
  return {
    name,
    title,
    units: 1,
    unit: "run",
    contenders: [ours("batches"), ours("strings"), theirs("file_uris", "uris"), theirs("get_add_actions", "actions")],
    targets,
  };
}
