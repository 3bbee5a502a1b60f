import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Action } from "#src/log/actions.js";
import { writeCheckpoint } from "#src/log/checkpoint.js";
import { serializeCommit } from "#src/log/commitFile.js";
import { chooseCompactions } from "#src/log/compactions.js";
import { classicCheckpointPath, commitPath, LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { loadSnapshot, type Snapshot } from "#src/log/snapshot.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { type CountingStore, countingStore } from "../storage/countingStore.js";
import { add, livePaths, putTable, remove, tombstonePaths } from "./build.js";

describe("the compactions chosen", () => {
  const chosen = (
    ranges: readonly (readonly [number, number])[],
    first: number,
    last: number,
    missing: number[] = [],
  ) =>
    chooseCompactions(
      ranges.map(([version, endVersion]) => ({ version, endVersion, path: `${version}.${endVersion}` })),
      first,
      last,
      (commit) => !missing.includes(commit),
    ).map(({ path }) => path);

  test("make the fewest files", () => {
    expect(chosen([], 0, 9)).toEqual([]);
    expect(chosen([[0, 3]], 0, 9)).toEqual(["0.3"]);
    // Either of them, and six commits; or both of the others, and one commit.
    expect(
      chosen(
        [
          [0, 3],
          [1, 5],
          [6, 8],
        ],
        0,
        9,
      ),
    ).toEqual(["1.5", "6.8"]);
    expect(
      chosen(
        [
          [0, 1],
          [0, 9],
          [2, 9],
        ],
        0,
        9,
      ),
    ).toEqual(["0.9"]);
  });

  test("fit between the first and the last commit", () => {
    expect(
      chosen(
        [
          [0, 3],
          [4, 7],
          [8, 11],
        ],
        3,
        9,
      ),
    ).toEqual(["4.7"]);
  });

  test("stand in for a commit that isn't there", () => {
    expect(
      chosen(
        [
          [0, 8],
          [8, 9],
        ],
        0,
        9,
        [9],
      ),
    ).toEqual(["8.9"]);
  });
});

// [R-COMP-1] [R-COMP-2]
describe("a compaction", () => {
  const PATH = "_delta_log/00000000000000000002.00000000000000000004.compacted.json";
  let store: CountingStore;
  let warnings: string[];
  let restore: () => void;

  /** What commits 2 to 4 come to. */
  const COMPACTED: Action[] = [
    { txn: { appId: "app", version: 2 } },
    remove("a"),
    remove("c", { deletionTimestamp: 9 }),
    add("d"),
    add("e"),
  ];

  beforeEach(async () => {
    warnings = [];
    restore = replaceRuntime({ warn: (message) => warnings.push(message) });
    store = countingStore(memoryStore());
    await putTable(
      store,
      [add("a"), add("b")],
      [add("c"), { txn: { appId: "app", version: 1 } }],
      [remove("a"), add("d")],
      [remove("c", { deletionTimestamp: 9 }), add("e"), { txn: { appId: "app", version: 2 } }],
      [add("f"), remove("d")],
    );
    await store.put(PATH, serializeCommit(COMPACTED));
    store.take();
  });
  afterEach(() => restore());

  async function expectNewest(snapshot: Snapshot): Promise<void> {
    expect(snapshot.version).toBe(5);
    expect(await livePaths(snapshot)).toEqual(["b", "e", "f"]);
    expect(await tombstonePaths(snapshot)).toEqual(["a", "c", "d"]);
    expect([...snapshot.transactions.values()]).toEqual([{ appId: "app", version: 2 }]);
  }

  const reads = () => store.take().filter((call) => call.startsWith("get"));
  const commits = (...versions: number[]) => versions.map((version) => `get ${commitPath(version)}`);

  test("is read in place of its commits", async () => {
    await expectNewest(await loadSnapshot(store));
    expect(reads()).toEqual([`get ${LAST_CHECKPOINT_PATH}`, ...commits(0, 1), `get ${PATH}`, ...commits(5)]);
  });

  test("is read behind a checkpoint", async () => {
    await writeCheckpoint(store, await loadSnapshot(store, { version: 1 }));
    store.take();
    await expectNewest(await loadSnapshot(store));
    expect(reads().filter((call) => !call.includes("heckpoint"))).toEqual([`get ${PATH}`, ...commits(5)]);
  });

  test("isn't used for a version within it, or behind a checkpoint within it", async () => {
    expect(await livePaths(await loadSnapshot(store, { version: 3 }))).toEqual(["b", "c", "d"]);
    await writeCheckpoint(store, await loadSnapshot(store, { version: 2 }));
    store.take();
    await expectNewest(await loadSnapshot(store));
    expect(reads()).not.toContain(`get ${PATH}`);
  });

  test("takes the place of commits that are gone or damaged", async () => {
    await store.delete(commitPath(3));
    await expectNewest(await loadSnapshot(store));
    await expectCode("DELTA_VERSIONS_NOT_CONTIGUOUS", () => loadSnapshot(store, { version: 3 }));
  });

  test("that is damaged is passed over for the commits, with a warning that names it", async () => {
    const bytes = await store.get(PATH);
    await store.put(PATH, bytes.slice(0, -20));
    const snapshot = await loadSnapshot(store);
    await expectNewest(snapshot);
    expect([...snapshot.damagedFiles]).toEqual([PATH]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(PATH);
    await store.delete(commitPath(3));
    const error = await expectCode("DELTA_LOG_CORRUPT", () => loadSnapshot(store));
    expect(error.data.path).toBe(PATH);
  });

  test("takes the place of a damaged commit that another compaction left to be read", async () => {
    await store.put("_delta_log/00000000000000000000.00000000000000000003.compacted.json", serializeCommit([]));
    await store.put(commitPath(4), new TextEncoder().encode("{"));
    const snapshot = await loadSnapshot(store);
    await expectNewest(snapshot);
    expect([...snapshot.damagedFiles]).toEqual([commitPath(4)]);
    expect(warnings).toHaveLength(1);
  });

  test("names that fit no compaction are none", async () => {
    for (const name of ["00000000000000000004.00000000000000000002", "00000000000000000003.00000000000000000003"]) {
      await store.put(`_delta_log/${name}.compacted.json`, new TextEncoder().encode("{"));
    }
    await store.delete(PATH);
    await expectNewest(await loadSnapshot(store));
    expect(warnings).toEqual([]);
    expect(await store.head(classicCheckpointPath(2))).toBeUndefined();
  });
});
