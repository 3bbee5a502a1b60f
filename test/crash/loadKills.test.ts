import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isLong } from "../form.js";
import { flightLines } from "../load/flights.js";
import { KILLED_SOURCES, killLoads, loadReportOf } from "./loadKills.js";
import { LOAD_POINTS } from "./loadRun.js";
import { seeded } from "./random.js";

/** Over all sources. A yet longer form is `npm run crash -- --load-kills 1000`. */
const KILLS = isLong ? 201 : 42;
const ROWS = 150_000;

describe.skipIf(process.platform === "win32")("a load that is killed again and again (not on Windows)", () => {
  let root: string;
  let lines: string[];
  const killed = new Map<string, number>();
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), "delta-load-kills-"));
    lines = await flightLines(ROWS);
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it.each(KILLED_SOURCES)("of $name ends as one that nobody killed", async (source) => {
    const seed = Number(process.env.CRASH_SEED ?? 1);
    const folder = path.join(root, String(KILLED_SOURCES.indexOf(source)));
    const kills = Math.ceil(KILLS / KILLED_SOURCES.length);
    const tally = await killLoads(folder, source, lines, { kills, lanes: 2, random: seeded(seed) });
    console.log(`CRASH_SEED=${seed}, ${source.name}\n${loadReportOf(tally)}`);
    expect(tally.problems).toEqual([]);
    if (!source.isUnpacked) expect(tally.mostReadAgain).toBeLessThanOrEqual(source.batchBytes);
    for (const [name, count] of tally.kills) killed.set(name, (killed.get(name) ?? 0) + count);
  });

  it(`was killed ${KILLS} times at least, at times by chance and around commits`, () => {
    expect([...killed.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(KILLS);
    expect(killed.size).toBe(2 + LOAD_POINTS.length);
  });
});
