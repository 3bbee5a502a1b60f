import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type StreamBatch, streamFolder, Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { Life } from "./dyingStore.js";
import { ids, pathsOf, textOf, upTo } from "./streams.js";

let folder: string;
let minute = 0;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stream-"));
  minute = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A CSV file with the ids `from` to `to`, a minute younger than the one before. */
async function drop(name: string, from: number, to: number, text?: string): Promise<void> {
  const path = join(folder, name);
  const lines = Array.from({ length: to - from }, (_, i) => `${from + i},row ${from + i}\n`);
  await writeFile(path, text ?? `id,text\n${lines.join("")}`);
  const at = 1_767_225_600 + 60 * minute++;
  await utimes(path, at, at);
}

const schema = { id: "long", text: "string" } as const;
const stream = (options = {}) => streamFolder(folder, { schema, ...options });

describe("a stream of a folder", () => {
  it("takes each file once, oldest first, and goes on with those that come", async () => {
    await drop("b,ü %.csv", 0, 2);
    await drop("a.csv", 2, 4);
    await writeFile(join(folder, "_hidden.csv"), "id,text\n99,x\n");
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const seen: number[][] = [];
    await stream({ maxFilesPerTrigger: 1 }).toTable(target, {
      checkpoint,
      onProgress: async ({ rowCount, offset }) => seen.push([rowCount, (offset as { logOffset: number }).logOffset]),
    });
    expect(seen).toEqual([
      [2, 0],
      [2, 1],
    ]);
    await drop("0.csv", 4, 7);
    expect(await stream().toTable(target, { checkpoint })).toMatchObject({ batchCount: 1, rowCount: 3 });
    expect(await stream().toTable(target, { checkpoint })).toMatchObject({ batchCount: 0 });
    expect(await ids(target)).toEqual(upTo(7));
    expect((await target.toArray({ where: { id: 5n } }))[0]).toEqual({ id: 5n, text: "row 5" });
    expect(await textOf(checkpoint, "sources/0/0")).toBe(
      `v1\n{"path":"file://${folder}/b,ü%20%25.csv","timestamp":1767225600000,"batchId":0}`,
    );
    expect(await textOf(checkpoint, "offsets/2")).toMatch(/\n\{"logOffset":2\}$/);
  });

  it("keeps a log that is compacted every ten files", async () => {
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    for (let n = 0; n < 23; n++) {
      await drop(`${n}.csv`, n, n + 1);
      await stream().toTable(target, { checkpoint });
    }
    const sources = (await pathsOf(checkpoint)).filter((path) => path.startsWith("sources/"));
    expect(sources).toHaveLength(23);
    expect(sources).toEqual(expect.arrayContaining(["sources/0/9.compact", "sources/0/19.compact", "sources/0/22"]));
    expect((await textOf(checkpoint, "sources/0/19.compact")).split("\n")).toHaveLength(21);
    for (let id = 0; id < 19; id++) {
      await checkpoint.delete(`sources/0/${id}`);
      await checkpoint.delete(`sources/0/${id}.compact`);
    }
    await drop("last.csv", 23, 24);
    await stream().toTable(target, { checkpoint });
    expect(await ids(target)).toEqual(upTo(24));
    await checkpoint.delete("sources/0/22");
    await expectCode("DELTA_STREAM_CHECKPOINT_INVALID", () => stream().toTable(target, { checkpoint }));
  });

  it("goes by the interval that a log was begun with", async () => {
    const checkpoint = memoryStore();
    const put = (path: string, text: string) => checkpoint.put(path, new TextEncoder().encode(text));
    const entry = (id: number) => `{"path":"file:${folder}/${id}.csv","timestamp":0,"batchId":${id}}`;
    await put("metadata", '{"id":"x"}');
    for (let id = 0; id < 3; id++) {
      await put(`offsets/${id}`, `v1\n{}\n{"logOffset":${id}}`);
      await put(`commits/${id}`, "v1\n{}");
      await drop(`${id}.csv`, id, id + 1);
    }
    await put("sources/0/2.compact", `v1\n${[0, 1, 2].map(entry).join("\n")}`);
    const seen: number[] = [];
    for (let id = 3; id < 6; id++) {
      await drop(`${id}.csv`, id, id + 1);
      const take = async (batch: StreamBatch) => {
        for (const row of await batch.toArray()) seen.push(Number(row.id));
      };
      await stream().forEachBatch(take, { checkpoint });
    }
    expect(seen).toEqual([3, 4, 5]);
    expect(await pathsOf(checkpoint)).toContain("sources/0/5.compact");
  });

  it("stops before the batch of a bad record, or leaves it to a function", async () => {
    await drop("good.csv", 0, 2);
    await drop("bad.csv", 0, 0, "id,text\n2,x\nno number,y\n3,z\n");
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const run = (options = {}) => stream({ maxFilesPerTrigger: 1, ...options }).toTable(target, { checkpoint });
    const error = await expectCode("DELTA_INPUT_UNREADABLE", () => run());
    expect(error.data).toMatchObject({ file: join(folder, "bad.csv"), line: 3, column: "id" });
    expect(await ids(target)).toEqual(upTo(2));
    const bad: unknown[] = [];
    await run({ onBadRecord: ({ line }: { line: number }, file: string) => bad.push([line, file]) });
    expect(bad).toEqual([[3, join(folder, "bad.csv")]]);
    expect(await ids(target)).toEqual(upTo(4));
  });

  it("reads JSON lines, and other formats side by side", async () => {
    await writeFile(join(folder, "a.jsonl"), '{"id":0,"text":"ü"}\n{"text":null,"id":1}\n');
    await writeFile(join(folder, "b.csv"), "id,text\n2,x\n");
    await writeFile(join(folder, "c.jsonl"), '{"id":3,"text":null}\n');
    await writeFile(join(folder, "empty.csv"), "");
    await writeFile(join(folder, "header.csv"), "id,text\n");
    await writeFile(join(folder, "empty.jsonl"), "");
    const target = Table.open(memoryStore());
    await stream().toTable(target, { checkpoint: memoryStore() });
    expect((await target.toArray()).sort((a, b) => Number(a.id) - Number(b.id))).toEqual([
      { id: 0n, text: "ü" },
      { id: 1n, text: null },
      { id: 2n, text: "x" },
      { id: 3n, text: null },
    ]);
  });

  it("begins where there is nothing yet, and says what it can't read", async () => {
    const checkpoint = memoryStore();
    const target = Table.open(memoryStore());
    const later = join(folder, "later");
    const run = (at: ObjectStore = checkpoint) => streamFolder(later, { schema }).toTable(target, { checkpoint: at });
    expect(await run()).toMatchObject({ batchCount: 0 });
    const other = memoryStore();
    const source = Table.open(memoryStore());
    await source.append([{ id: 1n }]);
    await source.stream().toTable(target, { checkpoint: other });
    await expectCode("DELTA_STREAM_SOURCE_CHANGED", () => run(other));
  });

  it("gives the same rows, once each, wherever it is killed between two writes", async () => {
    for (let n = 0; n < 3; n++) await drop(`${n}.csv`, 2 * n, 2 * n + 2);
    const run = async (lives: readonly Life[]) => {
      const [target, checkpoint] = [memoryStore(), memoryStore()];
      for (const life of lives) {
        const options = { checkpoint: life.store(checkpoint) };
        await stream({ maxFilesPerTrigger: 1 })
          .toTable(Table.open(life.store(target)), options)
          .catch((error) => {
            if (!life.isOver) throw error;
          });
      }
      return ids(Table.open(target));
    };
    const whole = new Life();
    expect(await run([whole])).toEqual(upTo(6));
    for (let at = 0; at < whole.writes; at++) {
      for (const takesEffect of [false, true]) {
        expect(await run([new Life(at, takesEffect), new Life()])).toEqual(upTo(6));
      }
    }
  });
});
