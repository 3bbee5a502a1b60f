import { beforeEach, describe, expect, test } from "vitest";
import { type ObjectStore, Table } from "#src/index.js";
import type { Action } from "#src/log/actions.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { add, metaData, PROTOCOL, putCommit } from "../log/build.js";

let store: ObjectStore;

beforeEach(() => {
  store = memoryStore();
});

const protocolOf = (readerFeatures: string[], writerFeatures: string[]): Action => {
  return { protocol: { minReaderVersion: 3, minWriterVersion: 7, readerFeatures, writerFeatures } };
};

describe("a table's protocol", () => {
  test("tells the features that versions imply, and which of them are used", async () => {
    await putCommit(store, 0, PROTOCOL, metaData({ "delta.appendOnly": "true" }));
    await putCommit(store, 1, { protocol: { minReaderVersion: 1, minWriterVersion: 3 } });
    await putCommit(store, 2, metaData({ "delta.constraints.positive": "id > 0" }));
    const { features, ...rest } = await Table.open(store).protocol();
    const refusals = { readRefusal: null, appendRefusal: null };
    expect(rest).toEqual({ version: 2, minReaderVersion: 1, minWriterVersion: 3, ...refusals });
    expect(
      features.map(({ name, kind, source, isActive, reading, appending }) => [
        ...[name, kind, source, isActive, reading.isSupported, appending.isSupported],
      ]),
    ).toEqual([
      ["appendOnly", "writer", "implied", false, true, true],
      ["invariants", "writer", "implied", false, true, true],
      ["checkConstraints", "writer", "implied", true, true, true],
    ]);
    const before = await Table.open(store).at(0).protocol();
    expect(before).toMatchObject({ version: 0, minWriterVersion: 2, appendRefusal: null });
    expect(before.features.map(({ name, isActive }) => [name, isActive])).toEqual([
      ["appendOnly", true],
      ["invariants", false],
    ]);
    expect((await Table.open(store).at(new Date()).protocol()).version).toBe(2);
  });

  test("is told of a table that can't be read, the features nobody knows among them", async () => {
    const listed = ["deletionVectors", "warpDrive"];
    await putCommit(store, 0, protocolOf(listed, [...listed, "writersWarp", "domainMetadata"]), metaData());
    const table = Table.open(store);
    await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_READ", () => table.count());
    const { features, readRefusal, appendRefusal } = await table.protocol();
    expect(readRefusal).toContain("warpDrive");
    expect(appendRefusal).toContain("writersWarp");
    expect(
      features.map(({ name, kind, isActive, reading, appending }) => [
        name,
        kind,
        isActive,
        reading.isSupported,
        appending.isSupported,
      ]),
    ).toEqual([
      ["deletionVectors", "readerWriter", false, true, true],
      ["warpDrive", null, null, false, false],
      ["writersWarp", null, null, true, false],
      ["domainMetadata", "writer", true, true, true],
    ]);
    for (const { reading, appending } of features) {
      expect(reading.meaning).not.toBe("");
      expect(appending.meaning).not.toBe("");
    }
  });

  test("is told of versions that nobody knows", async () => {
    await putCommit(store, 0, { protocol: { minReaderVersion: 4, minWriterVersion: 9 } }, metaData());
    const { readRefusal, appendRefusal } = await Table.open(store).protocol();
    expect(readRefusal).toContain("4");
    expect(appendRefusal).not.toBeNull();
  });

  test("is there only where a table is", async () => {
    await expectCode("DELTA_TABLE_NOT_FOUND", () => Table.open(store).protocol());
    await putCommit(store, 0, PROTOCOL, metaData());
    await expectCode("DELTA_VERSION_NOT_FOUND", () => Table.open(store).at(7).protocol());
  });
});

describe("a table that a catalog manages", () => {
  beforeEach(async () => {
    const features = ["catalogManaged", "vacuumProtocolCheck"];
    await putCommit(store, 0, protocolOf(features, [...features, "inCommitTimestamp"]), metaData());
    await putCommit(store, 1, add("a", { stats: '{"numRecords":3}' }));
    const staged = "_delta_log/_staged_commits/00000000000000000002.3a0d65cd-4056-49b8-937b-95f9e3ee90e5.json";
    await store.put(staged, new TextEncoder().encode(`${JSON.stringify(add("b", { stats: '{"numRecords":4}' }))}\n`));
  });

  test("[R-CAT-1] is refused, as it says", async () => {
    const table = Table.open(store);
    const error = await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_READ", () => table.count());
    expect(error.data.features).toEqual(["catalogManaged"]);
    expect((await table.protocol()).readRefusal).toBe(error.message);
  });

  test("[R-CAT-2] [R-LOG-5] is read by its path where that is allowed: what was published of it", async () => {
    const table = Table.open(store, { catalogManagedByPath: true });
    expect(await table.version()).toBe(1);
    expect(await table.count()).toBe(3);
    expect(await table.at(1).count()).toBe(3);
    expect(await table.at(0).count()).toBe(0);
    expect((await table.protocol()).readRefusal).toBeNull();
    await putCommit(store, 2, add("c", { stats: '{"numRecords":5}' }));
    expect(await table.count()).toBe(8);
    await putCommit(
      store,
      3,
      protocolOf(["catalogManaged"], ["catalogManaged"]),
      add("d", { stats: '{"numRecords":1}' }),
    );
    expect(await table.count()).toBe(9);
  });

  test("has nothing that verify objects to, where that is allowed", async () => {
    const codes = async (catalogManagedByPath: boolean) => {
      const { findings } = await Table.open(store, { catalogManagedByPath }).verify({ depth: "log" });
      return findings.map(({ code }) => code).filter((code) => code === "features-unsupported");
    };
    expect(await codes(true)).toEqual([]);
    expect(await codes(false)).toEqual(["features-unsupported"]);
  });

  test("is never appended to", async () => {
    const table = Table.open(store, { catalogManagedByPath: true });
    const error = await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", () => table.append([{ id: 1n }]));
    expect(error.data.features).toEqual(["catalogManaged"]);
  });
});
