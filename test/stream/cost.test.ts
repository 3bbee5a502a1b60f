import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { CountingStore } from "../storage/countingStore.js";
import { rows } from "./streams.js";

describe("a stream's batch", () => {
  it("costs two writes of the checkpoint, two of the table, and what is new in the source", async () => {
    const sourceStore = memoryStore();
    const [source, target, checkpoint] = [sourceStore, memoryStore(), memoryStore()].map(
      (store) => new CountingStore(store),
    );
    for (let n = 0; n < 3; n++) await Table.open(sourceStore).append(rows(n, n + 1));
    const table = Table.open(target!);
    const batches: string[][] = [];
    await Table.open(source!)
      .stream({ maxFilesPerTrigger: 1, startingVersion: 0 })
      .toTable(table, {
        checkpoint: checkpoint!,
        onProgress: () => batches.push([...checkpoint!.take(), ...target!.take(), ...source!.take()].map(withoutName)),
      });
    expect(batches).toHaveLength(3);
    expect(batches[1]).toEqual([
      "putIfAbsent offsets/1",
      "putIfAbsent commits/1",
      "putNew part",
      "putIfAbsent _delta_log/00000000000000000001.json",
      // Nothing waits for it.
      "putHint _delta_log/00000000000000000001.crc",
      // The commit that is next, and its file.
      "get _delta_log/00000000000000000001.json",
      "get part",
    ]);
  });

  it("of nothing costs one look at the source", async () => {
    const source = new CountingStore(memoryStore());
    await Table.open(source).append(rows(0, 1));
    const checkpoint = memoryStore();
    const target = Table.open(memoryStore());
    const stop = new AbortController();
    const table = Table.open(source);
    let looks = 0;
    await table.stream().toTable(target, { checkpoint });
    source.take();
    const counted = new CountingStore(checkpoint);
    const run = table.stream().toTable(target, { checkpoint: counted, trigger: { everyMs: 1 }, signal: stop.signal });
    while (looks < 5) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      looks = source.count("get");
    }
    stop.abort();
    await run;
    expect(new Set(source.take())).toEqual(new Set(["get _delta_log/00000000000000000001.json"]));
    expect(counted.take().filter((call) => /^put/.test(call))).toEqual([]);
  });
});

const withoutName = (call: string) => call.replace(/part-.*/, "part");
