import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import type { LoadResult } from "#src/index.js";
import { FLIGHT_SCHEMA } from "../load/flights.js";

/** Where a process kills itself: right before or after its nth commit of the table, or of its dead letters. */
export const LOAD_POINTS = [
  { log: "table", moment: "before" },
  { log: "table", moment: "after" },
  { log: "letters", moment: "after" },
] as const;

export type LoadPoint = (typeof LOAD_POINTS)[number] & { readonly nth: number };

/** When a run is killed: so many milliseconds after so many commits (-1: after its start), or at a point. */
export type LoadKill = { readonly commits: number; readonly afterMs: number } | { readonly point: LoadPoint };

export interface LoadRun {
  readonly isKilled: boolean;
  readonly result: LoadResult | undefined;
  /** Ranges of the source that it read: file, from, to. */
  readonly reads: readonly (readonly [string, number, number])[];
  /** How long it took from the start to the first commit, and from one commit to the next; undefined where it didn't come so far. */
  readonly startMs: number | undefined;
  readonly commitMs: number | undefined;
}

/** A run of the load into `folder`/table in a process of its own, killed or not. */
export async function runLoad(folder: string, source: string, batchBytes: number, kill?: LoadKill): Promise<LoadRun> {
  const reads = path.join(folder, "reads");
  fs.rmSync(reads, { force: true });
  const point = kill !== undefined && "point" in kill ? kill.point : undefined;
  const timed = kill !== undefined && "commits" in kill ? kill : undefined;
  const options = { schema: FLIGHT_SCHEMA, batchBytes, job: "flights" };
  const argument = { table: path.join(folder, "table"), source, reads, point, options };
  // Scripts aren't compiled: they are where they are in the repository, whose root everything is started from.
  const script = path.resolve("test/crash/loadChild.mjs");
  const started = performance.now();
  const child = spawn(process.execPath, [script, JSON.stringify(argument)], { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const killAfter = (ms: number) => void setTimeout(ms).then(() => child.kill("SIGKILL"));
  if (timed?.commits === -1) killAfter(timed.afterMs);
  let result: LoadResult | undefined;
  const said: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("done ")) result = JSON.parse(line.slice("done ".length));
    else if (said.push(performance.now()) - 1 === timed?.commits) killAfter(timed.afterMs);
  }
  const [code, signal] = await exit;
  if (signal !== "SIGKILL" && code !== 0) throw new Error(`The load ended with ${code ?? signal}.`);
  return {
    isKilled: signal === "SIGKILL",
    result,
    reads: rangesOf(reads),
    startMs: said[1] && said[1] - started,
    commitMs: said.length > 2 ? (said.at(-1)! - said[1]!) / (said.length - 2) : undefined,
  };
}

function rangesOf(file: string): [string, number, number][] {
  // It may have been killed before it began.
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [name = "", from, to] = line.split(" ");
    return [name, Number(from), Number(to)];
  });
}
