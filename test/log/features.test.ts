import { describe, expect, test } from "vitest";
import type { Metadata, Protocol } from "#src/log/actions.js";
import { checkReadable, checkWritable, protocolFor } from "#src/log/features.js";
import { FEATURES } from "#src/log/featureTable.js";
import type { DataType, StructType } from "#src/schema/types.js";
import { expectCode } from "../expectCode.js";
import { metaData } from "./build.js";

function metadataOf(configuration: Record<string, string> = {}, schemaString?: string): Metadata {
  return (metaData(configuration, schemaString) as { metaData: Metadata }).metaData;
}

function schemaOf(type: DataType, metadata: Record<string, unknown> = {}): StructType {
  return { type: "struct", fields: [{ name: "a", type, nullable: true, metadata }] };
}

const writers = (...features: string[]): Protocol => ({
  minReaderVersion: 1,
  minWriterVersion: 7,
  writerFeatures: features,
});
const readers = (...features: string[]): Protocol => ({
  minReaderVersion: 3,
  minWriterVersion: 7,
  readerFeatures: features,
  writerFeatures: features,
});

const WRITERS_FEATURES = FEATURES.filter(({ kind }) => kind === "writer").map(({ name }) => name);

describe("reading", () => {
  test.each([
    ["plain legacy tables", { minReaderVersion: 1, minWriterVersion: 2 }],
    ["column mapping that is off", { minReaderVersion: 2, minWriterVersion: 5 }],
    [
      "features of readers that are here",
      readers("timestampNtz", "vacuumProtocolCheck", "deletionVectors", "v2Checkpoint"),
    ],
    ["features of types", readers("typeWidening", "variantType-preview", "variantShredding", "geospatial")],
    ["writers' features whatever they are", writers("rowTracking", "clustering", "somethingNew", "identityColumns")],
    ["a redirection that isn't set up", readers("redirectReaderWriter-preview")],
    ["a coordinator that isn't named", writers("coordinatedCommits-preview")],
    ["all that only writers know", writers(...WRITERS_FEATURES)],
  ])("[R-PROT-4] [R-PROT-7] [R-ICE-1] [R-WRITE-1] takes %s", (_, protocol) => {
    expect(() => checkReadable(protocol, metadataOf())).not.toThrow();
  });

  test.each(["catalogManaged", "catalogOwned-preview", "timestampNanos", "adaptiveMetadata-preview", "somethingNew"])(
    "[R-PROT-3] refuses %s, even unused",
    async (feature) => {
      const error = await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_READ", () =>
        checkReadable(readers("timestampNtz", feature), metadataOf()),
      );
      expect(error.data.features).toEqual([feature]);
    },
  );

  test.each([{ minReaderVersion: 2, minWriterVersion: 5 }, readers("columnMapping")])(
    "takes column mapping in use",
    (protocol) => {
      const metadata = metadataOf({ "delta.columnMapping.mode": "name" });
      expect(() => checkReadable(protocol, metadata)).not.toThrow();
      expect(() => checkWritable(protocol, metadata)).not.toThrow();
    },
  );

  test.each([
    ["redirectReaderWriter-preview", readers("redirectReaderWriter-preview"), "delta.redirectReaderWriter-preview"],
    [
      "coordinatedCommits-preview",
      writers("coordinatedCommits-preview", "inCommitTimestamp"),
      "delta.coordinatedCommits.commitCoordinator-preview",
    ],
  ])("refuses %s in use", async (feature, protocol, property) => {
    const error = await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_READ", () =>
      checkReadable(protocol, metadataOf({ [property]: "x" })),
    );
    expect(error.data.features).toEqual([feature]);
  });

  test.each([
    ["catalogManaged", readers("catalogManaged")],
    ["catalogOwned-preview", readers("catalogOwned-preview")],
    ["coordinatedCommits-preview", writers("coordinatedCommits-preview")],
  ])("[R-CAT-1] takes %s where reading by the path will do", (_, protocol) => {
    const metadata = metadataOf({ "delta.coordinatedCommits.commitCoordinator-preview": "x" });
    expect(() => checkReadable(protocol, metadata)).toThrow();
    expect(() => checkReadable(protocol, metadata, { catalogManagedByPath: true })).not.toThrow();
  });

  test("[R-CM-1] [R-PROT-6] ignores the mode of column mapping where the protocol has none", () => {
    const metadata = metadataOf({ "delta.columnMapping.mode": "name" });
    expect(() => checkReadable({ minReaderVersion: 1, minWriterVersion: 2 }, metadata)).not.toThrow();
  });

  test("[R-META-3] refuses other formats than Parquet", async () => {
    const metadata = { ...metadataOf(), format: { provider: "orc", options: {} } };
    await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_READ", () =>
      checkReadable({ minReaderVersion: 1, minWriterVersion: 2 }, metadata),
    );
  });

  test.each([
    { minReaderVersion: 4, minWriterVersion: 7 },
    { minReaderVersion: 0, minWriterVersion: 2 },
    { minReaderVersion: 1.5, minWriterVersion: 2 },
    { minReaderVersion: 3, minWriterVersion: 7 },
    { minReaderVersion: 3, minWriterVersion: 6, readerFeatures: [] },
  ])("[R-PROT-1] [R-PROT-2] refuses the versions of $minReaderVersion/$minWriterVersion", async (protocol) => {
    await expectCode("DELTA_INVALID_PROTOCOL_VERSION", () => checkReadable(protocol, metadataOf()));
  });
});

describe("writing", () => {
  test.each([2, 3, 4, 6])("takes a legacy table of writer version %d that uses nothing of it", (minWriterVersion) => {
    expect(() => checkWritable({ minReaderVersion: 1, minWriterVersion }, metadataOf())).not.toThrow();
  });

  test("takes features that appends have nothing to do about", () => {
    const protocol = writers(
      "appendOnly",
      "changeDataFeed",
      "domainMetadata",
      "invariants",
      "allowColumnDefaults",
      "inCommitTimestamp",
      "checkpointProtection",
      "columnMappingUsageTracking",
    );
    const metadata = metadataOf({ "delta.appendOnly": "true", "delta.enableChangeDataFeed": "true" });
    expect(() => checkWritable(protocol, metadata)).not.toThrow();
  });

  const legacy = (minWriterVersion: number): Protocol => ({ minReaderVersion: 1, minWriterVersion });
  const field = (key: string, value: unknown) => JSON.stringify(schemaOf("long", { [key]: value }));
  test.each([
    [
      "icebergWriterCompatV1",
      writers("icebergWriterCompatV1"),
      { "delta.enableIcebergWriterCompatV1": "true" },
      undefined,
    ],
    ["collations", writers("collations"), {}, field("__COLLATIONS", { a: "ICU.de_DE" })],
    [
      "redirectWriterOnly-preview",
      writers("redirectWriterOnly-preview"),
      { "delta.redirectWriterOnly-preview": "{}" },
      undefined,
    ],
    ["somethingNew", writers("somethingNew"), {}, undefined],
  ])("refuses %s", async (feature, protocol, configuration, schemaString) => {
    const metadata = metadataOf(configuration as Record<string, string>, schemaString);
    const error = await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", () => checkWritable(protocol, metadata));
    expect(error.data.features).toEqual([feature]);
  });

  test.each([
    ["invariants", legacy(2), {}, field("delta.invariants", '{"expression":{"expression":"a > 1"}}')],
    ["checkConstraints", legacy(3), { "delta.constraints.c": "a > 1" }, undefined],
    ["generatedColumns", legacy(4), {}, field("delta.generationExpression", "1")],
    ["identityColumns", legacy(6), {}, field("delta.identity.step", 1)],
    ["allowColumnDefaults", writers("allowColumnDefaults"), {}, field("CURRENT_DEFAULT", "1")],
  ])("honours %s", (_, protocol, configuration, schemaString) => {
    expect(() =>
      checkWritable(protocol, metadataOf(configuration as Record<string, string>, schemaString)),
    ).not.toThrow();
  });

  test("doesn't take a column's name or comment for its metadata", () => {
    const schema = JSON.stringify({
      type: "struct",
      fields: [{ name: "__COLLATIONS", type: "long", nullable: true, metadata: { comment: '"__COLLATIONS":' } }],
    });
    expect(() => checkWritable(writers("collations"), metadataOf({}, schema))).not.toThrow();
  });

  test.each([legacy(8), legacy(7), legacy(0)])("refuses writer version $minWriterVersion", async (protocol) => {
    await expectCode("DELTA_INVALID_PROTOCOL_VERSION", () => checkWritable(protocol, metadataOf()));
  });
});

describe("the least protocol", () => {
  test("of a plain table is 1/2", () => {
    expect(protocolFor(schemaOf("long"), {})).toEqual({ minReaderVersion: 1, minWriterVersion: 2 });
    expect(protocolFor(schemaOf("long"), { "delta.appendOnly": "true" })).toEqual({
      minReaderVersion: 1,
      minWriterVersion: 2,
    });
  });

  test.each<[string, DataType]>([
    ["a column", "timestamp_ntz"],
    ["an array", { type: "array", elementType: "timestamp_ntz", containsNull: true }],
    ["a map", { type: "map", keyType: "string", valueType: "timestamp_ntz", valueContainsNull: true }],
    ["a struct", schemaOf("timestamp_ntz")],
  ])("names timestampNtz, and only that, for %s of it", (_, type) => {
    expect(protocolFor(schemaOf(type), {})).toEqual(readers("timestampNtz"));
  });

  test("names the writers' features in use", () => {
    const configuration = { "delta.enableChangeDataFeed": "true", "delta.appendOnly": "true" };
    expect(protocolFor(schemaOf("long"), configuration)).toEqual(writers("appendOnly", "changeDataFeed"));
  });
});
