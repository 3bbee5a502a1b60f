import { beforeEach, describe, expect, test } from "vitest";
import type { Action } from "#src/log/actions.js";
import { writeCheckpoint } from "#src/log/checkpoint.js";
import { commitPath } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { history, versionAt } from "#src/log/timestamps.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectMeta, ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { add, commitInfo, metaData, putTable } from "./build.js";

let store: ObjectStore;

beforeEach(() => {
  store = memoryStore();
});

const versionAtTime = async (timestampMs: number) => versionAt(await loadSnapshot(store), timestampMs);

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

  test("follows times that rise from version to version, whatever the files' are", async () => {
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

  test("goes by in-commit timestamps from where they begin", async () => {
    const inCommit = (time: number): Action => ({
      commitInfo: { timestamp: 1, operation: "W", inCommitTimestamp: time },
    });
    const configuration = {
      "delta.enableInCommitTimestamps": "true",
      "delta.inCommitTimestampEnablementVersion": "2",
      "delta.inCommitTimestampEnablementTimestamp": "2500",
    };
    await putTable(store, [add("a")], [inCommit(2500), metaData(configuration)], [inCommit(2600), add("b")]);
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

  test("refuses a commit without the in-commit timestamp that it must have", async () => {
    await putTable(store, [metaData({ "delta.enableInCommitTimestamps": "true" })]);
    const error = await expectCode("DELTA_LOG_CORRUPT", () => versionAtTime(1));
    expect(error.data.version).toBe(0);
  });
});

describe("the history", () => {
  test("is newest first, with what each commit says of itself", async () => {
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
