import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import type { TableStreamOptions } from "#src/stream/deltaSource.js";
import { expectCode } from "../expectCode.js";
import { metaData } from "../log/build.js";
import {
  ChangingTable,
  expectedChanges,
  partOf,
  sorted,
  type TestChange,
  type TestRow,
} from "../read/changingTable.js";
import { upTo } from "./streams.js";

const ON = { "delta.enableChangeDataFeed": "true" };
const rowsOf = (...ids: number[]): TestRow[] => ids.map((id) => ({ id, value: 10 * id }));

type VersionedChange = TestChange & { readonly version: number };

/** A stream of a table's changes, and the batches that it gave, over all runs. */
function streamOf(source: Table, options: TableStreamOptions = {}) {
  const checkpoint = memoryStore();
  const batches: VersionedChange[][] = [];
  const run = (more: TableStreamOptions = {}) =>
    source.stream({ ...options, ...more, readChangeFeed: true }).forEachBatch(
      async (batch) => {
        const rows = await batch.toArray();
        if (rows.length === 0) return;
        batches.push(
          rows.map(({ _commit_version, _change_type, id, value, part }) => ({
            version: Number(_commit_version),
            type: _change_type,
            id: Number(id),
            value: value as number,
            part: part as string,
          })),
        );
      },
      { checkpoint },
    );
  return { run, batches, checkpoint };
}

const expected = (table: ChangingTable, from: number) => expectedChanges(table, from, table.version);

async function changing(): Promise<ChangingTable> {
  const table = await ChangingTable.create(memoryStore(), ON);
  await table.insert(rowsOf(...upTo(9)));
  await table.setRemoved((id) => id % 4 === 1);
  await table.rewrite((row) => (row.id === 3 ? { ...row, value: -1 } : row.id === 8 ? undefined : row));
  await table.optimize();
  await table.setRemoved(() => false);
  await table.overwrite(rowsOf(30, 31, 33));
  return table;
}

describe("a stream of changes", () => {
  it("from a version on gives what the table says changed, however small the batches are", async () => {
    const table = await changing();
    for (const maxFilesPerTrigger of [1, 2, 1000]) {
      const { run, batches } = streamOf(table.table, { startingVersion: 0, maxFilesPerTrigger });
      await run();
      expect(sorted(batches.flat()), `${maxFilesPerTrigger} files`).toEqual(expected(table, 0));
    }
  });

  it("gives the table it begins with as inserts, then what changes", async () => {
    const table = await changing();
    const { run, batches } = streamOf(table.table, { maxFilesPerTrigger: 1 });
    await run();
    const first = table.live.map((row) => ({ version: 6, type: "insert", ...row, part: partOf(row.id) }));
    expect(batches).toHaveLength(2);
    expect(sorted(batches.flat())).toEqual(sorted(first));
    await table.setRemoved((id) => id === 30);
    await table.rewrite((row) => ({ ...row, value: row.value + 1 }));
    batches.length = 0;
    await run();
    expect(sorted(batches.flat())).toEqual(expected(table, 7));
    batches.length = 0;
    await run();
    expect(batches).toEqual([]);
  });

  it("gives what a commit takes away and gives again in one batch; what one adds in as many as wanted", async () => {
    const table = await ChangingTable.create(memoryStore(), ON);
    await table.insert(rowsOf(...upTo(6)));
    await table.overwrite(rowsOf(7, 9));
    await table.rewrite((row) => ({ ...row, value: 0 }));
    await table.insert(rowsOf(10, 12));
    const { run, batches } = streamOf(table.table, { startingVersion: 1, maxFilesPerTrigger: 1 });
    await run();
    expect(batches.map((batch) => [batch[0]!.version, batch.length])).toEqual([
      [1, 2],
      [1, 4],
      [2, 8],
      [3, 4],
      [4, 1],
      [4, 1],
    ]);
    const gone = Array(6).fill("delete");
    expect(batches[2]!.map(({ type }) => type)).toEqual([...gone, "insert", "insert"]);
  });

  it("goes on where another engine stopped in the middle of a commit, or was to", async () => {
    const table = await ChangingTable.create(memoryStore(), ON);
    await table.insert(rowsOf(...upTo(6)));
    await table.overwrite(rowsOf(7, 9));
    const reservoirId = (await table.table.detail()).id;
    const place = { sourceVersion: 1, reservoirId, reservoirVersion: 2, index: 1, isStartingVersion: false };
    const text = (...lines: string[]) => new TextEncoder().encode(lines.join("\n"));
    for (const isDone of [true, false]) {
      const { run, batches, checkpoint } = streamOf(table.table, { startingVersion: 1 });
      await checkpoint.put("metadata", text(JSON.stringify({ id: "0ba4fcb4-7e3e-4d3a-9d0e-1c1fb1d1a001" })));
      const plan = '{"batchWatermarkMs":0,"batchTimestampMs":0,"conf":{}}';
      await checkpoint.put("offsets/0", text("v1", plan, JSON.stringify(place)));
      if (isDone) await checkpoint.put("commits/0", text("v1", '{"nextBatchWatermarkMs":0}'));
      await run();
      // The first two actions are what the commit added.
      const [before, after] = isDone ? [[], batches[0]!] : [batches[0]!, batches[1]!];
      const isAfter = ({ version, type }: VersionedChange) => version === 2 && type === "delete";
      expect(sorted(after)).toEqual(expected(table, 1).filter(isAfter));
      if (!isDone) expect(sorted(before)).toEqual(expected(table, 1).filter((change) => !isAfter(change)));
    }
  });

  it("makes a batch again that was planned before, with the same rows", async () => {
    const table = await changing();
    const { run, batches, checkpoint } = streamOf(table.table, { startingVersion: 0, maxFilesPerTrigger: 2 });
    await run();
    const count = batches.length;
    const last = batches.at(-1)!;
    await checkpoint.delete(`commits/${count - 1}`);
    await run();
    expect(batches).toHaveLength(count + 1);
    expect(sorted(batches.at(-1)!)).toEqual(sorted(last));
  });

  it("goes into a table, with its columns", async () => {
    const table = await changing();
    const target = Table.open(memoryStore());
    await table.table
      .stream({ startingVersion: 0, readChangeFeed: true })
      .toTable(target, { checkpoint: memoryStore() });
    expect((await target.schema()).fields.map(({ name }) => name)).toEqual([
      "id",
      "value",
      "part",
      "_change_type",
      "_commit_version",
      "_commit_timestamp",
    ]);
    const times = new Map(
      (await table.table.history()).map(({ version, timestamp }) => [version, timestamp.getTime()]),
    );
    const rows = await target.toArray();
    expect(rows).toHaveLength(expected(table, 0).length);
    for (const { _commit_version, _commit_timestamp } of rows) {
      expect((_commit_timestamp as Date).getTime()).toBe(times.get(Number(_commit_version)));
    }
  });
});

describe("what a stream of changes refuses", () => {
  it("files written anew without the feed, after what comes before them", async () => {
    const table = await ChangingTable.create(memoryStore(), {});
    await table.insert(rowsOf(1, 2));
    await table.rewrite((row) => ({ ...row, value: 0 }), false);
    await table.insert(rowsOf(3));
    const { run, batches } = streamOf(table.table, { startingVersion: 0 });
    const error = await expectCode("DELTA_MISSING_CHANGE_DATA", run);
    expect(error.data).toEqual({ version: 2 });
    expect(batches.flat().map(({ id }) => id)).toEqual([1, 2]);
    await expectCode("DELTA_MISSING_CHANGE_DATA", run);
    expect(batches).toHaveLength(1);
  });

  it("rows that the schema of today has no room for", async () => {
    const table = await ChangingTable.create(memoryStore(), ON);
    await table.insert(rowsOf(1));
    await table.commit([metaData(ON, '{"type":"struct","fields":[]}')]);
    const { run } = streamOf(table.table, { startingVersion: 0 });
    await expectCode("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", run);
  });

  it("change files that were vacuumed", async () => {
    const table = await ChangingTable.create(memoryStore(), ON);
    await table.insert(rowsOf(1));
    await table.rewrite((row) => ({ ...row, value: 0 }));
    for await (const { path } of table.store.list("_change_data/")) await table.store.delete(path);
    const { run } = streamOf(table.table, { startingVersion: 2 });
    await expectCode("DELTA_STREAM_DATA_LOST", run);
  });

  it("versions whose schema nobody knows any more", async () => {
    const table = await ChangingTable.create(memoryStore(), ON);
    for (const id of upTo(3)) await table.insert(rowsOf(id));
    await Table.open(table.store).checkpoint();
    await table.store.delete(commitPath(0));
    const { run } = streamOf(Table.open(table.store), { startingVersion: 2 });
    const error = await expectCode("DELTA_STREAM_DATA_LOST", run);
    expect(error.data).toEqual({ version: 2, earliest: 3 });
  });

  it("a checkpoint of added rows, and the other way round: at the same place those are other rows", async () => {
    const table = Table.open(memoryStore());
    await table.append([{ id: 1 }], { properties: ON });
    const ignore = async () => {};
    const stream = (readChangeFeed: boolean, checkpoint: ObjectStore) =>
      table.stream({ startingVersion: 0, readChangeFeed, maxFilesPerTrigger: 1 }).forEachBatch(ignore, {
        checkpoint,
        trigger: "once",
      });
    for (const first of [true, false]) {
      const checkpoint = memoryStore();
      expect(await stream(first, checkpoint)).toMatchObject({ batchCount: 1 });
      await expectCode("DELTA_STREAM_SOURCE_CHANGED", () => stream(!first, checkpoint));
      const planned = await checkpoint.listNames("offsets/");
      expect(planned).toEqual(["offsets/0"]);
      expect(await stream(first, checkpoint)).toMatchObject({ batchCount: 0 });
    }
  });

  it("options that are about added rows", async () => {
    const table = Table.open(memoryStore());
    for (const option of ["ignoreDeletes", "ignoreChanges", "skipChangeCommits"]) {
      await expectCode("DELTA_INVALID_ARGUMENT", () => table.stream({ readChangeFeed: true, [option]: true }));
    }
  });
});
