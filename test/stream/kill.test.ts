import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { Table } from "#src/index.js";
import { ids, rows, upTo } from "./streams.js";

const COMMITS = 24;

it("a stream whose process is killed again and again gives each row once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "delta-stream-"));
  try {
    const [source, target, checkpoint] = ["source", "target", "checkpoint"].map((name) => join(folder, name));
    // Each commit begins with a row of the one before.
    for (let n = 0; n < COMMITS; n++)
      await Table.open(source!, { fsync: false }).append(rows(Math.max(0, 3 * n - 1), 3 * n + 3));
    let last = -1;
    for (let run = 0; last < COMMITS - 1; run++) {
      const script = join(import.meta.dirname, "streamChild.mjs");
      const child = spawn(process.execPath, [script, source!, target!, checkpoint!], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const batches = 1 + ((run * 5) % 7);
      let seen = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        last = Number(line);
        if (++seen < batches && last < COMMITS - 1) continue;
        // Somewhere in the next batch.
        await new Promise((resolve) => setTimeout(resolve, (run * 3) % 8));
        child.kill("SIGKILL");
        break;
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      expect(child.signalCode).toBe("SIGKILL");
    }
    expect(await ids(Table.open(target!))).toEqual(upTo(3 * COMMITS));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
