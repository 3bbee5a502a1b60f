import fs from "node:fs";
import v8 from "node:v8";
import vm from "node:vm";

/** What a process holds on to, right after a garbage collection. */
export interface Holding {
  readonly seconds: number;
  readonly heapMiB: number;
  /** Buffers and WebAssembly memory outside of the heap. */
  readonly externalMiB: number;
  readonly rssMiB: number;
  readonly descriptors: number;
  readonly resources: number;
}

const MIB = 1024 * 1024;

v8.setFlagsFromString("--expose-gc");
const collectGarbage: () => void = vm.runInNewContext("gc");

/** Looks at this process; `started` is a time of `performance.now()`. */
export async function look(started: number): Promise<Holding> {
  // Finalizers run between collections.
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    seconds: (performance.now() - started) / 1000,
    heapMiB: heapUsed / MIB,
    externalMiB: external / MIB,
    rssMiB: rss / MIB,
    descriptors: fs.readdirSync("/proc/self/fd").length,
    resources: process.getActiveResourcesInfo().length,
  };
}

/** How much a figure grew over all samples by the straight line that fits them best. */
export function growth(samples: readonly Holding[], figure: Exclude<keyof Holding, "seconds">): number {
  const n = samples.length;
  const mean = (of: (sample: Holding) => number) => samples.reduce((sum, sample) => sum + of(sample), 0) / n;
  const meanX = mean(({ seconds }) => seconds);
  const meanY = mean((sample) => sample[figure]);
  const covariance = mean((sample) => (sample.seconds - meanX) * (sample[figure] - meanY));
  const variance = mean(({ seconds }) => (seconds - meanX) ** 2);
  return (covariance / variance) * (samples.at(-1)!.seconds - samples[0]!.seconds);
}
