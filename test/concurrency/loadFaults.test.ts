import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { flightLines } from "../load/flights.js";
import { s3Servers } from "../servers/servers.js";
import { loadThroughFaults } from "./loadFaults.js";

// The long form is `npm run soak -- --loads 100`. All faults are the proxy's, so one server is enough.
const ROWS = 9000;
const LOADS = 2;
const choices = await s3Servers();
const { name, skip, start } = choices.find((choice) => choice.skip === undefined) ?? choices[0]!;

it.skipIf(skip).each([true, false])(
  `a load into S3 on ${name}, whose source is there too: %s, ends the same whatever goes wrong on the way and whenever it is killed${skip ?? ""}`,
  async (sourceOnS3) => {
    const seed = Number(process.env.LOAD_SEED ?? 1);
    const scratch = await mkdtemp(join(tmpdir(), "delta-load-faults-"));
    const server = await start();
    try {
      const lines = await flightLines(ROWS);
      const report = await loadThroughFaults({ server, lines, sourceOnS3, scratch, seed, loads: LOADS });
      console.info(`LOAD_SEED=${seed}: ${JSON.stringify(report)}`);
      expect(report.problems).toEqual([]);
      expect(report.kills).toBeGreaterThanOrEqual(LOADS);
      expect(Object.values(report.faults).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(10);
    } finally {
      await server.stop();
      await rm(scratch, { recursive: true, force: true });
    }
  },
);
