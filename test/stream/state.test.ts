import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { pathsOf, rows, tableOf } from "./streams.js";

let restore: (() => void) | undefined;
afterEach(() => restore?.());

const MINUTE = 60_000;
const START = Date.parse("2026-01-01T00:00:00Z");
const at = (minute: number) => new Date(START + minute * MINUTE);

/** A table with a commit for each list of events: `[id, minute]`. */
async function events(...commits: readonly (readonly (readonly [string, number])[])[]): Promise<Table> {
  const table = Table.open(memoryStore());
  for (const commit of commits) await append(table, commit);
  return table;
}

const append = (table: Table, commit: readonly (readonly [string, number])[]) =>
  table.append(commit.map(([id, minute]) => ({ id, at: at(minute) })));

describe("dropDuplicates", () => {
  it("keeps the first of equal rows, across batches and runs", async () => {
    const source = await events(
      [
        ["a", 0],
        ["a", 1],
        ["b", 2],
      ],
      [
        ["b", 3],
        ["c", 4],
      ],
    );
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const run = () =>
      source
        .stream({ maxFilesPerTrigger: 1, startingVersion: 0 })
        .dropDuplicates(["id"])
        .toTable(target, { checkpoint });
    await run();
    await append(source, [
      ["c", 5],
      ["d", 6],
      ["a", 7],
    ]);
    await run();
    const found = (await target.toArray()).map(({ id, at: time }) => [id, (Number(time) - START) / MINUTE]).sort();
    expect(found).toEqual([
      ["a", 0],
      ["b", 2],
      ["c", 4],
      ["d", 6],
    ]);
  });

  it("drops what is late by the watermark of the batches before, and forgets what only late rows could ask for", async () => {
    const source = await events(
      [
        ["a", 0],
        ["b", 20],
      ],
      [
        ["a", 9],
        ["c", 10],
        ["b", 29],
      ],
      [["b", 31]],
    );
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const watermarks: unknown[] = [];
    await source
      .stream({ maxFilesPerTrigger: 1, startingVersion: 0 })
      .withWatermark("at", { delayMs: 10 * MINUTE })
      .dropDuplicates(["id"])
      .toTable(target, { checkpoint, onProgress: ({ watermark }) => watermarks.push(watermark) });
    expect(watermarks).toEqual([at(10), at(19), at(21)]);
    const found = (await target.toArray()).map(({ id, at: time }) => [id, (Number(time) - START) / MINUTE]).sort();
    // a at 9 is late; b at 29 is a duplicate, and at 31 not yet forgotten: 20 + 10 > 19.
    expect(found).toEqual([
      ["a", 0],
      ["b", 20],
      ["c", 10],
    ]);
    await append(source, [["d", 45]]);
    await append(source, [["b", 46]]);
    await source
      .stream({ maxFilesPerTrigger: 1, startingVersion: 0 })
      .withWatermark("at", { delayMs: 10 * MINUTE })
      .dropDuplicates(["id"])
      .toTable(target, { checkpoint });
    expect((await target.toArray()).filter(({ id }) => id === "b")).toHaveLength(2);
    const [last] = (await pathsOf(checkpoint)).filter((path) => path.startsWith("state/")).slice(-1);
    const lines = gunzipSync(await checkpoint.get(last!))
      .toString()
      .split("\n");
    expect(lines.slice(1).map((line) => JSON.parse(line)[0])).toContain('["sb"]');
  });

  it("forgets after a time by the clock where it has one", async () => {
    const source = await events([["a", 0]]);
    const checkpoint = memoryStore();
    const kept: unknown[] = [];
    const run = async (afterMs: number) => {
      restore = replaceRuntime({ now: () => START + afterMs });
      await source
        .stream({ startingVersion: 0 })
        .dropDuplicates(["id"], { ttlMs: 1000 })
        .forEachBatch(async (batch) => void kept.push(...(await batch.toArray()).map(({ id }) => id)), { checkpoint });
    };
    await run(0);
    await append(source, [
      ["a", 1],
      ["b", 1],
    ]);
    await run(999);
    await append(source, [
      ["a", 2],
      ["b", 1],
    ]);
    await run(1000);
    expect(kept).toEqual(["a", "b", "a"]);
  });

  it("tells values of every kind apart", async () => {
    const values = [null, 0, -0, Number.NaN, 1, Number.POSITIVE_INFINITY];
    const source = Table.open(memoryStore());
    await source.append(
      [...values, ...values].map((value) => ({ value })),
      { schema: { value: "double" } },
    );
    const result = await source
      .stream()
      .dropDuplicates(["value"])
      .forEachBatch(() => undefined, { checkpoint: memoryStore() });
    expect(result.rowCount).toBe(values.length);
    const nested = Table.open(memoryStore());
    await nested.append([{ list: [1] }]);
    const stream = nested.stream().dropDuplicates(["list"]);
    await expectCode("DELTA_INVALID_ARGUMENT", () =>
      stream.forEachBatch(() => undefined, { checkpoint: memoryStore() }),
    );
    const missing = nested.stream().dropDuplicates(["nothing"]);
    await expectCode("DELTA_INVALID_ARGUMENT", () =>
      missing.forEachBatch(() => undefined, { checkpoint: memoryStore() }),
    );
  });
});

describe("countByWindow", () => {
  const counts = async (table: Table) =>
    (await table.toArray())
      .map(({ window, id, count }) => {
        const { start, end } = window as { start: Date; end: Date };
        return [(+start - START) / MINUTE, (+end - START) / MINUTE, id, Number(count)];
      })
      .sort((a, b) => Number(a[0]) - Number(b[0]) || String(a[2]).localeCompare(String(b[2])));

  it("gives each window once, when the watermark has passed its end", async () => {
    const source = await events(
      [
        ["a", 0],
        ["a", 9],
        ["b", 9],
      ],
      [
        ["a", 12],
        ["b", 3],
      ],
      [
        ["a", 1],
        ["b", 35],
      ],
    );
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const run = () =>
      source
        .stream({ maxFilesPerTrigger: 1, startingVersion: 0 })
        .withWatermark("at", { delayMs: 5 * MINUTE })
        .countByWindow({ sizeMs: 10 * MINUTE, by: ["id"] })
        .toTable(target, { checkpoint });
    await run();
    // The watermark is 4 after the first batch and 7 after the second: a at 1 still counts. It ends at 30.
    expect(await counts(target)).toEqual([
      [0, 10, "a", 3],
      [0, 10, "b", 2],
      [10, 20, "a", 1],
    ]);
    await append(source, [
      ["b", 39],
      ["c", 5],
      ["c", 29],
    ]);
    await append(source, [["z", 50]]);
    await run();
    expect((await counts(target)).slice(3)).toEqual([[30, 40, "b", 2]]);
    expect(
      (await target.schema()).fields.map(({ name, type }) => [name, typeof type === "string" ? type : type.type]),
    ).toEqual([
      ["window", "struct"],
      ["id", "string"],
      ["count", "long"],
    ]);
  });

  it("counts a row in each window that slides over it, also before 1970", async () => {
    const table = Table.open(memoryStore());
    await table.append([{ at: new Date(-1) }, { at: new Date(0) }]);
    const seen: unknown[] = [];
    await table.append([{ at: new Date(10 * MINUTE) }]);
    await table
      .stream({ maxFilesPerTrigger: 1, startingVersion: 0 })
      .withWatermark("at", { delayMs: 0 })
      .countByWindow({ sizeMs: 2 * MINUTE, slideMs: MINUTE })
      .forEachBatch(
        async (batch) =>
          void seen.push(...(await batch.toArray()).map((row) => [+row.window.start / MINUTE, row.count])),
        {
          checkpoint: memoryStore(),
        },
      );
    expect(seen).toEqual([
      [-1, 2n],
      [-2, 1n],
      [0, 1n],
    ]);
  });

  it("says what it lacks", async () => {
    const source = await events([["a", 0]]);
    const checkpoint = memoryStore();
    const run = (stream: ReturnType<Table["stream"]>) => stream.forEachBatch(() => undefined, { checkpoint });
    await expectCode("DELTA_INVALID_ARGUMENT", () => run(source.stream().countByWindow({ sizeMs: 1 })));
    await expectCode("DELTA_INVALID_ARGUMENT", () => run(source.stream().countByWindow({ sizeMs: 0 })));
    await expectCode("DELTA_INVALID_ARGUMENT", () => run(source.stream().countByWindow({ sizeMs: 1, slideMs: 2 })));
    const mapped = source.stream().map((row) => row);
    await expectCode("DELTA_INVALID_ARGUMENT", () =>
      run(mapped.withWatermark("at", { delayMs: 1 }).countByWindow({ sizeMs: 1, by: ["id"] })),
    );
    await expectCode("DELTA_INVALID_ARGUMENT", () => run(source.stream().withWatermark("id", { delayMs: 1 })));
  });
});

describe("a stream's state", () => {
  it("belongs to its steps", async () => {
    const source = await events([["a", 0]]);
    const checkpoint = memoryStore();
    const run = (stream: ReturnType<Table["stream"]>) => stream.forEachBatch(() => undefined, { checkpoint });
    await run(source.stream().dropDuplicates(["id"]));
    await expectCode("DELTA_STREAM_SOURCE_CHANGED", () => run(source.stream().dropDuplicates(["id", "at"])));
    await expectCode("DELTA_STREAM_SOURCE_CHANGED", () => run(source.stream()));
    await run(source.stream().dropDuplicates(["id"]));
  });

  it("of another engine is refused, and so is a missing or damaged one", async () => {
    const source = await tableOf(2);
    const foreign = memoryStore();
    await source.stream().forEachBatch(() => undefined, { checkpoint: foreign });
    await foreign.put("state/0/0/1.delta", new Uint8Array([0x4c, 0x5a, 0x34]));
    await expectCode("DELTA_STREAM_SOURCE_CHANGED", () =>
      source.stream().forEachBatch(() => undefined, { checkpoint: foreign }),
    );

    const checkpoint = memoryStore();
    const run = () =>
      source
        .stream()
        .dropDuplicates(["id"])
        .forEachBatch(() => undefined, { checkpoint });
    await run();
    await source.append(rows(2, 3));
    const state = await checkpoint.get("state/0/0/1.delta");
    await checkpoint.put("state/0/0/1.delta", state.subarray(0, 20));
    await expectCode("DELTA_STREAM_CHECKPOINT_INVALID", run);
    await checkpoint.delete("state/0/0/1.delta");
    await expectCode("DELTA_STREAM_CHECKPOINT_INVALID", run);
    await checkpoint.put("state/0/0/1.delta", state);
    expect(await run()).toMatchObject({ rowCount: 1 });
  });

  it("is a snapshot and what came after it, and what is older is removed", async () => {
    const source = await tableOf(1);
    const checkpoint = memoryStore();
    const last: number[] = [];
    for (let n = 1; n <= 25; n++) {
      await source
        .stream()
        .dropDuplicates(["id"])
        .forEachBatch(() => undefined, { checkpoint, onProgress: ({ batchId }) => last.push(batchId) });
      await source.append(rows(n - 1, n + 1));
    }
    expect(last.at(-1)).toBe(24);
    const files = (await pathsOf(checkpoint)).filter((path) => path.startsWith("state/"));
    expect(files.map((path) => path.slice("state/0/0/".length))).toEqual([
      "20.delta",
      "20.snapshot",
      "21.delta",
      "22.delta",
      "23.delta",
      "24.delta",
      "25.delta",
    ]);
    const result = await source
      .stream()
      .dropDuplicates(["id"])
      .forEachBatch(() => undefined, { checkpoint });
    expect(result.rowCount).toBe(1);
  });
});
