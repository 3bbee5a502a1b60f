// npm run bench:guard [-- --update]: what each verb asks of the storage and what a replay keeps, beside bench/counts.json. Fails where
// something grew. Counts only, no times: they are the same on every machine.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Table } from "delta-table";
import { memoryStore } from "#src/storage/memory.js";
import { makeCommits } from "./data/commits.js";
import { project, script } from "./folders.js";
import { generated } from "./generated.js";
import type { BenchRow } from "./rows.js";
import { type Tally, tallying } from "./tally.js";
import { makeElevenFiles, VERBS } from "./verbs.js";

interface Counts {
  readonly verbs: Readonly<Record<string, Tally>>;
  /** What a snapshot of 10,000 JSON commits keeps in memory. */
  readonly replayedBytes: number;
}

/** A commit tells times and durations, whose digits vary. */
const BYTES_MAY_GROW = 1.02;
/** What a collector of garbage leaves varies more. */
const MEMORY_MAY_GROW = 1.15;
const COMMITS = 10_000;
const BASELINE = join(project, "bench", "counts.json");

const { values: given } = parseArgs({ options: { update: { type: "boolean", default: false } } });
const counts: Counts = { verbs: await countVerbs(), replayedBytes: await replayedBytes() };
console.log(page(counts));
if (given.update) await writeFile(BASELINE, `${JSON.stringify(counts, null, 2)}\n`);
const grown = grownSince(JSON.parse(await readFile(BASELINE, "utf8")) as Counts, counts);
for (const line of grown) console.error(line);
process.exitCode = grown.length > 0 ? 1 : 0;

async function countVerbs(): Promise<Record<string, Tally>> {
  const made: Record<string, Tally> = {};
  for (const verb of VERBS) {
    const { store, take } = tallying(memoryStore());
    {
      await using before = Table.open<BenchRow>(store);
      await makeElevenFiles(before, verb);
    }
    take();
    {
      await using table = Table.open<BenchRow>(store);
      await verb.call(table);
    }
    made[verb.name] = take();
  }
  return made;
}

async function replayedBytes(): Promise<number> {
  const folder = await generated(`commits-${COMMITS}`, [script("data/commits")], (made) => makeCommits(made, COMMITS));
  const before = usedBytes();
  const table = Table.open(folder);
  await table.version();
  const kept = usedBytes() - before;
  await table[Symbol.asyncDispose]();
  return kept;
}

function usedBytes(): number {
  if (globalThis.gc === undefined) throw new Error("Run it with node --expose-gc, as npm run bench:guard does.");
  for (let i = 0; i < 4; i++) globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function grownSince(before: Counts, now: Counts): string[] {
  const grown: string[] = [];
  const check = (what: string, was: number, is: number, factor: number) => {
    if (is > was * factor) grown.push(`${what} grew from ${was} to ${is}`);
  };
  for (const [name, { requests, bytesRead, bytesWritten }] of Object.entries(now.verbs)) {
    const old = before.verbs[name];
    if (old === undefined) {
      grown.push(`${name} is new: run npm run bench:guard -- --update`);
      continue;
    }
    for (const [verb, count] of Object.entries(requests)) {
      check(`${name}: requests (${verb})`, old.requests[verb] ?? 0, count, 1);
    }
    check(`${name}: bytes read`, old.bytesRead, bytesRead, BYTES_MAY_GROW);
    check(`${name}: bytes written`, old.bytesWritten, bytesWritten, BYTES_MAY_GROW);
  }
  check(
    `what a snapshot of ${COMMITS} commits keeps, in bytes,`,
    before.replayedBytes,
    now.replayedBytes,
    MEMORY_MAY_GROW,
  );
  return grown;
}

function page({ verbs, replayedBytes: kept }: Counts): string {
  const rows = Object.entries(verbs).map(([name, { requests, bytesRead, bytesWritten }]) => {
    const asked = Object.entries(requests).map(([verb, count]) => `${count} ${verb}`);
    return `| ${name} | ${asked.join(", ")} | ${bytesRead} | ${bytesWritten} |`;
  });
  return [
    "| verb, on a new handle | requests | bytes read | bytes written |",
    "| --- | --- | ---: | ---: |",
    ...rows,
    "",
    `A snapshot of ${COMMITS} commits keeps ${kept} bytes.`,
  ].join("\n");
}
