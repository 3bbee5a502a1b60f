import fc from "../fastCheck.js";
import { type Plan, planArbitrary } from "./plan.js";
import { type Run, runPlan } from "./run.js";

/** A schedule that fails, and the smallest one that was found to fail too. */
export interface Failure {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly smallest: Plan;
  readonly smallestRun: Run;
  readonly shrinks: number;
}

/** How long a failing schedule is made smaller, in milliseconds. */
const SHRINK_MS = 60_000;

class Violated extends Error {}

/** The schedule of a seed. */
export async function planOf(seed: number): Promise<Plan> {
  let plan: Plan | undefined;
  await check(seed, false, async (drawn) => {
    plan ??= drawn;
  });
  return plan!;
}

/** Runs the schedule of a seed; `onRun` sees what came of it. Where it fails and `shrink` says so, it is made smaller. */
export async function exploreSeed(
  seed: number,
  shrink: boolean,
  onRun: (run: Run) => void,
): Promise<Failure | undefined> {
  let first: Run | undefined;
  const details = await check(seed, shrink, async (plan) => {
    const run = await runPlan(plan);
    if (first === undefined) {
      first = run;
      onRun(run);
    }
    if (run.violations.length > 0) throw new Violated(run.violations.join("\n"));
  });
  if (!details.failed) return undefined;
  if (!(details.errorInstance instanceof Violated)) throw details.errorInstance;
  const [smallest] = details.counterexample!;
  const smallestRun = await runPlan(smallest);
  return { seed, violations: first!.violations, smallest, smallestRun, shrinks: details.numShrinks };
}

function check(seed: number, shrink: boolean, run: (plan: Plan) => Promise<void>): Promise<fc.RunDetails<[Plan]>> {
  const property = fc.asyncProperty(planArbitrary(seed), run);
  return Promise.resolve(
    fc.check(property, {
      seed,
      numRuns: 1,
      unbiased: true,
      endOnFailure: !shrink,
      interruptAfterTimeLimit: SHRINK_MS,
      markInterruptAsFailure: true,
    }),
  );
}
