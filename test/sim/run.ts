import { createHash } from "node:crypto";
import { Table } from "#src/index.js";
import { replaceRuntime } from "#src/runtime.js";
import { SIM_SCHEMA } from "./changeVerbs.js";
import { type FinalState, violationsOf } from "./checker.js";
import { finish } from "./finale.js";
import { FIRST_CLIENT, type Strike } from "./history.js";
import { firstSource } from "./jobs.js";
import { perform } from "./perform.js";
import type { Plan, PlannedCall } from "./plan.js";
import { propertiesOf } from "./properties.js";
import type { Life } from "./scheduler.js";
import { SimulatedStore } from "./store.js";
import { type SimRow, type Stage, stageOf, verbOf } from "./verbs.js";
import { World } from "./world.js";

/** What came of a schedule. */
export interface Run {
  readonly trace: readonly string[];
  /** Of the trace, so of everything that happened and of all bytes written. */
  readonly hash: string;
  /** What was wrong; nothing where all is well. */
  readonly violations: readonly string[];
  readonly strikes: readonly Strike[];
}

/** Far more than any schedule needs. */
const MAX_EVENTS = 20_000;
/** How often a client repeats an append with a `txn` that failed. */
const MAX_TRIES = 3;
const RESTART_MS = 20;

/** Runs a schedule: the product's own code on simulated storage, time and chance. The same plan gives the same run. */
export async function runPlan(plan: Plan): Promise<Run> {
  const simulation = new Simulation(plan);
  const { world } = simulation;
  const restore = replaceRuntime(runtimeOf(world));
  const onRejection = (reason: unknown) => world.violations.push(`unhandled rejection: ${reason}`);
  process.on("unhandledRejection", onRejection);
  try {
    const hasEnded = await simulation.run();
    let final: FinalState | undefined;
    if (hasEnded) final = await finish(world, simulation.properties);
    else world.violations.push("the run doesn't come to an end");
    const violations = [...world.violations, ...violationsOf(world, final)];
    const hash = createHash("sha256").update(world.trace.join("\n")).digest("hex");
    return { trace: world.trace, hash, violations, strikes: world.strikes };
  } finally {
    process.off("unhandledRejection", onRejection);
    restore();
  }
}

function runtimeOf(world: World): Parameters<typeof replaceRuntime>[0] {
  const { scheduler } = world;
  const life = () => scheduler.current!;
  return {
    now: () => Math.floor(scheduler.nowMs + life().skewMs),
    random: () => world.chanceOf(life()).next(),
    randomUUID: () => world.chanceOf(life()).uuid(),
    sleep: (ms) => new Promise((resolve) => scheduler.after(ms, life(), "step", () => resolve())),
    later: (ms, action) => {
      let isCancelled = false;
      scheduler.after(ms, life(), "step", () => {
        if (!isCancelled) action();
      });
      return () => {
        isCancelled = true;
      };
    },
    warn: (_message, code) => {
      world.warnings.push({ step: world.note(life(), `warning ${code}`), client: life().client });
    },
  };
}

class Simulation {
  readonly world: World;
  readonly properties: Readonly<Record<string, string>>;
  readonly #plan: Plan;
  /** How far each client's program has come. */
  readonly #next: number[];
  readonly #running = new Set<Life>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#next = plan.clients.map(() => 0);
    this.properties = propertiesOf(plan);
    // Plans name more clients than some have.
    const faults = plan.faults.map((fault) => ({ ...fault, client: fault.client % plan.clients.length }));
    this.world = new World(faults, plan.jitter, plan.table, (life) => this.#buried(life));
  }

  async run(): Promise<boolean> {
    for (const [path, bytes] of firstSource()) this.world.disk.flush(this.world.land(path, bytes));
    if (this.world.kind !== undefined) await this.#prepare();
    for (const client of this.#plan.clients.keys()) this.#start(client, client);
    const hasEnded = await this.world.scheduler.run(MAX_EVENTS);
    for (const { client, number } of this.#running) this.world.violations.push(`c${client}.${number} waits for ever`);
    return hasEnded && this.#running.size === 0;
  }

  /** The table that clients find, with some files in it. */
  async #prepare(): Promise<void> {
    const { world, properties } = this;
    world.isFaulty = false;
    const life = world.begin(FIRST_CLIENT, 0);
    world.scheduler.after(0, life, "step", () => {
      const partitionBy = world.kind!.partitioned ? ["n"] : [];
      const stage = this.#stage(life, this.#open(life));
      void stage.table
        .create({ schema: SIM_SCHEMA, properties, partitionBy })
        .then(() => perform(stage, { verb: "insert", pick: 5 }, "first", {}))
        .then(() => perform(stage, { verb: "insert", pick: 26 }, "second", {}));
    });
    await world.scheduler.run(MAX_EVENTS);
    life.isDead = true;
    world.isFaulty = true;
  }

  #start(client: number, delayMs: number): void {
    const life = this.world.begin(client, this.#plan.clients[client]!.skewMs);
    this.#running.add(life);
    this.world.scheduler.after(delayMs, life, "step", () => {
      void this.#program(life).then(() => this.#running.delete(life));
    });
  }

  #buried(life: Life): void {
    for (const operation of this.world.operations) {
      if (operation.client === life.client && operation.end === undefined) {
        operation.end = this.world.step;
        operation.outcome = { status: "crashed" };
      }
    }
    this.#running.delete(life);
    this.#start(life.client, RESTART_MS);
  }

  /** What a client does in one life. */
  async #program(life: Life): Promise<void> {
    const { calls } = this.#plan.clients[life.client]!;
    let table: Table<SimRow> | undefined;
    const parallel: Promise<void>[] = [];
    await this.#resume(life);
    for (let at = this.#next[life.client]!; at < calls.length; at = this.#next[life.client]!) {
      const call = calls[at]!;
      // A call that a crash interrupts isn't made again, but for appends that can be.
      this.#next[life.client] = at + 1;
      if (call.pauseMs > 0) await this.#pause(life, call.pauseMs);
      if (table === undefined || call.isFresh) table = this.#open(life);
      const done = this.#call(life, table, call, at);
      if (call.isParallel) parallel.push(done);
      else await done;
    }
    await Promise.all(parallel);
  }

  /** After a crash, an append with a `txn` that it interrupted is made again: the client can't know what came of it. */
  async #resume(life: Life): Promise<void> {
    const last = this.world.operations.findLast(
      ({ client, txn, outcome }) => client === life.client && txn !== undefined && outcome?.status === "crashed",
    );
    if (last === undefined) return;
    await perform(
      this.#stage(life, this.#open(life)),
      { verb: "appendOnce", pick: 0 },
      `${last.id}r${life.number}`,
      last,
    );
  }

  async #call(life: Life, table: Table<SimRow>, call: PlannedCall, at: number): Promise<void> {
    const ask = verbOf(call.verb).ask?.(call.pick, this.world, life.client) ?? {};
    const tries = ask.txn === undefined ? 1 : MAX_TRIES;
    for (let attempt = 1; attempt <= tries; attempt++) {
      const id = `c${life.client}.${life.number}#${at}${"'".repeat(attempt - 1)}`;
      const outcome = await perform(this.#stage(life, table), call, id, ask);
      if (outcome.status !== "failed") return;
    }
  }

  #open(life: Life): Table<SimRow> {
    return Table.open<SimRow>(new SimulatedStore(this.world, life));
  }

  #stage(life: Life, table: Table<SimRow>): Stage {
    const store = new SimulatedStore(this.world, life);
    return stageOf(this.world, life, store, table, this.properties);
  }

  #pause(life: Life, ms: number): Promise<void> {
    return new Promise((resolve) => this.world.scheduler.after(ms, life, "step", () => resolve()));
  }
}
