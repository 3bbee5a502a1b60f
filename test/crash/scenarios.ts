import type { Attempt } from "./recorder.js";
import { APP, type Build, type Recording, record, type Scenario, type World } from "./world.js";

const BY_DAY = { partitionBy: ["day"] };
const OFTEN = { properties: { "delta.checkpointInterval": "2" } };

/** A process that appends these in turn with one handle. */
function appends(...tags: string[]) {
  return async (world: World): Promise<void> => {
    const table = world.open();
    for (const tag of tags) await world.append(table, tag);
  };
}

const appendOnce = (world: World) => world.append(world.open(), "b", { txn: { appId: APP, version: 1 } });

const inOneProcess = (part: (world: World) => Promise<void>) => async (world: World) => {
  await world.process(() => part(world));
};

/** Runs in which no process dies. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "creates the table", run: inOneProcess(appends("a")) },
  { name: "appends to a table", before: appends("a", "b"), run: inOneProcess(appends("c")) },
  { name: "appends twice", before: appends("a"), run: inOneProcess(appends("b", "c")) },
  {
    name: "appends twice at once with one handle",
    before: appends("a"),
    run: inOneProcess(async (world) => {
      const table = world.open();
      await Promise.all([world.append(table, "b"), world.append(table, "c")]);
    }),
  },
  {
    name: "creates a partitioned table and appends to it",
    run: inOneProcess(async (world) => {
      const table = world.open();
      await world.append(table, "a", BY_DAY);
      await world.append(table, "b");
    }),
  },
  {
    name: "writes a checkpoint, and another",
    before: appends("a", "b", "c"),
    run: inOneProcess(async (world) => {
      const table = world.open();
      await table.checkpoint();
      await world.append(table, "d");
      await table.checkpoint();
    }),
  },
  {
    name: "appends, which writes checkpoints",
    before: (world) => world.append(world.open(), "a", OFTEN),
    run: inOneProcess(appends("b", "c", "d", "e")),
  },
  {
    name: "two processes create the table at once",
    run: async (world) => {
      await Promise.all(["a", "b"].map((tag) => world.process(() => appends(tag)(world))));
    },
  },
  ...(
    [
      ["ENOSPC", "write", ".parquet", 1],
      ["EIO", "flushFile", ".parquet", 1],
      ["ENOSPC", "create", ".tmp", 1],
      ["ENOSPC", "write", ".tmp", 1],
      ["EIO", "flushFile", ".tmp", 1],
      ["ENOSPC", "link", ".json", 1],
      ["EIO", "flushFolder", "_delta_log", 1],
      // After the claim: the append isn't acknowledged, though it is visible.
      ["EIO", "flushFolder", "_delta_log", 2],
    ] as const
  ).map(
    ([code, op, name, nth]): Scenario => ({
      name: `fails with ${code} at ${op} number ${nth} of ${name}, then appends`,
      before: appends("a"),
      run: (world) => {
        let seen = 0;
        return failsOnce(world, code, (attempt) => attempt.op === op && attempt.path.endsWith(name) && ++seen === nth);
      },
    }),
  ),
];

/** An append whose first call of a kind fails, then one by the same process. */
async function failsOnce(world: World, code: string, isIt: (attempt: Attempt) => boolean): Promise<void> {
  const fault = (attempt: Attempt) => (isIt(attempt) ? Object.assign(new Error(code), { code }) : undefined);
  await world.process(
    async () => {
      const table = world.open();
      await world.append(table, "b").then(
        () => Promise.reject(new Error("the append should have failed")),
        () => undefined,
      );
      await world.append(table, "c");
    },
    { fault },
  );
}

/** Runs in which a process dies at one of its calls, and another one comes after it. */
const DEATHS: readonly ((diesAt: number) => Scenario)[] = [
  (diesAt) => ({
    name: `creates the table, is killed at call ${diesAt}; another one appends`,
    run: (world) => thenAnother(world, diesAt, appends("a"), appends("b")),
  }),
  (diesAt) => ({
    name: `appends to a partitioned table, is killed at call ${diesAt}; another one appends`,
    run: (world) =>
      thenAnother(
        world,
        diesAt,
        (w) => w.append(w.open(), "a", BY_DAY),
        (w) => w.append(w.open(), "b", BY_DAY),
      ),
  }),
  (diesAt) => ({
    name: `appends with txn, is killed at call ${diesAt}; the append is repeated`,
    before: appends("a"),
    repeatable: [{ tag: "b", version: 1 }],
    run: (world) => thenAnother(world, diesAt, appendOnce, appendOnce),
  }),
  (diesAt) => ({
    name: `appends and writes checkpoints, is killed at call ${diesAt}; another one does the same`,
    before: (world) => world.append(world.open(), "a", OFTEN),
    run: (world) => thenAnother(world, diesAt, appends("b", "c"), appends("d", "e")),
  }),
];

async function thenAnother(
  world: World,
  diesAt: number,
  first: (world: World) => Promise<void>,
  second: (world: World) => Promise<void>,
): Promise<void> {
  await world.process(() => first(world), { diesAt });
  await world.process(() => second(world));
}

/** Runs in which a process waits before one of its flushes while another one does all it has to. */
const RACES: readonly ((flush: number) => Scenario)[] = [
  (flush) => ({
    name: `creates the table, while at flush ${flush} another one does`,
    run: (world) => duringFlush(world, flush, appends("a"), appends("b")),
  }),
  (flush) => ({
    name: `appends, while at flush ${flush} another one does`,
    before: appends("a"),
    run: (world) => duringFlush(world, flush, appends("b"), appends("c")),
  }),
  (flush) => ({
    name: `appends to a partitioned table, while at flush ${flush} another one does`,
    before: (world) => world.append(world.open(), "a", BY_DAY),
    run: (world) => duringFlush(world, flush, appends("b"), appends("c")),
  }),
  (flush) => ({
    name: `appends with txn, while at flush ${flush} the same append is made elsewhere`,
    before: appends("a"),
    repeatable: [{ tag: "b", version: 1 }],
    run: (world) => duringFlush(world, flush, appendOnce, appendOnce),
  }),
  (flush) => ({
    name: `writes a checkpoint, while at flush ${flush} another one appends and does`,
    before: appends("a", "b"),
    run: (world) =>
      duringFlush(
        world,
        flush,
        async (w) => void (await w.open().checkpoint()),
        async (w) => {
          const table = w.open();
          await w.append(table, "c");
          await table.checkpoint();
        },
      ),
  }),
];

/** The other one begins after the flush has been asked for, before it is done. */
async function duringFlush(
  world: World,
  flush: number,
  held: (world: World) => Promise<void>,
  other: (world: World) => Promise<void>,
): Promise<void> {
  let flushes = 0;
  const beforeFlush = async () => {
    if (flushes++ !== flush) return;
    world.turns();
    await world.process(() => other(world));
  };
  await world.process(() => held(world), { beforeFlush });
}

/** The runs' names; `#` stands for the number of the call or flush. */
export const SCENARIO_NAMES: readonly string[] = [
  ...SCENARIOS.map(({ name }) => name),
  ...[...DEATHS, ...RACES].map((scenarioOf) => anyCall(scenarioOf(0).name)),
];

/**
 * Records all runs, one after the other; those with a death or a race for each call or flush at which it can be. With `only`, those of
 * that name.
 */
export async function* recordings(build?: Build, only?: string): AsyncGenerator<Recording> {
  const isWanted = ({ name }: Scenario) => only === undefined || anyCall(name) === only;
  for (const scenario of SCENARIOS.filter(isWanted)) yield await record(scenario, build);
  for (const scenarioOf of [...DEATHS, ...RACES]) {
    if (!isWanted(scenarioOf(0))) continue;
    for (let number = 0; ; number++) {
      const recording = await record(scenarioOf(number), build);
      if (recording.turn === undefined) break;
      yield recording;
    }
  }
}

function anyCall(name: string): string {
  return name.replace(/(?<=at (call|flush) )\d+/, "#");
}
