import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { cleanUpLog } from "#src/log/logCleanup.js";
import { commitPath, LOG_FOLDER, parseLogPath, SIDECAR_FOLDER } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { replaceRuntime } from "#src/runtime.js";
import { localStore } from "#src/storage/local.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { countingStore } from "../storage/countingStore.js";
import { Life } from "../stream/dyingStore.js";

const DAY = 86_400_000;
const START = 20_000 * DAY + 1000;
let now = START;
let warnings: string[];
let restore: () => void;

beforeEach(() => {
  now = START;
  warnings = [];
  restore = replaceRuntime({ now: () => now, warn: (_message, code) => warnings.push(code) });
});

afterEach(() => restore());

const PROPERTIES = { "delta.logRetentionDuration": "interval 10 days", "delta.checkpointInterval": "5" };

async function versionsOf(store: ObjectStore, kind: string): Promise<number[]> {
  const names = (await store.listNames(LOG_FOLDER)).map(parseLogPath);
  return names.flatMap((name) => (name?.kind === kind ? [name.version] : []));
}

const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("log cleanup", () => {
  it("keeps every version that is younger than the retention, from the checkpoint before them on", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    await table.create({ schema: { id: "long" }, properties: PROPERTIES });
    for (let version = 1; version <= 25; version++) {
      now += DAY;
      await table.append([{ id: BigInt(version) }]);
      if (version === 12) expect(await versionsOf(store, "commit")).toEqual(from(0, 12));
    }
    // At version 25 the day is 25: day 15 is the first of the ten, and version 15's time is after its beginning.
    expect(await versionsOf(store, "commit")).toEqual(from(10, 25));
    expect(await versionsOf(store, "checksum")).toEqual(from(10, 25));
    expect(await versionsOf(store, "classicCheckpoint")).toEqual([10, 15, 20, 25]);
    for (const version of from(10, 25)) expect(await Table.open(store).at(version).count()).toBe(version);
    await expectCode("DELTA_VERSION_NOT_FOUND", () => Table.open(store).at(9).count());
    expect((await Table.open(store).verify()).findings).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it("looks at the log once a day behind the checkpoints of commits, and again until nothing is left", async () => {
    const store = countingStore(memoryStore());
    const table = Table.open(store);
    await table.create({ schema: { id: "long" }, properties: PROPERTIES });
    const appendTo = async (last: number) => {
      while ((await table.version()) < last) await table.append([{ id: 1n }]);
    };
    const listed = async (last: number) => {
      const before = store.count("list");
      await appendTo(last);
      return store.count("list") - before;
    };
    expect(await listed(5)).toBe(1);
    expect(await listed(20)).toBe(0);
    now += DAY;
    expect(await listed(25)).toBe(1);
    expect(await listed(30)).toBe(0);
    // A retention that becomes shorter has its own turn.
    now += 3 * DAY;
    await table.alter.setProperties({ "delta.logRetentionDuration": "interval 2 days" });
    await appendTo(35);
    expect(await versionsOf(store, "commit")).toEqual(from(30, 35));
    expect(await versionsOf(store, "classicCheckpoint")).toEqual([30, 35]);
  });

  it("keeps everything where the table says so, and where no checkpoint is old enough", async () => {
    const cases: Record<string, string>[] = [
      { "delta.enableExpiredLogCleanup": "false" },
      { "delta.checkpointInterval": "15" },
    ];
    for (const properties of cases) {
      now = START;
      const store = memoryStore();
      const table = Table.open(store);
      await table.create({ schema: { id: "long" }, properties: { ...PROPERTIES, ...properties } });
      for (let version = 1; version <= 20; version++) {
        now += DAY;
        await table.append([{ id: BigInt(version) }]);
      }
      await table.checkpoint();
      expect(await versionsOf(store, "commit")).toEqual(from(0, 20));
    }
  });

  it("goes by the commits' own times where they have them", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    const properties = { ...PROPERTIES, "delta.enableInCommitTimestamps": "true" };
    await table.create({ schema: { id: "long" }, properties });
    for (let version = 1; version <= 25; version++) {
      now += DAY;
      await table.append([{ id: BigInt(version) }]);
    }
    expect(await versionsOf(store, "commit")).toEqual(from(10, 25));
    // Copied just now, the files are young; their commits aren't.
    const copy = memoryStore();
    for await (const { path: at } of store.list("")) await copy.put(at, await store.get(at));
    now += 6 * DAY;
    await Table.open(copy).checkpoint();
    expect(await versionsOf(copy, "commit")).toEqual(from(20, 25));
  });

  it("goes on where an earlier one was cut short and left holes, also where commits have their own times", async () => {
    const cases: Record<string, string>[] = [{}, { "delta.enableInCommitTimestamps": "true" }];
    for (const properties of cases) {
      now = START;
      const store = memoryStore();
      const table = Table.open(store);
      await table.create({
        schema: { id: "long" },
        properties: { ...PROPERTIES, ...properties, "delta.checkpointInterval": "100" },
      });
      for (let version = 1; version <= 9; version++) {
        now += DAY;
        await table.append([{ id: BigInt(version) }]);
        if (version === 6) await table.checkpoint();
      }
      for (const version of [0, 2, 3, 5]) await store.delete(commitPath(version));
      now += 11 * DAY;
      await Table.open(store).checkpoint();
      expect(warnings).toEqual([]);
      expect(await versionsOf(store, "commit")).toEqual([9]);
      expect(await Table.open(store).count()).toBe(9);
    }
  });

  it("removes nothing where the checkpoint to be kept is damaged", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    await table.create({ schema: { id: "long" }, properties: PROPERTIES });
    for (let version = 1; version <= 24; version++) {
      now += DAY;
      await table.append([{ id: BigInt(version) }]);
    }
    const before = await versionsOf(store, "commit");
    now += DAY;
    const damaged = `${LOG_FOLDER}${"10".padStart(20, "0")}.checkpoint.parquet`;
    await store.put(damaged, (await store.get(damaged)).slice(0, -20));
    await table.append([{ id: 25n }]);
    expect(await versionsOf(store, "commit")).toEqual([...before, 25]);
    expect(warnings).toEqual(["DELTA_LOG_CLEANUP_FAILED"]);
  });

  it("spares versions that a dropped feature protects, and lets all of them go at once", async () => {
    const build = async (before: number) => {
      now = START;
      const store = memoryStore();
      const table = Table.open(store);
      await table.create({
        schema: { id: "long" },
        properties: { ...PROPERTIES, "delta.enableExpiredLogCleanup": "false" },
      });
      for (let version = 1; version <= 25; version++) {
        now += DAY;
        await table.append([{ id: BigInt(version) }]);
      }
      const snapshot = await loadSnapshot(store);
      const { metadata } = snapshot;
      const configuration = {
        ...PROPERTIES,
        "delta.requireCheckpointProtectionBeforeVersion": String(before),
      };
      const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["checkpointProtection"] };
      return snapshot.advance(26, [{ protocol }, { metaData: { ...metadata, configuration } }]);
    };
    expect(await cleanUpLog(await build(11))).toBe(0);
    const allowed = await build(10);
    expect(await cleanUpLog(allowed, { limit: 1 })).toBeGreaterThan(20);
    expect(await versionsOf(allowed.store, "commit")).toEqual(from(10, 25));
  });

  it("removes sidecars that no checkpoint names any more, and temporary files", async () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "delta-cleanup-"));
    try {
      const store = localStore(root, { fsync: false });
      const table = Table.open(store);
      await table.create({ schema: { id: "long" }, properties: { ...PROPERTIES, "delta.checkpointPolicy": "v2" } });
      const files = (folder: string) =>
        fs.readdirSync(path.join(root, folder)).map((name) => path.join(root, folder, name));
      const known = new Set<string>();
      const setTimes = () => {
        for (const file of [
          ...files(LOG_FOLDER),
          ...(fs.existsSync(path.join(root, SIDECAR_FOLDER)) ? files(SIDECAR_FOLDER) : []),
        ]) {
          if (known.has(file) || fs.statSync(file).isDirectory()) continue;
          known.add(file);
          fs.utimesSync(file, now / 1000, now / 1000);
        }
      };
      setTimes();
      const temp = (name: string) => path.join(root, LOG_FOLDER, `.delta-${name}.tmp`);
      const left = temp("00000000-0000-0000-0000-000000000001");
      fs.writeFileSync(left, "x");
      setTimes();
      for (let version = 1; version <= 25; version++) {
        now += DAY;
        if (version === 25) fs.writeFileSync(temp("00000000-0000-0000-0000-000000000002"), "x");
        setTimes();
        await table.append([{ id: BigInt(version) }]);
        setTimes();
      }
      expect(await versionsOf(store, "uuidCheckpoint")).toEqual([10, 15, 20, 25]);
      expect(await store.listNames(SIDECAR_FOLDER)).toHaveLength(4);
      expect(fs.existsSync(left)).toBe(false);
      expect(fs.existsSync(temp("00000000-0000-0000-0000-000000000002"))).toBe(true);
      expect((await Table.open(store).verify()).findings).toEqual([]);
      for (const version of from(10, 25)) expect(await Table.open(store).at(version).count()).toBe(version);
    } finally {
      fs.rmSync(root, { recursive: true });
    }
  });

  it("may be interrupted at each removal: the versions it promises are read", async () => {
    const build = async () => {
      now = START;
      const store = memoryStore();
      const table = Table.open(store);
      await table.create({ schema: { id: "long" }, properties: { ...PROPERTIES, "delta.checkpointPolicy": "v2" } });
      for (let version = 1; version <= 24; version++) {
        now += DAY;
        await table.append([{ id: BigInt(version) }]);
      }
      now += 3 * DAY;
      return store;
    };
    for (let at = 0; at < 20; at += 3) {
      const store = await build();
      const life = new Life(at, at % 2 === 0);
      const snapshot = await loadSnapshot(life.store(store));
      await expectCode("DELTA_STORAGE_FAILED", () => cleanUpLog(snapshot));
      for (const version of [15, 16, 20, 24]) expect(await Table.open(store).at(version).count()).toBe(version);
      await Table.open(store).checkpoint();
      expect(await versionsOf(store, "commit")).toEqual(from(15, 24));
      expect((await Table.open(store).verify()).findings).toEqual([]);
    }
  });
});
