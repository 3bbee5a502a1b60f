import { describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { Protocol } from "#src/log/actions.js";
import { parseCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import { metaData, putCommit } from "../log/build.js";

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
