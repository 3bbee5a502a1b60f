import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { replaceLimits } from "#src/limits.js";
import type { Action } from "#src/log/actions.js";
import { writeCheckpoint } from "#src/log/checkpoint.js";
import { readVersionChecksum } from "#src/log/checksumFile.js";
import { checksumPath, classicCheckpointPath, commitPath, LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { loadSnapshot, type Snapshot } from "#src/log/snapshot.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { type CountingStore, countingStore } from "../storage/countingStore.js";
import { add, livePaths, metaData, PROTOCOL, putCommit } from "./build.js";

const txn = (appId: string, version: number) => ({ appId, version, lastUpdated: 1 });
const domain = (name: string) => ({ domain: name, configuration: "{}", removed: false });
const WITH_DOMAINS: Action = {
  protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["domainMetadata"] },
};

let store: CountingStore;
let warnings: string[];
let restore: () => void;

beforeEach(async () => {
  warnings = [];
  restore = replaceRuntime({ warn: (message) => warnings.push(message) });
  store = countingStore(memoryStore());
  await putCommit(store, 0, PROTOCOL, metaData(), add("a"), { txn: txn("old", 5) });
  await putCommit(store, 1, add("b"), { txn: txn("app", 1) });
  await writeCheckpoint(store, await loadSnapshot(store));
  await putCommit(store, 2, add("c"), { txn: txn("app", 2) });
  await putCommit(store, 3, add("d"), { txn: txn("app", 3) });
  await putCommit(store, 4, add("e"));
});
afterEach(() => restore());

/** The version's checksum as its writer should have left it, and with these members instead. */
async function putChecksum(version: number, instead: object = {}): Promise<void> {
  const { protocol, metadata, transactions, domainMetadata } = await loadSnapshot(store, { version });
  const checksum = {
    tableSizeBytes: 10 * (version + 1),
    numFiles: version + 1,
    numMetadata: 1,
    numProtocol: 1,
    setTransactions: [...transactions.values()],
    domainMetadata: [...domainMetadata.values()],
    metadata,
    protocol,
    ...instead,
  };
  await store.put(checksumPath(version), new TextEncoder().encode(JSON.stringify(checksum)));
}

const stateOf = ({ protocol, metadata, transactions, domainMetadata }: Snapshot) => ({
  protocol,
  metadata,
  transactions: [...transactions].sort(),
  domainMetadata: [...domainMetadata],
});

const checkpointReads = (calls: readonly string[]) => calls.filter((call) => call.endsWith(classicCheckpointPath(1)));

describe("two version checksums", () => {
  test("tell the state: a table opens without its checkpoint", async () => {
    const expected = stateOf(await loadSnapshot(store));
    await putChecksum(3);
    await putChecksum(4);
    store.take();
    const snapshot = await loadSnapshot(store);
    expect(store.take()).toEqual([
      `get ${LAST_CHECKPOINT_PATH}`,
      "listNames _delta_log/",
      `get ${checksumPath(3)}`,
      `get ${checksumPath(4)}`,
      ...[2, 3, 4].map((version) => `get ${commitPath(version)}`),
    ]);
    expect(stateOf(snapshot)).toEqual(expected);
    expect(await livePaths(snapshot)).toEqual(["a", "b", "c", "d", "e"]);
    expect(checkpointReads(store.take())).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  test.each([
    ["the checkpoint's and the one after it", 1, 2],
    ["with versions between them", 2, 4],
  ])("may be %s", async (_, older, newer) => {
    const expected = stateOf(await loadSnapshot(store));
    await putChecksum(older);
    await putChecksum(newer);
    store.take();
    expect(stateOf(await loadSnapshot(store))).toEqual(expected);
    expect(checkpointReads(store.take())).toEqual([]);
  });

  test("hold what commits change: protocol, metadata, domains, removed ones too", async () => {
    await putCommit(store, 5, WITH_DOMAINS, metaData({ k: "v" }), { domainMetadata: domain("d") });
    await putCommit(store, 6, { domainMetadata: domain("e") }, { domainMetadata: { ...domain("d"), removed: true } });
    const expected = stateOf(await loadSnapshot(store));
    await putChecksum(5);
    await putChecksum(6);
    store.take();
    const snapshot = await loadSnapshot(store);
    expect(stateOf(snapshot)).toEqual(expected);
    expect([...snapshot.domainMetadata.keys()]).toEqual(["e"]);
    expect(checkpointReads(store.take())).toEqual([]);
  });
});

// [R-CRC-1]
describe("the checkpoint is read", () => {
  async function expectCheckpointRead(): Promise<void> {
    store.take();
    const snapshot = await loadSnapshot(store);
    expect(checkpointReads(store.take())).toHaveLength(1);
    expect(snapshot.metadata.configuration).toEqual({});
    expect([...snapshot.transactions.values()].map(({ appId, version }) => [appId, version]).sort()).toEqual([
      ["app", 3],
      ["old", 5],
    ]);
  }

  test("where one checksum has nobody to vouch for it", async () => {
    await putChecksum(4);
    await expectCheckpointRead();
    expect(warnings).toEqual([]);
  });

  test.each([
    ["the transactions", { setTransactions: null }],
    ["its number of protocols", { numProtocol: 2 }],
  ])("where a checksum doesn't tell %s", async (_, instead) => {
    await putChecksum(3);
    await putChecksum(4, instead);
    await expectCheckpointRead();
    expect(warnings).toEqual([]);
  });

  test.each([
    ["gives another schema", { metadata: { ...(metaData({ x: "y" }) as { metaData: object }).metaData } }],
    ["gives another protocol", { protocol: { minReaderVersion: 1, minWriterVersion: 1 } }],
    ["gives other progress", { setTransactions: [txn("app", 3), txn("old", 4)] }],
    ["lacks progress", { setTransactions: [txn("app", 3)] }],
  ])("[R-CRC-3] where the newer one %s, and somebody is warned", async (_, instead) => {
    await putChecksum(3);
    await putChecksum(4, instead);
    await expectCheckpointRead();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(checksumPath(4));
  });

  test("where the older one is at fault", async () => {
    await putChecksum(3, { setTransactions: [txn("app", 3)] });
    await putChecksum(4);
    await expectCheckpointRead();
    expect(warnings).toHaveLength(1);
  });

  test.each(["", "{", "[]", "null", '{"metadata":{}}'])("where one is %j, and somebody is warned", async (text) => {
    await putChecksum(3);
    await store.put(checksumPath(4), new TextEncoder().encode(text));
    await expectCheckpointRead();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(checksumPath(4));
  });

  test("where one is longer, or holds more, than is taken in", async () => {
    await putChecksum(3);
    for (const text of [" ".repeat(2000), `[${"0,".repeat(200)}0]`]) {
      await store.put(checksumPath(4), new TextEncoder().encode(text));
      const restoreLimits = replaceLimits({ MAX_COMMIT_LINE_BYTES: 1000, MAX_JSON_VALUES: 100 });
      try {
        await expectCode("DELTA_LOG_CORRUPT", () => readVersionChecksum(store, 4));
      } finally {
        restoreLimits();
      }
    }
  });

  test("where they are older than the checkpoint, or newer than the version", async () => {
    await putChecksum(3);
    await putChecksum(4);
    store.take();
    await loadSnapshot(store, { version: 3 });
    expect(checkpointReads(store.take())).toHaveLength(1);
  });
});

test("where the table forgets progress, checksums don't tell it", async () => {
  await putCommit(store, 5, metaData({ "delta.setTransactionRetentionDuration": "interval 1 day" }));
  await putCommit(store, 6, add("g"));
  await putChecksum(5);
  await putChecksum(6);
  store.take();
  await loadSnapshot(store);
  expect(checkpointReads(store.take())).toHaveLength(1);
});
