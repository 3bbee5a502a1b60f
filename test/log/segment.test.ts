import { beforeEach, describe, expect, test } from "vitest";
import {
  checksumPath,
  classicCheckpointPath,
  commitPath,
  LAST_CHECKPOINT_PATH,
  multiPartCheckpointPath,
} from "#src/log/names.js";
import { readSegment, rebuildableVersions } from "#src/log/segment.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";

const NOTHING = new Uint8Array(0);
/** A segment without other files. */
const PLAIN = { compactions: [], checksums: [] };
let store: ObjectStore;

beforeEach(() => {
  store = memoryStore();
});

async function put(...paths: string[]): Promise<void> {
  for (const path of paths) await store.put(path, NOTHING);
}

async function putCommits(first: number, last: number): Promise<void> {
  for (let version = first; version <= last; version++) await put(commitPath(version));
}

async function hint(text: string): Promise<void> {
  await store.put(LAST_CHECKPOINT_PATH, new TextEncoder().encode(text));
}

describe("a segment", () => {
  test("[R-LOG-1] [R-CKPT-12] is all commits where there is no checkpoint", async () => {
    await putCommits(0, 12);
    expect(await readSegment(store)).toEqual({ ...PLAIN, version: 12, checkpoint: undefined, firstCommit: 0 });
    const older = await readSegment(store, { version: 5 });
    expect(older).toEqual({ ...PLAIN, version: 5, checkpoint: undefined, firstCommit: 0 });
  });

  test("[R-CKPT-1] starts at the newest checkpoint up to the version", async () => {
    await putCommits(0, 25);
    await put(classicCheckpointPath(10), classicCheckpointPath(20));
    await hint('{"version":20,"size":1}');
    expect((await readSegment(store)).checkpoint?.version).toBe(20);
    expect(await readSegment(store, { version: 19 })).toEqual({
      ...PLAIN,
      version: 19,
      checkpoint: { version: 10, paths: [classicCheckpointPath(10)] },
      firstCommit: 11,
    });
    expect(await readSegment(store, { version: 20 })).toMatchObject({ version: 20, firstCommit: 21 });
    expect((await readSegment(store, { version: 9 })).checkpoint).toBeUndefined();
  });

  test.each([
    ["missing", undefined],
    ["empty", ""],
    ["corrupt", '{"version":'],
    ["stale", '{"version":10,"size":1}'],
    ["pointing at a checkpoint that isn't there", '{"version":15,"size":1}'],
    ["pointing beyond the log", '{"version":99,"size":1}'],
  ])("[R-LAST-1] is found with a _last_checkpoint that is %s", async (_, text) => {
    await putCommits(0, 25);
    await put(classicCheckpointPath(10), classicCheckpointPath(20));
    if (text !== undefined) await hint(text);
    expect(await readSegment(store)).toEqual({
      ...PLAIN,
      version: 25,
      checkpoint: { version: 20, paths: [classicCheckpointPath(20)] },
      firstCommit: 21,
    });
  });

  test("[R-CKPT-13] needs no commits before its checkpoint", async () => {
    await putCommits(10, 12);
    await put(classicCheckpointPath(10));
    expect(await readSegment(store)).toMatchObject({ version: 12, firstCommit: 11 });
  });

  test("may be a checkpoint alone", async () => {
    await put(classicCheckpointPath(7));
    expect(await readSegment(store)).toMatchObject({ version: 7, firstCommit: 8 });
  });

  test("[R-CKPT-2] [R-CKPT-5] takes a multi-part checkpoint whose parts are all there, in their order", async () => {
    await putCommits(0, 12);
    const parts = [1, 2, 3].map((part) => multiPartCheckpointPath(10, part, 3));
    await put(...[...parts].reverse(), multiPartCheckpointPath(12, 1, 2));
    expect((await readSegment(store)).checkpoint).toEqual({ version: 10, paths: parts });
  });

  test("passes over checkpoints that are known to be damaged", async () => {
    await putCommits(0, 25);
    await put(classicCheckpointPath(10), classicCheckpointPath(20));
    await hint('{"version":20,"size":1}');
    const paths = [20, 10].map(classicCheckpointPath);
    expect((await readSegment(store, { damaged: new Set(paths.slice(0, 1)) })).checkpoint?.version).toBe(10);
    expect((await readSegment(store, { damaged: new Set(paths) })).checkpoint).toBeUndefined();
  });

  test("[R-LOG-5] isn't disturbed by other files", async () => {
    await putCommits(0, 3);
    await put(
      "_delta_log/00000000000000000003.crc",
      "_delta_log/00000000000000000004.json.tmp",
      "_delta_log/_staged_commits/00000000000000000004.3a0d65cd-4056-49b8-937b-95f9e3ee90e5.json",
      "_delta_log/_sidecars/3a0d65cd-4056-49b8-937b-95f9e3ee90e5.parquet",
      "_delta_log/notes.txt",
    );
    expect(await readSegment(store)).toEqual({ ...PLAIN, version: 3, checkpoint: undefined, firstCommit: 0 });
  });

  test("names the version checksums from its checkpoint on", async () => {
    await putCommits(0, 6);
    await put(...[0, 2, 3, 5, 6].map(checksumPath), classicCheckpointPath(3));
    expect((await readSegment(store)).checksums).toEqual([3, 5, 6]);
    expect((await readSegment(store, { version: 5 })).checksums).toEqual([3, 5]);
  });

  test("takes one of several checkpoints of a version: a classic one first, parts last", async () => {
    await putCommits(10, 11);
    const uuid = "_delta_log/00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11";
    const inOrder = [
      [classicCheckpointPath(10)],
      [`${uuid}.parquet`],
      [`${uuid}.json`],
      [1, 2].map((part) => multiPartCheckpointPath(10, part, 2)),
    ];
    for (const paths of inOrder) await put(...paths);
    for (const [i, paths] of inOrder.entries()) {
      const damaged = new Set(inOrder.slice(0, i).flat());
      expect((await readSegment(store, { damaged })).checkpoint).toEqual({ version: 10, paths });
    }
  });

  test("asks by name for a commit that a listing lacks", async () => {
    await putCommits(0, 3);
    const { listNames } = store;
    store.listNames = async (...args) => (await listNames.apply(store, args)).filter((path) => path !== commitPath(2));
    expect(await readSegment(store)).toMatchObject({ version: 3, firstCommit: 0 });
  });
});

describe("no segment", () => {
  test("where there is no log", async () => {
    await put("_delta_log/00000000000000000000.crc", "part-0.parquet", multiPartCheckpointPath(3, 1, 2));
    await expectCode("DELTA_TABLE_NOT_FOUND", () => readSegment(store));
    await expectCode("DELTA_TABLE_NOT_FOUND", () => readSegment(store, { version: 0 }));
  });

  test("[R-LOG-4] with a gap in the versions", async () => {
    await putCommits(0, 1);
    await putCommits(3, 4);
    const error = await expectCode("DELTA_VERSIONS_NOT_CONTIGUOUS", () => readSegment(store));
    expect(error.data).toMatchObject({ version: 4, missing: 2 });
    expect(await readSegment(store, { version: 1 })).toMatchObject({ version: 1 });
  });

  test("with a gap after the checkpoint", async () => {
    await putCommits(12, 13);
    await put(classicCheckpointPath(10));
    await hint('{"version":10,"size":1}');
    const error = await expectCode("DELTA_VERSIONS_NOT_CONTIGUOUS", () => readSegment(store));
    expect(error.data.missing).toBe(11);
  });

  test("without the first commits", async () => {
    await putCommits(1, 3);
    const error = await expectCode("DELTA_VERSIONS_NOT_CONTIGUOUS", () => readSegment(store));
    expect(error.data.missing).toBe(0);
  });

  test("for a version that isn't there, naming those that are", async () => {
    await putCommits(8, 14);
    await put(classicCheckpointPath(10));
    for (const version of [15, 9, 0]) {
      const error = await expectCode("DELTA_VERSION_NOT_FOUND", () => readSegment(store, { version }));
      expect(error.data).toMatchObject({ version, earliest: 10, latest: 14 });
    }
    expect(rebuildableVersions(store, await store.listNames("_delta_log/"))).toEqual({ earliest: 10, latest: 14 });
  });
});
