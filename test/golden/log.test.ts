import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { ErrorCode } from "#src/errors.js";
import { decodePath } from "#src/log/paths.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { localStore } from "#src/storage/local.js";
import { expectCode } from "../expectCode.js";
import { liveFiles } from "../log/build.js";

const GOLDEN = fileURLToPath(new URL("../../../shared/golden/", import.meta.url));
const title = existsSync(GOLDEN) ? "golden tables" : "golden tables: skipped, ../shared/golden isn't there";

function open(name: string, version?: number) {
  return loadSnapshot(localStore(`${GOLDEN}${name}/delta`), { version });
}

async function paths(name: string, version?: number): Promise<string[]> {
  return (await liveFiles(await open(name, version))).map(({ path }) => decodePath(String(path)));
}

describe.skipIf(!existsSync(GOLDEN))(title, () => {
  test.each<[string, ErrorCode]>([
    ["deltalog-invalid-protocol-version", "DELTA_INVALID_PROTOCOL_VERSION"],
    ["deltalog-state-reconstruction-from-checkpoint-missing-metadata", "DELTA_STATE_RECOVER_ERROR"],
    ["deltalog-state-reconstruction-from-checkpoint-missing-protocol", "DELTA_STATE_RECOVER_ERROR"],
    ["deltalog-state-reconstruction-without-metadata", "DELTA_STATE_RECOVER_ERROR"],
    ["deltalog-state-reconstruction-without-protocol", "DELTA_STATE_RECOVER_ERROR"],
    ["no-delta-log-folder", "DELTA_TABLE_NOT_FOUND"],
    ["versions-not-contiguous", "DELTA_VERSIONS_NOT_CONTIGUOUS"],
  ])("%s is refused", async (name, code) => {
    await expectCode(code, () => open(name));
  });

  test.each([
    "canonicalized-paths-normal-a",
    "canonicalized-paths-normal-b",
    "canonicalized-paths-special-a",
    "canonicalized-paths-special-b",
  ])("%s: all spellings of a path are one file", async (name) => {
    expect(await paths(name, 0)).toHaveLength(1);
    expect(await paths(name, 1)).toEqual([]);
  });

  test("checkpoint", async () => {
    expect((await open("checkpoint")).version).toBe(14);
    expect(await paths("checkpoint")).toEqual(["15"]);
  });

  test("delete-re-add-same-file-different-transactions", async () => {
    const files = await liveFiles(await open("delete-re-add-same-file-different-transactions"));
    expect(files.map(({ path, modificationTime }) => [path, modificationTime])).toEqual([
      ["bar", 1_697_064_972_263],
      ["foo", 1_700_000_000_000],
    ]);
  });

  test("log-replay-special-characters", async () => {
    expect(await paths("log-replay-special-characters-a")).toEqual([]);
    expect(await paths("log-replay-special-characters-b")).toEqual(["special p@#h"]);
  });

  test.each([
    ["corrupted-last-checkpoint-kernel", 11, 2],
    ["multi-part-checkpoint", 1, 10],
    ["v2-checkpoint-json", 2, 4],
    ["v2-checkpoint-parquet", 2, 4],
    ["only-checkpoint-files", 2, 7],
    ["basic-with-inserts-deletes-checkpoint", 13, 7],
    ["update-deleted-directory", 0, 10],
    ["125-iterator-bug", 11, 12],
    ["log-replay-latest-metadata-protocol", 2, 4],
    ["basic-with-vacuum-protocol-check-feature", 1, 2],
    ["data-reader-timestamp_ntz", 1, 4],
  ])("%s: version %d, %d files", async (name, version, count) => {
    const snapshot = await open(name);
    expect(snapshot.version).toBe(version);
    expect(snapshot.damagedFiles.size).toBe(0);
    expect(await paths(name)).toHaveLength(count);
  });

  test("multi-part-checkpoint gives the same files as its commits", async () => {
    const byCheckpoint = await liveFiles(await open("multi-part-checkpoint"));
    const store = localStore(`${GOLDEN}multi-part-checkpoint/delta`);
    const { listNames } = store;
    store.listNames = async (...args) => (await listNames.apply(store, args)).filter((path) => path.endsWith(".json"));
    const byCommits = await liveFiles(await loadSnapshot(store));
    expect(byCheckpoint.map((file) => ({ ...file, dataChange: true }))).toEqual(byCommits);
    expect(byCommits).toHaveLength(10);
  });
});
