import { describe, expect, test } from "vitest";
import {
  beforeVersion,
  classicCheckpointPath,
  commitPath,
  multiPartCheckpointPath,
  parseLogPath,
} from "#src/log/names.js";

describe("log file names", () => {
  test("are formatted with all their digits", () => {
    expect(commitPath(10)).toBe("_delta_log/00000000000000000010.json");
    expect(classicCheckpointPath(10)).toBe("_delta_log/00000000000000000010.checkpoint.parquet");
    expect(multiPartCheckpointPath(10, 1, 3)).toBe(
      "_delta_log/00000000000000000010.checkpoint.0000000001.0000000003.parquet",
    );
  });

  test.each([
    ["00000000000000000042.json", { kind: "commit", version: 42 }],
    ["00000000000000000042.crc", { kind: "checksum", version: 42 }],
    ["00000000000000000042.checkpoint.parquet", { kind: "classicCheckpoint", version: 42 }],
    [
      "00000000000000000042.checkpoint.0000000002.0000000003.parquet",
      { kind: "multiPartCheckpoint", version: 42, part: 2, parts: 3 },
    ],
    [
      "00000000000000000042.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
      { kind: "uuidCheckpoint", version: 42, uuid: "80a083e8-7026-4e79-81be-64bd76c43a11", format: "json" },
    ],
    ["00000000000000000004.00000000000000000006.compacted.json", { kind: "compacted", version: 4, endVersion: 6 }],
  ])("%s", (name, expected) => {
    expect(parseLogPath(`_delta_log/${name}`)).toEqual(expected);
  });

  test.each([
    "_delta_log/_last_checkpoint",
    "_delta_log/0000000000000000042.json",
    "_delta_log/000000000000000000042.json",
    "_delta_log/0000000000000000004x.json",
    "_delta_log/+0000000000000000042.json",
    "_delta_log/0000000000000000.1e1.json",
    "_delta_log/99999999999999999999.json",
    "_delta_log/00000000000000000042.json.tmp",
    "_delta_log/.00000000000000000042.json.1234.tmp",
    "_delta_log/_staged_commits/00000000000000000042.3a0d65cd-4056-49b8-937b-95f9e3ee90e5.json",
    "_delta_log/_sidecars/00000000000000000042.checkpoint.parquet",
    "00000000000000000042.json",
  ])("%s is none", (path) => {
    expect(parseLogPath(path)).toBeUndefined();
  });

  test("a listing from a version on begins before all its files", () => {
    const start = beforeVersion(7);
    expect(start < commitPath(7) && start < classicCheckpointPath(7) && start > commitPath(6)).toBe(true);
  });
});
