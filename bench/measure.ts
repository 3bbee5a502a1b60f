import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { capture } from "./process.js";
import type { ProcessIo } from "./processIo.js";
import type { Contender, Sample, Target, Workload } from "./workload.js";

export interface Figures {
  readonly contender: string;
  /** One a round, in milliseconds per unit. */
  readonly times: readonly number[];
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** The largest of all rounds. */
  readonly peakRssBytes: number;
  /** The largest of all rounds. */
  readonly addedRssBytes?: number | undefined;
  /** The last round's. */
  readonly io?: ProcessIo | undefined;
  /** The last round's. */
  readonly storedBytes?: number | undefined;
  /** Of the units' times in all rounds. */
  readonly percentilesMs?: { readonly p50: number; readonly p99: number } | undefined;
}

export interface TargetFigure extends Target {
  readonly reached: number;
}

export interface WorkloadResult {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly figures: readonly Figures[];
  readonly targets: readonly TargetFigure[];
}

export interface RunOptions {
  readonly rounds: number;
  /** A folder for the tables that contenders make. */
  readonly scratch: string;
  /** Only these peers. */
  readonly peers?: readonly string[] | undefined;
}

/**
 * Runs every contender once a round, the next round starting with the next one, so that a slow spell of the machine meets all.
 * Throws where answers differ: a time is worth nothing then.
 */
export async function runWorkload(workload: Workload, { rounds, scratch, peers }: RunOptions): Promise<WorkloadResult> {
  const contenders = workload.contenders.filter(({ peer }) => peers?.includes(peer) ?? true);
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  let expected: { readonly from: string; readonly answer: unknown } | undefined;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(round + i) % contenders.length]!;
      const sample = await runOnce(workload, contender, scratch);
      samples.get(contender.name)?.push(sample);
      process.stderr.write(`${workload.name}, round ${round + 1}: ${contender.name} ${sample.ms.toFixed(1)} ms\n`);
      if (contender.peer === "floor") continue;
      expected ??= { from: contender.name, answer: sample.answer };
      if (!isDeepStrictEqual(sample.answer, expected.answer)) {
        const [one, other] = [JSON.stringify(expected.answer), JSON.stringify(sample.answer)];
        throw new Error(`${workload.name}: ${expected.from} gives ${one}, ${contender.name} gives ${other}`);
      }
    }
  }
  const figures = contenders.map(({ name }) => figuresOf(name, samples.get(name) ?? [], workload.units));
  const targets = workload.targets.flatMap((target) => targetFigure(target, figures) ?? []);
  return { name: workload.name, title: workload.title, unit: workload.unit, figures, targets };
}

async function runOnce(workload: Workload, contender: Contender, scratch: string): Promise<Sample> {
  const folder = await mkdtemp(join(scratch, `${workload.name}-`));
  try {
    const [program, ...args] = contender.command.map((part) => part.replace("{scratch}", folder));
    const start = performance.now();
    const output = await capture(program!, args);
    if (workload.wholeProcess === true) {
      return { ms: performance.now() - start, peakRssBytes: Number.NaN, answer: output.trim() };
    }
    const sample = JSON.parse(output) as Sample;
    if (workload.readBack === undefined || contender.peer === "floor" || sample.answer !== null) return sample;
    return { ...sample, answer: await workload.readBack(folder) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function figuresOf(contender: string, samples: readonly Sample[], units: number): Figures {
  const times = samples.map(({ ms }) => ms / units);
  return {
    contender,
    times,
    medianMs: median(times),
    minMs: Math.min(...times),
    maxMs: Math.max(...times),
    peakRssBytes: Math.max(...samples.map(({ peakRssBytes }) => peakRssBytes)),
    addedRssBytes: largest(samples.flatMap(({ addedRssBytes }) => addedRssBytes ?? [])),
    io: samples.at(-1)?.io,
    storedBytes: samples.at(-1)?.storedBytes,
    percentilesMs: percentiles(samples.flatMap(({ latencies }) => latencies ?? [])),
  };
}

function largest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}

function percentiles(values: readonly number[]): { readonly p50: number; readonly p99: number } | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
  return { p50: at(0.5), p99: at(0.99) };
}

const MEASURES: Readonly<Record<Target["measure"], (figures: Figures) => number | undefined>> = {
  time: ({ medianMs }) => medianMs,
  peakRss: ({ peakRssBytes }) => peakRssBytes,
  addedRss: ({ addedRssBytes }) => addedRssBytes,
  stored: ({ storedBytes }) => storedBytes,
  tail: ({ percentilesMs }) => percentilesMs && percentilesMs.p99 / percentilesMs.p50,
};

/** What was reached of a target, unless `--peer` left out a side of it. */
function targetFigure(target: Target, figures: readonly Figures[]): TargetFigure | undefined {
  const figureOf = (name: string) => {
    const found = figures.find(({ contender }) => contender === name);
    return found && MEASURES[target.measure](found);
  };
  const value = figureOf(target.contender);
  const others = target.relativeTo?.map(figureOf).filter((other) => other !== undefined);
  if (value === undefined || others?.length === 0) return undefined;
  return { ...target, reached: others === undefined ? value : value / Math.min(...others) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
