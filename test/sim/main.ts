import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { coverageText, missed } from "./coverage.js";
import { type Failure, planOf } from "./explore.js";
import { buildMutant } from "./mutantBuild.js";
import { changesRows, type Plan } from "./plan.js";
import { type Run, runPlan } from "./run.js";
import { warmUp } from "./warmUp.js";
import { exploreAll, work } from "./workers.js";

const HELP = `Runs the product on simulated storage, time and chance (spec/simulation.md).

  npm run sim -- --seed N            the schedule of one seed, with its trace
  npm run sim -- --plan JSON         the schedule that a failing run prints as its smallest
  npm run sim -- --schedules 10000   so many schedules, of the seeds from --first on (default 0)
                                     (of each 100,000 seeds the second half changes rows: --first 50000)
  npm run sim -- --minutes 60        as many as there is time for, of new seeds or from --first on

  npm run sim -- --mutant NAME       looks for a schedule that finds a bug of test/sim/mutants.ts
  npm run sim -- --hashes            a line for each of --schedules seeds: what its run comes to

  --workers N    processes (default: one a processor)
  --no-shrink    shows a failing schedule as it is
`;

/** From so many schedules of appends and jobs on, each fault must have struck at each of its points. */
const ENOUGH_FOR_COVERAGE = 10_000;

const { values: options } = parseArgs({
  options: {
    seed: { type: "string" },
    plan: { type: "string" },
    schedules: { type: "string" },
    minutes: { type: "string" },
    first: { type: "string" },
    workers: { type: "string" },
    "no-shrink": { type: "boolean", default: false },
    mutant: { type: "string" },
    hashes: { type: "boolean", default: false },
    part: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (options.part) await work();
else if (options.help) console.log(HELP);
else if (options.seed !== undefined) await replay(await planOf(Number(options.seed)));
else if (options.plan !== undefined) await replay(JSON.parse(options.plan));
else if (options.hashes) await hashes();
else await explore();

async function hashes(): Promise<void> {
  await warmUp();
  const first = Number(options.first ?? 0);
  for (let seed = first; seed < first + Number(options.schedules); seed++) {
    const { hash } = await runPlan(await planOf(seed));
    console.log(`${seed} ${hash}`);
  }
}

async function replay(plan: Plan): Promise<void> {
  await warmUp();
  show(await runPlan(plan));
}

function show({ trace, hash, violations }: Run): void {
  console.log(trace.join("\n"));
  console.log(`hash ${hash}`);
  for (const violation of violations) console.log(`VIOLATION: ${violation}`);
  if (violations.length > 0) process.exitCode = 1;
}

async function explore(): Promise<void> {
  const started = performance.now();
  const minutes = options.minutes === undefined ? undefined : Number(options.minutes);
  // New seeds each time; the others are the same every time.
  const first = Number(options.first ?? (minutes === undefined ? 0 : Date.now() % 1_000_000_000));
  const count = Number(options.schedules ?? 1000);
  const isTimeLeft = () => performance.now() - started < minutes! * 60_000;
  const own = fileURLToPath(import.meta.url);
  const { mutant } = options;
  const program = mutant === undefined ? own : buildMutant(process.cwd(), mutant);
  const found = await exploreAll(program, {
    first,
    workers: Number(options.workers ?? availableParallelism()),
    shrink: !options["no-shrink"],
    goOn: minutes === undefined ? (next) => next < first + count : isTimeLeft,
  });
  const seconds = (performance.now() - started) / 1000;
  console.log(coverageText(found.coverage));
  const rate = (found.schedules / seconds).toFixed(1);
  console.log(`${found.schedules} schedules from seed ${first} on in ${seconds.toFixed(0)} s, ${rate} a second.`);
  for (const failure of found.failures) tell(failure);
  if (found.schedules < ENOUGH_FOR_COVERAGE || changesRows(first)) return;
  for (const key of missed(found.coverage)) {
    console.log(`NEVER STRUCK: ${key}`);
    process.exitCode = 1;
  }
}

function tell({ seed, violations, smallest, smallestRun, shrinks }: Failure): void {
  process.exitCode = 1;
  console.log(`\nFAILED: seed ${seed}; all of it: npm run sim -- --seed ${seed}`);
  for (const violation of violations) console.log(`VIOLATION: ${violation}`);
  if (shrinks === 0) return;
  console.log(`\nThe smallest schedule found (${shrinks} steps smaller):`);
  show(smallestRun);
  console.log(`npm run sim -- --plan '${JSON.stringify(smallest)}'`);
}
