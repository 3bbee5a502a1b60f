import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { FEATURES } from "#src/log/featureTable.js";
import { expectCode } from "../../expectCode.js";
import { BEFORE, metadataOf, operations, protocolOf, tableOf } from "./removedFeatures.js";

/** What this release drops. Delta 4.0 refuses those that are marked. */
const DROPPABLE = [
  "allowColumnDefaults", // refused by Delta
  "appendOnly", // refused by Delta
  "changeDataFeed", // refused by Delta
  "checkConstraints",
  "checkpointProtection",
  "clustering", // refused by Delta
  "columnMapping",
  "deletionVectors",
  "domainMetadata", // refused by Delta
  "generatedColumns", // refused by Delta
  "identityColumns", // refused by Delta
  "inCommitTimestamp",
  "invariants", // refused by Delta
  "materializePartitionColumns", // refused by Delta
  "rowTracking", // refused by Delta
  "typeWidening",
  "typeWidening-preview",
  "v2Checkpoint",
  "vacuumProtocolCheck",
];

describe("every feature", () => {
  it.each(FEATURES.map(({ name }) => name))("%s can be dropped or is refused", async (name) => {
    const { table } = await tableOf({ id: "long" });
    const code = DROPPABLE.includes(name)
      ? "DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT"
      : "DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE";
    const implied = ["appendOnly", "invariants"].includes(name);
    if (!implied) await expectCode(code, () => table.alter.dropFeature(name));
    else expect(await table.alter.dropFeature(name)).toEqual({ version: 1 });
  });

  it.each(DROPPABLE.filter((name) => name !== "checkpointProtection"))(
    "%s goes from a table that lists it",
    async (name) => {
      const { store, table } = await tableOf({ id: "long" });
      await table.append([{ id: 1n }]);
      await table.alter.addFeature(name);
      await table.alter.dropFeature(name);
      expect((await Table.open(store).detail()).tableFeatures).not.toContain(name);
      expect(await Table.open(store).toArray()).toEqual([{ id: 1n }]);
      await Table.open(store).append([{ id: 2n }]);
    },
  );
});

describe("dropping vacuumProtocolCheck", () => {
  it("protects the versions before, whose protocol readers refuse", async () => {
    const { store, table } = await tableOf({ id: "long" }, { "delta.feature.vacuumProtocolCheck": "supported" });
    const { version } = await table.alter.dropFeature("vacuumProtocolCheck");
    expect(version).toBe(4);
    expect(await operations(table, 4)).toEqual(["Empty Commit", "Empty Commit", "Empty Commit", "DROP FEATURE"]);
    const { writerFeatures, ...versions } = await protocolOf(store);
    expect(versions).toEqual({ minReaderVersion: 1, minWriterVersion: 7 });
    expect([...writerFeatures!].sort()).toEqual(["appendOnly", "checkpointProtection", "invariants"]);
    expect((await metadataOf(store)).configuration).toEqual({ [BEFORE]: "4" });
  });
});

describe("dropping inCommitTimestamp", () => {
  it("turns it off first, and forgets since when it was on", async () => {
    const { store, table } = await tableOf({ id: "long" });
    await table.alter.setProperties({ "delta.enableInCommitTimestamps": "true" });
    expect(await table.alter.dropFeature("inCommitTimestamp")).toEqual({ version: 3 });
    expect(await operations(table, 2)).toEqual(["UNSET TBLPROPERTIES", "DROP FEATURE"]);
    expect((await metadataOf(store)).configuration).toEqual({ "delta.enableInCommitTimestamps": "false" });
    expect(await protocolOf(store)).toEqual({ minReaderVersion: 1, minWriterVersion: 2 });
    await table.append([{ id: 1n }]);
    expect((await table.history()).map(({ version }) => version)).toEqual([4, 3, 2, 1, 0]);
  });
});

describe("a protocol that loses a feature", () => {
  it("is numbers again where these imply the same", async () => {
    const { store, table } = await tableOf({ id: "long" });
    await table.alter.upgradeProtocol({ minReaderVersion: 1, minWriterVersion: 3 });
    await table.alter.addFeature("inCommitTimestamp");
    await table.alter.dropFeature("inCommitTimestamp");
    expect(await protocolOf(store)).toEqual({ minReaderVersion: 1, minWriterVersion: 3 });
    await table.alter.dropFeature("checkConstraints");
    expect(await protocolOf(store)).toEqual({ minReaderVersion: 1, minWriterVersion: 2 });
    await table.alter.dropFeature("appendOnly");
    expect(await protocolOf(store)).toEqual({
      minReaderVersion: 1,
      minWriterVersion: 7,
      writerFeatures: ["invariants"],
    });
  });
});
