import { FAULT_POINTS, type FaultKind, JOB_POINTS, TABLE_POINTS } from "./faults.js";
import type { Strike } from "./history.js";

/** How often each fault struck, by `point kind`. */
export type Coverage = Record<string, number>;

/** Counts the strikes of a run; calls that an outage took don't count. */
export function countStrikes(coverage: Coverage, strikes: readonly Strike[]): void {
  for (const { point, kind } of strikes) {
    if (kind !== "outage") coverage[`${point} ${kind}`] = (coverage[`${point} ${kind}`] ?? 0) + 1;
  }
}

/** Adds up what several processes counted. */
export function addCoverage(sum: Coverage, more: Coverage): void {
  for (const [key, count] of Object.entries(more)) sum[key] = (sum[key] ?? 0) + count;
}

/** Faults that never struck, though plans of appends and jobs have them. */
export function missed(coverage: Coverage): string[] {
  const points: Readonly<Record<string, readonly FaultKind[]>> = { ...TABLE_POINTS, ...JOB_POINTS };
  return Object.entries(points).flatMap(([point, kinds]) =>
    kinds.map((kind) => `${point} ${kind}`).filter((key) => !coverage[key]),
  );
}

/** A line for each point: how often which fault struck there. */
export function coverageText(coverage: Coverage): string {
  const lines = Object.entries(FAULT_POINTS).map(([point, kinds]) => {
    const counts = kinds.map((kind) => `${kind} ${coverage[`${point} ${kind}`] ?? 0}`);
    return `  ${point.padEnd(20)} ${counts.join(", ")}`;
  });
  return ["Faults that struck:", ...lines].join("\n");
}
