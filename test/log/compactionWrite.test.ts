import { expect, test } from "vitest";
import { Table } from "#src/index.js";
import { parseCommit } from "#src/log/commitFile.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { CountingStore } from "../storage/countingStore.js";

type Row = { id: bigint; n: number };

async function tableOf(store = memoryStore()) {
  const table = Table.open<Row>(store);
  const properties = { "delta.checkpointInterval": "100", "delta.enableDeletionVectors": "true" };
  await table.create({ schema: { id: "long", n: "double" }, properties });
  for (let i = 0; i < 4; i++) {
    const rows = [0, 1, 2].map((k) => ({ id: BigInt(3 * i + k), n: k }));
    await table.append(rows, { txn: { appId: `app ${i % 2}`, version: i } });
  }
  await table.delete({ id: { lt: 3n } });
  await table.delete({ id: 4n });
  await table.delete({ id: 5n });
  await table.alter.setProperties({ note: "x" });
  return { store, table };
}

const idsOf = async (table: Table<Row>) => (await table.toArray()).map(({ id }) => Number(id)).sort((a, b) => a - b);

test("one file has the last word of some commits, and readers take it in their place", async () => {
  const { store, table } = await tableOf();
  const written = await table.compactLog();
  expect(written).toMatchObject({ from: 0, to: 8 });
  expect(written!.path).toBe("_delta_log/00000000000000000000.00000000000000000008.compacted.json");
  const actions = parseCommit(8, await store.get(written!.path));
  const count = (key: string) => actions.filter((action) => key in action).length;
  // Of five logical files that went, one was of a whole file, and each vector but the last one was another.
  expect({ adds: count("add"), removes: count("remove"), txns: count("txn"), infos: count("commitInfo") }).toEqual({
    adds: 3,
    removes: 3,
    txns: 2,
    infos: 0,
  });
  expect((await table.verify()).findings).toEqual([]);
  const counting = new CountingStore(store);
  const fresh = Table.open<Row>(counting);
  expect(await idsOf(fresh)).toEqual([3, 6, 7, 8, 9, 10, 11]);
  const commits = counting.calls.filter(({ verb, path }) => verb === "get" && /\/\d{20}\.json$/.test(path));
  expect(commits.length).toBeLessThan(3);
  expect((await fresh.detail()).properties).toMatchObject({ note: "x" });
  expect(await idsOf(fresh.at(6))).toEqual([3, 5, 6, 7, 8, 9, 10, 11]);
});

test("from the newest checkpoint on, or of the commits that are named", async () => {
  const { table, store } = await tableOf();
  expect(await table.compactLog({ from: 2, to: 4 })).toMatchObject({ from: 2, to: 4 });
  await table.checkpoint();
  expect(await table.compactLog()).toBeUndefined();
  await table.append([{ id: 100n, n: 1 }]);
  expect(await table.compactLog()).toBeUndefined();
  await table.append([{ id: 101n, n: 1 }]);
  expect(await table.compactLog()).toMatchObject({ from: 9, to: 10 });
  expect((await table.verify()).findings).toEqual([]);
  expect(await idsOf(Table.open<Row>(store))).toHaveLength(9);
});

test("versions that aren't there are refused", async () => {
  const { table, store } = await tableOf();
  for (const range of [{ to: 9 }, { from: -1 }, { from: 1.5, to: 3 }]) {
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.compactLog(range));
  }
  await store.delete("_delta_log/00000000000000000003.json");
  await expectCode("DELTA_FILE_NOT_FOUND", () => table.compactLog({ from: 2, to: 5 }));
  await expectCode("DELTA_READ_ONLY", () => table.at(8).compactLog());
});
