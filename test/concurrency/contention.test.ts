import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isLong } from "../form.js";
import { type ContentionReport, contend } from "./contention.js";
import { endure } from "./endurance.js";
import { startKillable } from "./killableServer.js";
import { serverChoices } from "./serverChoices.js";
import { killUnderLoad } from "./serverKill.js";

// A yet longer form, 200 appends each, is `npm run soak -- --whole`.
const WRITERS = 16;
const APPENDS = isLong ? 25 : 10;

function show(what: string, report: object): void {
  console.info(`${what}: ${JSON.stringify(report)}`);
}

function check(report: ContentionReport, commits: number): void {
  expect(report.problems).toEqual([]);
  expect(report.commits).toBe(commits);
  expect(report.reads).toBeGreaterThan(0);
}

it(`${WRITERS} processes append to one table on a local disk: all land, none twice, readers see no gap`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "delta-contention-"));
  try {
    const location = join(folder, "table");
    const report = await contend({ location, storage: {}, writers: WRITERS, appends: APPENDS, readers: 2 });
    show("local", report);
    check(report, WRITERS * APPENDS);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

const noProc = process.platform === "linux" ? "" : " (skipped: descriptors are counted on Linux only)";
it.skipIf(noProc)(`handles that live on hold on to nothing: the soak, for twenty seconds${noProc}`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "delta-endurance-"));
  try {
    const report = await endure(join(folder, "table"), {}, 1 / 3);
    show("soak", report);
    expect(report.problems).toEqual([]);
    expect(report.appends).toBeGreaterThan(10);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

for (const { name, skip, kind } of await serverChoices()) {
  it.skipIf(skip)(`${WRITERS} processes append to one table on S3, ${name}${skip ?? ""}`, async () => {
    const server = await startKillable(kind!);
    try {
      // ministack answers a tenth as quickly.
      const appends = name === "ministack" ? 5 : APPENDS;
      const location = `s3://${server.bucket}/table`;
      const report = await contend({
        location,
        storage: { s3: server.options },
        writers: WRITERS,
        appends,
        readers: 1,
      });
      show(name, report);
      check(report, WRITERS * appends);
    } finally {
      await server.stop();
    }
  });

  it.skipIf(skip)(
    `S3 on ${name} is killed and comes back under load: nothing is lost or doubled${skip ?? ""}`,
    async () => {
      const server = await startKillable(kind!);
      try {
        const report = await killUnderLoad({ server, kills: 5, writers: 2, appends: name === "ministack" ? 40 : 120 });
        show(`${name}, killed`, report);
        expect(report.problems).toEqual([]);
        expect(report.kills).toBe(5);
        expect(report.acknowledged).toBeGreaterThan(0);
      } finally {
        await server.stop();
      }
    },
  );
}
