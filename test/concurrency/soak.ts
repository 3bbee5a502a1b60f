// The long forms of what test/concurrency checks.
//   npm run soak -- --minutes 60            one process's handles for an hour, half of it on a disk, half on S3
//   npm run soak -- --whole                 16 processes x 200 appends, and servers killed under load
//   npm run soak -- --loads 100             so many loads into S3 while requests go wrong and the processes are killed
//   npm run soak -- … --on local,versitygw,ministack
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { StorageOptions } from "#src/storage/open.js";
import { flightLines } from "../load/flights.js";
import { s3Servers } from "../servers/servers.js";
import { contend } from "./contention.js";
import { endure } from "./endurance.js";
import { type KillableServer, SERVERS, startKillable } from "./killableServer.js";
import { loadThroughFaults } from "./loadFaults.js";
import { killUnderLoad } from "./serverKill.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    whole: { type: "boolean", default: false },
    loads: { type: "string" },
    seed: { type: "string" },
    on: { type: "string", default: "local,versitygw" },
  },
});

interface Place {
  readonly location: string;
  readonly storage: StorageOptions;
  readonly server?: KillableServer;
}

/** Uses a place for a table that is gone afterwards. */
async function at(name: string, use: (place: Place) => Promise<void>): Promise<void> {
  if (name === "local") {
    const folder = await mkdtemp(join(tmpdir(), "delta-soak-"));
    await use({ location: join(folder, "table"), storage: {} });
    await rm(folder, { recursive: true });
    return;
  }
  const kind = await SERVERS[name as keyof typeof SERVERS]?.();
  if (kind === undefined) throw new Error(`There is no ${name} here.`);
  const server = await startKillable(kind);
  try {
    await use({ location: `s3://${server.bucket}/table`, storage: { s3: server.options }, server });
  } finally {
    await server.stop();
  }
}

function show(what: string, report: { readonly problems: readonly string[] }): void {
  console.log(what, report);
  if (report.problems.length > 0) process.exitCode = 1;
}

const names = values.on.split(",");
for (const name of names) {
  await at(name, async ({ location, storage, server }) => {
    if (values.minutes !== undefined) {
      const minutes = Number(values.minutes) / names.length;
      show(`${minutes} minutes on ${name}:`, await endure(location, storage, minutes));
    }
    if (values.whole) {
      const report = await contend({ location: `${location}-2`, storage, writers: 16, appends: 200, readers: 2 });
      show(`16 x 200 appends on ${name}:`, report);
      if (server !== undefined) {
        const kills = { server, kills: 20, writers: 4, appends: 300, lastOutageMs: 60_000 };
        show(`${name} killed 20 times:`, await killUnderLoad(kills));
      }
    }
  });
}
if (values.loads !== undefined) {
  const choice = (await s3Servers()).find(({ skip }) => skip === undefined);
  if (choice === undefined) throw new Error("There is no S3 server here.");
  const server = await choice.start();
  const scratch = await mkdtemp(join(tmpdir(), "delta-soak-"));
  const lines = await flightLines(30_000);
  const seed = Number(values.seed ?? Date.now() % 2 ** 32);
  for (const sourceOnS3 of [true, false]) {
    const loads = Math.ceil(Number(values.loads) / 2);
    const report = await loadThroughFaults({ server, lines, sourceOnS3, scratch, seed, loads });
    show(`${loads} loads, source on S3: ${sourceOnS3}, --seed ${seed}:`, report);
  }
  await rm(scratch, { recursive: true });
  await server.stop();
}
process.exit();
