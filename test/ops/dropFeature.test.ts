import { afterEach, describe, expect, it } from "vitest";
import { type SchemaLiteral, Table } from "#src/index.js";
import { cleanUpLog } from "#src/log/logCleanup.js";
import { LOG_FOLDER } from "#src/log/names.js";
import { protocolAt, protocolWith } from "#src/log/protocolUpgrade.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { runtime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { BEFORE, beforeClaims, DAY, protocolOf } from "./alter/removedFeatures.js";

const VECTORS = { "delta.enableDeletionVectors": "true" };

const { now } = runtime;
afterEach(() => {
  runtime.now = now;
});

async function tableOf(schema: SchemaLiteral, properties: Record<string, string> = {}) {
  const store = memoryStore();
  const table = Table.open(store);
  await table.create({ schema, properties });
  return { store, table };
}

/** A table of which some rows are removed by vectors. */
async function withVectors(properties: Record<string, string> = {}) {
  const made = await tableOf({ id: "long", part: "string" }, { ...VECTORS, ...properties });
  const { table } = made;
  for (const part of ["a", "b"]) {
    await table.append(Array.from({ length: 100 }, (_, i) => ({ id: BigInt(i), part })));
  }
  await table.delete({ id: { lt: 40n }, part: "a" });
  await table.delete({ id: { lt: 1n }, part: "b" });
  expect((await table.files()).filter(({ deletionVector }) => deletionVector !== undefined)).toHaveLength(2);
  return made;
}

const names = async (store: ObjectStore) => {
  const paths = await store.listNames(LOG_FOLDER);
  return paths.map((path) => path.slice(LOG_FOLDER.length));
};
const checkpoints = async (store: ObjectStore) =>
  (await names(store)).flatMap((name) => (/^\d+\.checkpoint\.parquet$/.test(name) ? [Number(name.slice(0, 20))] : []));
const sorted = async (table: Table) => (await table.toArray()).map(({ id, part }) => `${part}${id}`).sort();

describe("dropping deletionVectors", () => {
  it("writes files with vectors anew, and protects the versions before", async () => {
    const { store, table } = await withVectors();
    const before = await sorted(table);
    const { version } = await table.alter.dropFeature("deletionvectors");
    const fresh = Table.open(store);
    expect(await sorted(fresh)).toEqual(before);
    expect((await fresh.files()).some(({ deletionVector }) => deletionVector !== undefined)).toBe(false);
    expect(await protocolOf(store)).toEqual({
      minReaderVersion: 1,
      minWriterVersion: 7,
      writerFeatures: ["checkpointProtection"],
    });
    expect((await fresh.detail()).properties).toEqual({ [BEFORE]: String(version) });
    const history = await fresh.history();
    expect(history.slice(0, 7).map(({ operation }) => operation)).toEqual([
      "DROP FEATURE",
      "Empty Commit",
      "Empty Commit",
      "Empty Commit",
      "Deletion Vector Tombstones",
      "REORG",
      "UNSET TBLPROPERTIES",
    ]);
    expect(await checkpoints(store)).toEqual(expect.arrayContaining([3, 2, 1, 0].map((back) => version - back)));
    expect(await sorted(fresh.at(4))).toEqual(before);
    await fresh.append([{ id: 1000n, part: "c" }]);
    await fresh.delete({ id: { lt: 50n } });
    expect(await sorted(Table.open(store))).toEqual([...before.filter((row) => Number(row.slice(1)) >= 50), "c1000"]);
    expect((await Table.open(store).verify()).findings).toEqual([]);
    await expectCode("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", () => fresh.alter.dropFeature("deletionVectors"));
  });

  it("keeps the vectors' files from a vacuum that knows none", async () => {
    const { store, table } = await withVectors();
    await table.alter.dropFeature("deletionVectors");
    const removed = new Set<string>();
    for await (const batch of (await loadSnapshot(store)).tombstoneBatches()) {
      for (const path of batch.getChild("path")!) removed.add(String(path));
    }
    const vectors: string[] = [];
    for await (const { path } of store.list("")) if (path.endsWith(".bin")) vectors.push(path);
    expect(vectors).toHaveLength(2);
    expect([...removed]).toEqual(expect.arrayContaining(vectors));
    expect((await table.vacuum()).paths).toEqual([]);
  });

  it("goes on after a crash at each of its steps", async () => {
    for (let failing = 1; failing <= 7; failing++) {
      const { store, table } = await withVectors();
      const before = await sorted(table);
      let commits = 0;
      const failingStore = beforeClaims(store, async () => {
        if (++commits === failing) throw new Error("crashed");
      });
      await expect(Table.open(failingStore).alter.dropFeature("deletionVectors")).rejects.toThrow("crashed");
      expect(await sorted(Table.open(store))).toEqual(before);
      await Table.open(store).alter.dropFeature("deletionVectors");
      expect(await sorted(Table.open(store))).toEqual(before);
      expect((await Table.open(store).detail()).tableFeatures).toEqual(["checkpointProtection"]);
    }
  });

  it("names its own version where appends come between, and fails where vectors are turned on again", async () => {
    const { store, table } = await withVectors();
    const other = Table.open(store);
    let raced = 0;
    const racing = beforeClaims(store, async (commit) => {
      if (commit.includes('"DROP FEATURE"') && raced++ === 0) await other.append([{ id: 500n, part: "c" }]);
    });
    const { version } = await Table.open(racing).alter.dropFeature("deletionVectors");
    expect(await sorted(table)).toContain("c500");
    expect((await Table.open(store).detail()).properties).toEqual({ [BEFORE]: String(version) });
    expect(version).toBe(await Table.open(store).version());

    const again = await withVectors();
    const onAgain = Table.open(again.store);
    const turning = beforeClaims(again.store, async (commit) => {
      if (commit.includes('"DROP FEATURE"')) await onAgain.alter.setProperties(VECTORS);
    });
    await expectCode("DELTA_METADATA_CHANGED", () => Table.open(turning).alter.dropFeature("deletionVectors"));
    expect((await Table.open(again.store).detail()).tableFeatures).toContain("deletionVectors");
  });

  it("[R-WRITE-2] lets the versions before go all at once or not at all", async () => {
    let time = Date.UTC(2024, 0, 1);
    runtime.now = () => time;
    const { store, table } = await withVectors({ "delta.logRetentionDuration": "interval 5 days" });
    await table.checkpoint();
    time += 3 * DAY;
    const { version } = await table.alter.dropFeature("deletionVectors");
    const kept = await names(store);
    // Some of the versions before the drop are old enough, and there is a checkpoint behind them.
    time += 4 * DAY;
    await table.append([{ id: 1n, part: "c" }]);
    expect(await cleanUpLog(await loadSnapshot(store), { limit: 1 })).toBe(0);
    expect(await names(store)).toEqual(expect.arrayContaining(kept));
    time += 8 * DAY;
    await table.append([{ id: 2n, part: "c" }]);
    await table.checkpoint();
    expect((await checkpoints(store)).every((each) => each >= version)).toBe(true);
    expect(await table.count()).toBe(161);
  });

  it("keeps the protection through a restore", async () => {
    const { store, table } = await withVectors();
    const { version } = await table.alter.dropFeature("deletionVectors");
    await table.alter.addFeature("deletionVectors");
    await table.restore(1);
    expect((await loadSnapshot(store)).metadata.configuration[BEFORE]).toBe(String(version));
    expect(await Table.open(store).count()).toBe(100);
  });
});

describe("dropping other features", () => {
  it("v2Checkpoint leaves classic checkpoints", async () => {
    const { store, table } = await tableOf({ id: "long" }, { "delta.checkpointPolicy": "v2" });
    for (let id = 0; id < 3; id++) await table.append([{ id: BigInt(id) }]);
    await table.checkpoint();
    const { version } = await table.alter.dropFeature("v2Checkpoint");
    expect(await checkpoints(store)).toEqual([3, 2, 1, 0].map((back) => version - back));
    const fresh = Table.open(store);
    expect(await fresh.count()).toBe(3);
    const { tableFeatures, properties, minReaderVersion } = await fresh.detail();
    expect([minReaderVersion, tableFeatures]).toEqual([1, ["checkpointProtection"]]);
    expect(properties).toEqual({ "delta.checkpointPolicy": "classic", [BEFORE]: String(version) });
  });

  it("rowTracking takes the ids from all files", async () => {
    const { store, table } = await withVectors({ "delta.enableRowTracking": "true" });
    const before = await sorted(table);
    const racing = beforeClaims(store, async (commit) => {
      if (commit.includes('"DROP FEATURE"')) throw new Error("crashed");
    });
    await expect(Table.open(racing).alter.dropFeature("rowTracking")).rejects.toThrow("crashed");
    await Table.open(store).append([{ id: 500n, part: "c" }]);
    await Table.open(store).alter.dropFeature("rowTracking");
    await Table.open(store).alter.dropFeature("domainMetadata");
    const fresh = Table.open(store);
    expect(await sorted(fresh)).toEqual([...before, "c500"]);
    for await (const batch of fresh.fileBatches({ columns: ["path", "baseRowId", "defaultRowCommitVersion"] })) {
      for (const name of ["baseRowId", "defaultRowCommitVersion"]) {
        expect(batch.getChild(name)!.nullCount).toBe(batch.numRows);
      }
    }
    const { tableFeatures, properties } = await fresh.detail();
    expect([tableFeatures, properties]).toEqual([["deletionVectors"], VECTORS]);
    await fresh.update({ set: { part: "d" }, where: { id: { lt: 50n }, part: "b" } });
    expect((await Table.open(store).verify()).findings).toEqual([]);
    // They can be had anew.
    await fresh.alter.setProperties({ "delta.enableRowTracking": "true" });
    expect((await Table.open(store).verify()).findings).toEqual([]);
  });

  it("clustering goes once no columns are clustered by", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    await table.create({ schema: { id: "long" }, clusterBy: ["id"] });
    await expectCode("DELTA_FEATURE_DROP_IN_USE", () => table.alter.dropFeature("clustering"));
    await table.alter.clusterBy([]);
    await table.alter.dropFeature("clustering");
    await table.alter.dropFeature("domainMetadata");
    const snapshot = await loadSnapshot(store);
    expect(snapshot.domainMetadata.size).toBe(0);
    expect(snapshot.protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 2 });
  });
});

describe("upgradeProtocol", () => {
  const at = (minReaderVersion: number, minWriterVersion: number) => ({ minReaderVersion, minWriterVersion });

  it("raises version numbers, up to lists of features", async () => {
    const { store, table } = await tableOf({ id: "long" });
    expect(await table.alter.upgradeProtocol(at(1, 2))).toEqual({ version: 0 });
    await table.alter.upgradeProtocol(at(1, 4));
    expect(await protocolOf(store)).toEqual(at(1, 4));
    await table.alter.upgradeProtocol(at(2, 5));
    expect(await table.alter.upgradeProtocol(at(3, 7))).toEqual({ version: 3 });
    const { readerFeatures, writerFeatures } = await protocolOf(store);
    expect(readerFeatures).toEqual(["columnMapping"]);
    expect([...writerFeatures!].sort()).toEqual([
      "appendOnly",
      "changeDataFeed",
      "checkConstraints",
      "columnMapping",
      "generatedColumns",
      "invariants",
    ]);
    const [last] = await table.history({ limit: 1 });
    expect(last!.operation).toBe("UPGRADE PROTOCOL");
    expect(JSON.parse(String(last!.operationParameters.newProtocol))).toEqual(await protocolOf(store));
    await table.append([{ id: 1n }]);
    expect(await Table.open(store).count()).toBe(1);
  });

  it("never lowers them, and refuses those that don't go together", async () => {
    const { table } = await tableOf({ id: "long" }, { "delta.enableChangeDataFeed": "true" });
    const to = (reader: number, writer: number) => () => table.alter.upgradeProtocol(at(reader, writer));
    await expectCode("DELTA_INVALID_PROTOCOL_DOWNGRADE", to(1, 4));
    for (const [reader, writer] of [
      [3, 6],
      [0, 7],
      [4, 7],
      [1, 8],
      [1.5, 7],
      [Number.NaN, 7],
    ]) {
      await expectCode("DELTA_INVALID_ARGUMENT", to(reader!, writer!));
    }
    await table.alter.upgradeProtocol(at(2, 7));
    expect((await table.detail()).tableFeatures).toContain("columnMapping");
    await expectCode("DELTA_INVALID_PROTOCOL_DOWNGRADE", to(1, 7));
  });

  it.each([
    [at(1, 5), at(1, 4)],
    [at(1, 6), at(1, 6)],
    [at(2, 2), at(1, 2)],
    [at(2, 3), at(1, 3)],
    [at(2, 4), at(1, 4)],
    [at(2, 5), at(2, 5)],
    [at(2, 6), at(2, 6)],
  ])("takes %j for the least that implies the same, as Delta does", async (asked, got) => {
    const { store, table } = await tableOf({ id: "long" });
    const { version } = await table.alter.upgradeProtocol(asked);
    expect(await protocolOf(store)).toEqual(got);
    expect(await table.alter.upgradeProtocol(got)).toEqual({ version });
    await table.append([{ id: 1n }]);
    expect(await Table.open(store).count()).toBe(1);
  });

  it("keeps a number of readers that alone is higher than it need be", () => {
    expect(protocolAt(at(2, 2), 2, 3)).toEqual(at(2, 3));
    expect(protocolAt(at(1, 3), 2, 4)).toEqual(at(1, 4));
  });

  it("lists no column mapping where readers' number doesn't imply it", async () => {
    const { store, table } = await tableOf({ id: "long" });
    await table.alter.upgradeProtocol(at(1, 6));
    await table.alter.addFeature("inCommitTimestamp");
    expect((await protocolOf(store)).minReaderVersion).toBe(1);
    expect((await protocolOf(store)).writerFeatures).not.toContain("columnMapping");
  });

  it("isn't taken for a feature of readers where only writers' number implies it", () => {
    const protocol = protocolWith(at(1, 6), ["columnMapping"]);
    expect(protocol).toMatchObject({ minReaderVersion: 3, readerFeatures: ["columnMapping"] });
    expect(new Set(protocol.writerFeatures).size).toBe(protocol.writerFeatures!.length);
  });
});
