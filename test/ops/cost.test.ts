import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { CountingStore } from "../storage/countingStore.js";

const LOG = "_delta_log/";
/** A commit leaves its version checksum: the one put beside the data's and the claim, which nothing waits for. */
const checksum = (version: number) => `putHint ${commit(version).replace(".json", ".crc")}`;
const commit = (version: number) => `${LOG}${String(version).padStart(20, "0")}.json`;

/** The calls since the last look, data files' names made equal. */
function calls(store: CountingStore): string[] {
  return store.take().map((call) => call.replace(/part-.*\.parquet$/, "DATA"));
}

async function tableOf(versions: number): Promise<{ store: CountingStore; table: Table }> {
  const store = new CountingStore(memoryStore());
  const table = Table.open(store);
  for (let i = 0; i < versions; i++) await table.append([{ id: BigInt(i) }]);
  store.take();
  return { store, table };
}

describe("storage calls", () => {
  it("append on an open handle: one data file, one claim, one checksum", async () => {
    const { store, table } = await tableOf(2);
    await table.append([{ id: 9n }]);
    expect(calls(store)).toEqual(["putNew DATA", `putIfAbsent ${commit(2)}`, checksum(2)]);
  });

  it("append on a new handle: the log as well", async () => {
    const { store } = await tableOf(2);
    await Table.open(store).append([{ id: 9n }]);
    expect(calls(store)).toEqual([
      `get ${LOG}_last_checkpoint`,
      `listNames ${LOG}`,
      `get ${commit(0)}`,
      `get ${commit(1)}`,
      "putNew DATA",
      `putIfAbsent ${commit(2)}`,
      checksum(2),
    ]);
  });

  it("append after another writer: the lost claim, the winner's commit, one look beyond it", async () => {
    const { store, table } = await tableOf(2);
    await Table.open(store.inner).append([{ id: 9n }]);
    await table.append([{ id: 10n }]);
    expect(calls(store)).toEqual([
      "putNew DATA",
      `putIfAbsent ${commit(2)}`,
      `get ${commit(2)}`,
      `get ${commit(3)}`,
      `putIfAbsent ${commit(3)}`,
      checksum(3),
    ]);
  });

  it("the first append: a look, and its three puts", async () => {
    const store = new CountingStore(memoryStore());
    await Table.open(store).append([{ id: 1n }]);
    expect(calls(store)).toEqual([
      `get ${LOG}_last_checkpoint`,
      `listNames ${LOG}`,
      "putNew DATA",
      `putIfAbsent ${commit(0)}`,
      checksum(0),
    ]);
  });

  it("create: a look, a claim and a checksum", async () => {
    const store = new CountingStore(memoryStore());
    await Table.open(store).create({ schema: { id: "long" } });
    expect(calls(store)).toEqual([
      `get ${LOG}_last_checkpoint`,
      `listNames ${LOG}`,
      `putIfAbsent ${commit(0)}`,
      checksum(0),
    ]);
  });

  it("version, schema, count, detail and files on an open handle: one look for a newer version", async () => {
    const { store, table } = await tableOf(3);
    for (const verb of ["version", "schema", "count", "detail", "files"] as const) {
      await table[verb]();
      expect(calls(store), verb).toEqual([`get ${commit(3)}`]);
    }
  });

  it("rows: one look and one get per small file", async () => {
    const { store, table } = await tableOf(3);
    await table.toArray();
    expect(calls(store)).toEqual([`get ${commit(3)}`, "get DATA", "get DATA", "get DATA"]);
  });

  it("the past: read once, then free", async () => {
    const { store, table } = await tableOf(3);
    const past = table.at(1);
    await past.count();
    expect(calls(store)).toEqual([
      `get ${LOG}_last_checkpoint`,
      `listNames ${LOG}`,
      `get ${commit(0)}`,
      `get ${commit(1)}`,
    ]);
    await past.count();
    expect(calls(store)).toEqual([]);
  });

  it("checkpoint: the look, the checkpoint, the pointer to it and a look for expired versions", async () => {
    const { store, table } = await tableOf(3);
    await table.checkpoint();
    expect(calls(store)).toEqual([
      `get ${commit(3)}`,
      `put ${commit(2).replace(".json", ".checkpoint.parquet")}`,
      `put ${LOG}_last_checkpoint`,
      // Whether versions have expired: a page that ends with the first commit that hasn't.
      `list ${LOG}`,
    ]);
  });

  it("history: one listing, and each commit once", async () => {
    const { store, table } = await tableOf(3);
    await table.history({ limit: 2 });
    const made = calls(store);
    expect(made.filter((call) => call.startsWith("list"))).toEqual([`list ${LOG}`]);
    expect(made.filter((call) => call.startsWith("get")).sort()).toEqual([
      `get ${commit(1)}`,
      `get ${commit(2)}`,
      `get ${commit(3)}`,
    ]);
  });
});
