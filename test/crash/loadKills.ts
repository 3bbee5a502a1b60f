import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { contentOf, flightFile } from "../load/flights.js";
import { LOAD_POINTS, type LoadKill, type LoadRun, runLoad } from "./loadRun.js";
import type { Random } from "./random.js";

/** So large that what tells a file again, its ends and its header, fits into the eighth of a batch that isn't records. */
const BATCH_BYTES = 1280 * 1024;

/** What is loaded. */
export interface KilledSource {
  readonly name: string;
  write(at: string, lines: readonly string[]): void;
  readonly batchBytes: number;
  /** What has to be unpacked again from its beginning is read again. */
  readonly isUnpacked?: true;
}

export const KILLED_SOURCES: readonly KilledSource[] = [
  {
    name: "one large file",
    write: (at, lines) => fs.writeFileSync(path.join(at, "flights.csv"), flightFile(lines)),
    batchBytes: BATCH_BYTES,
  },
  {
    name: "one compressed file",
    write: (at, lines) => fs.writeFileSync(path.join(at, "flights.csv.gz"), gzipSync(flightFile(lines))),
    batchBytes: BATCH_BYTES,
    isUnpacked: true,
  },
  {
    name: "many files, small ones and large ones",
    write: (at, lines) => {
      for (let from = 0, n = 0; from < lines.length; n++) {
        const to = Math.min(lines.length, from + (n % 20 === 19 ? 20_000 : 300));
        fs.writeFileSync(path.join(at, `${String(n).padStart(4, "0")}.csv`), flightFile(lines, from, to));
        from = to;
      }
    },
    batchBytes: BATCH_BYTES,
  },
];

/** What came of killing the loads of a source. */
export interface LoadKillTally {
  /** Kills by where they were. */
  readonly kills: Map<string, number>;
  /** Runs that went on after a kill, and tables that came to their end. */
  resumed: number;
  tables: number;
  /** Most bytes of the source that one run read and an earlier one had read already. */
  mostReadAgain: number;
  readonly problems: string[];
}

/**
 * Loads a source into one table after the other, `lanes` of them at once, by processes that are killed again and again, until so many
 * have died; compares each table with that of a load that nobody killed.
 */
export async function killLoads(
  root: string,
  source: KilledSource,
  lines: readonly string[],
  { kills, lanes, random }: { readonly kills: number; readonly lanes: number; readonly random: Random },
): Promise<LoadKillTally> {
  const files = newFolder(root, "source");
  source.write(files, lines);
  const tally: LoadKillTally = { kills: new Map(), resumed: 0, tables: 0, mostReadAgain: 0, problems: [] };
  const undisturbed = newFolder(root, "undisturbed");
  const whole = await runLoad(undisturbed, files, source.batchBytes);
  const wanted = await contentOf(path.join(undisturbed, "table"));
  const { rowsRead, rowsDead } = whole.result ?? {};
  if (rowsRead !== lines.length || wanted.rows.count + wanted.letters.count !== lines.length) {
    tally.problems.push(`the undisturbed load read ${rowsRead} of ${lines.length} records`);
  }
  if (wanted.letters.count !== rowsDead || rowsDead === 0) tally.problems.push(`it tells of ${rowsDead} bad records`);
  const state: Killing = {
    source,
    files,
    wanted,
    kills,
    random,
    tally,
    killed: 0,
    usual: { startMs: 1500, commitMs: 300 },
  };
  learn(state, whole);
  await Promise.all(Array.from({ length: lanes }, (_, lane) => killTables(state, root, lane)));
  return tally;
}

interface Killing {
  readonly source: KilledSource;
  readonly files: string;
  readonly wanted: Awaited<ReturnType<typeof contentOf>>;
  readonly kills: number;
  readonly random: Random;
  readonly tally: LoadKillTally;
  killed: number;
  /** How long a start and a commit take at the moment: kills are spread over that. */
  readonly usual: { startMs: number; commitMs: number };
}

async function killTables(state: Killing, root: string, lane: number): Promise<void> {
  const { source, files, wanted, tally } = state;
  for (let n = 0; state.killed < state.kills; n++) {
    const folder = newFolder(root, `killed-${lane}-${n}`);
    await killTable(state, folder);
    const at = path.join(folder, "table");
    const found = await contentOf(at);
    if (JSON.stringify(found) !== JSON.stringify(wanted)) {
      tally.problems.push(`${at} holds ${JSON.stringify(found)}, should be ${JSON.stringify(wanted)}`);
      continue;
    }
    const again = (await runLoad(folder, files, source.batchBytes)).result;
    if (!again?.isUpToDate || again.rowsRead > 0) tally.problems.push(`${at} wasn't up to date`);
    tally.tables++;
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** One load from its beginning to its end. */
async function killTable(state: Killing, folder: string): Promise<void> {
  const { source, files, tally } = state;
  const far = new Map<string, number>();
  let hasCommit = false;
  for (let isOver = false; !isOver; ) {
    const kill = state.killed < state.kills ? nextKill(state) : undefined;
    const run = await runLoad(folder, files, source.batchBytes, kill);
    learn(state, run);
    // Before the first commit comes a sample of the file, which shows how it is written: it isn't read for its records.
    if (hasCommit) {
      tally.resumed++;
      tally.mostReadAgain = Math.max(tally.mostReadAgain, readAgain(run, far));
    }
    hasCommit ||= fs.existsSync(path.join(folder, "table/_delta_log", `${"0".repeat(20)}.json`));
    isOver = !run.isKilled;
    if (!run.isKilled || kill === undefined) continue;
    state.killed++;
    const name = nameOf(kill);
    tally.kills.set(name, (tally.kills.get(name) ?? 0) + 1);
  }
}

/** First where none was yet; then mostly at times by chance, from the start to somewhere behind the second commit, else around a commit. */
function nextKill({ random, usual: { startMs, commitMs }, tally }: Killing): LoadKill {
  const around = LOAD_POINTS.map((point): LoadKill => ({ point: { ...point, nth: 1 + random.below(3) } }));
  const early: LoadKill = { commits: -1, afterMs: random.next() * startMs };
  const later: LoadKill = { commits: 1 + random.below(2), afterMs: random.next() * 1.5 * commitMs };
  const missing = [...around, early, later].find((kill) => !tally.kills.has(nameOf(kill)));
  if (missing !== undefined) return missing;
  if (random.below(5) === 0) return random.pick(around);
  return random.below(3) === 0 ? early : later;
}

function nameOf(kill: LoadKill): string {
  if ("point" in kill) return `right ${kill.point.moment} a commit of the ${kill.point.log}`;
  return kill.commits < 0 ? "from the start to the first commit" : "after it";
}

function learn({ usual }: Killing, { startMs, commitMs }: LoadRun): void {
  if (startMs !== undefined) usual.startMs = (usual.startMs + startMs) / 2;
  if (commitMs !== undefined) usual.commitMs = (usual.commitMs + commitMs) / 2;
}

/** Bytes of the source that `run` read and an earlier one had read already, each counted once. */
function readAgain(run: LoadRun, before: Map<string, number>): number {
  const far = new Map(before);
  const seen = new Map<string, number>();
  let again = 0;
  for (const [file, from, to] of [...run.reads].sort(([, a], [, b]) => a - b)) {
    const start = Math.max(from, seen.get(file) ?? 0);
    again += Math.max(0, Math.min(to, before.get(file) ?? 0) - start);
    seen.set(file, Math.max(seen.get(file) ?? 0, to));
    far.set(file, Math.max(far.get(file) ?? 0, to));
  }
  for (const [file, to] of far) before.set(file, to);
  return again;
}

function newFolder(root: string, name: string): string {
  const folder = path.join(root, name);
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

/** The tally as text. */
export function loadReportOf({ kills, resumed, tables, mostReadAgain }: LoadKillTally): string {
  const lines = [...kills].map(([name, count]) => `  ${name.padEnd(40)} ${String(count).padStart(4)}`);
  const total = [...kills.values()].reduce((sum, count) => sum + count, 0);
  return [
    `${total} kills of loads into ${tables} tables, ${resumed} runs went on, ${mostReadAgain} bytes at most were read again:`,
    ...lines.sort(),
  ].join("\n");
}
