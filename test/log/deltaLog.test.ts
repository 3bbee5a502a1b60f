import { expect, test } from "vitest";
import { DeltaLog } from "#src/log/deltaLog.js";
import { memoryStore } from "#src/storage/memory.js";
import { countingStore } from "../storage/countingStore.js";
import { add, commitInfo, metaData, PROTOCOL, putCommit } from "./build.js";

test("a handle keeps the past it used last, and not all it ever saw", async () => {
  const inner = memoryStore();
  await putCommit(inner, 0, commitInfo("0"), PROTOCOL, metaData());
  for (let version = 1; version < 40; version++)
    await putCommit(inner, version, commitInfo(`${version}`), add(`f${version}`));
  const store = countingStore(inner);
  const log = new DeltaLog(store);
  const costs = async (version: number) => {
    store.take();
    expect((await log.at({ version })).version).toBe(version);
    return store.count();
  };
  expect(await costs(1)).toBeGreaterThan(0);
  expect(await costs(1)).toBe(0);
  for (let version = 2; version < 40; version++) {
    expect(await costs(version)).toBeGreaterThan(0);
    expect(await costs(1)).toBe(0);
  }
  expect(await costs(39)).toBe(0);
  expect(await costs(2)).toBeGreaterThan(0);
});
