import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";
import { gzipSync } from "node:zlib";
import { type LoadResult, Table } from "#src/index.js";
import { runtime } from "#src/runtime.js";
import { s3Store } from "#src/storage/s3.js";
import { type Random, seeded } from "../crash/random.js";
import { contentOf, FLIGHT_SCHEMA, flightFile } from "../load/flights.js";
import { type Fault, type FaultProxy, type FaultRule, startFaultProxy } from "../servers/faultProxy.js";
import type { S3Server } from "../servers/s3Server.js";

export interface LoadFaultOptions {
  readonly server: S3Server;
  readonly lines: readonly string[];
  /** Where what is loaded is: in the bucket, or in a local folder. */
  readonly sourceOnS3: boolean;
  readonly scratch: string;
  readonly seed: number;
  /** Loads, one after the other, each into a table of its own. */
  readonly loads: number;
}

export interface LoadFaultReport {
  readonly runs: number;
  readonly kills: number;
  /** Runs that ended with an error, by its code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Requests that went wrong, by what did. */
  readonly faults: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly problems: readonly string[];
}

const BATCH_BYTES = 96 * 1024;
/** A faulty run's requests. */
const RULES = 14;
const WITHIN_REQUESTS = 60;
/** The first run of each load and half of the others are killed, at one of their first requests: fewer than any whole load makes. */
const KILLED_WITHIN_REQUESTS = 40;
/** Runs of one load that may go wrong; then nothing does. */
const FAULTY_RUNS = 8;
/** What a run may say where storage doesn't answer. */
const REASONS: readonly string[] = ["DELTA_STORAGE_UNAVAILABLE", "DELTA_COMMIT_OUTCOME_UNKNOWN"];

/**
 * Loads into tables on S3 through a proxy that drops, delays, doubles, cuts and refuses requests and answers, in processes that are killed
 * at any request, until each load is done; compares the tables with one of a load that nothing happened to.
 */
export async function loadThroughFaults(options: LoadFaultOptions): Promise<LoadFaultReport> {
  const { server, loads, seed } = options;
  const random = seeded(seed);
  const source = await writeSource(options);
  const direct = { s3: server.options };
  const newTable = () => `s3://${server.bucket}/${runtime.randomUUID()}`;
  const undisturbed = newTable();
  const { result } = await runOnce({ location: undisturbed, storage: direct, source });
  const wanted = await contentOf(undisturbed, direct);
  const tally: Tally = { runs: 0, kills: 0, failed: {}, faults: {}, requests: 0, problems: [] };
  if (result?.rowsRead !== options.lines.length) tally.problems.push(`the undisturbed load read ${result?.rowsRead}`);
  const proxy = await startFaultProxy(server.endpoint);
  // A request that is never answered is one after two seconds.
  const storage = { s3: { ...server.options, endpoint: proxy.endpoint, timeoutMs: 2000 } };
  try {
    for (let n = 0; n < loads; n++) {
      const location = newTable();
      await loadOnce({ location, storage, source }, proxy, random, tally);
      const found = await contentOf(location, direct);
      if (!isDeepStrictEqual(found, wanted)) {
        tally.problems.push(`${location} holds ${JSON.stringify(found)}, should be ${JSON.stringify(wanted)}`);
      }
      await using table = Table.open(location, direct);
      const again = await table.load(source, { ...LOAD_OPTIONS, storage: direct });
      if (!again.isUpToDate) tally.problems.push(`${location} wasn't up to date`);
    }
  } finally {
    await proxy.close();
  }
  return tally;
}

const LOAD_OPTIONS = { schema: FLIGHT_SCHEMA, batchBytes: BATCH_BYTES, job: "flights" };

interface Tally {
  runs: number;
  kills: number;
  readonly failed: Record<string, number>;
  readonly faults: Record<string, number>;
  requests: number;
  readonly problems: string[];
}

/** A large file, a compressed one, and small ones; the pattern or folder that stands for them. */
async function writeSource({ server, lines, sourceOnS3, scratch }: LoadFaultOptions): Promise<string> {
  const third = Math.floor(lines.length / 3);
  const files: Record<string, string | Uint8Array> = {
    "a.csv": flightFile(lines, 0, third),
    "b.csv.gz": gzipSync(flightFile(lines, third, 2 * third)),
  };
  for (let from = 2 * third; from < lines.length; from += 400) {
    files[`c${from}.csv`] = flightFile(lines, from, Math.min(lines.length, from + 400));
  }
  if (!sourceOnS3) {
    for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(scratch, name), content);
    return scratch;
  }
  const folder = runtime.randomUUID();
  await using store = s3Store(`s3://${server.bucket}/${folder}`, server.options);
  for (const [name, content] of Object.entries(files)) await store.put(name, Buffer.from(content as string));
  return `s3://${server.bucket}/${folder}`;
}

interface Loading {
  readonly location: string;
  readonly storage: object;
  readonly source: string;
}

/** One load, until it is done. */
async function loadOnce(loading: Loading, proxy: FaultProxy, random: Random, tally: Tally): Promise<void> {
  for (let run = 0; ; run++) {
    proxy.reset();
    const kill = new AbortController();
    if (run === 0 || (run < FAULTY_RUNS && random.below(2) === 0)) proxy.add(killRule(random, () => kill.abort()));
    if (run < FAULTY_RUNS) for (let n = 0; n < RULES; n++) addRule(proxy, nextRule(random), tally);
    const outcome = await runOnce(loading, kill.signal);
    tally.runs++;
    tally.requests += proxy.requests.length;
    if (outcome.result !== undefined) return;
    if (outcome.failed === undefined) tally.kills++;
    else {
      tally.failed[outcome.failed] = (tally.failed[outcome.failed] ?? 0) + 1;
      if (!REASONS.includes(outcome.failed)) tally.problems.push(`a run failed with ${outcome.failed}`);
      if (run >= FAULTY_RUNS) throw new Error(`A load fails where nothing goes wrong: ${outcome.failed}`);
    }
  }
}

const KINDS = (random: Random): readonly Fault[] => [
  { kind: "reset" },
  { kind: "drop-answer" },
  { kind: "cut-request" },
  { kind: "cut-answer" },
  { kind: "delay", ms: random.below(500) },
  { kind: "twice" },
  { kind: "again", ms: random.below(1500) },
  { kind: "refuse", status: 503, code: "SlowDown" },
  { kind: "replace-answer", status: 500, code: "InternalError" },
  { kind: "swallow-answer" },
];

/** The request that a run dies at never arrives, or has its effect. */
function killRule(random: Random, kill: () => void): FaultRule {
  const kind = random.pick(["silence", "swallow-answer"] as const);
  return { after: random.below(KILLED_WITHIN_REQUESTS), fault: { kind }, onHit: kill };
}

/** Half of all faults are at writes. */
function nextRule(random: Random): FaultRule {
  const isWrite = random.below(2) === 0;
  return {
    ...(isWrite ? { method: "PUT" } : {}),
    after: random.below(isWrite ? WITHIN_REQUESTS / 2 : WITHIN_REQUESTS),
    times: 1 + random.below(2),
    fault: random.pick(KINDS(random)),
  };
}

function addRule(proxy: FaultProxy, rule: FaultRule, { faults }: Tally): void {
  const onHit = () => {
    faults[rule.fault.kind] = (faults[rule.fault.kind] ?? 0) + 1;
  };
  proxy.add({ ...rule, onHit });
}

interface RunOutcome {
  readonly result: LoadResult | undefined;
  readonly failed: string | undefined;
}

/** A run in a process of its own; neither a result nor an error where it was killed. */
async function runOnce(loading: Loading, killed?: AbortSignal): Promise<RunOutcome> {
  const argument = JSON.stringify({ ...loading, options: LOAD_OPTIONS });
  // Scripts aren't compiled: they are where they are in the repository, whose root everything is started from.
  const child = spawn(process.execPath, [path.resolve("test/concurrency/loader.mjs"), argument], {
    stdio: ["ignore", "pipe", "inherit"],
    // Each would say it, and it is said elsewhere (decision 9).
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  });
  const exit = once(child, "exit");
  killed?.addEventListener("abort", () => child.kill("SIGKILL"));
  let outcome: RunOutcome = { result: undefined, failed: undefined };
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line);
    if (said.result !== undefined || said.failed !== undefined) outcome = { result: said.result, failed: said.failed };
  }
  const [code, signal] = await exit;
  if (signal !== "SIGKILL" && code !== 0) throw new Error(`The load ended with ${code ?? signal}.`);
  return outcome;
}
