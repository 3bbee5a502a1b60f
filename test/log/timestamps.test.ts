import { beforeEach, describe, expect, test } from "vitest";
import type { Action } from "#src/log/actions.js";
import { writeCheckpoint } from "#src/log/checkpoint.js";
import { parseCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { history, versionAt } from "#src/log/timestamps.js";
import { runtime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectMeta, ObjectStore } from "#src/storage/store.js";
import { Table } from "#src/table.js";
import { expectCode } from "../expectCode.js";
import { CountingStore } from "../storage/countingStore.js";
import { add, commitInfo, metaData, putTable } from "./build.js";

let store: ObjectStore;

beforeEach(() => {
  store = memoryStore();
});

const versionAtTime = async (timestampMs: number) => versionAt(await loadSnapshot(store), timestampMs);

const inCommit = (time: number): Action => ({
  commitInfo: { timestamp: 1, operation: "W", inCommitTimestamp: time },
});

const PROTOCOL_WITH_TIMES: Action = {
  protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["inCommitTimestamp"] },
};

const ENABLED_AT_1 = {
  "delta.enableInCommitTimestamps": "true",
  "delta.inCommitTimestampEnablementVersion": "1",
  "delta.inCommitTimestampEnablementTimestamp": "2000",
};
const ENABLED_AT_2 = { ...ENABLED_AT_1, "delta.inCommitTimestampEnablementVersion": "2" };

/** Gives the commits' files these times. */
function setTimes(...times: number[]): void {
  const byPath = new Map(times.map((time, version) => [commitPath(version), time]));
  const { list } = store;
  store.list = async function* (...args): AsyncGenerator<ObjectMeta> {
    for await (const meta of list.apply(store, args)) {
      yield { ...meta, modifiedMs: byPath.get(meta.path) ?? meta.modifiedMs };
    }
  };
}

describe("the version at a time", () => {
  test("is the newest committed by then", async () => {
    await putTable(store, [add("a")], [add("b")]);
    setTimes(1000, 2000, 3000);
    const at = versionAtTime;
    expect(await Promise.all([1000, 1999, 2000, 2999, 3000].map(at))).toEqual([0, 0, 1, 1, 2]);
  });

  test("[R-ICT-5] follows times that rise from version to version, whatever the files' are", async () => {
    await putTable(store, [add("a")], [add("b")], [add("c")]);
    setTimes(5000, 5000, 1000, 9000);
    const at = versionAtTime;
    expect(await Promise.all([5000, 5001, 5002, 8999, 9000].map(at))).toEqual([0, 1, 2, 2, 3]);
  });

  test("is the newest from then until now", async () => {
    await putTable(store, [add("a")], [add("b")]);
    setTimes(1000, 2000, 3000);
    expect(await versionAtTime(3001)).toBe(2);
    expect(await versionAtTime(Date.now())).toBe(2);
  });

  test.each([999, 4e15])("is none at %d, with the range", async (timestampMs) => {
    await putTable(store, [add("a")], [add("b")]);
    setTimes(1000, 2000, 3000);
    const error = await expectCode("DELTA_TIMESTAMP_OUT_OF_RANGE", () => versionAtTime(timestampMs));
    expect(error.data).toEqual({
      timestampMs,
      earliestVersion: 0,
      earliestMs: 1000,
      latestVersion: 2,
      latestMs: 3000,
    });
  });

  test("is never one that can't be rebuilt", async () => {
    await putTable(store, [add("a")], [add("b")], [add("c")]);
    await writeCheckpoint(store, await loadSnapshot(store, { version: 2 }));
    await store.delete(commitPath(0));
    setTimes(1000, 2000, 3000, 4000);
    const error = await expectCode("DELTA_TIMESTAMP_OUT_OF_RANGE", () => versionAtTime(2500));
    expect(error.data).toMatchObject({ earliestVersion: 2, earliestMs: 3000 });
    expect(await versionAtTime(3500)).toBe(2);
  });

  test("[R-ICT-1] [R-ICT-2] goes by in-commit timestamps from where they begin", async () => {
    const configuration = {
      "delta.enableInCommitTimestamps": "true",
      "delta.inCommitTimestampEnablementVersion": "2",
      "delta.inCommitTimestampEnablementTimestamp": "2500",
    };
    const enabling = [inCommit(2500), PROTOCOL_WITH_TIMES, metaData(configuration)];
    await putTable(store, [add("a")], enabling, [inCommit(2600), add("b")]);
    setTimes(1000, 2000, 99_000, 98_000);
    const at = versionAtTime;
    expect(await Promise.all([1000, 2499, 2500, 2599, 2600].map(at))).toEqual([0, 1, 2, 2, 3]);
    const records = await history(await loadSnapshot(store));
    expect(records.map(({ version, timestampMs }) => [version, timestampMs])).toEqual([
      [3, 2600],
      [2, 2500],
      [1, 2000],
      [0, 1000],
    ]);
  });

  test("[R-ICT-4] refuses a commit without the in-commit timestamp that it must have", async () => {
    await putTable(store, [PROTOCOL_WITH_TIMES, metaData({ "delta.enableInCommitTimestamps": "true" })]);
    const error = await expectCode("DELTA_LOG_CORRUPT", () => versionAtTime(1));
    expect(error.data.version).toBe(0);
  });

  test.each([undefined, "1000", 1.5, null, 1e16])("refuses %j for an in-commit timestamp", async (time) => {
    const info = { commitInfo: { timestamp: 1, operation: "W", inCommitTimestamp: time } } as unknown as Action;
    await putTable(store, [inCommit(2000), PROTOCOL_WITH_TIMES, metaData(ENABLED_AT_1)], [info, add("a")]);
    setTimes(1000, 2000, 3000);
    for (const ask of [
      () => versionAtTime(2500),
      async () => history(await loadSnapshot(store)),
      () => Table.open(store).changes({ from: 1 }).count(),
      () => Table.open(store).append([{ id: 1n }]),
    ]) {
      const error = await expectCode("DELTA_LOG_CORRUPT", ask);
      expect(error.data).toMatchObject({ version: 2 });
    }
    expect(await versionAtTime(1500)).toBe(0);
  });

  test("[R-ICT-3] isn't led astray by files that were copied later", async () => {
    await putTable(store, [add("a")], [inCommit(2000), PROTOCOL_WITH_TIMES, metaData(ENABLED_AT_2)], [inCommit(2600)]);
    setTimes(900_000, 900_001, 900_002, 900_003);
    expect(await Promise.all([2000, 2599, 2600, 899_999, Date.now()].map(versionAtTime))).toEqual([2, 2, 3, 3, 3]);
    // Before that only the files' times say anything, and they are later.
    await expectCode("DELTA_TIMESTAMP_OUT_OF_RANGE", () => versionAtTime(1999));
  });

  test("[R-PROT-6] goes by the files' times where the protocol lacks the feature", async () => {
    await putTable(store, [inCommit(50), metaData({ "delta.enableInCommitTimestamps": "true" })]);
    setTimes(1000, 2000);
    expect(await Promise.all([1000, 2000].map(versionAtTime))).toEqual([0, 1]);
  });

  test("[R-ICT-2] goes by the files' times again once they were turned off", async () => {
    await putTable(store, [inCommit(5000), PROTOCOL_WITH_TIMES, metaData(ENABLED_AT_1)], [inCommit(5001), metaData()]);
    setTimes(1000, 2000, 3000);
    expect(await Promise.all([1000, 2999, 3000].map(versionAtTime))).toEqual([0, 1, 2]);
  });

  test("asks few of many commits for their times", async () => {
    const commits = Array.from({ length: 200 }, (_, i) => [inCommit(1000 * (i + 2)), add(`f${i}`)]);
    await putTable(store, [inCommit(1000), PROTOCOL_WITH_TIMES, metaData(ENABLED_AT_1)], ...commits);
    const counting = new CountingStore(store);
    const newest = await loadSnapshot(counting);
    counting.take();
    expect(await versionAt(newest, 100_500)).toBe(100);
    expect(counting.count("get")).toBeLessThan(12);
  });

  test("[R-ICT-1] of one that was made here with them from the beginning is what its commits say", async () => {
    const table = Table.open(store);
    const { now } = runtime;
    try {
      runtime.now = () => 5000;
      await table.create({ schema: { id: "long" }, properties: { "delta.enableInCommitTimestamps": "true" } });
      await table.append([{ id: 1n }]);
      runtime.now = () => 4000;
      await Table.open(store).append([{ id: 2n }]);
      runtime.now = () => 9000;
      await table.append([{ id: 3n }]);
    } finally {
      runtime.now = now;
    }
    expect((await table.protocol()).features.map(({ name, isActive }) => [name, isActive])).toEqual([
      ["inCommitTimestamp", true],
    ]);
    expect((await table.history()).map(({ timestamp }) => timestamp.getTime())).toEqual([9000, 5002, 5001, 5000]);
    for (const version of [0, 1, 2, 3]) {
      const [first] = parseCommit(version, await store.get(commitPath(version)));
      expect(Object.keys(first!)).toEqual(["commitInfo"]);
    }
    expect(await table.at(new Date(5002)).count()).toBe(2);
  });
});

describe("the history", () => {
  test("[R-LOG-7] is newest first, with what each commit says of itself", async () => {
    await putTable(store, [commitInfo("x", "WRITE"), add("a")], [add("b")], [commitInfo("y", "DELETE")]);
    setTimes(1000, 2000, 3000, 4000);
    const records = await history(await loadSnapshot(store));
    expect(
      records.map(({ version, timestampMs, commitInfo }) => [version, timestampMs, commitInfo?.operation]),
    ).toEqual([
      [3, 4000, "DELETE"],
      [2, 3000, undefined],
      [1, 2000, "WRITE"],
      [0, 1000, undefined],
    ]);
  });

  test("can be cut and begin lower", async () => {
    await putTable(store, [], [], [], []);
    const versions = async (version: number | undefined, limit?: number) =>
      (await history(await loadSnapshot(store, { version }), { limit })).map((record) => record.version);
    expect(await versions(undefined, 2)).toEqual([4, 3]);
    expect(await versions(2)).toEqual([2, 1, 0]);
    expect(await versions(3, 1)).toEqual([3]);
    expect(await versions(undefined, 0)).toEqual([]);
  });
});
