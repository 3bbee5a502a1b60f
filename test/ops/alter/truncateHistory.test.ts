import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { runtime } from "#src/runtime.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../../expectCode.js";
import { BEFORE, commits, DAY, metadataOf, operations, PROTECTED, protocolOf, tableOf } from "./removedFeatures.js";

const { now } = runtime;
let time: number;
beforeEach(() => {
  time = Date.UTC(2024, 0, 1, 12);
  runtime.now = () => time;
});
afterEach(() => {
  runtime.now = now;
});

const TRUNCATING = { truncateHistory: true };
/** Of a table that was created with nothing but the feature. */
const PLAIN = { minReaderVersion: 1, minWriterVersion: 1 };

/** For each feature whose older versions have to go, a table that uses it. */
const USING: Readonly<Record<string, () => Promise<{ store: ObjectStore; table: Table }>>> = {
  deletionVectors: async () => {
    const made = await tableOf({ id: "long" }, { "delta.enableDeletionVectors": "true" });
    await made.table.append([{ id: 1n }, { id: 2n }]);
    await made.table.delete({ id: 1n });
    return made;
  },
  v2Checkpoint: async () => {
    const made = await tableOf({ id: "long" }, { "delta.checkpointPolicy": "v2" });
    await made.table.append([{ id: 2n }]);
    await made.table.checkpoint();
    return made;
  },
  columnMapping: async () => {
    const made = await tableOf({ id: "long" }, { "delta.columnMapping.mode": "name" });
    await made.table.append([{ id: 2n }]);
    return made;
  },
  typeWidening: async () => {
    const made = await tableOf({ id: "integer" }, { "delta.enableTypeWidening": "true" });
    await made.table.append([{ id: 2 }]);
    await made.table.alter.changeColumn("id", { type: "long" });
    return made;
  },
};

describe("dropping a feature and its history", () => {
  it.each(Object.keys(USING))("of %s waits a day, and leaves nothing to protect", async (feature) => {
    const { store } = await USING[feature]!();
    const drop = () => Table.open(store).alter.dropFeature(feature, TRUNCATING);
    const first = await expectCode("DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD", drop);
    expect(first.data).toEqual({ feature, retentionMs: DAY });
    time += DAY / 2;
    await expectCode("DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST", drop);
    expect((await commits(store))[0]).toBe(0);
    time += DAY / 2 + 60_000;
    const { version } = await drop();
    expect(await protocolOf(store)).toEqual(PLAIN);
    expect((await metadataOf(store)).configuration[BEFORE]).toBeUndefined();
    expect((await commits(store))[0]).toBeGreaterThan(0);
    const fresh = Table.open(store);
    expect(await fresh.toArray()).toEqual([{ id: 2n }]);
    expect(await fresh.version()).toBe(version);
    expect((await fresh.history({ limit: 1 }))[0]).toMatchObject({
      operation: "DROP FEATURE",
      operationParameters: { featureName: feature, truncateHistory: "true" },
    });
    expect((await fresh.verify()).findings).toEqual([]);
  });

  it("needn't wait where older versions don't use it", async () => {
    const { store, table } = await tableOf({ id: "long" }, { "delta.feature.vacuumProtocolCheck": "supported" });
    await table.alter.dropFeature("vacuumProtocolCheck", TRUNCATING);
    expect(await protocolOf(store)).toEqual({ ...PLAIN, minWriterVersion: 2 });
    expect(await operations(table, 3)).toEqual(["CREATE TABLE", "Empty Commit", "DROP FEATURE"]);
    expect(await commits(store)).toEqual([0, 1, 2]);
  });

  it("keeps younger versions, by the table's own time", async () => {
    const { store, table } = await tableOf(
      { id: "long" },
      {
        "delta.enableDeletionVectors": "true",
        "delta.dropFeatureTruncateHistory.retentionDuration": "interval 2 hours",
        "delta.enableExpiredLogCleanup": "false",
      },
    );
    await table.append([{ id: 1n }, { id: 2n }]);
    const drop = () => Table.open(store).alter.dropFeature("deletionVectors", TRUNCATING);
    await expectCode("DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD", drop);
    time += 2 * 3_600_000 + 60_000;
    await drop();
    // The vectors were turned off in version 2; version 3 has the checkpoint.
    expect(await commits(store)).toEqual([3, 4, 5]);
  });

  it("is refused where older versions may stay", async () => {
    const { table } = await tableOf({ id: "long" }, { "delta.enableInCommitTimestamps": "true" });
    await expectCode("DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED", () =>
      table.alter.dropFeature("inCommitTimestamp", TRUNCATING),
    );
    await expectCode("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", () =>
      table.alter.dropFeature("timestampNtz", TRUNCATING),
    );
  });
});

describe("dropping checkpointProtection", () => {
  it("goes with the versions that it protects, once they are a day old", async () => {
    const { store, table } = await USING.deletionVectors!();
    const { version } = await table.alter.dropFeature("deletionVectors");
    const drop = (options = {}) => Table.open(store).alter.dropFeature("checkpointProtection", options);
    await expectCode("DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION", drop);
    expect(await protocolOf(store)).toEqual(PROTECTED);
    const waits = "DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD";
    await expectCode(waits, () => drop(TRUNCATING));
    expect((await commits(store))[0]).toBe(0);
    time += DAY + 60_000;
    await drop(TRUNCATING);
    expect(await protocolOf(store)).toEqual(PLAIN);
    expect((await metadataOf(store)).configuration[BEFORE]).toBeUndefined();
    expect((await commits(store))[0]).toBeGreaterThanOrEqual(version);
    expect(await operations(table, 3)).toEqual(["Empty Commit", "UNSET TBLPROPERTIES", "DROP FEATURE"]);
    expect(await Table.open(store).toArray()).toEqual([{ id: 2n }]);
    expect((await Table.open(store).verify()).findings).toEqual([]);
  });

  it("needn't wait where nothing is protected", async () => {
    const { store, table } = await tableOf({ id: "long" }, { "delta.feature.checkpointProtection": "supported" });
    await table.alter.dropFeature("checkpointProtection", TRUNCATING);
    expect(await protocolOf(store)).toEqual({ ...PLAIN, minWriterVersion: 2 });
    expect(await commits(store)).toEqual([0, 1]);
  });
});
