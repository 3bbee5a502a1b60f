import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "vitest";
import { writeCheckpoint } from "#src/log/checkpoint.js";
import { classicCheckpointPath, commitPath, LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { memoryStore } from "#src/storage/memory.js";
import { type CountingStore, countingStore } from "../storage/countingStore.js";
import { add, livePaths, putCommit, putTable } from "./build.js";

let store: CountingStore;

beforeEach(async () => {
  store = countingStore(memoryStore());
  await putTable(store, [add("a")], [add("b")], [add("c")]);
  store.take();
});

describe("the number of storage calls", () => {
  test("to open a table without checkpoint: the hint, a listing, and the commits", async () => {
    await loadSnapshot(store);
    expect(store.take()).toEqual([
      `get ${LAST_CHECKPOINT_PATH}`,
      "listNames _delta_log/",
      ...[0, 1, 2, 3].map((version) => `get ${commitPath(version)}`),
    ]);
  });

  test("to open one with a checkpoint: the hint, a listing, the checkpoint and the commits after it", async () => {
    await writeCheckpoint(store, await loadSnapshot(store, { version: 2 }));
    store.take();
    const snapshot = await loadSnapshot(store);
    const checkpoint = classicCheckpointPath(2);
    expect(store.take()).toEqual([
      `get ${LAST_CHECKPOINT_PATH}`,
      "listNames _delta_log/",
      `get ${checkpoint}`,
      `get ${commitPath(3)}`,
    ]);
    // A small checkpoint came whole with its footer.
    expect(await livePaths(snapshot)).toEqual(["a", "b", "c"]);
    expect(store.take()).toEqual([]);
  });

  test("to refresh: one where nothing is new", async () => {
    const snapshot = await loadSnapshot(store);
    store.take();
    await loadSnapshot(store, { base: snapshot });
    expect(store.take()).toEqual([`get ${commitPath(4)}`]);
  });

  test("to refresh: the new commits and a listing", async () => {
    const snapshot = await loadSnapshot(store);
    await putCommit(store, 4, add("d"));
    await putCommit(store, 5, add("e"));
    store.take();
    await loadSnapshot(store, { base: snapshot });
    expect(store.take()).toEqual([`get ${commitPath(4)}`, "listNames _delta_log/", `get ${commitPath(5)}`]);
  });

  test("to advance and to list files from the tail: none", async () => {
    const snapshot = await loadSnapshot(store);
    store.take();
    await livePaths(snapshot.advance(4, [add("d")]));
    expect(store.take()).toEqual([]);
  });
});

test("a table without checkpoint opens without loading Arrow", () => {
  const script = fileURLToPath(new URL("./openWithoutArrow.mjs", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({ opened: 1, whenOpen: [], whenListed: ["apache-arrow"] });
  expect(status).toBe(0);
});
