import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { isLong } from "../form.js";
import { POINTS } from "./points.js";
import { seeded } from "./random.js";

interface Steps {
  readonly STEPS: number;
  takeStep(table: Table, step: number): Promise<void>;
  createTable(table: Table, kind: Kind): Promise<unknown>;
}

// Plain JavaScript, since the child runs it as it is.
const { STEPS, takeStep, createTable }: Steps = await import(new URL("changeSteps.mjs", import.meta.url).href);

const KILLS = isLong ? 300 : 45;

/** Tables that are changed in different ways. */
const KINDS = [
  { properties: {}, partitionBy: ["part"] },
  { properties: { "delta.enableDeletionVectors": "true", "delta.checkpointInterval": "3" }, partitionBy: [] },
  {
    properties: {
      "delta.enableChangeDataFeed": "true",
      "delta.enableRowTracking": "true",
      "delta.columnMapping.mode": "name",
    },
    partitionBy: ["part"],
  },
] as const;
type Kind = (typeof KINDS)[number];

const textsOf = async (table: Table) => (await table.toArray()).map(({ id, part, n }) => `${id} ${part} ${n}`).sort();

/** The rows after each number of steps, where nobody is killed. */
async function undisturbed(kind: Kind): Promise<readonly string[][]> {
  const table = Table.open(memoryStore());
  await createTable(table, kind);
  const states = [await textsOf(table)];
  for (let step = 0; step < STEPS; step++) {
    await takeStep(table, step);
    states.push(await textsOf(table));
  }
  return states;
}

/** Runs the child until it ends or is killed. */
async function runChild(folder: string, from: number, env: Readonly<Record<string, string>>, afterMs?: number) {
  const child = spawn(
    process.execPath,
    ["--import", "./test/crash/killHook.mjs", "./test/crash/changeChild.mjs", JSON.stringify({ table: folder, from })],
    { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] },
  );
  let errors = "";
  child.stderr.on("data", (text: Buffer) => {
    errors += text;
  });
  const timer = afterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), afterMs);
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  clearTimeout(timer);
  if (signal === null && code !== 0) throw new Error(`the child failed:\n${errors}`);
  return signal !== null;
}

/** How many steps the table has seen. */
async function stepsOf(folder: string): Promise<number> {
  const log = fs.readdirSync(path.join(folder, "_delta_log")).filter((name) => /^\d{20}\.json$/.test(name));
  const versions = log.flatMap((name) => {
    const text = fs.readFileSync(path.join(folder, "_delta_log", name), "utf8");
    return [...text.matchAll(/"txn":\{"appId":"steps","version":(\d+)/g)].map(([, version]) => Number(version));
  });
  return versions.length === 0 ? 0 : Math.max(...versions) + 1;
}

it.skipIf(process.platform === "win32")(
  `changes of all kinds survive ${KILLS} kills: each is done once, or not yet (not on Windows, which has no SIGKILL)`,
  async () => {
    const seed = Number(process.env.CRASH_SEED ?? 1);
    console.log(`CRASH_SEED=${seed}`);
    const random = seeded(seed);
    let killed = 0;
    let rounds = 0;
    while (killed < KILLS) {
      const kind = KINDS[rounds++ % KINDS.length]!;
      const states = await undisturbed(kind);
      const root = fs.mkdtempSync(path.join(os.tmpdir(), "delta-changes-"));
      const folder = path.join(root, "table");
      await createTable(Table.open(folder), kind);
      for (let done = 0; done < STEPS; ) {
        const isNamed = killed < KILLS && random.below(3) > 0;
        const point = { ...random.pick(POINTS), nth: 1 + random.below(12) };
        const afterMs = !isNamed && killed < KILLS ? 300 + random.below(1500) : undefined;
        if (await runChild(folder, done, isNamed ? { DELTA_KILL: JSON.stringify(point) } : {}, afterMs)) killed++;
        done = await stepsOf(folder);
        const table = Table.open(folder);
        expect(await textsOf(table)).toEqual(states[done]);
        const findings = (await table.verify()).findings.filter(({ severity }) => severity !== "info");
        expect(findings).toEqual([]);
      }
      fs.rmSync(root, { recursive: true, force: true });
    }
    console.log(`${killed} kills on ${rounds} tables`);
  },
);
