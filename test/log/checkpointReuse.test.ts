import { beforeEach, describe, expect, it } from "vitest";
import { writeCheckpoint } from "#src/log/checkpoint.js";
import { commitPath } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { readFooter } from "#src/parquet/footer.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { add, livePaths, metaData, putCommit, putTable, remove, tombstonePaths } from "./build.js";

const FILES = 9_000;

let store: ObjectStore;
beforeEach(async () => {
  store = memoryStore();
  const files = Array.from({ length: FILES }, (_, n) => add(`part-${n}`, { stats: `{"numRecords":${n}}` }));
  await putTable(store, [...files, remove("gone", { deletionTimestamp: Date.now() })]);
  await writeCheckpoint(store, await loadSnapshot(store));
});

async function groupsOf(path: string): Promise<number[]> {
  const sizeBytes = (await store.get(path)).length;
  return (await readFooter(store, { path, sizeBytes })).rowGroups.map(({ rowCount }) => rowCount);
}

describe("a checkpoint after a checkpoint", () => {
  it("takes its files over, without what later commits removed", async () => {
    await putCommit(store, 2, remove("part-7", { deletionTimestamp: Date.now() }), add("new"), add("part-8"));
    const written = await writeCheckpoint(store, await loadSnapshot(store));
    expect(written).toMatchObject({ version: 2, fileCount: FILES });
    // The tombstone of the first one too; the rest are the state, two files and a tombstone.
    expect(await groupsOf(written.path)).toEqual([FILES - 1, 5]);
    for (const version of [0, 1, 2]) await store.delete(commitPath(version));
    const after = await loadSnapshot(store);
    const expected = Array.from({ length: FILES }, (_, n) => `part-${n}`).filter((path) => path !== "part-7");
    expect((await livePaths(after)).sort()).toEqual([...expected, "new"].sort());
    expect((await tombstonePaths(after)).sort()).toEqual(["gone", "part-7"]);
  });

  it("forgets expired tombstones", async () => {
    await putCommit(store, 2, metaData({ "delta.deletedFileRetentionDuration": "interval 0 seconds" }));
    const written = await writeCheckpoint(store, await loadSnapshot(store));
    const after = await loadSnapshot(store);
    expect(written.fileCount).toBe(FILES);
    expect(await tombstonePaths(after)).toEqual([]);
  });

  it("is taken anew where the older one is damaged", async () => {
    await putCommit(store, 2, add("new"));
    const snapshot = await loadSnapshot(store);
    await snapshot.fileBatches({ columns: ["path"] }).next();
    await store.delete(snapshot.files.checkpoint!.paths[0]!);
    const written = await writeCheckpoint(store, snapshot);
    expect(written.fileCount).toBe(FILES + 1);
    expect((await livePaths(await loadSnapshot(store))).length).toBe(FILES + 1);
  });
});
