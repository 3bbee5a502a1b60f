import type { Machine } from "./machine.js";
import type { Figures, TargetFigure, WorkloadResult } from "./measure.js";

export interface Results {
  readonly machine: Machine;
  readonly rounds: number;
  readonly quick: boolean;
  readonly workloads: readonly WorkloadResult[];
}

/** The results as a page for people. */
export function markdown({ machine, rounds, quick, workloads }: Results): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const lines = [
    "# Benchmark results",
    "",
    "Made by `npm run bench`; don't edit. Every contender runs in a process of its own, once a round, in turn with the others;",
    `${rounds} rounds. A time is the task alone, with the packages imported before; median, and lowest to highest. Memory is the`,
    "process's peak resident size; read and written is what the task asked of the system, cached or not, in so many calls.",
    "Every answer was compared with every other contender's.",
    ...(quick ? ["", "**A quick run on small data: these figures say nothing about speed.**"] : []),
    "",
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; ${versions.join(", ")}.`,
    "",
    ...summary(workloads),
  ];
  for (const workload of workloads) {
    lines.push("", `## ${workload.name}`, "", `${capitalized(workload.title)}.`, "");
    if (!quick) lines.push(`![](plots/${workload.name}.svg)`, "");
    lines.push(...table(workload));
    if (workload.targets.length > 0) lines.push("", ...workload.targets.map(targetLine));
  }
  return `${lines.join("\n")}\n`;
}

/** All targets in one table: what a reader looks for first. */
function summary(workloads: readonly WorkloadResult[]): string[] {
  const rows = workloads.flatMap(({ name, targets }) =>
    targets.map((target) => {
      const { text, contender, atMost, reached } = target;
      const figures = `${shown(target, reached)} | ${shown(target, atMost)} | ${verdict(target)}`;
      return `| [${name}](#${name}) | ${capitalized(text)} (${contender}) | ${figures} |`;
    }),
  );
  const reached = workloads.flatMap(({ targets }) => targets).filter((target) => verdict(target) === "reached");
  if (rows.length === 0) return [];
  return [
    `Of ${rows.length} targets ${reached.length} are reached. Ratios are to the best of the peers that a target names.`,
    "",
    "| workload | what | figure | at most | |",
    "| --- | --- | ---: | ---: | --- |",
    ...rows,
  ];
}

/** Columns that no contender has anything in are left out. */
function table({ unit, figures }: WorkloadResult): string[] {
  const columns: readonly (readonly [name: string, text: (figures: Figures) => string])[] = [
    [`median ms per ${unit}`, ({ medianMs }) => ms(medianMs)],
    ["spread", ({ minMs, maxMs }) => `${ms(minMs)} to ${ms(maxMs)}`],
    ["p50, p99", ({ percentilesMs: p }) => (p === undefined ? "" : `${ms(p.p50)}, ${ms(p.p99)}`)],
    ["peak memory", ({ peakRssBytes }) => megabytes(peakRssBytes)],
    ["of it, the task's", ({ addedRssBytes }) => (addedRssBytes === undefined ? "" : megabytes(addedRssBytes))],
    ["read", ({ io }) => (io === undefined ? "" : `${megabytes(io.bytesRead)} in ${io.reads}`)],
    ["written", ({ io }) => (io === undefined ? "" : `${megabytes(io.bytesWritten)} in ${io.writes}`)],
    ["on disk", ({ storedBytes }) => (storedBytes === undefined ? "" : megabytes(storedBytes))],
  ];
  const filled = columns.filter(([, text]) => figures.some((figure) => text(figure) !== ""));
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    row(["contender", ...filled.map(([name]) => name)]),
    row(["---", ...filled.map(() => "---:")]),
    ...figures.map((figure) => row([figure.contender, ...filled.map(([, text]) => text(figure))])),
  ];
}

function targetLine(target: TargetFigure): string {
  const { text, contender, atMost, reached } = target;
  const figures = `**${shown(target, reached)}**, to be at most ${shown(target, atMost)}: ${verdict(target)}`;
  return `- ${capitalized(text)} (${contender}): ${figures}.`;
}

function shown({ relativeTo, measure }: TargetFigure, value: number): string {
  if (relativeTo !== undefined || measure === "tail") return value.toFixed(2);
  return measure === "time" ? `${ms(value)} ms` : megabytes(value);
}

const verdict = ({ reached, atMost }: TargetFigure): string => (reached <= atMost ? "reached" : "missed");
const ms = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
const megabytes = (bytes: number): string =>
  Number.isNaN(bytes) ? "" : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
