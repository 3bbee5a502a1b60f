import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Table } from "#src/index.js";

const WRITERS = 4;
const APPENDS = 25;
const CHILD = fileURLToPath(new URL("appendChild.mjs", import.meta.url));

let folder: string;
let children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-processes-"));
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  await rm(folder, { recursive: true, force: true });
});

it("appends of several processes all land once each, and readers see a history without gaps", async () => {
  children = Array.from({ length: WRITERS }, (_, writer) =>
    spawn(process.execPath, [CHILD, folder, `w${writer}`, String(APPENDS)], { stdio: ["pipe", "pipe", "inherit"] }),
  );
  await Promise.all(children.map((child) => once(child.stdout!, "data")));
  const exits = Promise.all(children.map((child) => once(child, "exit")));
  // At the same moment: the first append, which creates the table, is contended too.
  for (const child of children) child.stdin!.write("go\n");

  let running = true;
  exits.then(() => {
    running = false;
  });
  const reader = Table.open(folder);
  let seen = 0;
  while (running) {
    const rows = await reader.toArray().catch((error) => {
      if (error.code === "DELTA_TABLE_NOT_FOUND" && seen === 0) return [];
      throw error;
    });
    expect(rows.length).toBeGreaterThanOrEqual(seen);
    seen = rows.length;
    for (let writer = 0; writer < WRITERS; writer++) {
      const mine = rows.filter((row) => row.writer === `w${writer}`).map((row) => Number(row.n));
      expect(mine.sort((a, b) => a - b)).toEqual(mine.map((_, n) => n));
    }
  }
  expect((await exits).map(([code]) => code)).toEqual(Array(WRITERS).fill(0));
  const rows = await Table.open(folder).toArray();
  expect(new Set(rows.map((row) => `${row.writer} ${row.n}`)).size).toBe(WRITERS * APPENDS);
  expect(rows).toHaveLength(WRITERS * APPENDS);
  expect(await Table.open(folder).version()).toBe(WRITERS * APPENDS - 1);
});
