import { describe, expect, test } from "vitest";
import { checkNewProperties, type PropertyName, property } from "#src/log/properties.js";
import { expectCode } from "../expectCode.js";

describe("a property", () => {
  test("has its default where the table doesn't set it", () => {
    const metadata = { configuration: {} };
    expect(property(metadata, "delta.checkpointInterval")).toBe(10);
    expect(property(metadata, "delta.dataSkippingNumIndexedCols")).toBe(32);
    expect(property(metadata, "delta.deletedFileRetentionDuration")).toBe(604_800_000);
    expect(property(metadata, "delta.targetFileSize")).toBe(134_217_728);
    expect(property(metadata, "delta.setTransactionRetentionDuration")).toBeUndefined();
  });

  test.each<[PropertyName, string, unknown]>([
    ["delta.checkpointInterval", "3", 3],
    ["delta.dataSkippingNumIndexedCols", "-1", -1],
    ["delta.appendOnly", "TRUE", true],
    ["delta.deletedFileRetentionDuration", "interval 1 week", 604_800_000],
    ["delta.deletedFileRetentionDuration", "INTERVAL 7 DAYS", 604_800_000],
    ["delta.logRetentionDuration", "interval 1 day 12 hours", 129_600_000],
    ["delta.targetFileSize", "100mb", 104_857_600],
    ["delta.targetFileSize", "1g", 1_073_741_824],
    ["delta.parquet.compression.codec", "GZIP", "gzip"],
    ["delta.parquet.compression.codec", "none", "uncompressed"],
  ])("%s = %s is %s", (name, text, expected) => {
    expect(property({ configuration: { [name]: text } }, name)).toBe(expected);
  });

  test.each<[PropertyName, string]>([
    ["delta.checkpointInterval", "0"],
    ["delta.checkpointInterval", "ten"],
    ["delta.checkpointInterval", ""],
    ["delta.appendOnly", "yes"],
    ["delta.deletedFileRetentionDuration", "7"],
    ["delta.deletedFileRetentionDuration", "interval 1 month"],
    ["delta.targetFileSize", "-1"],
    ["delta.targetFileSize", "0"],
    ["delta.parquet.compression.codec", "brotli"],
  ])("%s = %j is refused", async (name, text) => {
    const error = await expectCode("DELTA_INVALID_PROPERTY_VALUE", () =>
      property({ configuration: { [name]: text } }, name),
    );
    expect(error.data).toEqual({ property: name, value: text });
  });
});

describe("a new table's properties", () => {
  test("may be known ones with valid values, and any outside of delta.", () => {
    expect(() => checkNewProperties({ "delta.checkpointInterval": "5", owner: "me", "Delta.x": "1" })).not.toThrow();
    expect(() => checkNewProperties({ "delta.enableDeletionVectors": "true" })).not.toThrow();
    expect(() => checkNewProperties({ "delta.checkpointPolicy": "v2" })).not.toThrow();
    expect(() => checkNewProperties({ "delta.enableRowTracking": "false" })).not.toThrow();
  });

  test("that don't exist are refused with the nearest that does", async () => {
    const error = await expectCode("DELTA_UNKNOWN_PROPERTY", () =>
      checkNewProperties({ "delta.checkpointIntervall": "5" }),
    );
    expect(error.data.nearest).toBe("delta.checkpointInterval");
  });

  test.each([["delta.enableIcebergWriterCompatV1", "true", "icebergWriterCompatV1"]])(
    "%s = %s is refused, naming the feature",
    async (name, value, feature) => {
      const error = await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", () =>
        checkNewProperties({ [name]: value }),
      );
      expect(error.data.features).toEqual([feature]);
    },
  );

  test("are checked for their values", async () => {
    await expectCode("DELTA_INVALID_PROPERTY_VALUE", () => checkNewProperties({ "delta.checkpointInterval": "often" }));
  });
});
