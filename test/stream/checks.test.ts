import { afterEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { ids, pathsOf, rows, tableOf, textOf, upTo } from "./streams.js";

let restore: (() => void) | undefined;
afterEach(() => restore?.());

async function copyOf(store: ObjectStore): Promise<ObjectStore> {
  const copy = memoryStore();
  for (const path of await pathsOf(store)) await copy.put(path, await store.get(path));
  return copy;
}

const put = (store: ObjectStore, path: string, text: string) => store.put(path, new TextEncoder().encode(text));
const commitPath = (version: number) => `_delta_log/${String(version).padStart(20, "0")}.json`;

describe("a stream's checkpoint", () => {
  it("that is older than the table is refused, and nothing is doubled", async () => {
    const source = await tableOf(2);
    const targetStore = memoryStore();
    const checkpoint = memoryStore();
    const run = (at: ObjectStore) =>
      source.stream().toTable(Table.open(targetStore), { checkpoint: at, queryName: "q" });
    await run(checkpoint);
    const backup = await copyOf(checkpoint);
    await source.append(rows(2, 4));
    await run(checkpoint);
    await source.append(rows(4, 6));
    const error = await expectCode("DELTA_STREAM_CHECKPOINT_STALE", () => run(backup));
    expect(error.data).toMatchObject({ batchId: 0, recorded: 1 });
    await run(checkpoint);
    expect(await ids(Table.open(targetStore))).toEqual(upTo(6));
  });

  it("that is newer than the table, or another table's, is refused", async () => {
    const source = await tableOf(2);
    const [targetStore, checkpoint] = [memoryStore(), memoryStore()];
    const run = (to: ObjectStore) => source.stream().toTable(Table.open(to), { checkpoint });
    await run(targetStore);
    const old = await copyOf(targetStore);
    await source.append(rows(2, 4));
    await run(targetStore);
    await expectCode("DELTA_STREAM_CHECKPOINT_STALE", () => run(old));
    await expectCode("DELTA_STREAM_CHECKPOINT_STALE", () => run(memoryStore()));
    expect(await ids(Table.open(old))).toEqual(upTo(2));
  });

  it("that was lost isn't begun anew, by its place or by the stream's name", async () => {
    const source = await tableOf(2);
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore("lost-checkpoint");
    const run = (options = {}) => source.stream().toTable(target, { checkpoint, ...options });
    await run();
    await source.stream().toTable(target, { checkpoint: memoryStore("named"), queryName: "copy" });
    expect(await ids(target)).toEqual([0, 0, 1, 1]);
    for (const path of await pathsOf(checkpoint)) await checkpoint.delete(path);
    await expectCode("DELTA_STREAM_CHECKPOINT_STALE", () => run());
    await expectCode("DELTA_STREAM_CHECKPOINT_STALE", () =>
      run({ checkpoint: memoryStore("other"), queryName: "copy" }),
    );
    expect(await ids(target)).toEqual([0, 0, 1, 1]);
    await run({ queryName: "again" });
    expect(await target.count()).toBe(6);
  });

  it("is refused where its files are damaged, missing, or of several sources", async () => {
    const source = await tableOf(2, 4);
    const run = (checkpoint: ObjectStore) => source.stream().forEachBatch(() => undefined, { checkpoint });
    const whole = memoryStore();
    await source.stream({ maxFilesPerTrigger: 1 }).forEachBatch(() => undefined, { checkpoint: whole });
    expect(await pathsOf(whole)).toEqual(["commits/0", "commits/1", "metadata", "offsets/0", "offsets/1"]);
    const damages: Record<string, (store: ObjectStore) => Promise<void>> = {
      "no id": (store) => put(store, "metadata", "{}"),
      "no metadata": (store) => store.delete("metadata"),
      "another version": (store) => put(store, "offsets/1", "v2\n{}\n{}"),
      "no offsets": (store) => put(store, "offsets/1", "v1\n{}"),
      "no JSON": (store) => put(store, "offsets/1", 'v1\n{}\n{"sourceVersion"'),
      "two sources": async (store) => put(store, "offsets/1", `${await textOf(store, "offsets/1")}\n{"logOffset":0}`),
      "a batch missing": (store) => store.delete("offsets/0"),
      "the last batch missing": (store) => store.delete("offsets/1"),
      "a mark that isn't one": (store) => put(store, "commits/1", "v1\nx"),
    };
    for (const [name, damage] of Object.entries(damages)) {
      const store = await copyOf(whole);
      await damage(store);
      await expectCode("DELTA_STREAM_CHECKPOINT_INVALID", () => run(store)).catch((cause) => {
        throw new Error(name, { cause });
      });
    }
    expect(await run(await copyOf(whole))).toMatchObject({ batchCount: 0 });
  });

  it("keeps a hundred batches", async () => {
    const source = await tableOf(1);
    const checkpoint = memoryStore();
    for (let n = 1; n <= 103; n++) {
      await source.stream().forEachBatch(() => undefined, { checkpoint });
      await source.append(rows(n, n + 1));
    }
    const kept = (folder: string) =>
      pathsOf(checkpoint).then((paths) => paths.filter((path) => path.startsWith(folder)));
    expect(await kept("offsets/")).toHaveLength(100);
    expect(await kept("commits/")).toHaveLength(100);
    expect(await kept("offsets/2")).not.toContain("offsets/2");
  });

  it("serves one of two runs at a time; no row comes twice", async () => {
    const source = await tableOf(2, 4, 6, 8);
    const [targetStore, checkpoint] = [memoryStore(), memoryStore()];
    const run = () => source.stream({ maxFilesPerTrigger: 1 }).toTable(Table.open(targetStore), { checkpoint });
    const outcomes = await Promise.allSettled([run(), run(), run()]);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason.code).toBe("DELTA_CONCURRENT_TRANSACTION");
    }
    await run();
    expect(await ids(Table.open(targetStore))).toEqual(upTo(8));
  });
});

describe("a stream's source", () => {
  it("that is another table, or an older copy, is refused", async () => {
    const sourceStore = memoryStore();
    const source = Table.open(sourceStore);
    await source.append(rows(0, 2));
    const old = await copyOf(sourceStore);
    await source.append(rows(2, 4));
    const checkpoint = memoryStore();
    const target = Table.open(memoryStore());
    await source.stream().toTable(target, { checkpoint });
    await expectCode("DELTA_STREAM_SOURCE_CHANGED", () => Table.open(old).stream().toTable(target, { checkpoint }));
    const other = await tableOf(1, 2, 3);
    await expectCode("DELTA_STREAM_SOURCE_CHANGED", () => other.stream().toTable(target, { checkpoint }));
    expect(await ids(target)).toEqual(upTo(4));
  });

  it("whose log was cleaned up past the stream's place is an error that names the versions", async () => {
    const sourceStore = memoryStore();
    const source = Table.open(sourceStore);
    await source.append(rows(0, 2));
    const checkpoint = memoryStore();
    const target = Table.open(memoryStore());
    await source.stream().toTable(target, { checkpoint });
    for (let n = 1; n < 5; n++) await source.append(rows(n * 2, n * 2 + 2));
    await source.checkpoint();
    for (const version of [0, 1, 2]) await sourceStore.delete(commitPath(version));
    const run = (from = {}) => Table.open(sourceStore).stream(from).toTable(target, { checkpoint });
    const error = await expectCode("DELTA_STREAM_DATA_LOST", () => run());
    expect(error.data).toMatchObject({ version: 1, earliest: 3 });
    expect(await ids(target)).toEqual(upTo(2));
    const anew = Table.open(memoryStore());
    const from = (startingVersion: number) =>
      Table.open(sourceStore).stream({ startingVersion }).toTable(anew, { checkpoint: memoryStore() });
    await expectCode("DELTA_STREAM_DATA_LOST", () => from(1));
    await from(3);
    expect(await ids(anew)).toEqual([6, 7, 8, 9]);
  });

  it("whose files were vacuumed before they were read is an error", async () => {
    const sourceStore = memoryStore();
    const source = Table.open(sourceStore);
    await source.append(rows(0, 2));
    const [path] = (await pathsOf(sourceStore)).filter((one) => one.endsWith(".parquet"));
    await sourceStore.delete(path!);
    const target = Table.open(memoryStore());
    await expectCode("DELTA_STREAM_DATA_LOST", () => source.stream().toTable(target, { checkpoint: memoryStore() }));
  });

  it("warns once when the stream comes near what the source keeps", async () => {
    const source = await tableOf(2);
    const checkpoint = memoryStore();
    const warnings: string[] = [];
    const days = 24 * 3600 * 1000;
    const run = async (afterDays: number) => {
      restore = replaceRuntime({ now: () => Date.now() + afterDays * days, warn: (_, code) => warnings.push(code) });
      await source.stream({ maxFilesPerTrigger: 1 }).forEachBatch(() => undefined, { checkpoint });
      restore();
    };
    await run(0);
    await source.append(rows(2, 4));
    await source.append(rows(4, 6));
    await run(5);
    expect(warnings).toEqual([]);
    await source.append(rows(6, 8));
    await source.append(rows(8, 10));
    await run(6);
    expect(warnings).toEqual(["DELTA_STREAM_NEAR_RETENTION"]);
  });
});
