import { Table } from "#src/index.js";
import { runtime } from "#src/runtime.js";
import type { KillableServer } from "./killableServer.js";
import { type AppenderOptions, runProcesses } from "./processes.js";

export interface KillOptions {
  readonly server: KillableServer;
  readonly kills: number;
  /** Processes whose appends carry transactions, and as many whose don't. */
  readonly writers: number;
  readonly appends: number;
  /** How long the server stays away after the last kill: after some 20 s, clients give up. Half a second at most by default. */
  readonly lastOutageMs?: number;
}

export interface KillReport {
  readonly kills: number;
  readonly acknowledged: number;
  /** Appends without a transaction that ended with an error, by code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Appends with one that had to be repeated. */
  readonly repeated: number;
  readonly problems: readonly string[];
}

/** Kills the server again and again under processes that append, and checks what is in the table afterwards. */
export async function killUnderLoad({
  server,
  kills,
  writers,
  appends,
  lastOutageMs,
}: KillOptions): Promise<KillReport> {
  const location = `s3://${server.bucket}/${runtime.randomUUID()}`;
  const storage = { s3: server.options };
  const appenders = Array.from(
    { length: 2 * writers },
    (_, i): AppenderOptions => ({ location, storage, appends, writer: `w${i}`, txn: i < writers }),
  );
  let killed = 0;
  const run = await runProcesses(appenders, 0, async (stop) => {
    while (killed < kills && !stop.aborted) {
      await runtime.sleep(100 + runtime.random() * 900);
      await server.kill();
      killed++;
      const outageMs = killed === kills ? lastOutageMs : undefined;
      await runtime.sleep(outageMs ?? runtime.random() * 500);
      await server.start();
    }
  });

  await using table = Table.open<{ writer: string; n: bigint }>(location, storage);
  const times = new Map<string, number>();
  for (const { writer, n } of await table.toArray()) {
    times.set(`${writer} ${n}`, (times.get(`${writer} ${n}`) ?? 0) + 1);
  }
  const problems: string[] = [];
  const failed: Record<string, number> = {};
  for (const [i, report] of run.appenders.entries()) {
    const { writer } = report;
    const acknowledged = new Set(report.acknowledged.map(({ n }) => n));
    for (const { n, code } of report.failed) {
      failed[code] = (failed[code] ?? 0) + 1;
      if (i < writers) problems.push(`append ${n} of ${writer}, with a transaction, failed: ${code}`);
      const known = code !== "DELTA_COMMIT_OUTCOME_UNKNOWN";
      if (known && times.has(`${writer} ${n}`)) problems.push(`append ${n} of ${writer} failed (${code}) and is there`);
    }
    for (let n = 0; n < appends; n++) {
      const count = times.get(`${writer} ${n}`) ?? 0;
      if (count > 1) problems.push(`append ${n} of ${writer} is there ${count} times`);
      if (acknowledged.has(n) && count !== 1) problems.push(`append ${n} of ${writer} was acknowledged and is lost`);
    }
  }
  const history = await table.history();
  if (history.length !== (await table.version()) + 1)
    problems.push(`${history.length} commits of ${history[0]?.version}`);
  return {
    kills: killed,
    acknowledged: run.appenders.reduce((sum, report) => sum + report.acknowledged.length, 0),
    failed,
    repeated: run.appenders.reduce((sum, report) => sum + report.repeated, 0),
    problems,
  };
}
