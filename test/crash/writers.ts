import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { Point } from "./points.js";

// By the working directory: this file is also compiled to another place.
const CHILD = path.resolve("test/crash/child.mjs");
const HOOK = pathToFileURL(path.resolve("test/crash/killHook.mjs")).href;

/** How a table is written. */
export interface TableKind {
  readonly partitioned: boolean;
  /** Its `delta.checkpointInterval`. */
  readonly interval: number;
  /** A checkpoint after each append. */
  readonly checkpoints: boolean;
  readonly txn: boolean;
}

/** When a writer is to be killed. */
export type Plan =
  | { readonly point: Point; readonly nth: number }
  | { readonly point?: undefined; readonly afterMs: number };

/** What a writer said until it ended. */
export interface Report {
  /** Appends that it may rely on. */
  readonly done: readonly number[];
  /** The append it was at, if any. */
  readonly begun: number | undefined;
  readonly isKilled: boolean;
}

/** A process that appends, as soon as it is told to go. */
export interface Writer {
  readonly ready: Promise<void>;
  go(): Promise<Report>;
}

/** Starts a process that appends `count` times to the table, numbered from `from` on, and will be killed as planned. */
export function startWriter(
  table: string,
  kind: TableKind,
  { writer, from, count, plan }: { writer: string; from: number; count: number; plan: Plan },
): Writer {
  const argument = JSON.stringify({ table, writer, from, count, ...kind });
  const kill = plan.point === undefined ? {} : { ...plan.point, nth: plan.nth };
  const child = spawn(process.execPath, ["--import", HOOK, CHILD, argument], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, DELTA_KILL: JSON.stringify(kill) },
  });
  // Closed on its side by the kill.
  child.stdin.on("error", () => {});
  const ended = once(child, "close");
  const done: number[] = [];
  let begun: number | undefined;
  let isReady = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [word, n] = line.split(" ");
    if (word === "ready") isReady();
    else if (word === "begin") begun = Number(n);
    else {
      done.push(Number(n));
      begun = undefined;
    }
  });
  return {
    ready: Promise.race([ready, ended.then(() => undefined)]),
    go: async () => {
      child.stdin.write("go\n");
      const timer = plan.point === undefined ? setTimeout(() => child.kill("SIGKILL"), plan.afterMs) : undefined;
      const [code, signal] = await ended;
      clearTimeout(timer);
      if (code !== 0 && signal !== "SIGKILL") throw new Error(`${writer} ended with ${code ?? signal}`);
      return { done, begun, isKilled: signal === "SIGKILL" };
    },
  };
}
