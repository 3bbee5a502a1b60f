import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeltaError } from "#src/errors.js";
import { Table } from "#src/index.js";
import { replaceRuntime, runtime } from "#src/runtime.js";
import { openStore } from "#src/storage/open.js";
import { expectCode } from "../expectCode.js";
import { CountingStore } from "../storage/countingStore.js";

const ids = async (table: Table) => (await table.toArray()).map(({ id }) => Number(id)).sort((a, b) => a - b);
const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => ({ id: BigInt(from + i) }));

let stores = 0;
const memoryStore = () => openStore(`memory://checkpointed-${stores++}`);

describe("a checkpointed job", () => {
  it("has no offset before its first append, which may create the table", async () => {
    const table = Table.open(memoryStore());
    const job = table.checkpointed("queue");
    expect(await job.offset()).toBeUndefined();
    expect(await job.append(rows(0, 3), { offset: 3 })).toMatchObject({ version: 0, rowCount: 3 });
    expect(await job.offset()).toBe(3);
    expect(await ids(table)).toEqual([0, 1, 2]);
  });

  it("goes on in another handle, with any JSON as its offset, beside other jobs", async () => {
    const store = memoryStore();
    await Table.open(store)
      .checkpointed("a")
      .append(rows(0, 1), { offset: { page: 1, after: ["x", null] } });
    await Table.open(store).checkpointed("b/ü:*").append(rows(1, 2), { offset: "z" });
    expect(await Table.open(store).checkpointed("a").offset()).toEqual({ page: 1, after: ["x", null] });
    expect(await Table.open(store).checkpointed("b/ü:*").offset()).toBe("z");
    expect(await Table.open(store).checkpointed("c").offset()).toBeUndefined();
  });

  it("moves on without rows", async () => {
    const table = Table.open(memoryStore());
    const job = table.checkpointed("queue");
    await job.append(rows(0, 1), { offset: 1 });
    expect(await job.append([], { offset: 7 })).toMatchObject({ version: 1, fileCount: 0 });
    expect(await table.checkpointed("queue").offset()).toBe(7);
  });

  it("lets one of two runs go on; the other is told, and goes on from there", async () => {
    const store = memoryStore();
    const [one, two] = [Table.open(store), Table.open(store)].map((table) => table.checkpointed("queue"));
    await one!.append(rows(0, 2), { offset: 2 });
    expect(await two!.offset()).toBe(2);
    await one!.append(rows(2, 4), { offset: 4 });
    await expectCode("DELTA_CONCURRENT_TRANSACTION", () => two!.append(rows(2, 4), { offset: 4 }));
    expect(await two!.offset()).toBe(4);
    await two!.append(rows(4, 5), { offset: 5 });
    expect(await ids(Table.open(store))).toEqual([0, 1, 2, 3, 4]);
  });

  it("lets one of two first runs begin", async () => {
    const store = memoryStore();
    const jobs = Array.from({ length: 4 }, () => Table.open(store).checkpointed("queue"));
    for (const job of jobs) await job.offset();
    const outcomes = await Promise.allSettled(jobs.map((job) => job.append(rows(0, 2), { offset: 2 })));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason.code).toBe("DELTA_CONCURRENT_TRANSACTION");
    }
    expect(await ids(Table.open(store))).toEqual([0, 1]);
  });

  it("is still where it was after an append that failed, and after writes of others", async () => {
    const table = Table.open(memoryStore());
    const job = table.checkpointed("queue");
    await job.append(rows(0, 2), { offset: 2 });
    await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => job.append([{ id: "no number" }], { offset: 3 }));
    await table.append(rows(100, 101));
    expect(await job.append(rows(2, 3), { offset: 3 })).toMatchObject({ version: 2 });
    expect(await ids(table)).toEqual([0, 1, 2, 100]);
  });

  it("keeps its place in checkpoints", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    await table.create({ schema: { id: "long" }, properties: { "delta.checkpointInterval": "2" } });
    const job = table.checkpointed("queue");
    for (let at = 0; at < 7; at++) await job.append(rows(at, at + 1), { offset: at + 1 });
    for await (const { path } of store.list("_delta_log/")) {
      if (/0[0-5]\.json$/.test(path)) await store.delete(path);
    }
    expect(await Table.open(store).checkpointed("queue").offset()).toBe(7);
  });

  it("says so when the table has forgotten its place, rather than begin anew", async () => {
    const store = memoryStore();
    const properties = {
      "delta.checkpointInterval": "2",
      "delta.setTransactionRetentionDuration": "interval 1 hours",
    };
    const table = Table.open(store);
    await table.create({ schema: { id: "long" }, properties });
    await table.checkpointed("queue").append(rows(0, 1), { offset: 1 });
    const restore = replaceRuntime({ now: () => Date.now() + 2 * 3600 * 1000 });
    try {
      await table.append(rows(1, 2));
    } finally {
      restore();
    }
    for await (const { path } of store.list("_delta_log/")) if (/0[0-1]\.json$/.test(path)) await store.delete(path);
    await expectCode("DELTA_LOAD_PROGRESS_LOST", () => Table.open(store).checkpointed("queue").offset());
  });

  it("finds its place though another run makes steps, and removes the state, while it looks", async () => {
    const store = memoryStore();
    const other = Table.open(store).checkpointed("queue");
    await other.append(rows(0, 1), { offset: 1 });
    const { get } = store;
    let isFirst = true;
    store.get = async (...args) => {
      if (isFirst && args[0].startsWith("_delta_log/_loads/")) {
        isFirst = false;
        for (let at = 1; at < 3; at++) await other.append(rows(at, at + 1), { offset: at + 1 });
      }
      return Reflect.apply(get, store, args);
    };
    const job = Table.open(store).checkpointed("queue");
    expect(await job.offset()).toBe(3);
    expect(isFirst).toBe(false);
    await job.append(rows(3, 4), { offset: 4 });
    expect(await ids(Table.open(store))).toEqual([0, 1, 2, 3]);
  });

  it("begins where a first append failed, or is under way elsewhere, in a table that was there", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    await table.append(rows(0, 1));
    const { putIfAbsent } = store;
    store.putIfAbsent = async () => {
      expect(await Table.open(store).checkpointed("queue").offset()).toBeUndefined();
      throw new DeltaError("DELTA_ACCESS_DENIED", "Not now.", {});
    };
    await expectCode("DELTA_ACCESS_DENIED", () => table.checkpointed("queue").append(rows(1, 2), { offset: 1 }));
    store.putIfAbsent = putIfAbsent;
    expect(await store.listNames("_delta_log/_loads/queue/")).toHaveLength(1);
    for (let n = 0; n < 3; n++) await table.append(rows(5 + n, 6 + n));
    const job = Table.open(store).checkpointed("queue");
    expect(await job.offset()).toBeUndefined();
    // Once the log doesn't reach back to the attempt, nobody can tell.
    for await (const { path } of store.list("_delta_log/")) if (/0[0-1]\.json$/.test(path)) await store.delete(path);
    await table.checkpoint();
    await expectCode("DELTA_LOAD_PROGRESS_LOST", () => Table.open(store).checkpointed("queue").offset());
  });

  it("whose progress was expired isn't taken for a new one in a copy of the table, whose files have other times", async () => {
    const store = memoryStore();
    const properties = {
      "delta.checkpointInterval": "5",
      "delta.setTransactionRetentionDuration": "interval 1 hours",
    };
    const table = Table.open(store);
    await table.append(rows(0, 1), { properties });
    await table.checkpointed("queue").append(rows(1, 2), { offset: 1 });
    const { now } = runtime;
    let later = 2 * 3600 * 1000;
    const restore = replaceRuntime({ now: () => now() + later });
    const copy = memoryStore();
    try {
      for (let n = 2; n < 8; n++) await table.append(rows(n, n + 1));
      const paths: string[] = [];
      for await (const { path } of store.list("")) paths.push(path);
      for (const path of paths.sort()) {
        later += 10_000;
        await copy.put(path, await store.get(path));
      }
    } finally {
      restore();
    }
    await expectCode("DELTA_LOAD_PROGRESS_LOST", () => Table.open(copy).checkpointed("queue").offset());
  });

  it("says so when its state is gone or is another's", async () => {
    const store = memoryStore();
    await Table.open(store).checkpointed("queue").append(rows(0, 1), { offset: 1 });
    const [path] = await store.listNames("_delta_log/_loads/queue/");
    await store.put(path!, new TextEncoder().encode('{"step":1,"previous":null,"state":{"offset":0}}'));
    await expectCode("DELTA_LOAD_PROGRESS_LOST", () => Table.open(store).checkpointed("queue").offset());
    await store.delete(path!);
    await expectCode("DELTA_LOAD_PROGRESS_LOST", () => Table.open(store).checkpointed("queue").offset());
  });

  it("holds two states at most, and removes those of attempts that failed once they are old", async () => {
    const store = memoryStore();
    const job = Table.open(store).checkpointed("queue");
    for (let at = 0; at < 5; at++) await job.append(rows(at, at + 1), { offset: at + 1 });
    const states = () => store.listNames("_delta_log/_loads/queue/");
    expect(await states()).toHaveLength(2);
    await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => job.append([{ id: "no number" }], { offset: 9 }));
    expect(await states()).toHaveLength(3);
    await job.offset();
    expect(await states()).toHaveLength(3);
    const { now } = runtime;
    const restore = replaceRuntime({ now: () => now() + 8 * 24 * 3600 * 1000 });
    try {
      expect(await job.offset()).toBe(5);
    } finally {
      restore();
    }
    expect(await states()).toHaveLength(2);
  });

  it("refuses an offset that is no JSON, and a job without a name", async () => {
    const table = Table.open(memoryStore());
    const job = table.checkpointed("queue");
    for (const offset of [undefined, 1n, Number.NaN, new Date(), { a: undefined }, [new Map()]]) {
      await expectCode("DELTA_INVALID_ARGUMENT", () => job.append([], { offset: offset as never }));
    }
    expect(() => table.checkpointed("")).toThrow(expect.objectContaining({ code: "DELTA_INVALID_ARGUMENT" }));
  });

  it("costs an append two requests more: the new state, and an old one less", async () => {
    const store = new CountingStore(memoryStore());
    const job = Table.open(store).checkpointed("queue");
    for (let at = 0; at < 3; at++) await job.append(rows(at, at + 1), { offset: at + 1 });
    store.calls = [];
    await job.append(rows(3, 4), { offset: 4 });
    expect(store.calls.map(({ verb }) => verb)).toEqual(["put", "putNew", "putIfAbsent", "putHint", "delete"]);
  });
});

describe("a checkpointed job that is killed again and again", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "delta-checkpointed-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("loses no row and doubles none", async () => {
    const path = join(folder, "table");
    let reached = 0;
    for (let run = 0; run < 12; run++) {
      const child = spawn(process.execPath, [join(import.meta.dirname, "checkpointedChild.mjs"), path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const steps = 1 + ((run * 7) % 5);
      let seen = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        reached = Number(line);
        if (++seen < steps) continue;
        // Somewhere in the next append.
        await new Promise((resolve) => setTimeout(resolve, (run * 3) % 8));
        child.kill("SIGKILL");
        break;
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    const offset = Number(await Table.open(path).checkpointed("queue").offset());
    expect(offset).toBeGreaterThanOrEqual(reached);
    expect(await ids(Table.open(path))).toEqual(Array.from({ length: offset }, (_, i) => i));
  });
});
