import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Table } from "delta-table";
import { peakSinceRestart, restartPeak } from "./peakMemory.js";
import { ioSince, processIo } from "./processIo.js";
import type { Sample } from "./workload.js";

/** Runs a program to its end and gives its standard output; what it says on standard error is shown. */
export function capture(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${command} ${args.join(" ")} ended with exit code ${code}`)),
    );
  });
}

/** Has a process load what it reads and writes tables with, as Python's peers do when they are imported. */
export async function loadModules(): Promise<void> {
  const table = Table.open("memory:modules");
  await table.append([{ id: 1n }]);
  await table.checkpoint();
  await Table.open("memory:modules").files();
}

/** In a contender's process: does the task once and prints its sample. The rest is found out after the clock has stopped. */
export async function sample<T>(
  task: () => Promise<T>,
  answer: (result: T) => unknown,
  more: (result: T) => Pick<Sample, "latencies" | "storedBytes"> = () => ({}),
): Promise<void> {
  const before = processIo();
  const peakBefore = process.resourceUsage().maxRSS * 1024;
  const residentBefore = restartPeak();
  const start = performance.now();
  const result = await task();
  const ms = performance.now() - start;
  const peak = peakSinceRestart();
  const memory = { peakRssBytes: Math.max(peak, peakBefore), addedRssBytes: peak - residentBefore };
  const io = ioSince(before);
  console.log(JSON.stringify({ ms, ...memory, io, ...more(result), answer: await answer(result) } satisfies Sample));
}

/** Does tasks one after another; the times of each, in milliseconds. */
export async function latenciesOf(tasks: Iterable<() => Promise<unknown>>): Promise<number[]> {
  const times: number[] = [];
  for (const task of tasks) {
    const start = performance.now();
    await task();
    times.push(performance.now() - start);
  }
  return times;
}

/** What the Parquet files of a folder take. */
export function storedBytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".parquet"));
  return files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
