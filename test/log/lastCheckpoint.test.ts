import { expect, test } from "vitest";
import { jsonChecksum, readLastCheckpoint, writeLastCheckpoint } from "#src/log/lastCheckpoint.js";
import { LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";

test("[R-LAST-2] the checksum is that of the protocol's example", () => {
  const example = {
    k0: "'v 0'",
    checksum: "adsaskfljadfkjadfkj",
    k1: { k2: 2, k3: ["v3", [1, 2], { k4: "v4", k5: ["v5", "v6", "v7"] }] },
  };
  expect(jsonChecksum(example)).toBe("6a92d155a59bf2eecbd4b4ec7fd1f875");
});

test("what is written is read back, with its checksum", async () => {
  const store = memoryStore();
  await writeLastCheckpoint(store, { version: 12, size: 3, sizeInBytes: 99, numOfAddFiles: 1 });
  expect(await readLastCheckpoint(store)).toEqual({ version: 12, sizeBytes: 99 });
  const json = JSON.parse(new TextDecoder().decode(await store.get(LAST_CHECKPOINT_PATH)));
  expect(json.checksum).toBe(jsonChecksum({ version: 12, size: 3, sizeInBytes: 99, numOfAddFiles: 1 }));
});

test.each(["", "{", "null", "[]", '{"version":"1"}', '{"version":-1}', '{"version":5,"size":1,"checksum":"00"}'])(
  "[R-LAST-1] %j is no hint",
  async (text) => {
    const store = memoryStore();
    await store.put(LAST_CHECKPOINT_PATH, new TextEncoder().encode(text));
    expect(await readLastCheckpoint(store)).toBeUndefined();
  },
);
