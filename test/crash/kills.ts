import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { nameOf, POINTS } from "./points.js";
import { type Random, seeded } from "./random.js";
import { checkTable, type Known } from "./tableCheck.js";
import { type Plan, type Report, startWriter, type TableKind } from "./writers.js";

/** Kills on one table, until it is thrown away. */
const KILLS_OF_A_TABLE = 8;
const WRITERS = ["w0", "w1", "w2"];
/** Appends of a writer that nobody kills. */
const APPENDS = 25;
/** Calls of each kind that a writer surely makes. */
const MAX_NTH = 6;

/** What came of killing. */
export interface KillTally {
  /** Kills by where they were. */
  readonly kills: Map<string, number>;
  appends: number;
  /** Appends that were killed before they returned, and of these the ones that had been committed. */
  cutShort: number;
  cutShortButCommitted: number;
  /** What was seen to lie about, each time that a table was looked at. */
  temporaryFiles: number;
  orphans: number;
}

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** Tables in work at once. */
  readonly lanes: number;
  readonly onProgress?: (killed: number) => void;
}

/**
 * Kills processes that append and write checkpoints, half of them at named points, until `kills` have died; looks at the table
 * after each death, or each few where several write at once. Throws where something is wrong.
 */
export async function killProcesses({ kills, seed, lanes, onProgress }: KillOptions): Promise<KillTally> {
  const tally: KillTally = {
    kills: new Map(),
    appends: 0,
    cutShort: 0,
    cutShortButCommitted: 0,
    temporaryFiles: 0,
    orphans: 0,
  };
  const random = seeded(seed);
  const plans = plansOf(kills, random);
  let killed = 0;
  const note = (plan: Plan) => {
    const name = nameOf(plan.point);
    tally.kills.set(name, (tally.kills.get(name) ?? 0) + 1);
    onProgress?.(++killed);
  };
  const lane = async () => {
    while (plans.length > 0) await killOnOneTable(plans, random, tally, note);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return tally;
}

/** Each point in turn, and between them times by chance. */
function plansOf(kills: number, random: Random): Plan[] {
  return Array.from({ length: kills }, (_, i): Plan => {
    if (i % 5 >= 3) return { afterMs: random.next() ** 2 * 800 };
    const named = Math.floor(i / 5) * 3 + (i % 5);
    return { point: POINTS[named % POINTS.length], nth: 1 + random.below(MAX_NTH) };
  });
}

async function killOnOneTable(
  plans: Plan[],
  random: Random,
  tally: KillTally,
  note: (plan: Plan) => void,
): Promise<void> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "delta-kill-"));
  const folder = path.join(root, "data", "table");
  const mine = plans.splice(0, KILLS_OF_A_TABLE);
  const needs = (call: string) => mine.some(({ point }) => point?.call === call);
  const known = new Map<string, Known>(WRITERS.map((writer) => [writer, { there: new Set(), open: new Set() }]));
  const next = new Map<string, number>(WRITERS.map((writer) => [writer, 0]));
  const kind: TableKind = {
    partitioned: needs("mkdir") || random.below(2) === 0,
    interval: needs("rename") ? 2 : random.pick([2, 10]),
    checkpoints: needs("rename") && random.below(2) === 0,
    txn: random.below(2) === 0,
  };
  while (mine.length > 0) {
    const crowd = mine.splice(0, random.pick([1, 1, WRITERS.length]));
    const writers = crowd.map((plan, i) => {
      const writer = WRITERS[i];
      return {
        plan,
        writer,
        process: startWriter(folder, kind, { writer, from: next.get(writer)!, count: APPENDS, plan }),
      };
    });
    await Promise.all(writers.map(({ process }) => process.ready));
    const reports = await Promise.all(
      writers.map(async ({ plan, writer, process }) => ({ plan, writer, report: await process.go() })),
    );
    const open = [];
    for (const { plan, writer, report } of reports) {
      take(report, known.get(writer)!);
      tally.appends += report.done.length;
      // With `txn` the append that was cut short is repeated, else left to its fate.
      const { begun } = report;
      next.set(writer, begun === undefined ? lastOf(report, next.get(writer)!) : begun + (kind.txn ? 0 : 1));
      if (begun !== undefined) open.push({ writer, begun });
      if (report.isKilled) note(plan);
      else mine.push(earlier(plan));
    }
    const { temporaryFiles, orphans } = await checkTable(folder, known);
    tally.temporaryFiles += temporaryFiles;
    tally.orphans += orphans;
    tally.cutShort += open.length;
    tally.cutShortButCommitted += open.filter(({ writer, begun }) => known.get(writer)!.there.has(begun)).length;
  }
  fs.rmSync(root, { recursive: true, force: true });
}

/** The plan for another try, where the writer had ended before. */
function earlier(plan: Plan): Plan {
  if (plan.point === undefined) return { afterMs: plan.afterMs / 2 };
  if (plan.nth === 1) throw new Error(`no writer came to ${nameOf(plan.point)}`);
  return { ...plan, nth: 1 };
}

function take({ done, begun }: Report, { there, open }: Known): void {
  for (const n of done) there.add(n);
  if (begun !== undefined) open.add(begun);
}

function lastOf({ done }: Report, from: number): number {
  return done.length === 0 ? from : done[done.length - 1] + 1;
}

/** The kills per point, and what they left, as text. */
export function reportOf(tally: KillTally): string {
  const width = Math.max(...[...tally.kills.keys()].map((name) => name.length));
  const lines = [...tally.kills].map(([name, count]) => `  ${name.padEnd(width)} ${String(count).padStart(5)}`);
  const total = [...tally.kills.values()].reduce((sum, count) => sum + count, 0);
  return [
    `${total} kills:`,
    ...lines.sort(),
    `${tally.appends} appends had returned. ${tally.cutShort} were cut short; ${tally.cutShortButCommitted} of them had been committed.`,
    `Seen lying about after kills: ${tally.temporaryFiles} temporary files, ${tally.orphans} data files that no commit names.`,
  ].join("\n");
}
