import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Action, CheckpointAction } from "#src/log/actions.js";
import { classicCheckpointPath, commitPath, LAST_CHECKPOINT_PATH, SIDECAR_FOLDER } from "#src/log/names.js";
import { loadSnapshot, type Snapshot } from "#src/log/snapshot.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { add, liveFiles, livePaths, metaData, putCommit, remove, tombstonePaths } from "./build.js";
import { field, jsonOf, KINDS, METADATA_OF_2, parquetOf, putSidecars, struct } from "./checkpointFiles.js";

const PROTOCOL_OF_V2: Action = {
  protocol: {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ["v2Checkpoint"],
    writerFeatures: ["v2Checkpoint", "domainMetadata"],
  },
};
const VECTOR = { storageType: "u", pathOrInlineDv: "v", offset: 3, sizeInBytes: 9, cardinality: 2 };
const TXN: Action = { txn: { appId: "app", version: 7, lastUpdated: 3 } };
const DOMAIN: Action = { domainMetadata: { domain: "d", configuration: "{}", removed: false } };

/** What version 2 is. */
const CHECKPOINT: readonly CheckpointAction[] = [
  PROTOCOL_OF_V2,
  metaData({ k: "v" }),
  TXN,
  DOMAIN,
  add("a", { dataChange: false, stats: '{"numRecords":1}', partitionValues: { p: null } }),
  add("b", { dataChange: false, deletionVector: VECTOR, tags: { t: "x" } }),
  add("c", { dataChange: false }),
  remove("old", { dataChange: false, deletionTimestamp: 5 }),
  remove("older", { dataChange: false, deletionTimestamp: 4 }),
];

let store: ObjectStore;
let warnings: string[];
let restore: () => void;

beforeEach(async () => {
  warnings = [];
  restore = replaceRuntime({ warn: (message, code) => warnings.push(`${code} ${message}`) });
  store = memoryStore();
  await putCommit(store, 0, PROTOCOL_OF_V2, metaData({ k: "v" }), add("older"), add("old"));
  await putCommit(
    store,
    1,
    TXN,
    DOMAIN,
    remove("older", { deletionTimestamp: 4 }),
    add("a", { stats: '{"numRecords":1}', partitionValues: { p: null } }),
  );
  await putCommit(
    store,
    2,
    remove("old", { deletionTimestamp: 5 }),
    add("b", { deletionVector: VECTOR, tags: { t: "x" } }),
    add("c"),
  );
  await putCommit(store, 3, remove("b", { deletionVector: VECTOR }), add("c", { size: 11 }), add("d"));
});

afterEach(() => restore());

async function dropCommits(...versions: number[]): Promise<void> {
  for (const version of versions) await store.delete(commitPath(version));
}

async function contentOf(snapshot: Snapshot) {
  const { version, protocol, metadata, transactions, domainMetadata } = snapshot;
  const files = (await liveFiles(snapshot)).map((file) => ({ ...file, dataChange: false }));
  const removed = await tombstonePaths(snapshot);
  const beside = { protocol, metadata, transactions: [...transactions], domains: [...domainMetadata] };
  return { version, files, removed, ...beside };
}

// [R-CKPT-4] [R-CKPT-5] [R-CKPT-6] [R-CKPT-8]
describe.each(Object.entries(KINDS))("%s", (_, write) => {
  test("tells the same as the commits, at its version and behind it", async () => {
    const [at2, at3] = [await loadSnapshot(store, { version: 2 }), await loadSnapshot(store)];
    const expected = [await contentOf(at2), await contentOf(at3)];
    await write(store, CHECKPOINT);
    await dropCommits(0, 1, 2);
    expect(await contentOf(await loadSnapshot(store, { version: 2 }))).toEqual(expected[0]);
    expect(await contentOf(await loadSnapshot(store))).toEqual(expected[1]);
    expect(warnings).toEqual([]);
  });

  test("is passed over for the commits where a file of it is cut, with one warning that names it", async () => {
    const paths = await write(store, CHECKPOINT);
    const path = paths.at(-1)!;
    await store.put(path, (await store.get(path)).slice(0, -20));
    for (const version of [2, 3]) {
      const snapshot = await loadSnapshot(store, { version });
      expect([...snapshot.damagedFiles]).toEqual(paths);
      expect(await livePaths(snapshot)).toEqual(version === 2 ? ["a", "b", "c"] : ["a", "c", "d"]);
    }
    expect(warnings).toHaveLength(paths.length);
    for (const each of paths) expect(warnings.join()).toContain(each);
  });

  test("is told to be damaged where it is all there is", async () => {
    const path = (await write(store, CHECKPOINT))[0]!;
    await dropCommits(0);
    await store.put(path, (await store.get(path)).slice(0, -20));
    const code = path.endsWith(".json") ? "DELTA_LOG_CORRUPT" : "DELTA_PARQUET_UNREADABLE";
    const error = await expectCode(code, () => loadSnapshot(store));
    expect(error.data.path).toBe(path);
  });
});

// [R-CKPT-7]
describe.each(Object.entries(KINDS).filter(([name]) => name.includes("with sidecars")))("%s", (_, write) => {
  test.each(["cut", "removed"])("is passed over for the commits where a sidecar is %s", async (how) => {
    const [path] = await write(store, CHECKPOINT);
    const sidecar = `${SIDECAR_FOLDER}side 1.parquet`;
    if (how === "removed") await store.delete(sidecar);
    else await store.put(sidecar, (await store.get(sidecar)).slice(0, -20));
    const snapshot = await loadSnapshot(store);
    expect(await livePaths(snapshot)).toEqual(["a", "c", "d"]);
    expect(await tombstonePaths(snapshot)).toEqual(["b", "old", "older"]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(path);
    expect(warnings[0]).toContain("side 1.parquet");
    await dropCommits(0);
    const code = how === "removed" ? "DELTA_FILE_NOT_FOUND" : "DELTA_PARQUET_UNREADABLE";
    const error = await expectCode(code, async () => livePaths(await loadSnapshot(store)));
    expect(String(error.data.path)).toContain("side 1.parquet");
  });
});

// [R-CKPT-3]
describe("several checkpoints of one version", () => {
  test("are tried one after the other", async () => {
    await dropCommits(0, 1, 2);
    const kinds = ["one of several parts", "one in JSON", "one in Parquet with sidecars", "a classic one"] as const;
    const paths: string[][] = [];
    for (const kind of kinds) paths.push(await KINDS[kind]!(store, CHECKPOINT));
    for (const left of [3, 2, 1, 0]) {
      const snapshot = await loadSnapshot(store);
      expect(snapshot.damagedFiles.size).toBe(3 - left);
      expect(await livePaths(snapshot)).toEqual(["a", "c", "d"]);
      if (left > 0) await store.put(paths[left]![0]!, new Uint8Array(100));
    }
    await store.delete(paths[0]![1]!);
    await expectCode("DELTA_PARQUET_UNREADABLE", () => loadSnapshot(store));
  });

  test("where parts are missing, is no checkpoint, and nobody is warned", async () => {
    const [first] = await KINDS["one of several parts"]!(store, CHECKPOINT);
    await store.delete(first!);
    expect((await loadSnapshot(store)).damagedFiles.size).toBe(0);
    expect(warnings).toEqual([]);
  });
});

describe("a sidecar's path", () => {
  const path = "_delta_log/00000000000000000002.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json";
  const state = CHECKPOINT.slice(0, 4);

  test.each([
    ["a name", (name: string) => name],
    ["an absolute one within the folder", (name: string) => `${store.url}/_delta_log/_sidecars/${name}`],
  ])("may be %s", async (__, pathOf) => {
    await store.put(path, jsonOf([METADATA_OF_2, ...(await putSidecars(store, CHECKPOINT, pathOf)), ...state]));
    await dropCommits(0, 1, 2);
    expect(await livePaths(await loadSnapshot(store))).toEqual(["a", "c", "d"]);
  });

  test.each([
    ["out of the folder", "../00000000000000000003.json"],
    ["out of it in escapes", "%2e%2e/x.parquet"],
    ["into another table", "memory://other/_delta_log/_sidecars/x.parquet"],
    ["to a file elsewhere", "/etc/passwd"],
    ["nowhere", ""],
  ])("that leads %s is damage", async (__, sidecar) => {
    await store.put(path, jsonOf([METADATA_OF_2, { sidecar: { path: sidecar, sizeInBytes: 100 } }, ...state]));
    await dropCommits(0);
    await expectCode("DELTA_LOG_CORRUPT", async () => livePaths(await loadSnapshot(store)));
  });

  test("named twice is read once", async () => {
    const sidecars = await putSidecars(store, CHECKPOINT);
    await store.put(path, jsonOf([METADATA_OF_2, ...sidecars, ...sidecars, ...state]));
    await dropCommits(0, 1, 2);
    expect(await livePaths(await loadSnapshot(store, { version: 2 }))).toEqual(["a", "b", "c"]);
  });
});

describe("a checkpoint in JSON", () => {
  const path = "_delta_log/00000000000000000002.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json";

  test.each([
    ["lacks its checkpointMetadata", CHECKPOINT],
    ["lacks its protocol", [METADATA_OF_2, ...CHECKPOINT.slice(1)]],
    ["lacks its metadata", [METADATA_OF_2, PROTOCOL_OF_V2, ...CHECKPOINT.slice(2)]],
    ["is of another version", [{ checkpointMetadata: { version: 1 } }, ...CHECKPOINT]],
  ])("that %s is passed over", async (__, actions) => {
    await store.put(path, jsonOf(actions));
    const snapshot = await loadSnapshot(store);
    expect([...snapshot.damagedFiles]).toEqual([path]);
    expect(snapshot.transactions.size).toBe(1);
  });
});

// [R-CKPT-9] [R-CKPT-11]
test("a checkpoint's columns may be in any order, some missing, and others among them", async () => {
  const path = classicCheckpointPath(2);
  const { checkpointFields } = await import("#src/log/checkpointSchema.js");
  const fields = checkpointFields()
    .map((column) => {
      if (typeof column.type !== "object" || column.type.type !== "struct") return column;
      const kept = column.type.fields.filter(({ name }) => !["tags", "clusteringProvider", "baseRowId"].includes(name));
      const extra =
        column.name === "add" ? field("partitionValues_parsed", struct(field("p", "date"))) : field("x", "string");
      return { ...column, type: { ...column.type, fields: [extra, ...kept.reverse()] } };
    })
    .reverse();
  await store.put(path, await parquetOf(CHECKPOINT, [{ ...fields[0]!, name: "unheardOf" }, ...fields]));
  await dropCommits(0, 1, 2);
  const snapshot = await loadSnapshot(store, { version: 2 });
  expect(await liveFiles(snapshot)).toEqual([
    {
      path: "a",
      partitionValues: { p: null },
      size: 10,
      modificationTime: 1000,
      dataChange: false,
      stats: '{"numRecords":1}',
    },
    { path: "b", partitionValues: {}, size: 10, modificationTime: 1000, dataChange: false, deletionVector: VECTOR },
    { path: "c", partitionValues: {}, size: 10, modificationTime: 1000, dataChange: false },
  ]);
  expect([...snapshot.transactions.values()]).toEqual([{ appId: "app", version: 7, lastUpdated: 3 }]);
});

// [R-LAST-3]
test("what _last_checkpoint says of a checkpoint's content changes nothing of what is read", async () => {
  const [path] = await KINDS["one in JSON with sidecars"]!(store, CHECKPOINT);
  await dropCommits(0, 1, 2);
  const name = path!.slice("_delta_log/".length);
  const nonFileActions = [{ metaData: { ...(metaData({ k: "other" }) as { metaData: object }).metaData } }];
  const v2Checkpoint = { path: name, sizeInBytes: 1, modificationTime: 1, nonFileActions, sidecarFiles: [] };
  const hint = { version: 2, size: 9, v2Checkpoint };
  await store.put(LAST_CHECKPOINT_PATH, new TextEncoder().encode(JSON.stringify(hint)));
  const snapshot = await loadSnapshot(store);
  expect(snapshot.metadata.configuration).toEqual({ k: "v" });
  expect(await livePaths(snapshot)).toEqual(["a", "c", "d"]);
  expect(warnings).toEqual([]);
});
