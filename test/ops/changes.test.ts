import { describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { Action, Protocol } from "#src/log/actions.js";
import { parseCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { metaData, putCommit } from "../log/build.js";
import { countingStore } from "../storage/countingStore.js";

const ON = { "delta.enableChangeDataFeed": "true" };
const PROTOCOLS: readonly Protocol[] = [
  { minReaderVersion: 1, minWriterVersion: 4 },
  { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["changeDataFeed"] },
];

describe("a table with the change data feed", () => {
  test("is appended to without change files: what is added is what is inserted", async () => {
    for (const protocol of PROTOCOLS) {
      const store = memoryStore();
      await putCommit(store, 0, { protocol }, metaData(ON));
      const table = Table.open(store);
      await table.append([{ id: 1n }, { id: 2n }]);
      await table.append([{ id: 3n }]);
      const keys = parseCommit(1, await store.get(commitPath(1))).flatMap((action) => Object.keys(action));
      expect(keys.sort()).toEqual(["add", "commitInfo"]);
      const rows = await table.changes({ from: 0 }).toArray();
      expect(rows.map(({ id, _change_type, _commit_version }) => [id, _change_type, _commit_version])).toEqual([
        [1n, "insert", 1n],
        [2n, "insert", 1n],
        [3n, "insert", 2n],
      ]);
    }
  });

  test("that is created here has the feature", async () => {
    const table = Table.open(memoryStore());
    await table.create({ schema: { id: "long" }, properties: ON });
    const { minReaderVersion, minWriterVersion, tableFeatures } = await table.detail();
    expect({ minReaderVersion, minWriterVersion, tableFeatures }).toEqual({
      minReaderVersion: 1,
      minWriterVersion: 7,
      tableFeatures: ["changeDataFeed"],
    });
  });

  test("has no column of a change's name", async () => {
    const table = Table.open(memoryStore());
    const create = () => table.create({ schema: { id: "long", _Change_Type: "string" }, properties: ON });
    expect((await expectCode("DELTA_INVALID_SCHEMA", create)).data).toEqual({ column: "_Change_Type" });
    await table.create({ schema: { id: "long", _Change_Type: "string" } });
    await expectCode("DELTA_INVALID_SCHEMA", () => table.changes({ from: 0 }).count());
  });

  test("tells the in-commit times where the table keeps them", async () => {
    const store = memoryStore();
    await Table.open(store).append([{ id: 1n }]);
    const appended = parseCommit(0, await store.get(commitPath(0)));
    const properties = { ...ON, "delta.enableInCommitTimestamps": "true" };
    const info = (inCommitTimestamp: number): Action => {
      return { commitInfo: { timestamp: 1, operation: "WRITE", inCommitTimestamp } };
    };
    const protocol = {
      minReaderVersion: 1,
      minWriterVersion: 7,
      writerFeatures: ["changeDataFeed", "inCommitTimestamp"],
    };
    await putCommit(store, 0, info(1_000_000), { protocol }, metaData(properties));
    await putCommit(store, 1, info(2_000_000), ...appended.filter((action) => "add" in action));
    const table = Table.open(store);
    const rows = await table.changes({ from: new Date(1_500_000), to: new Date(2_000_000) }).toArray();
    expect(rows.map(({ _commit_timestamp }) => _commit_timestamp.getTime())).toEqual([2_000_000]);
    expect(await table.changes({ from: 0, to: new Date(1_999_999) }).count()).toBe(0);
  });

  test("can be asked again and again for what came since, by whoever keeps the version", async () => {
    const table = Table.open(memoryStore());
    let from = 0;
    const news = async () => {
      const rows = await table.changes({ from }).toArray();
      from = Math.max(from, ...rows.map(({ _commit_version }) => Number(_commit_version) + 1));
      return rows.map(({ id }) => id);
    };
    await table.append([{ id: 1n }]);
    expect(await news()).toEqual([1n]);
    expect(await news()).toEqual([]);
    await table.append([{ id: 2n }]);
    await table.append([{ id: 3n }]);
    expect(await news()).toEqual([2n, 3n]);
  });

  test("is a source of rows for an append", async () => {
    const table = Table.open(memoryStore());
    await table.append([{ id: 1n }]);
    const audit = Table.open(memoryStore());
    await audit.append(table.changes({ from: 0 }));
    expect(await audit.toArray({ columns: ["id", "_change_type", "_commit_version"] })).toEqual([
      { id: 1n, _change_type: "insert", _commit_version: 0n },
    ]);
  });
});

describe("what changes cost", () => {
  test("the log is listed once for the times; the range's commits and files are read once", async () => {
    const store = countingStore(memoryStore());
    const writer = Table.open(store);
    for (let id = 0n; id < 12n; id++) await writer.append([{ id }]);
    store.take();
    const table = Table.open(store);
    await table.version();
    store.take();
    expect(await table.changes({ from: 11 }).toArray()).toHaveLength(1);
    expect(store.take().map(withoutName)).toEqual([
      "get _delta_log/00000000000000000012.json",
      "list _delta_log/",
      "get _delta_log/00000000000000000011.json",
      "get part",
    ]);
    expect(await table.changes({ from: 9, to: 10 }).count()).toBe(2);
    const calls = store.take().map(withoutName);
    // Version 9 has to be known, so that the feed's being on is, and its schema; version 10 has a checkpoint.
    expect(calls.filter((call) => /^get.*(09|10)\.json$/.test(call)).map((call) => call.slice(-7))).toEqual([
      "09.json",
      "10.json",
      "09.json",
    ]);
    // Statistics tell how many rows there are.
    expect(calls).not.toContain("get part");
  });
});

const withoutName = (call: string) => call.replace(/part-.*/, "part");
