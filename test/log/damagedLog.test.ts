import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Action } from "#src/log/actions.js";
import { serializeCommit } from "#src/log/commitFile.js";
import { writeLastCheckpoint } from "#src/log/lastCheckpoint.js";
import { checksumPath } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { add, metaData, putCommit, remove } from "./build.js";
import { KINDS } from "./checkpointFiles.js";
import { contentOf, damagesOf, logOf, outcomeOf, unseenDamage } from "./damage.js";

const PROTOCOL_OF_V2: Action = {
  protocol: {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ["v2Checkpoint"],
    writerFeatures: ["v2Checkpoint"],
  },
};
const TXN: Action = { txn: { appId: "app", version: 7, lastUpdated: 3 } };

/** What version 2 is. */
const STATE: readonly Action[] = [
  PROTOCOL_OF_V2,
  metaData({ k: "v" }),
  TXN,
  add("a", { dataChange: false, stats: '{"numRecords":1}' }),
  add("b", { dataChange: false, tags: { t: "x" } }),
  remove("old", { dataChange: false }),
];

/** A table with commits, a checkpoint of version 2, a pointer to it, a compaction and version checksums behind it. */
async function soundTable(kind: string): Promise<ObjectStore> {
  const store = memoryStore();
  await putCommit(store, 0, PROTOCOL_OF_V2, metaData({ k: "v" }), add("old"));
  await putCommit(store, 1, TXN, add("a", { stats: '{"numRecords":1}' }));
  await putCommit(store, 2, remove("old"), add("b", { tags: { t: "x" } }));
  for (const version of [3, 4, 5, 6]) await putCommit(store, version, add(`of ${version}`));
  await KINDS[kind]!(store, STATE);
  await writeLastCheckpoint(store, { version: 2, size: 7 });
  const compacted = [add("of 3"), add("of 4")];
  await store.put("_delta_log/00000000000000000003.00000000000000000004.compacted.json", serializeCommit(compacted));
  for (const version of [5, 6]) {
    const { protocol, metadata, transactions } = await loadSnapshot(store, { version });
    const counts = { tableSizeBytes: 10, numFiles: 1, numMetadata: 1, numProtocol: 1 };
    const checksum = { ...counts, setTransactions: [...transactions.values()], metadata, protocol };
    await store.put(checksumPath(version), new TextEncoder().encode(JSON.stringify(checksum)));
  }
  return store;
}

describe.each(Object.keys(KINDS))("a table with %s, one of its files damaged", (kind) => {
  let restore: () => void;
  beforeAll(() => {
    restore = replaceRuntime({ warn: () => undefined });
  });
  afterAll(() => restore());

  test("is the same, or an error that says so", async () => {
    const log = await logOf(await soundTable(kind));
    const expected = await contentOf(log);
    const wrong: string[] = [];
    let same = 0;
    for (const [path, bytes] of log) {
      const isUnseen = await unseenDamage(path, bytes);
      for (const damage of damagesOf(path, bytes, 12)) {
        const outcome = await outcomeOf(log, path, damage, expected);
        if (outcome === "same") same++;
        else if (isUnseen(damage)) continue;
        else if (outcome === "other") wrong.push(`${path}, ${damage.title}: another table`);
        else if (!["DELTA_LOG_CORRUPT", "DELTA_VERSIONS_NOT_CONTIGUOUS"].includes(outcome.code)) {
          wrong.push(`${path}, ${damage.title}: ${outcome.code}`);
        } else if (!/\/0*[56]\.json$/.test(path)) wrong.push(`${path}, ${damage.title}: nothing took its place`);
      }
    }
    expect(wrong).toEqual([]);
    expect(same).toBeGreaterThan(40);
  });
});
