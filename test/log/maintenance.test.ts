import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { readVersionChecksum } from "#src/log/checksumFile.js";
import { readLastCheckpoint } from "#src/log/lastCheckpoint.js";
import { checksumPath, commitPath, LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { CountingStore } from "../storage/countingStore.js";
import { add, putCommit, putTable, remove } from "./build.js";

async function totals(store: ObjectStore, version: number): Promise<[files: number, bytes: number] | undefined> {
  const checksum = await readVersionChecksum(store, version);
  return checksum && [checksum.numFiles, checksum.tableSizeBytes];
}

/** What the files of the newest version come to. */
async function counted(store: ObjectStore): Promise<[files: number, bytes: number]> {
  const files = await Table.open(store).files();
  return [files.length, files.reduce((sum, { size }) => sum + size, 0)];
}

describe("the version checksum of a commit", () => {
  it("tells the state of its version", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    await table.append([{ id: 1n }], { txn: { appId: "app", version: 7 } });
    await table.append([{ id: 2n }]);
    const checksum = await readVersionChecksum(store, 1);
    const [first, second] = await table.files();
    expect(checksum).toMatchObject({
      numFiles: 2,
      tableSizeBytes: first!.size + second!.size,
      numMetadata: 1,
      numProtocol: 1,
      setTransactions: [{ appId: "app", version: 7 }],
      domainMetadata: [],
      protocol: { minReaderVersion: 1, minWriterVersion: 2 },
    });
    expect(checksum).not.toHaveProperty("inCommitTimestampOpt");
    expect((await table.verify()).findings).toEqual([]);
  });

  it("has the commit's time where the table's commits hold it", async () => {
    const store = memoryStore();
    await Table.open(store).create({
      schema: { id: "long" },
      properties: { "delta.enableInCommitTimestamps": "true" },
    });
    const checksum = await readVersionChecksum(store, 0);
    const [info] = await Table.open(store).history();
    expect(checksum!.inCommitTimestampOpt).toBe(info!.timestamp.getTime());
  });

  it("leaves out progress that writers may forget", async () => {
    const store = memoryStore();
    await Table.open(store).create({
      schema: { id: "long" },
      properties: { "delta.setTransactionRetentionDuration": "interval 1 day" },
    });
    expect(await readVersionChecksum(store, 0)).not.toHaveProperty("setTransactions");
  });

  it("goes on from an older checksum behind a checkpoint, which isn't read for it", async () => {
    const inner = memoryStore();
    const table = Table.open(inner);
    for (let i = 0; i < 11; i++) await table.append([{ id: BigInt(i) }]);
    const store = new CountingStore(inner);
    await Table.open(store).append([{ id: 11n }]);
    expect(await totals(inner, 11)).toEqual(await counted(inner));
    expect(store.calls.filter(({ verb, path }) => verb === "get" && path === checksumPath(10))).toHaveLength(1);
  });

  it("is left out where nothing tells the totals, and is back with the next checkpoint", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    for (let i = 0; i < 11; i++) await table.append([{ id: BigInt(i) }]);
    for (let i = 0; i < 11; i++) await store.delete(checksumPath(i));
    const other = Table.open(store);
    for (let i = 11; i < 20; i++) await other.append([{ id: BigInt(i) }]);
    expect(await totals(store, 19)).toBeUndefined();
    await other.append([{ id: 20n }]);
    expect(await totals(store, 20)).toEqual(await counted(store));
    await other.append([{ id: 21n }]);
    expect(await totals(store, 21)).toEqual(await counted(store));
  });

  it("counts what other writers removed and added anew", async () => {
    const store = memoryStore();
    await putTable(store, [add("a", { size: 5 }), add("b", { size: 7 })]);
    const table = Table.open(store);
    await table.checkpoint();
    await putCommit(store, 2, remove("a", { size: 5 }), add("c", { size: 11 }));
    await putCommit(store, 3, add("c", { size: 13, dataChange: false }));
    await table.append([{ id: 1n }]);
    expect(await totals(store, 4)).toEqual(await counted(store));
  });

  it("isn't guessed where a commit may describe files of the checkpoint anew, or a size is missing", async () => {
    for (const action of [add("b", { size: 8, dataChange: false }), remove("b")]) {
      const store = memoryStore();
      await putTable(store, [add("a", { size: 5 }), add("b", { size: 7 })]);
      await Table.open(store).checkpoint();
      await putCommit(store, 2, action);
      const table = Table.open(store);
      await table.append([{ id: 1n }]);
      expect(await totals(store, 3)).toBeUndefined();
      await table.checkpoint();
      await table.append([{ id: 1n }]);
      expect(await totals(store, 4)).toEqual(await counted(store));
    }
  });

  it("never takes the place of another, nor fails a commit", async () => {
    const store = new CountingStore(memoryStore());
    const table = Table.open(store);
    await store.inner.put(checksumPath(0), new TextEncoder().encode("mine"));
    await table.append([{ id: 1n }]);
    expect(new TextDecoder().decode(await store.inner.get(checksumPath(0)))).toBe("mine");
    store.putHint = () => Promise.reject(new Error("no room"));
    await table.append([{ id: 2n }]);
    expect(await store.inner.head(commitPath(1))).toBeDefined();
    expect(await store.inner.head(checksumPath(1))).toBeUndefined();
  });
});

describe("_last_checkpoint", () => {
  it("is under way when an append is done, and its failure is a warning", async () => {
    const warnings: string[] = [];
    const restore = replaceRuntime({ warn: (_message, code) => warnings.push(code) });
    try {
      const inner = memoryStore();
      const store = new CountingStore(inner);
      const table = Table.open(store);
      await table.create({ schema: { id: "long" }, properties: { "delta.checkpointInterval": "2" } });
      for (let i = 0; i < 2; i++) await table.append([{ id: BigInt(i) }]);
      expect(await readLastCheckpoint(inner)).toMatchObject({ version: 2 });
      for (let i = 2; i < 4; i++) await table.append([{ id: BigInt(i) }]);
      await table[Symbol.asyncDispose]();
      expect(await readLastCheckpoint(inner)).toMatchObject({ version: 4 });
      expect(warnings).toEqual([]);

      const other = Table.open(store);
      const put = store.put.bind(store);
      store.put = (path, ...rest) =>
        path === LAST_CHECKPOINT_PATH ? Promise.reject(new Error("no room")) : put(path, ...rest);
      for (let i = 4; i < 7; i++) await other.append([{ id: BigInt(i) }]);
      expect(warnings).toEqual(["DELTA_CHECKPOINT_FAILED"]);
      expect(await readLastCheckpoint(inner)).toMatchObject({ version: 4 });
      expect(await Table.open(inner).count()).toBe(7);
    } finally {
      restore();
    }
  });
});
