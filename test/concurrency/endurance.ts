import { availableParallelism } from "node:os";
import { type StorageOptions, Table } from "#src/index.js";
import { runtime } from "#src/runtime.js";
import { growth, type Holding, look } from "./leaks.js";

type Row = { id: bigint; text: string; part: string };

export interface EnduranceReport {
  readonly minutes: number;
  readonly appends: number;
  readonly reads: number;
  readonly first: Holding;
  readonly last: Holding;
  /** By the best straight line through the samples after the warm-up. */
  readonly growth: Readonly<Record<string, number>>;
  /** What it may be at most. */
  readonly bounds: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

/** Figures that must stay flat. */
const FIGURES = ["heapMiB", "externalMiB", "rssMiB", "descriptors", "resources"] as const;

/** A handle forgets the files behind its checkpoint when it knows of so many (`LONG_TAIL` in log/snapshot.ts). */
const LONG_TAIL = 10_000;
/** What a handle knows of a file: path, statistics, partition; and what the writer's and the reader's know together. */
const FILE_MIB = 1 / 1024;
const HANDLES = 2;

const threads = availableParallelism();
const THREAD_MIB = 64;
const THREAD_DESCRIPTORS = 12;

/**
 * What may be added while so many appends are made, which is what a growing table must cost.
 *
 * - The heap: what the handles know of the new files, and 4 MiB for code that is compiled late and caches.
 * - Outside of it: WebAssembly memory, which never shrinks, grows to what the largest checkpoint needs.
 * - The whole process: both, what the allocator keeps in pieces, and threads: once checkpoints are large enough for them, as
 *   many as there are processors, each with a heap and a WebAssembly memory.
 * - Descriptors: those of the threads. Resources: a port for each. The line through the samples may tilt by one.
 */
function bounds(appends: number): Record<(typeof FIGURES)[number], number> {
  const heapMiB = 4 + HANDLES * FILE_MIB * Math.min(appends, LONG_TAIL);
  const externalMiB = 8;
  const rssMiB = heapMiB + externalMiB + 24 + THREAD_MIB * threads;
  return { heapMiB, externalMiB, rssMiB, descriptors: 1 + THREAD_DESCRIPTORS * threads, resources: 1 + threads };
}

/** The first part of the samples isn't looked at: code is compiled, caches are filled. */
const WARM_UP = 0.25;
const SAMPLE_MS = 2000;
/** So many at least, however short it is. */
const SAMPLES = 40;
const PARTS = ["a", "b", "c"];

/**
 * One process uses a table by long-lived handles for so many minutes: appends, reads, travels in time, writes checkpoints,
 * makes mistakes. Every answer is checked, and that it holds on to no more than a growing table must cost.
 */
export async function endure(location: string, storage: StorageOptions, minutes: number): Promise<EnduranceReport> {
  const writer = Table.open<Row>(location, storage);
  const reader = Table.open<Row>(location, storage);
  const problems: string[] = [];
  const check = (holds: boolean, what: string) => {
    if (!holds && problems.length < 20) problems.push(what);
  };
  const samples: Holding[] = [];
  const started = performance.now();
  const endMs = started + minutes * 60_000;
  let appends = 0;
  let reads = 0;
  let nextSample = started;
  const sampleMs = Math.min(SAMPLE_MS, (minutes * 60_000) / SAMPLES);
  while (performance.now() < endMs) {
    const id = BigInt(appends);
    const part = PARTS[appends % PARTS.length]!;
    await writer.append([{ id, text: `row ${id}`, part }], { partitionBy: ["part"] });
    const version = appends++;
    const past = Math.floor(runtime.random() * appends);
    check((await reader.count()) === appends, `another count than ${appends}`);
    check((await reader.at(past).count()) === past + 1, `another count than ${past + 1} at version ${past}`);
    reads += 2;
    if (appends % 10 === 0) {
      const rows = await reader.toArray({ where: { id } });
      check(rows.length === 1 && rows[0]!.text === `row ${id}`, `row ${id} isn't found at version ${version}`);
      const limited = await reader.toArray({ where: { part }, limit: 5 });
      check(
        limited.length === Math.min(5, Math.ceil(appends / PARTS.length)),
        `${limited.length} rows of part ${part}`,
      );
      reads += 2;
    }
    if (appends % 100 === 0) {
      await reader.checkpoint();
      const entries = await reader.history({ limit: 20 });
      check(entries[0]?.version === version, `history ends with ${entries[0]?.version}, not ${version}`);
      const failure = await reader
        .at(version + 1)
        .count()
        .catch((error) => error.code);
      check(failure === "DELTA_VERSION_NOT_FOUND", `version ${version + 1} answered ${failure}`);
      const wrong = await writer.append([{ id: "x" }] as never).catch((error) => error.code);
      check(wrong === "DELTA_SCHEMA_MISMATCH" || wrong === "DELTA_VALUE_OUT_OF_RANGE", `a wrong row answered ${wrong}`);
      const fresh = Table.open<Row>(location, storage);
      check((await fresh.count()) === appends, `a new handle counts other than ${appends}`);
      await fresh[Symbol.asyncDispose]();
    }
    if (performance.now() >= nextSample) {
      samples.push(await look(started));
      nextSample = performance.now() + sampleMs;
    }
  }
  const settled = samples.slice(Math.floor(samples.length * WARM_UP));
  if (settled.length < 10) throw new Error(`${settled.length} samples are too few: let it run for longer.`);
  const allowed = bounds(appends);
  const grown = Object.fromEntries(FIGURES.map((figure) => [figure, growth(settled, figure)]));
  for (const figure of FIGURES) {
    check(grown[figure]! <= allowed[figure], `${figure} grew by ${grown[figure]}, more than ${allowed[figure]}`);
  }
  await writer[Symbol.asyncDispose]();
  await reader[Symbol.asyncDispose]();
  return {
    minutes,
    appends,
    reads,
    first: settled[0]!,
    last: settled.at(-1)!,
    growth: grown,
    bounds: allowed,
    problems,
  };
}
