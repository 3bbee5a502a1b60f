// npm run bench:growth [-- --quick]: what calls cost on tables of 10 to 1,000,000 commits or files; writes bench/GROWTH.md and its plots.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installPython } from "../test/interop/environment.js";
import { project, script } from "./folders.js";
import { machine } from "./machine.js";
import { type Line, lineChart } from "./plot.js";
import { capture } from "./process.js";
import type { Sample, Setting } from "./workload.js";
import { checkpointTable, commitsTable } from "./workloads/listFiles.js";

interface Curve {
  readonly name: string;
  readonly title: string;
  /** What there are more and more of. */
  readonly of: string;
  readonly calls: readonly string[];
  readonly sizes: readonly number[];
  readonly tableOf: (size: number) => Promise<string>;
}

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const python = await installPython();
const setting: Setting = { python, node: () => Promise.reject(new Error("No peer takes part.")), quick: values.quick };
const rounds = values.quick ? 1 : 5;
const upTo = (most: number) => [10, 100, 1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= most);
const CURVES: readonly Curve[] = [
  {
    name: "commits",
    title: "Tables of JSON commits without a checkpoint",
    of: "commits",
    calls: ["open", "append", "checkpoint", "list"],
    sizes: upTo(values.quick ? 100 : 100_000),
    // The version behind a multiple of ten isn't one at which an append writes a checkpoint.
    tableOf: (size) => commitsTable(size + 1),
  },
  {
    name: "files",
    title: "Tables whose files are in a checkpoint",
    of: "files",
    calls: ["open", "append", "checkpoint", "list", "list where"],
    sizes: upTo(values.quick ? 100 : 1_000_000),
    tableOf: (size) => checkpointTable(setting, size),
  },
];

const scratch = await mkdtemp(join(tmpdir(), "delta-table-growth-"));
try {
  const { cpu, cores, memoryGiB, system, versions } = await machine(python);
  const lines = [
    "# What calls cost as tables grow",
    "",
    `Made by \`npm run bench:growth\`; don't edit. Medians of ${rounds} runs in milliseconds, each in a process of its own with the modules loaded before. \`append\``,
    "is on a handle that has read the table; the others open it. `list where` asks for an id that no file has, by statistics.",
    "",
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; node ${versions.node}, delta-table ${versions["delta-table"]}.`,
  ];
  for (const curve of CURVES) {
    const measured = await measure(curve);
    lines.push("", `## ${curve.title}`, "", ...tableOf(curve, measured), "", `![](growth-${curve.name}.svg)`);
    if (values.quick) continue;
    const chart = lineChart(curve.title, curve.of, "ms", measured);
    await writeFile(join(project, "bench", `growth-${curve.name}.svg`), chart);
  }
  const appended = await appends(values.quick ? 100 : 100_000);
  const title = "Durable appends of ten rows, one after another through one handle";
  lines.push("", `## ${title}`, "", "Of the last tenth before so many commits.", "");
  lines.push(...tableOf({ of: "commits" }, appended), "", "![](growth-appends.svg)");
  if (!values.quick)
    await writeFile(join(project, "bench", "growth-appends.svg"), lineChart(title, "commits", "ms", appended));
  const text = `${lines.join("\n")}\n`;
  console.log(text);
  if (!values.quick) await writeFile(join(project, "bench", "GROWTH.md"), text);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function measure({ calls, sizes, tableOf }: Curve): Promise<Line[]> {
  const points = new Map(calls.map((call) => [call, [] as (readonly [number, number])[]]));
  for (const size of sizes) {
    const table = await tableOf(size);
    const times = new Map(calls.map((call) => [call, [] as number[]]));
    for (let round = 0; round < rounds; round++) {
      for (const call of calls) times.get(call)!.push(await timeOf(call, table));
    }
    for (const [call, all] of times) points.get(call)!.push([size, median(all)]);
    process.stderr.write(
      `${size}: ${[...times].map(([call, all]) => `${call} ${median(all).toFixed(1)}`).join(", ")}\n`,
    );
  }
  return [...points].map(([label, of]) => ({ label, points: of }));
}

async function timeOf(call: string, table: string): Promise<number> {
  const folder = await mkdtemp(join(scratch, "run-"));
  try {
    const args = [script("contenders/growth"), call, table, join(folder, "table")];
    return (JSON.parse(await capture(process.execPath, args)) as Sample).ms;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function appends(count: number): Promise<Line[]> {
  const folder = await mkdtemp(join(scratch, "appends-"));
  const output = await capture(process.execPath, [script("contenders/appends"), join(folder, "table"), String(count)]);
  const points = JSON.parse(output) as readonly { commits: number; p50: number; p99: number }[];
  return [
    { label: "median", points: points.map(({ commits, p50 }) => [commits, p50] as const) },
    { label: "99th percentile", points: points.map(({ commits, p99 }) => [commits, p99] as const) },
  ];
}

function tableOf({ of }: Pick<Curve, "of">, lines: readonly Line[]): string[] {
  const sizes = lines[0]!.points.map(([size]) => size);
  const rows = lines.map(
    ({ label, points }) => `| ${label} | ${points.map(([, ms]) => ms.toFixed(ms < 10 ? 1 : 0)).join(" | ")} |`,
  );
  return [`| ${of} | ${sizes.join(" | ")} |`, `| --- |${sizes.map(() => " ---: |").join("")}`, ...rows];
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}
