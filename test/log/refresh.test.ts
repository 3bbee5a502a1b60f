import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { writeCheckpoint } from "#src/log/checkpoint.js";
import { serializeCommit } from "#src/log/commitFile.js";
import { checksumPath, classicCheckpointPath, commitPath } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import { openStore } from "#src/storage/open.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { add, livePaths, metaData, PROTOCOL, putCommit, putTable, remove } from "./build.js";

const CUT = new TextEncoder().encode(`${JSON.stringify(remove("a"))}\n{"add":{"pa`);
const compactionPath = (first: number, last: number) =>
  `_delta_log/${String(first).padStart(20, "0")}.${String(last).padStart(20, "0")}.compacted.json`;

describe("a snapshot of version 1 goes on past", () => {
  let store: ObjectStore;
  let warnings: string[];
  let restore: () => void;

  beforeEach(async () => {
    warnings = [];
    restore = replaceRuntime({ warn: (message) => warnings.push(message) });
    store = memoryStore();
    await putTable(store, [add("a")]);
  });
  afterEach(() => restore());

  /** Puts versions 2 to 4; what a sound log of them gives. */
  async function putNews(): Promise<void> {
    await putCommit(store, 2, add("b"));
    await putCommit(store, 3, remove("a"), add("c"));
    await putCommit(store, 4, add("d"));
  }
  const NEWEST = ["b", "c", "d"];
  const compacted = () => store.put(compactionPath(2, 3), serializeCommit([add("b"), remove("a"), add("c")]));

  async function expectNewest(base: Awaited<ReturnType<typeof loadSnapshot>>, passedOver: readonly string[]) {
    const snapshot = await base.refresh();
    expect(snapshot.version).toBe(4);
    expect(await livePaths(snapshot)).toEqual(NEWEST);
    expect(await livePaths(base)).toEqual(["a"]);
    expect(warnings).toHaveLength(passedOver.length);
    for (const [i, path] of passedOver.entries()) expect(warnings[i]).toContain(path);
    // As one who comes to the table now.
    expect(await livePaths(await loadSnapshot(store))).toEqual(NEWEST);
    expect(warnings).toHaveLength(passedOver.length);
  }

  test.each([2, 3])("a damaged commit %i, by the compaction over it", async (version) => {
    const base = await loadSnapshot(store);
    await putNews();
    await compacted();
    await store.put(commitPath(version), CUT);
    // Who opens the table takes the compaction, and doesn't look at the commit.
    await expectNewest(base, []);
  });

  test("a damaged commit, by a checkpoint behind it", async () => {
    const base = await loadSnapshot(store);
    await putNews();
    await writeCheckpoint(store, await loadSnapshot(store, { version: 3 }));
    await store.put(commitPath(3), CUT);
    await expectNewest(base, []);
  });

  test("a missing commit, by the compaction over it", async () => {
    const base = await loadSnapshot(store);
    await putNews();
    await compacted();
    await store.delete(commitPath(3));
    await expectNewest(base, []);
  });

  test("commits that a checkpoint alone tells", async () => {
    const base = await loadSnapshot(store);
    await putNews();
    await writeCheckpoint(store, await loadSnapshot(store));
    for (const version of [3, 4]) await store.delete(commitPath(version));
    await expectNewest(base, []);
  });

  test("a damaged commit, with a warning, where a damaged compaction leaves it to be read first", async () => {
    const base = await loadSnapshot(store);
    await putNews();
    await store.put(compactionPath(2, 4), CUT);
    await compacted();
    await store.put(commitPath(3), CUT);
    await expectNewest(base, [compactionPath(2, 4)]);
  });

  test("a damaged compaction, checksum and checkpoint, by the commits", async () => {
    const base = await loadSnapshot(store);
    await putNews();
    for (const path of [compactionPath(2, 3), checksumPath(3), checksumPath(4), "_delta_log/_last_checkpoint"]) {
      await store.put(path, CUT);
    }
    await store.put(classicCheckpointPath(2), CUT);
    const snapshot = await base.refresh();
    expect([snapshot.version, await livePaths(snapshot)]).toEqual([4, NEWEST]);
  });

  test("a damaged checkpoint far ahead, with a warning", async () => {
    const base = await loadSnapshot(store);
    await putNews();
    for (let version = 5; version <= 150; version++) await putCommit(store, version, { txn: { appId: "x", version } });
    await store.put(classicCheckpointPath(120), CUT);
    const snapshot = await base.refresh();
    expect([snapshot.version, await livePaths(snapshot)]).toEqual([150, NEWEST]);
    expect([...snapshot.damagedFiles]).toEqual([classicCheckpointPath(120)]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(classicCheckpointPath(120));
    expect((await snapshot.refresh()).damagedFiles).toBe(snapshot.damagedFiles);
  });

  test("nothing where a commit is damaged and no other file has it", async () => {
    const base = await loadSnapshot(store);
    await putNews();
    await store.put(commitPath(3), CUT);
    for (const _ of "twice") {
      const error = await expectCode("DELTA_LOG_CORRUPT", () => base.refresh());
      expect(error.data).toMatchObject({ path: commitPath(3), version: 3, line: 2 });
    }
    expect(await livePaths(base)).toEqual(["a"]);
    expect(warnings).toEqual([]);
  });

  test("what a damaged commit said before its end, once another takes its place", async () => {
    const base = await loadSnapshot(store);
    const vector = { storageType: "u", pathOrInlineDv: "v", sizeInBytes: 1, cardinality: 1 } as const;
    const lines = [remove("a"), add("x", { tags: { t: "1" }, deletionVector: vector }), remove("y")];
    await store.put(commitPath(2), new Uint8Array([...serializeCommit(lines), ...CUT]));
    await expectCode("DELTA_LOG_CORRUPT", () => base.refresh());
    await putCommit(store, 2, add("b"));
    const snapshot = await base.refresh();
    expect([snapshot.version, await livePaths(snapshot)]).toEqual([2, ["a", "b"]]);
    expect(await livePaths((await base.refresh()).advance(3, [remove("b"), add("x")]))).toEqual(["a", "x"]);
  });
});

test("a table's handle goes on as one that is opened anew", async () => {
  const location = "memory:refresh-handle";
  const store = openStore(location);
  await putCommit(store, 0, PROTOCOL, metaData(), add("a"));
  const table = Table.open(location);
  expect(await table.version()).toBe(0);
  await putCommit(store, 1, add("b"));
  await putCommit(store, 2, add("c"));
  await store.put(compactionPath(1, 2), serializeCommit([add("b"), add("c")]));
  await store.put(commitPath(1), CUT);
  for (const handle of [table, Table.open(location)]) {
    expect((await handle.files()).map(({ path }) => path).sort()).toEqual(["a", "b", "c"]);
    expect(await handle.version()).toBe(2);
  }
});
