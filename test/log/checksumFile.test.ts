import { describe, expect, it } from "vitest";
import { parseVersionChecksum, readVersionChecksum } from "#src/log/checksumFile.js";
import { checksumPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

const LEAST = {
  tableSizeBytes: 10,
  numFiles: 1,
  numMetadata: 1,
  numProtocol: 1,
  metadata: {
    id: "m",
    format: { provider: "parquet", options: {} },
    schemaString: "{}",
    partitionColumns: [],
    configuration: {},
  },
  protocol: { minReaderVersion: 1, minWriterVersion: 2 },
};

const ALL = {
  ...LEAST,
  txnId: "t",
  inCommitTimestampOpt: 5,
  setTransactions: [{ appId: "a", version: 1, lastUpdated: 2 }],
  domainMetadata: [{ domain: "d", configuration: "{}", removed: false }],
  fileSizeHistogram: { sortedBinBoundaries: [0, 100], fileCounts: [1, 0], totalBytes: [10, 0] },
  allFiles: [{ path: "f", partitionValues: {}, size: 10, modificationTime: 1, dataChange: false }],
  numDeletedRecordsOpt: 0,
  numDeletionVectorsOpt: 0,
  deletedRecordCountsHistogramOpt: { deletedRecordCounts: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
};

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

describe("a version checksum", () => {
  it("is read with all of its fields", () => {
    expect(parseVersionChecksum(3, bytes(ALL))).toEqual(ALL);
  });

  it("[R-CRC-1] may leave out what is optional, or give null for it", () => {
    expect(parseVersionChecksum(3, bytes(LEAST))).toEqual(LEAST);
    expect(parseVersionChecksum(3, bytes({ ...LEAST, txnId: null, allFiles: null }))).toEqual(LEAST);
  });

  it("keeps an application's version that a double can't hold", () => {
    const text = JSON.stringify({ ...LEAST, setTransactions: [{ appId: "a", version: 0 }] });
    const { setTransactions } = parseVersionChecksum(
      3,
      bytes(text.replace('"version":0', '"version":9007199254740993')),
    );
    expect(setTransactions).toEqual([{ appId: "a", version: 9007199254740993n }]);
  });

  it.each<[unknown, string | undefined]>([
    ["{", undefined],
    ["[]", undefined],
    ...Object.keys(LEAST).map((field): [unknown, string] => [{ ...ALL, [field]: undefined }, field]),
    ...Object.keys(ALL).map((field): [unknown, string] => [{ ...ALL, [field]: true }, field]),
    [{ ...ALL, numFiles: -1 }, "numFiles"],
    [{ ...ALL, setTransactions: [{}] }, "setTransactions"],
    [
      { ...ALL, fileSizeHistogram: { sortedBinBoundaries: [1], fileCounts: [1], totalBytes: [1] } },
      "fileSizeHistogram",
    ],
    [
      { ...ALL, fileSizeHistogram: { sortedBinBoundaries: [0, 5], fileCounts: [1], totalBytes: [1] } },
      "fileSizeHistogram",
    ],
    [{ ...ALL, deletedRecordCountsHistogramOpt: { deletedRecordCounts: [1] } }, "deletedRecordCountsHistogramOpt"],
  ])("is refused where it is malformed: %j", async (value, field) => {
    const error = await expectCode("DELTA_LOG_CORRUPT", () => parseVersionChecksum(3, bytes(value)));
    expect(error.data).toEqual({ path: checksumPath(3), version: 3, field });
  });

  it("is found by its name, or isn't there", async () => {
    const store = memoryStore();
    await store.put("_delta_log/00000000000000000003.crc", bytes(LEAST));
    expect(await readVersionChecksum(store, 3)).toEqual(LEAST);
    expect(await readVersionChecksum(store, 4)).toBeUndefined();
  });
});
