import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeltaError } from "#src/errors.js";
import type { Action } from "#src/log/actions.js";
import { claim } from "#src/log/commit.js";
import { parseCommit, serializeCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore, PutOutcome } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { type CountingStore, countingStore } from "../storage/countingStore.js";
import { add, commitInfo, putCommit } from "./build.js";

const MINE: Action[] = [commitInfo("mine"), add("a")];
const THEIRS: Action[] = [commitInfo("theirs"), add("b")];

let inner: ObjectStore;
let store: CountingStore;
let sleeps: number[];
let restore: () => void;

beforeEach(() => {
  inner = memoryStore();
  store = countingStore(inner);
  sleeps = [];
  restore = replaceRuntime({
    sleep: async (ms) => {
      sleeps.push(ms);
    },
  });
});

afterEach(() => restore());

/** What the puts to come answer, in turn; whether they take effect is for `effect` to say. */
function answer(...outcomes: (PutOutcome | DeltaError | "pass")[]): void {
  const { putIfAbsent } = inner;
  inner.putIfAbsent = async (...args) => {
    const next = outcomes.shift() ?? "pass";
    if (next instanceof DeltaError) throw next;
    return next === "pass" ? putIfAbsent.apply(inner, args) : next;
  };
}

const unavailable = () => new DeltaError("DELTA_STORAGE_UNAVAILABLE", "gone");

async function committed(): Promise<Action[]> {
  return parseCommit(1, await inner.get(commitPath(1)));
}

describe("a claim", () => {
  test("costs one put, and leaves the commit", async () => {
    expect(await claim(store, 1, MINE)).toEqual({ status: "committed" });
    expect(store.take()).toEqual([`putIfAbsent ${commitPath(1)}`]);
    expect(await committed()).toEqual(MINE);
  });

  test("waits for the files that its actions name", async () => {
    const order: string[] = [];
    const files = new Promise<void>((resolve) => setTimeout(() => resolve(void order.push("files")), 20));
    expect(await claim(store, 1, MINE, undefined, files.then())).toEqual({ status: "committed" });
    order.push("claimed");
    expect(order).toEqual(["files", "claimed"]);
  });

  test("fails as the puts of its files do, also where that error would leave a put's outcome open", async () => {
    for (const failure of [unavailable(), new DeltaError("DELTA_DISK_FULL", "full")]) {
      await expect(claim(store, 1, MINE, undefined, Promise.reject(failure))).rejects.toBe(failure);
      expect(await inner.listNames("_delta_log/")).toEqual([]);
      expect(sleeps).toEqual([]);
    }
  });

  test("that another won gives the winner's actions, and costs a get more", async () => {
    await putCommit(inner, 1, ...THEIRS);
    expect(await claim(store, 1, MINE)).toEqual({ status: "conflict", actions: THEIRS });
    expect(store.take()).toEqual([`putIfAbsent ${commitPath(1)}`, `get ${commitPath(1)}`]);
    expect(await committed()).toEqual(THEIRS);
  });

  test.each<PutOutcome>(["exists", "unknown"])(
    "whose put took effect but answered %s is committed",
    async (outcome) => {
      await inner.put(commitPath(1), serializeCommit(MINE));
      answer(outcome);
      expect(await claim(store, 1, MINE)).toEqual({ status: "committed" });
      expect(store.count("putIfAbsent")).toBe(1);
    },
  );

  test("whose put took no effect is put again", async () => {
    answer("unknown", unavailable(), "pass");
    expect(await claim(store, 1, MINE)).toEqual({ status: "committed" });
    expect(store.count("putIfAbsent")).toBe(3);
    expect(sleeps).toHaveLength(2);
    expect(await committed()).toEqual(MINE);
  });

  test("of unknown outcome that another won is a conflict", async () => {
    answer("unknown", "unknown");
    restore();
    restore = replaceRuntime({ sleep: () => putCommit(inner, 1, ...THEIRS) });
    expect(await claim(store, 1, MINE)).toEqual({ status: "conflict", actions: THEIRS });
  });

  test("that storage never answers is of unknown outcome, and says how to find out", async () => {
    inner.putIfAbsent = async () => "unknown";
    inner.get = async () => {
      throw unavailable();
    };
    const error = await expectCode("DELTA_COMMIT_OUTCOME_UNKNOWN", () => claim(store, 1, MINE));
    expect(error.data).toEqual({ version: 1, txnId: "mine" });
    expect(sleeps.length).toBeGreaterThan(3);
    expect(sleeps.every((ms) => ms > 0 && ms <= 4000)).toBe(true);
  });

  test("that clearly failed throws why", async () => {
    answer(new DeltaError("DELTA_ACCESS_DENIED", "no"));
    await expectCode("DELTA_ACCESS_DENIED", () => claim(store, 1, MINE));
    expect(store.count()).toBe(1);
  });

  test("isn't given up for an error after an unclear put", async () => {
    answer("unknown", new DeltaError("DELTA_ACCESS_DENIED", "no"), "pass");
    expect(await claim(store, 1, MINE)).toEqual({ status: "committed" });
  });

  test("that storage refuses again and again for want of something throws why, and surely left nothing", async () => {
    inner.putIfAbsent = async () => {
      throw new DeltaError("DELTA_STORAGE_UNAVAILABLE", "no descriptors", { written: false });
    };
    await expectCode("DELTA_STORAGE_UNAVAILABLE", () => claim(store, 1, MINE));
    expect(store.count("putIfAbsent")).toBeGreaterThan(3);
    answer("unknown");
    await expectCode("DELTA_COMMIT_OUTCOME_UNKNOWN", () => claim(store, 1, MINE));
  });

  test("that is visible but may not last is of unknown outcome", async () => {
    answer(new DeltaError("DELTA_COMMIT_OUTCOME_UNKNOWN", "flush failed"));
    const error = await expectCode("DELTA_COMMIT_OUTCOME_UNKNOWN", () => claim(store, 1, MINE));
    expect(error.data).toEqual({ version: 1, txnId: "mine" });
    expect(store.count()).toBe(1);
  });

  test("reads back again what came back as something else", async () => {
    await inner.put(commitPath(1), serializeCommit(MINE));
    answer("unknown", "exists");
    const { get } = inner;
    let reads = 0;
    inner.get = (...args) =>
      reads++ === 0 ? Promise.resolve(new TextEncoder().encode("<html>")) : get.apply(inner, args);
    expect(await claim(store, 1, MINE)).toEqual({ status: "committed" });
    expect(reads).toBe(2);
  });

  test("stops before it begins, not midway", async () => {
    const aborted = AbortSignal.abort();
    await expectCode("DELTA_ABORTED", () => claim(store, 1, MINE, aborted));
    expect(store.count()).toBe(0);
    const controller = new AbortController();
    answer("unknown", "pass");
    const running = claim(store, 1, MINE, controller.signal);
    controller.abort();
    expect(await running).toEqual({ status: "committed" });
  });

  test("needs a txnId", async () => {
    await expectCode("DELTA_INTERNAL", () => claim(store, 1, [add("a")]));
    expect(store.count()).toBe(0);
  });

  test("has one winner among many", async () => {
    const claims = Array.from({ length: 32 }, (_, i) => claim(store, 1, [commitInfo(`writer ${i}`), add(`f${i}`)]));
    const outcomes = await Promise.all(claims);
    expect(outcomes.filter(({ status }) => status === "committed")).toHaveLength(1);
    const winner = outcomes.findIndex(({ status }) => status === "committed");
    expect(await committed()).toEqual([commitInfo(`writer ${winner}`), add(`f${winner}`)]);
  });
});
