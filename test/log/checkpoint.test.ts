import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Action } from "#src/log/actions.js";
import { writeCheckpoint } from "#src/log/checkpoint.js";
import { serializeCommit } from "#src/log/commitFile.js";
import { jsonChecksum } from "#src/log/lastCheckpoint.js";
import { classicCheckpointPath, commitPath, LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { readFooter } from "#src/parquet/footer.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { countingStore } from "../storage/countingStore.js";
import { add, liveFiles, livePaths, metaData, putCommit, putTable, remove, tombstonePaths } from "./build.js";

const DAY = 86_400_000;
const NOW = 100 * DAY;
let store: ObjectStore;
let restore: () => void;

beforeEach(() => {
  store = memoryStore();
  restore = replaceRuntime({ now: () => NOW });
});

afterEach(() => restore());

async function checkpointRows(version: number): Promise<Record<string, Record<string, unknown> | undefined>[]> {
  const bytes = await store.get(classicCheckpointPath(version));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return parquetReadObjects({ file });
}

async function removeCommits(first: number, last: number): Promise<void> {
  for (let version = first; version <= last; version++) await store.delete(commitPath(version));
}

/** The independent reader knows no zstd. */
const SNAPPY = { "delta.parquet.compression.codec": "snappy" };

const full = {
  partitionValues: { p: "1", q: null },
  size: 77,
  modificationTime: 1_700_000_000_000,
  stats: '{"numRecords":1}',
  tags: { t: "x" },
  deletionVector: { storageType: "u", pathOrInlineDv: "v", offset: 3, sizeInBytes: 9, cardinality: 2 },
  baseRowId: 5,
  defaultRowCommitVersion: 1,
  clusteringProvider: "liquid",
};

describe("a checkpoint", () => {
  test("[R-CKPT-4] holds the whole state: the commits before it aren't needed", async () => {
    await putTable(
      store,
      [add("a", full), add("b"), { txn: { appId: "x", version: 4, lastUpdated: 9 } }],
      [metaData({ k: "v" }), remove("b", { deletionTimestamp: NOW - DAY, size: 3, partitionValues: { p: "1" } })],
      [{ domainMetadata: { domain: "d", configuration: "{}", removed: false } }, add("c")],
    );
    const before = await loadSnapshot(store);
    const written = await writeCheckpoint(store, before);
    expect(written).toMatchObject({ version: 3, actionCount: 7, fileCount: 2 });
    await removeCommits(0, 3);
    await putCommit(store, 4, add("d"), remove("c"));

    const after = await loadSnapshot(store);
    expect(after.version).toBe(4);
    expect(after.protocol).toEqual(before.protocol);
    expect(after.metadata).toEqual(before.metadata);
    expect([...after.transactions]).toEqual([...before.transactions]);
    expect([...after.domainMetadata]).toEqual([...before.domainMetadata]);
    const [a] = await liveFiles(after);
    expect(a).toEqual({ path: "a", dataChange: false, ...full });
    expect(await livePaths(after)).toEqual(["a", "d"]);
    expect(await tombstonePaths(after)).toEqual(["b", "c"]);
    expect(await livePaths(await loadSnapshot(store, { version: 3 }))).toEqual(["a", "c"]);
  });

  test("is by the protocol's schema, as another reader sees it", async () => {
    await putTable(
      store,
      [metaData(SNAPPY), add("a", full), { txn: { appId: "x", version: 4 } }],
      [remove("b", { deletionTimestamp: NOW })],
    );
    await writeCheckpoint(store, await loadSnapshot(store));
    const rows = await checkpointRows(2);
    const only = (name: string) => rows.filter((row) => row[name] !== undefined && row[name] !== null);
    expect(["protocol", "metaData", "txn", "add", "remove", "domainMetadata"].map((name) => only(name).length)).toEqual(
      [1, 1, 1, 1, 1, 0],
    );
    expect(only("protocol")[0]!.protocol).toMatchObject({ minReaderVersion: 1, minWriterVersion: 2 });
    expect(only("add")[0]!.add).toMatchObject({ path: "a", size: 77n, dataChange: false, stats: full.stats });
    expect(only("remove")[0]!.remove).toMatchObject({ path: "b", deletionTimestamp: BigInt(NOW), dataChange: false });
    expect(Object.keys(only("remove")[0]!.remove!)).not.toContain("stats");
    expect(Object.keys(only("remove")[0]!.remove!)).not.toContain("tags");
  });

  test("forgets tombstones that have expired, and those without a time", async () => {
    await putTable(
      store,
      [metaData({ "delta.deletedFileRetentionDuration": "interval 2 days" })],
      [remove("old", { deletionTimestamp: NOW - 2 * DAY }), remove("young", { deletionTimestamp: NOW - 2 * DAY + 1 })],
      [{ remove: { path: "timeless", dataChange: true } }],
    );
    await writeCheckpoint(store, await loadSnapshot(store));
    await removeCommits(0, 3);
    expect(await tombstonePaths(await loadSnapshot(store))).toEqual(["young"]);
  });

  test("keeps all transactions but those that the table lets expire", async () => {
    const txn = (appId: string, lastUpdated?: number): Action => ({ txn: { appId, version: 1, lastUpdated } });
    const transactions = [txn("old", NOW - 3 * DAY), txn("new", NOW - DAY), txn("timeless")];
    await putTable(store, [metaData(SNAPPY), ...transactions]);
    await writeCheckpoint(store, await loadSnapshot(store));
    expect((await checkpointRows(1)).flatMap(({ txn }) => txn?.appId ?? [])).toEqual(["old", "new", "timeless"]);
    await putCommit(store, 2, metaData({ ...SNAPPY, "delta.setTransactionRetentionDuration": "interval 2 days" }));
    await writeCheckpoint(store, await loadSnapshot(store));
    expect((await checkpointRows(2)).flatMap(({ txn }) => txn?.appId ?? [])).toEqual(["new", "timeless"]);
  });

  test("keeps numbers of applications beyond 2^53", async () => {
    const version = 9_007_199_254_740_993n;
    await putTable(store, [{ txn: { appId: "a", version } }]);
    await writeCheckpoint(store, await loadSnapshot(store));
    await removeCommits(0, 1);
    expect((await loadSnapshot(store)).transactions.get("a")?.version).toBe(version);
  });

  test("leaves statistics out where the table says so", async () => {
    await putTable(store, [metaData({ "delta.checkpoint.writeStatsAsJson": "false" }), add("a", full)]);
    await writeCheckpoint(store, await loadSnapshot(store));
    const bytes = await store.get(classicCheckpointPath(1));
    const { schema } = await parquetMetadataAsync(bytes.slice().buffer as ArrayBuffer);
    expect(schema.map(({ name }) => name)).not.toContain("stats");
    await removeCommits(0, 1);
    expect((await liveFiles(await loadSnapshot(store)))[0]).not.toHaveProperty("stats");
  });

  test("isn't written for a table that wants what this release can't write", async () => {
    await putTable(store, [{ protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["newer"] } }]);
    const newer = await loadSnapshot(store);
    await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", () => writeCheckpoint(store, newer));
    expect(await store.listNames("_delta_log/")).toHaveLength(2);
  });

  test("drops what other writers added to an action", async () => {
    const odd = { ...full.deletionVector, maxRowIndex: 5 };
    const metadata = metaData() as { metaData: object };
    await putTable(store, [
      { metaData: { ...metadata.metaData, extra: 1 } } as unknown as Action,
      add("a", { deletionVector: odd }),
    ]);
    await writeCheckpoint(store, await loadSnapshot(store));
    await removeCommits(0, 1);
    expect((await liveFiles(await loadSnapshot(store)))[0]!.deletionVector).toEqual(full.deletionVector);
  });

  test("under a snapshot isn't seen with the eyes of a later one", async () => {
    await putTable(store, [add("a"), add("b")], [remove("z")]);
    await writeCheckpoint(store, await loadSnapshot(store));
    const before = await loadSnapshot(store);
    const after = before.advance(3, [remove("a"), add("b", { size: 11 }), add("z")]);
    expect(await livePaths(after)).toEqual(["b", "z"]);
    expect(await livePaths(before)).toEqual(["a", "b"]);
    expect((await liveFiles(after))[0]!.size).toBe(11);
    expect((await liveFiles(before))[1]!.size).toBe(10);
    expect(await tombstonePaths(after)).toEqual(["a"]);
  });

  test("costs two puts, and _last_checkpoint says what it is", async () => {
    await putTable(store, [add("a"), add("b")]);
    const counting = countingStore(store);
    const { sizeBytes } = await writeCheckpoint(counting, await loadSnapshot(store));
    expect(counting.take()).toEqual([`put ${classicCheckpointPath(1)}`, `put ${LAST_CHECKPOINT_PATH}`]);
    const hint = JSON.parse(new TextDecoder().decode(await store.get(LAST_CHECKPOINT_PATH)));
    const columns = hint.checkpointSchema.fields.map(({ name }: { name: string }) => name);
    expect(columns).toEqual(["txn", "metaData", "protocol", "domainMetadata", "add", "remove"]);
    expect(hint).toEqual({
      version: 1,
      size: 4,
      sizeInBytes: sizeBytes,
      numOfAddFiles: 2,
      checkpointSchema: expect.objectContaining({ type: "struct" }),
      checksum: jsonChecksum(hint),
    });
  });

  test("may be written twice, and again from itself", async () => {
    await putTable(store, [metaData(SNAPPY), add("a", full)], [remove("z", { deletionTimestamp: NOW })]);
    await writeCheckpoint(store, await loadSnapshot(store));
    const first = await checkpointRows(2);
    await writeCheckpoint(store, await loadSnapshot(store));
    expect(await checkpointRows(2)).toEqual(first);
  });
});

describe("the size that _last_checkpoint gives", () => {
  const opened = async (changes: object): Promise<string[]> => {
    await putTable(store, [add("a")], [add("b")]);
    await writeCheckpoint(store, await loadSnapshot(store));
    const { checksum, ...hint } = JSON.parse(new TextDecoder().decode(await store.get(LAST_CHECKPOINT_PATH)));
    await store.put(LAST_CHECKPOINT_PATH, new TextEncoder().encode(JSON.stringify({ ...hint, ...changes })));
    const counting = countingStore(store);
    const snapshot = await loadSnapshot(counting);
    expect(await livePaths(snapshot)).toEqual(["a", "b"]);
    expect([...snapshot.damagedFiles]).toEqual([]);
    return counting.take().filter((call) => call.startsWith("head"));
  };

  test("saves asking for it", async () => {
    expect(await opened({})).toEqual([]);
  });

  test.each([0, -1, 11, 100, 2000, 10_000_000, Number.MAX_SAFE_INTEGER])(
    "of %s bytes, where it is another, is asked for after all",
    async (sizeInBytes) => {
      expect(await opened({ sizeInBytes })).toEqual([`head ${classicCheckpointPath(2)}`]);
    },
  );

  test.each([
    { sizeInBytes: undefined },
    { sizeInBytes: "100" },
    { parts: 2 },
    { v2Checkpoint: { path: "x.parquet", sizeInBytes: 100, modificationTime: 0 } },
  ])("isn't taken from %j", async (changes) => {
    expect(await opened(changes)).toEqual([`head ${classicCheckpointPath(2)}`]);
  });

  test("of a file that another writer replaced by a longer one isn't believed", async () => {
    await putTable(store, [add("a")], [add("b")]);
    await writeCheckpoint(store, await loadSnapshot(store));
    const hint = await store.get(LAST_CHECKPOINT_PATH);
    const other = memoryStore();
    await putTable(other, [add("a", full), add("c".repeat(5000))], [add("b")]);
    await writeCheckpoint(other, await loadSnapshot(other));
    await store.put(classicCheckpointPath(2), await other.get(classicCheckpointPath(2)));
    await store.put(LAST_CHECKPOINT_PATH, hint);
    expect(await livePaths(await loadSnapshot(store))).toEqual(["a", "b", "c".repeat(5000)]);
  });
});

describe("a damaged checkpoint", () => {
  beforeEach(async () => {
    await putTable(store, [add("a")], [add("b")], [remove("a"), add("c")]);
    await writeCheckpoint(store, await loadSnapshot(store, { version: 1 }));
    await writeCheckpoint(store, await loadSnapshot(store, { version: 2 }));
  });

  const truncate = async (version: number) => {
    const path = classicCheckpointPath(version);
    await store.put(path, (await store.get(path)).slice(0, -20));
  };

  test("is passed over for an older one", async () => {
    await truncate(2);
    await removeCommits(0, 1);
    const snapshot = await loadSnapshot(store);
    expect([...snapshot.damagedFiles]).toEqual([classicCheckpointPath(2)]);
    expect(await livePaths(snapshot)).toEqual(["b", "c"]);
  });

  test("is passed over for the commits where they are complete", async () => {
    await truncate(1);
    await truncate(2);
    const snapshot = await loadSnapshot(store);
    expect([...snapshot.damagedFiles].sort()).toEqual([1, 2].map(classicCheckpointPath));
    expect(await livePaths(snapshot)).toEqual(["b", "c"]);
  });

  test("is told where it is all there is", async () => {
    await truncate(1);
    await truncate(2);
    await removeCommits(0, 0);
    const error = await expectCode("DELTA_PARQUET_UNREADABLE", () => loadSnapshot(store));
    expect(error.data.path).toMatch(/checkpoint\.parquet$/);
  });

  test("doesn't turn the table back to an older version", async () => {
    await store.delete(commitPath(3));
    await store.delete(commitPath(2));
    await truncate(2);
    await expectCode("DELTA_PARQUET_UNREADABLE", () => loadSnapshot(store));
  });

  test("that shows its damage when its files are read is passed over then, file by file", async () => {
    const snapshot = await loadSnapshot(store);
    await store.delete(classicCheckpointPath(2));
    expect(await livePaths(snapshot)).toEqual(["b", "c"]);
    expect(await tombstonePaths(snapshot)).toEqual(["a"]);
  });

  test("that breaks off midway is made up for, without a file twice", async () => {
    const paths = Array.from({ length: 66_000 }, (_, i) => `part-${String(i).padStart(5, "0")}.parquet`);
    await store.put(commitPath(4), serializeCommit(paths.map((path) => add(path))));
    await writeCheckpoint(store, await loadSnapshot(store));
    await putCommit(store, 5, remove(paths[0]!), remove(paths.at(-1)!));
    const path = classicCheckpointPath(4);
    const bytes = (await store.get(path)).slice();
    const footer = await readFooter(store, { path, sizeBytes: bytes.length });
    expect(footer.rowGroups.length).toBeGreaterThan(1);
    const column = footer.leaves.findIndex((leaf) => leaf.path.join() === "add,path");
    const { start, end } = footer.rowGroups[1]!.chunks[column]!;
    await store.put(path, bytes.fill(0, start, end));
    const snapshot = await loadSnapshot(store);
    expect(snapshot.damagedFiles.size).toBe(0);
    expect(await livePaths(snapshot)).toEqual(["b", "c", ...paths.slice(1, -1)]);
  });
});
