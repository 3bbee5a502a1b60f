import { makeCommits } from "../data/commits.js";
import { pythonScript, script } from "../folders.js";
import { generated } from "../generated.js";
import { installKernel } from "../kernel.js";
import { capture } from "../process.js";
import type { Contender, Setting, Target, Workload } from "../workload.js";

/** Opening a table of many JSON commits and listing its files. */
export async function replay(setting: Setting): Promise<Workload> {
  const commits = setting.quick ? 1_000 : 10_000;
  const title = `open a table of ${commits} JSON commits without a checkpoint, list its files`;
  return listFiles(setting, "replay", title, await commitsTable(commits), [ofBest(0.12)]);
}

/** The same at a version in the middle. */
export async function replayAtVersion(setting: Setting): Promise<Workload> {
  const commits = setting.quick ? 1_000 : 10_000;
  const title = `open version ${commits / 2} of a table of ${commits} JSON commits without a checkpoint, list its files`;
  return listFiles(setting, "replay-at-version", title, await commitsTable(commits), [ofBest(0.12)], commits / 2);
}

/** Opening a table of 300,000 files whose state is in a checkpoint, and listing them. */
export async function checkpoint300k(setting: Setting): Promise<Workload> {
  return checkpoint(setting, "checkpoint-300k", setting.quick ? 3_000 : 300_000);
}

/** The same with 1,000,000 files. */
export async function checkpoint1m(setting: Setting): Promise<Workload> {
  return checkpoint(setting, "checkpoint-1m", setting.quick ? 10_000 : 1_000_000, [
    {
      text: "memory while the files are listed, as Arrow columns",
      contender: "delta-table, batches",
      measure: "peakRss",
      atMost: 250e6,
    },
  ]);
}

async function checkpoint(setting: Setting, name: string, files: number, more: readonly Target[] = []) {
  const table = await checkpointTable(setting, files);
  return listFiles(
    setting,
    name,
    `open a table of ${files} files in a checkpoint and three commits, list them`,
    table,
    [...ofKernel, ...more],
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

/** Those of 300,000 files that are of one day, a partition. */
export const partition300k = (setting: Setting): Promise<Workload> =>
  someFiles(setting, "checkpoint-300k-partition", setting.quick ? 3_000 : 300_000, "day");

/** Those of 1,000,000 files that are of one day, a partition. */
export const partition1m = (setting: Setting): Promise<Workload> =>
  someFiles(setting, "checkpoint-1m-partition", setting.quick ? 10_000 : 1_000_000, "day");

/** The one of 300,000 files whose statistics let it have an id. */
export const statistics300k = (setting: Setting): Promise<Workload> =>
  someFiles(setting, "checkpoint-300k-statistics", setting.quick ? 3_000 : 300_000, "id");

/** The one of 1,000,000 files whose statistics let it have an id. */
export const statistics1m = (setting: Setting): Promise<Workload> =>
  someFiles(setting, "checkpoint-1m-statistics", setting.quick ? 10_000 : 1_000_000, "id");

const DAY = "2026-03-05";

async function someFiles(setting: Setting, name: string, files: number, column: "day" | "id"): Promise<Workload> {
  const { python, quick } = setting;
  const table = await checkpointTable(setting, files);
  // In the middle of a file that no commit touches.
  const id = String((files / 2 + 3) * 100_000 + 50_000);
  const [value, predicate, kernelValue] =
    column === "day"
      ? [DAY, `day = '${DAY}'`, ["date", String(Date.parse(DAY) / 86_400_000)]]
      : [id, `id = ${id}`, ["long", id]];
  const kernel: readonly Contender[] = quick
    ? []
    : [
        {
          name: "kernel-rs",
          peer: "kernel-rs",
          command: [await installKernel(), table, "latest", column, ...kernelValue] as [string, ...string[]],
        },
      ];
  return {
    name,
    title: `open a table of ${files} files in a checkpoint and three commits, list those with ${predicate}`,
    units: 1,
    unit: "run",
    contenders: [
      {
        name: "delta-table",
        peer: "delta-table",
        command: [process.execPath, script("contenders/listFiles"), table, "latest", "strings", column, value],
      },
      ...kernel,
      {
        name: "delta-rs",
        peer: "delta-rs",
        command: [python, pythonScript("list_files"), table, "latest", "uris", predicate],
      },
    ],
    targets: [
      {
        text: `listing the files by ${column === "day" ? "a partition" : "statistics"}, against kernel-rs`,
        contender: "delta-table",
        measure: "time",
        relativeTo: ["kernel-rs"],
        atMost: column === "day" ? 0.8 : 0.6,
      },
    ],
  };
}

const OTHERS = ["kernel-rs", "delta-rs, file_uris", "delta-rs, get_add_actions"];

function ofBest(atMost: number): Target {
  return {
    text: "listing the files as Arrow columns, against the best peer",
    contender: "delta-table, batches",
    measure: "time",
    relativeTo: OTHERS,
    atMost,
  };
}

const ofKernel: readonly Target[] = [
  ["columns", "delta-table, batches", 0.2] as const,
  ["strings", "delta-table, strings", 0.35] as const,
].map(([form, contender, atMost]) => ({
  text: `listing the files as ${form}, against kernel-rs`,
  contender,
  measure: "time",
  relativeTo: ["kernel-rs"],
  atMost,
}));

async function listFiles(
  { python, quick }: Setting,
  name: string,
  title: string,
  table: string,
  targets: readonly Target[],
  version?: number,
): Promise<Workload> {
  const at = version === undefined ? "latest" : String(version);
  const ours = (how: string): Contender => ({
    name: `delta-table, ${how}`,
    peer: "delta-table",
    command: [process.execPath, script("contenders/listFiles"), table, at, how],
  });
  const theirs = (name: string, how: string): Contender => ({
    name: `delta-rs, ${name}`,
    peer: "delta-rs",
    command: [python, pythonScript("list_files"), table, at, how],
  });
  // Building it takes ten minutes.
  const kernel: readonly Contender[] = quick
    ? []
    : [{ name: "kernel-rs", peer: "kernel-rs", command: [await installKernel(), table, at, "list"] }];
  return {
    name,
    title,
    units: 1,
    unit: "run",
    contenders: [
      ours("batches"),
      ours("strings"),
      ...kernel,
      theirs("file_uris", "uris"),
      theirs("get_add_actions", "actions"),
    ],
    targets,
  };
}
