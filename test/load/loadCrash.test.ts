import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DeltaError } from "#src/errors.js";
import { Table } from "#src/index.js";
import { replaceRuntime, runtime } from "#src/runtime.js";
import { storeBelow } from "#src/storage/below.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { csvLines, deadIdsOf, HEADER, idsOf, isBad, range, SCHEMA, scratchFolder, write } from "./loadFixture.js";

const root = await scratchFolder();
const ROWS = 300;
const GOOD = range(0, ROWS).filter((id) => !isBad(id));
const BAD = range(0, ROWS).filter(isBad);
const OPTIONS = { schema: SCHEMA, batchBytes: 1500 };
const source = await write(join(root, "src/a.csv"), HEADER + csvLines(0, ROWS - 100));
await write(join(root, "src/b.csv"), HEADER + csvLines(ROWS - 100, ROWS));

/** At a write: the machine dies before it or right after; or just this write fails, or its answer is lost. */
type When = "before" | "after" | "fails" | "is lost";

/** A store in which something happens at one of its writes. Where its machine dies, nothing works from then on. */
function dyingStore(inner: ObjectStore, diesAt: number, when: When): { store: ObjectStore; written: string[] } {
  const written: string[] = [];
  let isDead = false;
  // A store that doesn't know what came of a put says so.
  const code = when === "is lost" ? "DELTA_STORAGE_UNAVAILABLE" : "DELTA_STORAGE_FAILED";
  const died = () => new DeltaError(code, "The machine is gone.", {});
  const writes = ["put", "putNew", "putIfAbsent", "delete"];
  const store = new Proxy(inner, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (isDead) throw died();
        if (!writes.includes(String(name))) return Reflect.apply(member, target, args);
        return (async () => {
          if (written.push(String(args[0])) - 1 !== diesAt) return Reflect.apply(member, target, args);
          isDead = when === "before" || when === "after";
          if (when === "after" || when === "is lost") await Reflect.apply(member, target, args);
          throw died();
        })();
      };
    },
  });
  return { store, written };
}

async function expectWhole(store: ObjectStore) {
  const table = Table.open(store);
  expect(await idsOf(table)).toEqual(GOOD);
  expect(await deadIdsOf(Table.open(storeBelow(store, "_dead_letters/")))).toEqual(BAD);
  const history = await table.history();
  const sum = (name: string) => history.reduce((total, one) => total + Number(one.operationMetrics[name]), 0);
  expect([sum("rowsRead"), sum("rowsLoaded"), sum("rowsDead")]).toEqual([ROWS, GOOD.length, BAD.length]);
}

describe("a load whose machine dies", () => {
  it.each(["before", "after", "fails", "is lost"] as const)(
    "before, or after, or of which only that one %s: at any write it ends as if it hadn't",
    async (when) => {
      const undisturbed = dyingStore(memoryStore(), -1, when);
      await Table.open(undisturbed.store).load(join(root, "src"), OPTIONS);
      await expectWhole(undisturbed.store);
      const total = undisturbed.written.length;
      expect(total).toBeGreaterThan(25);
      for (let at = 0; at < total; at++) {
        const inner = memoryStore();
        const { store } = dyingStore(inner, at, when);
        await Table.open(store)
          .load(join(root, "src"), OPTIONS)
          .catch(() => undefined);
        await Table.open(inner).load(join(root, "src"), OPTIONS);
        await expectWhole(inner);
      }
    },
  );

  it("before the first commit in a table that was there: the next run begins", async () => {
    const inner = memoryStore();
    await Table.open(inner).append([{ id: 10_000n }], { schema: SCHEMA });
    const { store, written } = dyingStore(inner, 2, "before");
    await expectCode("DELTA_STORAGE_FAILED", () => Table.open(store).load(source, OPTIONS));
    expect(written.filter((path) => path.startsWith("_delta_log/_loads/"))).toHaveLength(1);
    expect(await Table.open(inner).load(source, OPTIONS)).toMatchObject({ rowsRead: ROWS - 100 });
    expect(await Table.open(inner).count()).toBe(GOOD.filter((id) => id < ROWS - 100).length + 1);
  });

  it("between the last batch and its dead letters: a run that finds nothing else to do commits them", async () => {
    const undisturbed = dyingStore(memoryStore(), -1, "before");
    await Table.open(undisturbed.store).load(source, OPTIONS);
    const at = undisturbed.written.findLastIndex((path) => /^_dead_letters\/_delta_log\/\d+\.json$/.test(path));
    for (const when of ["before", "after"] as const) {
      const inner = memoryStore();
      const { store } = dyingStore(inner, at, when);
      await expectCode("DELTA_STORAGE_FAILED", () => Table.open(store).load(source, OPTIONS));
      const letters = Table.open(storeBelow(inner, "_dead_letters/"));
      const all = BAD.filter((id) => id < ROWS - 100);
      if (when === "before") expect((await deadIdsOf(letters)).length).toBeLessThan(all.length);
      expect(await Table.open(inner).load(source, OPTIONS)).toMatchObject({ isUpToDate: true });
      expect(await deadIdsOf(letters)).toEqual(all);
      await Table.open(inner).load(source, OPTIONS);
      expect(await deadIdsOf(letters)).toEqual(all);
    }
  });

  it("for so long that the dead letters' files are gone says so, rather than leave them out", async () => {
    const undisturbed = dyingStore(memoryStore(), -1, "before");
    await Table.open(undisturbed.store).load(source, OPTIONS);
    const at = undisturbed.written.findLastIndex((path) => /^_dead_letters\/_delta_log\/\d+\.json$/.test(path));
    const inner = memoryStore();
    await expectCode("DELTA_STORAGE_FAILED", () =>
      Table.open(dyingStore(inner, at, "before").store).load(source, OPTIONS),
    );
    const staged = undisturbed.written.filter((path) => path.startsWith("_dead_letters/part-")).length;
    const live = new Set((await Table.open(storeBelow(inner, "_dead_letters/")).files()).map(({ path }) => path));
    for (const path of await inner.listNames("_dead_letters/")) {
      if (!live.has(path.slice("_dead_letters/".length))) await inner.delete(path);
    }
    expect(live.size).toBe(staged - 1);
    await expectCode("DELTA_LOAD_PROGRESS_LOST", () => Table.open(inner).load(source, OPTIONS));
    expect(await Table.open(inner).load(source, { ...OPTIONS, ignoreChange: true })).toMatchObject({
      isUpToDate: true,
    });
  });
});

describe("two runs of one load at once", () => {
  it("share the work from the first batch on in a table that was there", async () => {
    const store = memoryStore();
    await Table.open(store).append([{ id: 10_000n }], { schema: SCHEMA });
    const handles = Array.from({ length: 3 }, () => Table.open(store));
    // A little later, so that one finds what the other has just staged.
    await Promise.all(
      handles.map(async (table, n) => {
        for (let turn = 0; turn < 2 * n; turn++) await new Promise(setImmediate);
        await table.load(join(root, "src"), OPTIONS);
      }),
    );
    expect(await idsOf(Table.open(store))).toEqual([...GOOD, 10_000]);
  });

  it("share the work: each row is loaded once", async () => {
    for (let round = 0; round < 5; round++) {
      const store = memoryStore();
      const results = await Promise.all(
        Array.from({ length: 3 }, () => Table.open(store).load(join(root, "src"), OPTIONS)),
      );
      await expectWhole(store);
      const batches = results.reduce((sum, one) => sum + one.batches, 0);
      expect(await Table.open(store).version()).toBe(batches - 1);
      expect(results.reduce((sum, one) => sum + one.rowsRead, 0)).toBe(ROWS);
    }
  });

  it("of which one removes the lists of done files that the other looks for: that one goes on from the newer ones", async () => {
    const inner = memoryStore();
    const folder = join(root, "expiring");
    const files = range(0, 520);
    for (const id of files) await write(join(folder, `${String(id).padStart(4, "0")}.csv`), `${HEADER}${id},a,1\n`);
    const properties = { "deltaTable.loadRetentionDuration": "interval 1 hours" };
    await Table.open(inner).append([], { schema: SCHEMA, properties });
    await Table.open(inner).load(folder, { schema: SCHEMA });
    const { now } = runtime;
    let isFirst = true;
    const others = async () => {
      isFirst = false;
      // The other run's clock is ahead: to it the files have expired.
      const restore = replaceRuntime({ now: () => now() + 2 * 3600 * 1000 });
      try {
        for (const id of [600, 601]) {
          const path = await write(join(folder, `${id}.csv`), `${HEADER}${id},a,1\n`);
          await utimes(path, new Date(now() + 3 * 3600 * 1000), new Date(now() + 3 * 3600 * 1000));
          await Table.open(inner).load(folder, { schema: SCHEMA });
        }
      } finally {
        restore();
      }
    };
    const store = new Proxy(inner, {
      get(target, name) {
        const member = Reflect.get(target, name);
        if (name !== "get") return typeof member === "function" ? member.bind(target) : member;
        return async (...args: Parameters<ObjectStore["get"]>) => {
          if (isFirst && args[0].endsWith(".files")) await others();
          return target.get(...args);
        };
      },
    });
    const result = await Table.open(store).load(folder, { schema: SCHEMA });
    expect(isFirst).toBe(false);
    expect(result.isUpToDate).toBe(true);
    expect(await idsOf(Table.open(inner))).toEqual([...files, 600, 601]);
  });

  it("of which one begins anew: that one stops if the other was first", async () => {
    const store = memoryStore();
    await Table.open(store).load(source, OPTIONS);
    const before = await Table.open(store).count();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 2 }, () => Table.open(store).load(source, { ...OPTIONS, restart: true })),
    );
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason.code).toBe("DELTA_CONCURRENT_TRANSACTION");
    }
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await Table.open(store).count()).toBe(2 * before);
  });
});

it("two runs that find dead letters to be committed commit them once, whoever is first", async () => {
  const whole = dyingStore(memoryStore(), -1, "before");
  await Table.open(whole.store).load(source, OPTIONS);
  const inner = memoryStore();
  const first = whole.written.findIndex((path) => /^_dead_letters\/_delta_log\/\d+\.json$/.test(path));
  await Table.open(dyingStore(inner, first, "before").store)
    .load(source, OPTIONS)
    .catch(() => undefined);
  const { listNames } = inner;
  let isDone = false;
  inner.listNames = async (...args) => {
    const names = await Reflect.apply(listNames, inner, args);
    if (!isDone && args[0].startsWith("_dead_letters/")) {
      isDone = true;
      await Table.open(inner).load(source, OPTIONS);
    }
    return names;
  };
  await Table.open(inner).load(source, OPTIONS);
  expect(isDone).toBe(true);
  const steps = [];
  for await (const { path } of inner.list("_dead_letters/_delta_log/")) {
    const lines = Buffer.from(await inner.get(path))
      .toString()
      .trim()
      .split("\n");
    for (const line of lines) steps.push(JSON.parse(line).txn?.version);
  }
  const counted = steps.filter((step) => step !== undefined);
  expect(counted.length).toBeGreaterThan(2);
  expect(new Set(counted).size).toBe(counted.length);
});

describe("progress that is lost", () => {
  it("to the retention of transactions is noticed; restart begins anew and its dead letters count", async () => {
    const store = memoryStore();
    const properties = {
      "delta.checkpointInterval": "2",
      "delta.setTransactionRetentionDuration": "interval 1 hours",
    };
    const table = Table.open(store);
    await table.load(source, { ...OPTIONS, properties });
    const before = await table.count();
    const letters = Table.open(storeBelow(store, "_dead_letters/"));
    const dead = await letters.count();
    const { now } = runtime;
    const restore = replaceRuntime({ now: () => now() + 2 * 3600 * 1000 });
    try {
      for (let i = 0; i < 2; i++) await table.append([{ id: 9000n }]);
    } finally {
      restore();
    }
    const newest = await table.version();
    for await (const { path } of store.list("_delta_log/")) {
      const version = /(\d+)\.json$/.exec(path)?.[1];
      if (path.startsWith("_delta_log/0") && version !== undefined && Number(version) <= newest - 1)
        await store.delete(path);
    }
    await expectCode("DELTA_LOAD_PROGRESS_LOST", () => Table.open(store).load(source, OPTIONS));
    await Table.open(store).load(source, { ...OPTIONS, restart: true });
    expect(await Table.open(store).count()).toBe(2 * before + 2);
    expect(await Table.open(storeBelow(store, "_dead_letters/")).count()).toBe(2 * dead);
    expect(await Table.open(store).load(source, OPTIONS)).toMatchObject({ isUpToDate: true });
  });
});
