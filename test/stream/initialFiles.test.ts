import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { ids, rows, tableOf, upTo } from "./streams.js";

describe("the files that a stream begins with", () => {
  it("come by time and then by path, also from a checkpoint and the commits behind it", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    const days = ["b", "a", "ü", "c"];
    for (let n = 0; n < 3; n++) {
      await table.append(
        days.map((day, i) => ({ id: BigInt(4 * n + i), day })),
        { partitionBy: ["day"] },
      );
      if (n === 1) await table.checkpoint();
    }
    const files = (await Table.open(store).files()).map(({ path, modificationTime }) => ({
      path,
      time: +modificationTime,
    }));
    files.sort((a, b) => a.time - b.time || Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
    const wanted = files.map(({ path }) => /day=(.*)\//.exec(path)![1]);
    const seen: unknown[] = [];
    await Table.open(store)
      .stream({ maxFilesPerTrigger: 5 })
      .forEachBatch(async (batch) => void seen.push(...(await batch.toArray()).map(({ day }) => day)), {
        checkpoint: memoryStore(),
      });
    expect(seen.map((day) => encodeURIComponent(String(day)))).toEqual(
      wanted.map((day) => encodeURIComponent(decodeURIComponent(day!))),
    );
  });

  it("are those of the version it began at, whatever comes meanwhile", async () => {
    const source = await tableOf(2, 4, 6);
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const stop = new AbortController();
    const options = { checkpoint, signal: stop.signal, onProgress: () => stop.abort() };
    await source.stream({ maxFilesPerTrigger: 1 }).toTable(target, options);
    expect(await target.count()).toBe(2);
    await source.append(rows(6, 8));
    await source.stream({ maxFilesPerTrigger: 2 }).toTable(target, { checkpoint });
    expect(await ids(target)).toEqual(upTo(8));
  });

  it("are gone on with in the middle, and so are those of a commit, by one run a batch", async () => {
    const source = Table.open(memoryStore());
    const commit = (from: number) =>
      source.append(
        upTo(3).map((n) => ({ id: BigInt(from + n), part: `${n}` })),
        { partitionBy: ["part"] },
      );
    await commit(0);
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const places: unknown[] = [];
    const oneBatch = async () => {
      const stop = new AbortController();
      await source.stream({ maxFilesPerTrigger: 2 }).toTable(target, {
        checkpoint,
        signal: stop.signal,
        onProgress: ({ offset }) => {
          const { reservoirVersion, index, isStartingVersion } = offset as Record<string, unknown>;
          places.push([reservoirVersion, index, isStartingVersion]);
          stop.abort();
        },
      });
    };
    await oneBatch();
    await commit(3);
    await commit(6);
    for (let n = 0; n < 4; n++) await oneBatch();
    expect(places).toEqual([
      [0, 1, true],
      [1, 0, false],
      [2, -1, false],
      [2, 1, false],
      [3, -1, false],
    ]);
    expect(await ids(target)).toEqual(upTo(9));
  });
});
