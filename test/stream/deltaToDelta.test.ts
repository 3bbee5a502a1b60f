import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { Life } from "./dyingStore.js";
import { ids, pathsOf, rows, tableOf, textOf, upTo } from "./streams.js";

describe("a stream from table to table", () => {
  it("gives the table, then what is added, in one version a batch", async () => {
    const source = await tableOf(3, 5);
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const first = await source.stream().toTable(target, { checkpoint });
    expect(first).toMatchObject({ batchCount: 1, rowCount: 5, version: 0, isStopped: false });
    expect(await source.stream().toTable(target, { checkpoint })).toMatchObject({ batchCount: 0, version: undefined });
    await source.append(rows(5, 9));
    const second = await source.stream().toTable(target, { checkpoint });
    expect(second).toMatchObject({ batchCount: 1, rowCount: 4, version: 1, queryId: first.queryId });
    expect(await ids(target)).toEqual(upTo(9));
    const [last] = await target.history();
    expect(last).toMatchObject({
      operation: "STREAMING UPDATE",
      operationParameters: { outputMode: "Append", queryId: first.queryId, epochId: "1" },
    });
  });

  it("keeps its checkpoint in the files and formats of Structured Streaming", async () => {
    const source = await tableOf(3, 5);
    const checkpoint = memoryStore();
    const { queryId } = await source.stream().toTable(Table.open(memoryStore()), { checkpoint });
    expect(await pathsOf(checkpoint)).toEqual(["commits/0", "metadata", "offsets/0"]);
    expect(await textOf(checkpoint, "metadata")).toBe(`{"id":"${queryId}"}`);
    expect(await textOf(checkpoint, "commits/0")).toBe('v1\n{"nextBatchWatermarkMs":0}');
    const [version, metadata, offset, ...more] = (await textOf(checkpoint, "offsets/0")).split("\n");
    expect([version, more]).toEqual(["v1", []]);
    expect(JSON.parse(metadata!)).toMatchObject({ batchWatermarkMs: 0, batchTimestampMs: expect.any(Number) });
    const { id } = await source.detail();
    expect(offset).toBe(
      `{"sourceVersion":1,"reservoirId":"${id}","reservoirVersion":2,"index":-1,"isStartingVersion":false}`,
    );
  });

  it("takes as many files and bytes a batch as allowed, and all of them with the trigger once", async () => {
    for (const limits of [{ maxFilesPerTrigger: 1 }, { maxBytesPerTrigger: 1 }]) {
      const source = await tableOf(2, 4, 6);
      const target = Table.open(memoryStore());
      const checkpoint = memoryStore();
      const counts: number[] = [];
      const onProgress = ({ rowCount }: { rowCount: number }) => counts.push(rowCount);
      await source.stream(limits).toTable(target, { checkpoint, onProgress });
      expect(counts).toEqual([2, 2, 2]);
      expect(await ids(target)).toEqual(upTo(6));
      await source.append(rows(6, 8));
      await source.append(rows(8, 10));
      counts.length = 0;
      await source.stream(limits).toTable(target, { checkpoint, onProgress, trigger: "once" });
      expect(counts).toEqual([4]);
      expect(await ids(target)).toEqual(upTo(10));
    }
  });

  it("takes files of which their commit says no partition, where the table has none", async () => {
    const store = memoryStore();
    const source = Table.open(store);
    for (const end of [2, 4]) await source.append(rows(end - 2, end));
    for (const version of [0, 1]) {
      const bare = (await textOf(store, commitPath(version))).replace('"partitionValues":{},', "");
      expect(bare).not.toContain("partitionValues");
      await store.put(commitPath(version), new TextEncoder().encode(bare));
    }
    for (const startingVersion of [0, undefined]) {
      const target = Table.open(memoryStore());
      await Table.open(store).stream({ startingVersion }).toTable(target, { checkpoint: memoryStore() });
      expect(await ids(target)).toEqual(upTo(4));
    }
  });

  it("begins where it is told to", async () => {
    const source = await tableOf(2, 4, 6);
    const streamed = async (options: Parameters<Table["stream"]>[0]) => {
      const target = Table.open(memoryStore());
      await source.stream(options).toTable(target, { checkpoint: memoryStore() });
      return (await target.version().catch(() => -1)) === -1 ? [] : ids(target);
    };
    expect(await streamed({ startingVersion: 0 })).toEqual(upTo(6));
    expect(await streamed({ startingVersion: 2 })).toEqual([4, 5]);
    expect(await streamed({ startingVersion: 3 })).toEqual([]);
    expect(await streamed({ startingVersion: "latest" })).toEqual([]);
    const [, second] = await source.history();
    expect(await streamed({ startingTimestamp: second!.timestamp })).toEqual([2, 3, 4, 5]);
    expect(await streamed({ startingTimestamp: "2001-01-01" })).toEqual(upTo(6));
    await expectCode("DELTA_VERSION_NOT_FOUND", () => streamed({ startingVersion: 4 }));
    await expectCode("DELTA_INVALID_ARGUMENT", () => streamed({ startingVersion: 1, startingTimestamp: new Date() }));
    await expectCode("DELTA_INVALID_ARGUMENT", () => streamed({ maxFilesPerTrigger: 0 }));
  });

  it("notes where it begins, so that nothing comes between", async () => {
    const source = await tableOf(2);
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const run = (options: Parameters<Table["stream"]>[0]) => source.stream(options).toTable(target, { checkpoint });
    expect(await run({ startingVersion: "latest" })).toMatchObject({ batchCount: 1, rowCount: 0 });
    await source.append(rows(2, 4));
    await source.append(rows(4, 6));
    expect(await run({ startingVersion: "latest" })).toMatchObject({ rowCount: 4 });
    expect(await ids(target)).toEqual([2, 3, 4, 5]);
  });

  it("begins a first batch that was left open where it was planned, whatever it is told now", async () => {
    const source = await tableOf(2, 4, 6);
    const [target, checkpoint] = [memoryStore(), memoryStore()];
    // The writes: the stream's id, and the plan.
    const life = new Life(1, true);
    const killed = source
      .stream({ startingVersion: 1 })
      .toTable(Table.open(target), { checkpoint: life.store(checkpoint) });
    await expectCode("DELTA_STORAGE_FAILED", () => killed);
    await source.stream().toTable(Table.open(target), { checkpoint });
    expect(await ids(Table.open(target))).toEqual([2, 3, 4, 5]);
  });

  it("maps and filters rows, and hands batches to a function", async () => {
    const source = await tableOf(4, 8);
    const target = Table.open(memoryStore());
    await source
      .stream()
      .filter(({ id }) => Number(id) % 2 === 0)
      .map(({ id }) => ({ id, text: `row ${id}` }))
      .filter(({ text }) => text !== "row 2")
      .toTable(target, { checkpoint: memoryStore(), partitionBy: ["text"] });
    expect((await target.toArray()).map(({ text }) => text).sort()).toEqual(["row 0", "row 4", "row 6"]);
    expect((await target.detail()).partitionColumns).toEqual(["text"]);

    const seen: unknown[] = [];
    const checkpoint = memoryStore();
    const stream = source.stream({ maxFilesPerTrigger: 1, startingVersion: 0 }).filter(({ id }) => id !== 1n);
    const result = await stream.forEachBatch(
      async (batch, batchId) => {
        seen.push([batchId, (await batch.toArray()).map(({ id }) => Number(id))]);
        await expectCode("DELTA_INVALID_ARGUMENT", () => batch.toArray());
      },
      { checkpoint },
    );
    expect(seen).toEqual([
      [0, [0, 2, 3]],
      [1, [4, 5, 6, 7]],
    ]);
    expect(result.rowCount).toBe(7);
  });

  it("runs by the clock until it is stopped", async () => {
    const source = await tableOf(2);
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const stop = new AbortController();
    let added = 0;
    const result = await source.stream().toTable(target, {
      checkpoint,
      trigger: { everyMs: 5 },
      signal: stop.signal,
      onProgress: async () => {
        if (added++ < 3) await source.append(rows(added * 2, added * 2 + 2));
        else stop.abort();
      },
    });
    expect(result.isStopped).toBe(true);
    expect(await ids(target)).toEqual(upTo(8));
  });
});
