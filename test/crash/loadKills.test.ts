import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LoadResult, Table } from "#src/index.js";
import { type Random, seeded } from "./random.js";

/** Over all sources. */
const KILLS = 200;
const CHILD = fileURLToPath(new URL("loadChild.mjs", import.meta.url));
const ROWS = 150_000;

let root: string;
let lines: string[];

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "delta-load-kills-"));
  lines = await flightLines(ROWS);
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** Real flights as CSV lines behind an id of each; some of them spoiled, each in one of four ways. */
async function flightLines(count: number): Promise<string[]> {
  const parquet = await import("parquet-wasm");
  const bytes = fs.readFileSync(new URL("../data/flights-3m.parquet", import.meta.resolve("vega-datasets")));
  const flights = tableFromIPC(parquet.readParquet(bytes).intoIPCStream()).slice(0, count);
  const found = [];
  for (const [id, row] of [...flights].entries()) found.push(lineOf(id, row.toJSON()));
  return found;
}

function lineOf(id: number, flight: Record<string, unknown>): string {
  const { date, distance: far, origin, destination } = flight;
  const when = new Date(Number(date)).toISOString();
  const delay = flight.delay ?? "";
  switch (id % 1511) {
    case 7:
      return `${id},${when},late,${far},${origin},${destination}`;
    case 501:
      return `${id},${when},${delay}`;
    case 803:
      return `${id},${when},${delay},${far},${origin},${destination},more,and more`;
    case 1200:
      return `${id},yesterday,${delay},"${far}",${origin},${destination}`;
    default:
      return id % 10 === 0
        ? `${id},${when},${delay},${far},"${origin}, or\n""so""",${destination}`
        : `${id},${when},${delay},${far},${origin},${destination}`;
  }
}

const HEADER = "id,at,delay,distance,origin,destination\n";
const SCHEMA = {
  id: "long",
  at: "timestamp",
  delay: "double",
  distance: "double",
  origin: "string",
  destination: "string",
} as const;

const text = (from: number, to: number) => `${HEADER}${lines.slice(from, to).join("\n")}\n`;

/** What is loaded. */
interface Source {
  readonly name: string;
  write(at: string): void;
  /** A batch is also what a run may read of what an earlier one read; but for what has to be unpacked again. */
  readonly batchBytes: number;
  readonly isUnpacked?: true;
}

const KIB = 1024;
/** What tells that the file is still the same one, and its header: within a batch, unless that is as small as here. */
const KNOWN_AGAIN_BYTES = 2 * 64 * KIB + 16 * KIB;

const SOURCES: readonly Source[] = [
  {
    name: "one large file",
    write: (at) => fs.writeFileSync(path.join(at, "flights.csv"), text(0, ROWS)),
    batchBytes: 256 * KIB,
  },
  {
    name: "one compressed file",
    write: (at) => fs.writeFileSync(path.join(at, "flights.csv.gz"), gzipSync(text(0, ROWS))),
    batchBytes: 256 * KIB,
    isUnpacked: true,
  },
  {
    name: "many files, small ones and large ones",
    write: (at) => {
      for (let from = 0, n = 0; from < ROWS; n++) {
        const to = Math.min(ROWS, from + (n % 20 === 19 ? 20_000 : 300));
        fs.writeFileSync(path.join(at, `${String(n).padStart(4, "0")}.csv`), text(from, to));
        from = to;
      }
    },
    batchBytes: 256 * KIB,
  },
];

interface Run {
  readonly isKilled: boolean;
  readonly result: LoadResult | undefined;
  /** Ranges of the source that it read: file, from, to. */
  readonly reads: readonly (readonly [string, number, number])[];
}

/** When a run is killed: so many milliseconds after so many commits. */
interface Kill {
  readonly commits: number;
  readonly afterMs: number;
}

/** How long the machine takes for a commit at the moment; kills are spread over about that. */
let commitMs = 200;

/** A run of the load, killed or not. */
async function run(folder: string, source: string, batchBytes: number, kill?: Kill): Promise<Run> {
  const reads = path.join(folder, "reads");
  fs.rmSync(reads, { force: true });
  const argument = {
    table: path.join(folder, "table"),
    source,
    reads,
    options: { schema: SCHEMA, batchBytes, job: "flights" },
  };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(argument)], { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  let result: LoadResult | undefined;
  let [seen, sinceMs] = [-1, performance.now()];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("done ")) result = JSON.parse(line.slice("done ".length));
    else if (++seen === kill?.commits) void setTimeout(kill.afterMs).then(() => child.kill("SIGKILL"));
    if (seen > 0) commitMs = Math.min(5_000, (commitMs + performance.now() - sinceMs) / 2);
    sinceMs = performance.now();
  }
  const [code, signal] = await exit;
  if (signal !== "SIGKILL" && code !== 0) throw new Error(`The load ended with ${code ?? signal}.`);
  const ranges = fs.readFileSync(reads, "utf8").split("\n").slice(0, -1);
  return {
    isKilled: signal === "SIGKILL",
    result,
    reads: ranges.map((line) => {
      const [from, to] = line.split(" ").slice(-2).map(Number);
      return [line.split(" ")[0]!, from!, to!] as const;
    }),
  };
}

/** Rows and dead letters of a table, each as a count and a digest. */
async function contentOf(folder: string) {
  const table = Table.open(path.join(folder, "table"));
  const letters = Table.open(path.join(folder, "table", "_dead_letters"));
  const history = await table.history();
  const sum = (name: string) => history.reduce((total, one) => total + Number(one.operationMetrics[name] ?? 0), 0);
  return {
    rows: await digestOf(table, (row) => `${row.id}`),
    letters: await digestOf(letters, ({ file, record }) => `${file} ${String(record).padStart(9)}`, [
      "file",
      "byte_offset",
      "line",
      "record",
      "column",
      "code",
      "raw",
    ]),
    books: ["rowsRead", "rowsLoaded", "rowsDead", "rowsFiltered"].map(sum),
  };
}

async function digestOf(table: Table, keyOf: (row: Record<string, unknown>) => string, columns?: readonly string[]) {
  const rows: string[] = [];
  for await (const row of table.rows(columns === undefined ? {} : { columns: [...columns] })) {
    const name = (value: unknown) => (typeof value === "bigint" ? String(value) : value);
    // The folders differ.
    const file = "file" in row ? { file: path.basename(String(row.file)) } : {};
    const values = { ...row, ...file };
    rows.push(`${keyOf(values)} ${JSON.stringify(values, (_, value) => name(value))}`);
  }
  rows.sort();
  return { count: rows.length, digest: createHash("sha256").update(rows.join("\n")).digest("hex") };
}

/** Bytes of the source that `run` read and an earlier one had read already, each counted once. */
function readAgain(run: Run, before: Map<string, number>): number {
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

describe("a load that is killed, at any time and again and again", () => {
  const random: Random = seeded(20_261_122);
  let killed = 0;

  it.each(SOURCES)("of $name ends as one that nobody killed", async (source) => {
    const folderOf = (name: string) => {
      const folder = path.join(root, source.name.replaceAll(/\W+/g, "-"), name);
      fs.mkdirSync(folder, { recursive: true });
      return folder;
    };
    const files = folderOf("source");
    source.write(files);
    const whole = await run(folderOf("undisturbed"), files, source.batchBytes);
    expect(whole.result).toMatchObject({ rowsRead: ROWS, isUpToDate: false });
    const wanted = await contentOf(folderOf("undisturbed"));
    expect(wanted.rows.count + wanted.letters.count).toBe(ROWS);
    expect(wanted.letters.count).toBe(whole.result!.rowsDead);

    const goal = killed + Math.ceil(KILLS / SOURCES.length);
    let largest = 0;
    for (let table = 0; killed < goal; table++) {
      const folder = folderOf(`killed-${table}`);
      const far = new Map<string, number>();
      let hasCommit = false;
      for (;;) {
        const kill = { commits: random.below(3), afterMs: random.next() * 1.5 * commitMs };
        const outcome = await run(folder, files, source.batchBytes, kill);
        // Before the first commit comes a sample of the file, which shows how it is written: it isn't read for its records.
        if (hasCommit) largest = Math.max(largest, readAgain(outcome, far));
        hasCommit ||= fs.existsSync(path.join(folder, "table", "_delta_log", `${"0".repeat(20)}.json`));
        if (!outcome.isKilled) break;
        killed++;
      }
      expect(await contentOf(folder)).toEqual(wanted);
      expect((await run(folder, files, source.batchBytes)).result).toMatchObject({ isUpToDate: true, rowsRead: 0 });
    }
    if (!source.isUnpacked) expect(largest).toBeLessThanOrEqual(source.batchBytes + KNOWN_AGAIN_BYTES);
  });

  it("was killed often enough", () => {
    expect(killed).toBeGreaterThanOrEqual(KILLS);
  });
});
