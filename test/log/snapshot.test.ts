import { beforeEach, describe, expect, test } from "vitest";
import type { Action } from "#src/log/actions.js";
import { commitPath } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { add, liveFiles, livePaths, metaData, PROTOCOL, putCommit, putTable, remove, tombstonePaths } from "./build.js";

let store: ObjectStore;

beforeEach(() => {
  store = memoryStore();
});

const vector = (pathOrInlineDv: string, offset?: number) => ({
  storageType: "u",
  pathOrInlineDv,
  sizeInBytes: 1,
  cardinality: 1,
  ...(offset === undefined ? {} : { offset }),
});

describe("files", () => {
  test("[R-FILE-1] [R-FILE-3] are those added and not removed since", async () => {
    await putTable(store, [add("a"), add("b")], [remove("a")], [add("c"), remove("b")], [add("a")]);
    expect(await livePaths(await loadSnapshot(store))).toEqual(["a", "c"]);
    expect(await livePaths(await loadSnapshot(store, { version: 1 }))).toEqual(["a", "b"]);
    expect(await tombstonePaths(await loadSnapshot(store))).toEqual(["b"]);
    expect(await tombstonePaths(await loadSnapshot(store, { version: 2 }))).toEqual(["a"]);
  });

  test("[R-FILE-6] are there whatever their dataChange, tags and time are", async () => {
    const odd = { dataChange: false, tags: { x: "1", y: null }, modificationTime: 0 };
    await putTable(store, [add("a", odd), add("b")], [remove("b", { dataChange: false, tags: { x: "1" } })]);
    expect(await livePaths(await loadSnapshot(store))).toEqual(["a"]);
  });

  test("[R-FILE-2] added again replace what was said of them", async () => {
    await putTable(store, [add("a", { stats: "old" })], [add("a", { stats: "new", dataChange: false })]);
    expect(await liveFiles(await loadSnapshot(store))).toMatchObject([{ path: "a", stats: "new" }]);
  });

  test("are one by all spellings of their path", async () => {
    await putTable(
      store,
      [add("/x/a%20b"), add("p%41/c"), add("d")],
      [remove("file:///x/a%20b"), remove("pA/c"), remove("./d")],
    );
    expect(await livePaths(await loadSnapshot(store))).toEqual([]);
  });

  test("[R-DV-3] [R-FILE-4] are told apart by their deletion vector", async () => {
    const [one, two, other] = [vector("v", 1), vector("v", 2), vector("w")];
    await putTable(
      store,
      [add("a"), add("b", { deletionVector: one })],
      [remove("a"), add("a", { deletionVector: one })],
      [remove("b", { deletionVector: two }), remove("a", { deletionVector: other })],
    );
    expect(await liveFiles(await loadSnapshot(store))).toMatchObject([
      { path: "a", deletionVector: one },
      { path: "b", deletionVector: one },
    ]);
  });

  test("have all fields of their add, typed", async () => {
    const full = {
      partitionValues: { p: "1", q: null },
      size: 9_007_199_254_740_991,
      modificationTime: 1_700_000_000_000,
      stats: '{"numRecords":1}',
      tags: { t: "x" },
      deletionVector: vector("v", 3),
      baseRowId: 5,
      defaultRowCommitVersion: 1,
      clusteringProvider: "liquid",
    };
    await putTable(store, [add("a", full), add("b")]);
    const [a, b] = await liveFiles(await loadSnapshot(store));
    expect(a).toEqual({ path: "a", dataChange: true, ...full });
    expect(b).toEqual({ path: "b", dataChange: true, partitionValues: {}, size: 10, modificationTime: 1000 });
    for await (const { schema } of (await loadSnapshot(store)).fileBatches()) {
      expect(Object.fromEntries(schema.fields.map(({ name, type }) => [name, String(type)]))).toEqual({
        path: "Utf8",
        partitionValues: "Map<{key:Utf8, value:Utf8}>",
        size: "Int64",
        modificationTime: "Int64",
        dataChange: "Bool",
        stats: "Utf8",
        tags: "Map<{key:Utf8, value:Utf8}>",
        deletionVector:
          "Struct<{storageType:Utf8, pathOrInlineDv:Utf8, offset:Int32, sizeInBytes:Int32, cardinality:Int64}>",
        baseRowId: "Int64",
        defaultRowCommitVersion: "Int64",
        clusteringProvider: "Utf8",
      });
    }
  });

  test("bring the columns asked for only", async () => {
    await putTable(store, [add("a"), add("b")]);
    for await (const batch of (await loadSnapshot(store)).fileBatches({ columns: ["size", "path"] })) {
      expect(batch.schema.fields.map(({ name }) => name)).toEqual(["path", "size"]);
      expect(batch.numRows).toBe(2);
    }
  });

  test("may have partition values named like a prototype's", async () => {
    const values = JSON.parse('{"__proto__":"x"}');
    await putTable(store, [add("a", { partitionValues: values })]);
    for await (const batch of (await loadSnapshot(store)).fileBatches()) {
      expect([...batch.getChild("partitionValues")!.get(0)]).toEqual([["__proto__", "x"]]);
    }
  });
});

describe("state", () => {
  test("[R-META-1] is the newest protocol and metadata", async () => {
    const ntz: Action = {
      protocol: {
        minReaderVersion: 3,
        minWriterVersion: 7,
        readerFeatures: ["timestampNtz"],
        writerFeatures: ["timestampNtz"],
      },
    };
    await putTable(store, [metaData({ k: "1" })], [ntz], [metaData({ k: "2" })]);
    const snapshot = await loadSnapshot(store);
    expect(snapshot.metadata.configuration).toEqual({ k: "2" });
    expect(snapshot.protocol.readerFeatures).toEqual(["timestampNtz"]);
    expect(snapshot.schema.fields.map(({ name }) => name)).toEqual(["id"]);
  });

  test("[R-TXN-1] is the latest transaction of an application, even a lower one", async () => {
    const txn = (appId: string, version: number): Action => ({ txn: { appId, version } });
    await putTable(store, [txn("a", 5), txn("b", 1)], [txn("a", 3)]);
    const { transactions } = await loadSnapshot(store);
    expect([...transactions]).toEqual([
      ["a", { appId: "a", version: 3 }],
      ["b", { appId: "b", version: 1 }],
    ]);
  });

  test("[R-DOM-1] is the domains that aren't removed", async () => {
    const domain = (name: string, configuration: string, removed = false): Action => ({
      domainMetadata: { domain: name, configuration, removed },
    });
    await putTable(store, [domain("a", "1"), domain("b", "1")], [domain("a", "2"), domain("b", "1", true)]);
    const { domainMetadata } = await loadSnapshot(store);
    expect([...domainMetadata.values()]).toEqual([{ domain: "a", configuration: "2", removed: false }]);
    expect((await loadSnapshot(store, { version: 1 })).domainMetadata.size).toBe(2);
  });

  test("[R-META-2] can't be rebuilt without protocol or metadata", async () => {
    await putCommit(store, 0, metaData());
    expect((await expectCode("DELTA_STATE_RECOVER_ERROR", () => loadSnapshot(store))).data.missing).toBe("protocol");
    await putCommit(store, 0, PROTOCOL, add("a"));
    expect((await expectCode("DELTA_STATE_RECOVER_ERROR", () => loadSnapshot(store))).data.missing).toBe("metaData");
  });

  test("that can't be read is refused", async () => {
    await putTable(store, [{ protocol: { minReaderVersion: 9, minWriterVersion: 9 } }]);
    await expectCode("DELTA_INVALID_PROTOCOL_VERSION", () => loadSnapshot(store));
    expect((await loadSnapshot(store, { version: 0 })).version).toBe(0);
  });

  test.each([-1, 1.5, Number.NaN])("has no version %s", async (version) => {
    await putTable(store);
    await expectCode("DELTA_INVALID_ARGUMENT", () => loadSnapshot(store, { version }));
  });
});

describe("advancing", () => {
  test("[R-LOG-6] gives the next version and leaves the old one as it is", async () => {
    await putTable(store, [add("a"), add("b"), { txn: { appId: "x", version: 1 } }]);
    const before = await loadSnapshot(store);
    const after = before.advance(2, [remove("a"), add("c"), { txn: { appId: "x", version: 2 } }]);
    expect([before.version, after.version]).toEqual([1, 2]);
    expect(await livePaths(after)).toEqual(["b", "c"]);
    expect(await livePaths(before)).toEqual(["a", "b"]);
    expect(await tombstonePaths(before)).toEqual([]);
    expect([before, after].map((snapshot) => snapshot.transactions.get("x")?.version)).toEqual([1, 2]);
  });

  test("twice from one snapshot takes the commit in once", async () => {
    await putTable(store, [add("a")]);
    const before = await loadSnapshot(store);
    const [one, two] = [before.advance(2, [add("b")]), before.advance(2, [add("b")])];
    expect(await livePaths(one)).toEqual(["a", "b"]);
    expect(await livePaths(two)).toEqual(["a", "b"]);
    expect(await livePaths(two.advance(3, [remove("b")]))).toEqual(["a"]);
    expect(await livePaths(one)).toEqual(["a", "b"]);
  });

  test("over a version is a mistake", async () => {
    await putTable(store);
    const snapshot = await loadSnapshot(store);
    await expectCode("DELTA_INTERNAL", () => snapshot.advance(2, []));
  });

  test("[R-PROT-5] to a protocol that can't be read is refused", async () => {
    await putTable(store);
    const snapshot = await loadSnapshot(store);
    await expectCode("DELTA_INVALID_PROTOCOL_VERSION", () =>
      snapshot.advance(1, [{ protocol: { minReaderVersion: 9, minWriterVersion: 9 } }]),
    );
  });
});

describe("refreshing", () => {
  test("reads what is new, and shares the rest", async () => {
    await putTable(store, [add("a")]);
    const before = await loadSnapshot(store);
    expect(await loadSnapshot(store, { base: before })).toBe(before);
    await putCommit(store, 2, add("b"));
    await putCommit(store, 3, remove("a"));
    const [one, two] = await Promise.all([before.refresh(), before.refresh()]);
    for (const after of [one, two]) {
      expect(after.version).toBe(3);
      expect(await livePaths(after)).toEqual(["b"]);
    }
    expect(await livePaths(before)).toEqual(["a"]);
  });

  test("refuses a gap", async () => {
    await putTable(store);
    const before = await loadSnapshot(store);
    await putCommit(store, 1, add("a"));
    await putCommit(store, 3, add("b"));
    await expectCode("DELTA_VERSIONS_NOT_CONTIGUOUS", () => loadSnapshot(store, { base: before }));
  });

  test("names a commit that is corrupt, and works once it is mended", async () => {
    await putTable(store, [add("a")]);
    const before = await loadSnapshot(store);
    await store.put(commitPath(2), new TextEncoder().encode(`${JSON.stringify(remove("a"))}\n{"add":{"pa`));
    const error = await expectCode("DELTA_LOG_CORRUPT", () => before.refresh());
    expect(error.data).toMatchObject({ version: 2, line: 2 });
    await putCommit(store, 2, add("b"));
    expect(await livePaths(before)).toEqual(["a"]);
  });
});
