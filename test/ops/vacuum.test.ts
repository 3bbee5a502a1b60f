import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replaceRuntime, runtime } from "#src/runtime.js";
import { localStore } from "#src/storage/local.js";
import { memoryStore } from "#src/storage/memory.js";
import { Table } from "#src/table.js";
import { expectCode } from "../expectCode.js";
import { Gate } from "../storage/gatedStore.js";

const DAY_MS = 86_400_000;
let folder: string;
let path: string;
let restore: () => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-table-vacuum-"));
  path = join(folder, "t");
  restore = () => undefined;
});
afterEach(async () => {
  restore();
  await rm(folder, { recursive: true, force: true });
});

/** From now on the clock says so many days later; files that are made meanwhile have their real times. */
function later(days: number): void {
  restore();
  const { now } = runtime;
  restore = replaceRuntime({ now: () => now() + days * DAY_MS });
}

function untracked(name: string, ageDays = 30): void {
  const file = join(path, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "x");
  const time = Date.now() / 1000 - ageDays * 86_400;
  utimesSync(file, time, time);
}

const files = () =>
  (readdirSync(path, { recursive: true }) as string[])
    .filter((name) => !name.startsWith("_delta_log") && statSync(join(path, name)).isFile())
    .sort();

const commits = async () => (await Table.open(path).history()).map(({ operation }) => operation);

async function threeRows(options: object = {}): Promise<Table> {
  const table = Table.open(path);
  for (const id of [1n, 2n, 3n]) await table.append([{ id, name: `n${id}` }], options);
  return table;
}

describe("vacuum", () => {
  it("deletes what was removed before the retention, and nothing that is live", async () => {
    const table = await threeRows();
    const [gone] = (await table.files()).filter(({ stats }) => JSON.stringify(stats).includes("n2"));
    await table.delete({ id: 2n });
    expect((await table.vacuum()).fileCount).toBe(0);
    expect(files()).toHaveLength(3);
    later(8);
    expect(await table.vacuum({ dryRun: true })).toMatchObject({
      fileCount: 1,
      paths: [gone!.path],
      version: undefined,
    });
    expect(files()).toContain(gone!.path);
    const { version, ...result } = await table.vacuum();
    expect(result).toEqual({ fileCount: 1, sizeBytes: gone!.size, paths: [gone!.path], folderCount: 0 });
    expect(version).toBe(7);
    expect(files()).toHaveLength(2);
    expect((await table.toArray()).map(({ id }) => id).sort()).toEqual([1n, 3n]);
    expect((await table.verify()).ok).toBe(true);
    expect((await commits()).slice(0, 2)).toEqual(["VACUUM END", "VACUUM START"]);
  });

  it("notes what it does as Spark does", async () => {
    const table = await threeRows();
    untracked("orphan.parquet");
    await table.vacuum({ retentionHours: 200 });
    const [end, start] = await table.history();
    expect(start).toMatchObject({
      operation: "VACUUM START",
      operationParameters: {
        retentionCheckEnabled: "true",
        defaultRetentionMillis: "604800000",
        specifiedRetentionMillis: "720000000",
      },
      operationMetrics: { numFilesToDelete: "1", sizeOfDataToDelete: "1" },
    });
    expect(end).toMatchObject({
      operation: "VACUUM END",
      operationParameters: { status: "COMPLETED" },
      operationMetrics: { numDeletedFiles: "1", numVacuumedDirectories: "1" },
    });
  });

  it("deletes untracked files by their age, and leaves hidden ones, but for change data and partition folders", async () => {
    const table = Table.open(path);
    await table.append([{ id: 1n, _part: "a" }], { partitionBy: ["_part"] });
    untracked("old.parquet");
    untracked("new.parquet", 1);
    untracked("_part=a/old.parquet");
    untracked("_change_data/old.parquet");
    untracked("sub/old.txt");
    untracked("_hidden/old.parquet");
    untracked(".hidden/old.parquet");
    untracked("_delta_log/old.parquet");
    untracked(".old.crc");
    untracked("sub/_temporary/x");
    const { paths } = await table.vacuum();
    expect([...paths].sort()).toEqual([
      "_change_data/old.parquet",
      "_part=a/old.parquet",
      "old.parquet",
      "sub/old.txt",
    ]);
    expect(files().filter((name) => !name.startsWith("_part"))).toEqual([
      ".hidden/old.parquet",
      ".old.crc",
      "_hidden/old.parquet",
      "new.parquet",
      "sub/_temporary/x",
    ]);
    expect(existsSync(join(path, "_delta_log/old.parquet"))).toBe(true);
    expect(await table.count()).toBe(1);
  });

  it("removes folders that have been empty for long", async () => {
    const table = await threeRows();
    for (const name of ["empty/inner", "new", "_hidden"]) mkdirSync(join(path, name), { recursive: true });
    const time = Date.now() / 1000 - 30 * 86_400;
    for (const name of ["empty/inner", "empty", "_hidden"]) utimesSync(join(path, name), time, time);
    expect((await table.vacuum()).folderCount).toBeGreaterThanOrEqual(1);
    expect(existsSync(join(path, "empty/inner"))).toBe(false);
    expect(existsSync(join(path, "new"))).toBe(true);
    expect(existsSync(join(path, "_hidden"))).toBe(true);
  });

  it("keeps deletion vectors that are in use, and deletes the others", async () => {
    const table = Table.open(path);
    await table.append([{ id: 1n }, { id: 2n }, { id: 3n }], { properties: { "delta.enableDeletionVectors": "true" } });
    await table.delete({ id: 1n });
    await table.delete({ id: 2n });
    const vectors = () => files().filter((name) => name.includes("deletion_vector"));
    expect(vectors()).toHaveLength(2);
    later(8);
    expect((await table.vacuum()).fileCount).toBe(1);
    expect(vectors()).toHaveLength(1);
    expect(await table.toArray()).toEqual([{ id: 3n }]);
  });

  it("refuses a retention below the table's unless told otherwise", async () => {
    const table = await threeRows({ properties: { "delta.deletedFileRetentionDuration": "interval 2 days" } });
    untracked("old.parquet", 1);
    const error = await expectCode("DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT", () =>
      table.vacuum({ retentionHours: 47 }),
    );
    expect(error.data).toMatchObject({ retentionHours: 47, configuredMs: 2 * DAY_MS });
    for (const hours of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expectCode("DELTA_INVALID_ARGUMENT", () => table.vacuum({ retentionHours: hours }));
    }
    expect((await table.vacuum({ retentionHours: 48 })).fileCount).toBe(0);
    expect((await table.vacuum({ retentionHours: 1, enforceRetention: false })).fileCount).toBe(1);
    expect(await table.count()).toBe(3);
  });

  it("leaves files of other folders, and follows no links", async () => {
    const source = await threeRows();
    const outside = join(folder, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "x.parquet"), "x");
    const time = Date.now() / 1000 - 30 * 86_400;
    utimesSync(join(outside, "x.parquet"), time, time);
    symlinkSync(outside, join(path, "link"));
    symlinkSync(join(outside, "x.parquet"), join(path, "file-link.parquet"));
    await source.vacuum();
    expect(readFileSync(join(outside, "x.parquet"), "utf8")).toBe("x");
  });

  it("tells of a vacuum that failed", async () => {
    await threeRows();
    untracked("a.parquet");
    const store = localStore(path);
    const failing = new Proxy(store, {
      get: (target, name) => {
        if (name === "delete") return () => Promise.reject(new Error("no"));
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    await expect(Table.open(failing).vacuum()).rejects.toThrow();
    const [end] = await Table.open(path).history();
    expect(end).toMatchObject({ operation: "VACUUM END", operationParameters: { status: "FAILED" } });
  });
});

describe("vacuum lite", () => {
  it("deletes what the log says was removed, and only that", async () => {
    const table = await threeRows({ properties: { "delta.deletedFileRetentionDuration": "interval 0 days" } });
    untracked("orphan.parquet");
    await table.delete({ id: 2n });
    later(1);
    expect((await table.vacuum({ lite: true, dryRun: true })).fileCount).toBe(1);
    expect((await table.vacuum({ lite: true })).fileCount).toBe(1);
    expect(files()).toContain("orphan.parquet");
    expect(await table.count()).toBe(2);
    expect((await table.vacuum({ lite: true })).fileCount).toBe(0);
    expect(JSON.parse(readFileSync(join(path, "_delta_log/_last_vacuum_info"), "utf8"))).toEqual({
      latestCommitVersionOutsideOfRetentionWindow: 5,
    });
    const { findings } = await table.verify();
    expect(findings.map(({ code }) => code)).not.toContain("log-foreign-file");
  });

  it("keeps files that were removed and added again", async () => {
    const table = await threeRows({ properties: { "delta.deletedFileRetentionDuration": "interval 0 days" } });
    const [add] = readFileSync(join(path, "_delta_log/00000000000000000000.json"), "utf8")
      .split("\n")
      .filter((line) => line.includes('"add"'));
    await table.delete({ id: 1n });
    writeFileSync(join(path, "_delta_log/00000000000000000004.json"), `${add}\n`);
    later(1);
    expect((await Table.open(path).vacuum({ lite: true })).fileCount).toBe(0);
    expect(await Table.open(path).count()).toBe(3);
  });

  it("refuses a log that doesn't reach back to the last vacuum", async () => {
    const table = await threeRows({ properties: { "delta.deletedFileRetentionDuration": "interval 0 days" } });
    await table.checkpoint();
    rmSync(join(path, "_delta_log/00000000000000000000.json"));
    later(1);
    await expectCode("DELTA_CANNOT_VACUUM_LITE", () => Table.open(path).vacuum({ lite: true }));
    await Table.open(path).vacuum();
    await Table.open(path).vacuum({ lite: true });
  });

  it("refuses a log with a hole, as a cleanup of the log that was cut short leaves one", async () => {
    const table = await threeRows({ properties: { "delta.deletedFileRetentionDuration": "interval 0 days" } });
    await table.delete({ id: 1n });
    await table.checkpoint();
    rmSync(join(path, "_delta_log/00000000000000000001.json"));
    later(1);
    await expectCode("DELTA_CANNOT_VACUUM_LITE", () => Table.open(path).vacuum({ lite: true }));
  });
});

it("leaves files that a restore brings back before it has begun to delete", async () => {
  for (const lite of [false, true]) {
    restore();
    restore = () => undefined;
    const store = memoryStore();
    const table = Table.open(store);
    const properties = {
      "delta.deletedFileRetentionDuration": "interval 1 hours",
      "delta.enableDeletionVectors": "true",
    };
    await table.create({ schema: { id: "long" }, properties });
    await table.append([{ id: 1n }, { id: 2n }, { id: 3n }]);
    await table.delete({ id: 1n });
    await table.delete();
    later(1);
    const gate = new Gate(store);
    const reached = gate.shut();
    const vacuuming = Table.open(gate.store).vacuum({ lite });
    await reached;
    await Table.open(store).restore(2);
    gate.open();
    await vacuuming;
    expect(await Table.open(store).count()).toBe(2);
    expect((await Table.open(store).toArray()).map(({ id }) => id)).toEqual([2n, 3n]);
  }
});
