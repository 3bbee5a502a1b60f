import { Table } from "#src/index.js";
import type { StorageOptions } from "#src/storage/open.js";
import { type AppenderReport, type ReaderReport, runProcesses } from "./processes.js";

export interface ContentionOptions {
  readonly location: string;
  readonly storage: StorageOptions;
  readonly writers: number;
  readonly appends: number;
  readonly readers: number;
}

/** How the appends fared against each other. Times in milliseconds where they don't say seconds. */
export interface ContentionReport {
  readonly seconds: number;
  readonly commits: number;
  readonly meanAttempts: number;
  readonly maxAttempts: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** When the first and the last writer were through. */
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly reads: number;
  /** Everything that wasn't as it should be. */
  readonly problems: readonly string[];
}

/** Every fourth writer writes a checkpoint after so many appends of its own, beside those of every tenth version. */
const CHECKPOINT_EVERY = 7;

/** Lets processes append to one new table at once while others read it, and checks that each append landed once. */
export async function contend(options: ContentionOptions): Promise<ContentionReport> {
  const { location, storage, writers, appends, readers } = options;
  const appenders = Array.from({ length: writers }, (_, i) => ({
    location,
    storage,
    writer: `w${i}`,
    appends,
    ...(i % 4 === 0 ? { checkpointEvery: CHECKPOINT_EVERY } : {}),
  }));
  const run = await runProcesses(appenders, readers);
  const problems = [
    ...run.appenders.flatMap(({ writer, failed, checkpointFailures }) => [
      ...failed.map(({ n, code }) => `append ${n} of ${writer} failed: ${code}`),
      ...checkpointFailures.map((code) => `a checkpoint of ${writer} failed: ${code}`),
    ]),
    ...run.readers.flatMap((reader) => reader.problems),
    ...(await checkTable(options)),
  ];
  return { ...figures(run.appenders, run.readers), seconds: run.seconds, problems };
}

async function checkTable({ location, storage, writers, appends }: ContentionOptions): Promise<string[]> {
  await using table = Table.open<{ writer: string; n: bigint }>(location, storage);
  const commits = writers * appends;
  const problems: string[] = [];
  const version = await table.version();
  if (version !== commits - 1) problems.push(`version ${version} after ${commits} commits`);
  const rows = (await table.toArray()).map(({ writer, n }) => `${writer} ${n}`);
  if (rows.length !== commits) problems.push(`${rows.length} rows of ${commits}`);
  if (new Set(rows).size !== commits) problems.push(`${new Set(rows).size} different rows of ${commits}`);
  const history = await table.history();
  if (history.length !== commits) problems.push(`${history.length} entries of history`);
  return problems;
}

function figures(appenders: readonly AppenderReport[], readers: readonly ReaderReport[]) {
  const acknowledged = appenders.flatMap((report) => report.acknowledged);
  const attempts = acknowledged.map((append) => append.attempts).sort((a, b) => a - b);
  const times = acknowledged.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))]!;
  const ends = appenders.map(({ seconds }) => seconds);
  return {
    commits: acknowledged.length,
    meanAttempts: attempts.reduce((sum, n) => sum + n, 0) / attempts.length,
    maxAttempts: attempts.at(-1)!,
    medianMs: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    firstSeconds: Math.min(...ends),
    lastSeconds: Math.max(...ends),
    reads: readers.reduce((sum, { reads }) => sum + reads, 0),
  };
}
