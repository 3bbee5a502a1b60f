import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { StorageOptions } from "#src/storage/open.js";

/** What one appending process does. */
export interface AppenderOptions {
  readonly location: string;
  readonly storage: StorageOptions;
  readonly writer: string;
  readonly appends: number;
  /** After so many appends it writes a checkpoint, beside those that come by themselves. */
  readonly checkpointEvery?: number;
  /** Whether each append carries a transaction, and is repeated until it is known to be there. */
  readonly txn?: boolean;
}

/** An append that was acknowledged. */
export interface Acknowledged {
  readonly writer: string;
  readonly n: number;
  readonly version: number;
  readonly skipped: boolean;
  /** Conditional puts that it took. */
  readonly attempts: number;
  readonly ms: number;
}

/** What an appending process said. */
export interface AppenderReport {
  readonly writer: string;
  readonly acknowledged: readonly Acknowledged[];
  /** Appends that ended with an error, and codes. */
  readonly failed: readonly { readonly n: number; readonly code: string }[];
  readonly repeated: number;
  readonly checkpointFailures: readonly string[];
  readonly seconds: number;
}

export interface ReaderReport {
  readonly reads: number;
  readonly newest: number;
  readonly problems: readonly string[];
}

/** A child process and the lines of JSON that it prints, the first of which says that it is ready. */
class Child {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown[]>;

  constructor(script: string, argument: object) {
    // Scripts aren't compiled: they are where they are in the repository, whose root everything is started from.
    const file = path.resolve("test/concurrency", script);
    this.process = spawn(process.execPath, [file, JSON.stringify(argument)], {
      stdio: ["pipe", "pipe", "inherit"],
      // Each would say it, and it is said elsewhere (decision 9).
      env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    });
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
    this.#exited = once(this.process, "exit");
  }

  async next(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : JSON.parse(value);
  }

  async ended(): Promise<void> {
    const [code, signal] = await this.#exited;
    if (code !== 0) throw new Error(`${this.process.spawnargs[1]} ended with ${code ?? signal}`);
  }
}

async function started(children: readonly Child[]): Promise<void> {
  for (const child of children) {
    if ((await child.next()) !== "ready") throw new Error(`${child.process.spawnargs[1]} didn't start`);
  }
}

/**
 * Runs appending processes that all begin at the same moment, and readers as long as they run. Whatever happens, no
 * process is left.
 */
export async function runProcesses(
  appenders: readonly AppenderOptions[],
  readers: number,
  whileRunning: (stop: AbortSignal) => Promise<void> = async () => {},
): Promise<{ appenders: AppenderReport[]; readers: ReaderReport[]; seconds: number }> {
  const { location, storage } = appenders[0]!;
  const writing = appenders.map((options) => new Child("appender.mjs", options));
  const reading = Array.from({ length: readers }, () => new Child("reader.mjs", { location, storage }));
  const stop = new AbortController();
  try {
    await started([...writing, ...reading]);
    const begun = performance.now();
    // At the same moment: the first append, which creates the table, is contended too.
    for (const { process } of writing) process.stdin!.write("go\n");
    const beside = whileRunning(stop.signal);
    const reports = await Promise.all(writing.map((child, i) => collect(child, appenders[i]!.writer, begun)));
    const seconds = (performance.now() - begun) / 1000;
    stop.abort();
    await beside;
    for (const { process } of reading) process.stdin!.end();
    const seen = await Promise.all(reading.map(async (child) => (await child.next()) as ReaderReport));
    await Promise.all(reading.map((child) => child.ended()));
    return { appenders: reports, readers: seen, seconds };
  } finally {
    stop.abort();
    for (const { process } of [...writing, ...reading]) process.kill("SIGKILL");
  }
}

interface Line {
  readonly n?: number;
  readonly failed?: number;
  readonly repeated?: number;
  readonly checkpointFailed?: number;
  readonly code?: string;
}

async function collect(child: Child, writer: string, begun: number): Promise<AppenderReport> {
  const acknowledged: Acknowledged[] = [];
  const failed: { n: number; code: string }[] = [];
  const checkpointFailures: string[] = [];
  let repeated = 0;
  for (let line = (await child.next()) as Line; line !== undefined; line = (await child.next()) as Line) {
    const code = line.code ?? "";
    if (line.failed !== undefined) failed.push({ n: line.failed, code });
    else if (line.repeated !== undefined) repeated++;
    else if (line.checkpointFailed !== undefined) checkpointFailures.push(code);
    else acknowledged.push({ ...(line as Acknowledged), writer });
  }
  await child.ended();
  return { writer, acknowledged, failed, repeated, checkpointFailures, seconds: (performance.now() - begun) / 1000 };
}
