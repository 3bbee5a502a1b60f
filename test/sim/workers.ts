import { type ChildProcess, fork } from "node:child_process";
import { addCoverage, type Coverage, countStrikes } from "./coverage.js";
import { exploreSeed, type Failure } from "./explore.js";
import { warmUp } from "./warmUp.js";

/** Seeds that a process explores before it reports. */
const CHUNK = 25;

interface Task {
  readonly first: number;
  readonly count: number;
  readonly shrink: boolean;
}

interface Report {
  readonly schedules: number;
  readonly coverage: Coverage;
  readonly failures: readonly Failure[];
}

export interface Exploration {
  schedules: number;
  readonly coverage: Coverage;
  readonly failures: Failure[];
}

export interface ExploreOptions {
  readonly first: number;
  readonly workers: number;
  /** Whether failing schedules are made smaller. */
  readonly shrink: boolean;
  /** Whether to go on with the seed `next`. */
  readonly goOn: (next: number) => boolean;
}

/** Explores seeds from `first` on in child processes of this very program, until `goOn` says no or a schedule fails. */
export async function exploreAll(program: string, options: ExploreOptions): Promise<Exploration> {
  const found: Exploration = { schedules: 0, coverage: {}, failures: [] };
  let next = options.first;
  const task = (): Task | undefined => {
    if (found.failures.length > 0 || !options.goOn(next)) return undefined;
    const first = next;
    while (next < first + CHUNK && options.goOn(next)) next++;
    return { first, count: next - first, shrink: options.shrink };
  };
  const children = Array.from({ length: options.workers }, () => fork(program, ["--part"]));
  await Promise.all(children.map((child) => serve(child, task, found)));
  return found;
}

function serve(child: ChildProcess, task: () => Task | undefined, found: Exploration): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = () => {
      const work = task();
      if (work === undefined) child.disconnect();
      else child.send(work);
    };
    child.on("message", ({ schedules, coverage, failures }: Report) => {
      found.schedules += schedules;
      addCoverage(found.coverage, coverage);
      found.failures.push(...failures);
      give();
    });
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`A simulating process ended with ${code}.`)),
    );
    give();
  });
}

/** What a child process does: explores the seeds it is told, until nobody tells it any more. */
export async function work(): Promise<void> {
  await warmUp();
  let turn: Promise<void> = Promise.resolve();
  process.on("message", (task: Task) => {
    turn = turn.then(async () => {
      const report = await exploreChunk(task);
      if (process.connected) process.send!(report);
    });
  });
}

async function exploreChunk({ first, count, shrink }: Task): Promise<Report> {
  const coverage: Coverage = {};
  for (let seed = first; seed < first + count; seed++) {
    const failure = await exploreSeed(seed, shrink, (run) => countStrikes(coverage, run.strikes));
    if (failure !== undefined) return { schedules: seed - first + 1, coverage, failures: [failure] };
  }
  return { schedules: count, coverage, failures: [] };
}
