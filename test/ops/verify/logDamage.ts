import { expect } from "vitest";
import { commitPath } from "#src/log/names.js";
import { add, metaData, putCommit, remove } from "../../log/build.js";
import { inlineVector } from "../../log/deletionVectorBytes.js";
import {
  addsOf,
  commit,
  type Damages,
  editAdds,
  editCommit,
  info,
  lastAdd,
  protocolOf,
  putText,
  setMetadata,
} from "./build.js";
import { compactedTable, compactionPath } from "./compactionDamage.js";

const IN_COMMIT = { protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["inCommitTimestamp"] } };
const timed = (inCommitTimestamp: number) => info({ inCommitTimestamp });
const timestampsOn = metaData({ "delta.enableInCommitTimestamps": "true" });

/** Damage of the log's files, of commits, and of what they say of the table. */
export const LOG_DAMAGE = {
  "commit-missing": [
    {
      harm: async (store) => {
        await commit(store, info());
        await store.delete(commitPath(3));
      },
      finds: { version: 3, path: commitPath(3), data: { first: 3, last: 3 } },
      also: ["version-not-rebuildable"],
    },
    {
      // Without a checkpoint, the first commit is needed too.
      harm: async (store) => {
        for (const path of await store.listNames("_delta_log/")) if (/checkpoint/.test(path)) await store.delete(path);
        await store.delete(commitPath(0));
      },
      finds: { version: 0, data: { first: 0, last: 0 } },
      also: ["version-not-rebuildable"],
    },
  ],
  "history-gap": [
    {
      harm: (store) => store.delete(commitPath(1)),
      finds: { version: 1, data: { first: 1, last: 1 } },
    },
    {
      table: compactedTable,
      harm: (store) => store.delete(commitPath(4)),
      finds: { version: 4, data: { first: 4, last: 4 } },
      also: ["not-checked"],
    },
  ],
  "version-not-rebuildable": {
    table: (store) => putCommit(store, 0, { protocol: { minReaderVersion: 1, minWriterVersion: 2 } }, metaData()),
    harm: (store) => putCommit(store, 0, metaData()),
    finds: { version: 0, data: { cause: "DELTA_STATE_RECOVER_ERROR", version: 0, missing: "protocol" } },
  },
  "log-name": {
    harm: (store) => putText(store, "_delta_log/4.json", "{}"),
    finds: { path: "_delta_log/4.json", data: { sizeBytes: 2 } },
  },
  "log-foreign-file": {
    harm: (store) => putText(store, "_delta_log/notes.txt", "hello"),
    finds: { path: "_delta_log/notes.txt", data: { sizeBytes: 5 } },
  },
  "log-temporary-file": {
    harm: (store) => putText(store, "_delta_log/_commit_12.json.tmp", "half"),
    finds: { path: "_delta_log/_commit_12.json.tmp" },
  },
  "commit-malformed": {
    harm: async (store) => {
      const bytes = await store.get(commitPath(3));
      await store.put(commitPath(3), bytes.subarray(0, bytes.length - 5));
    },
    finds: { version: 3, path: commitPath(3) },
    also: ["version-not-rebuildable"],
  },
  "commit-empty": { harm: (store) => store.put(commitPath(4), new Uint8Array()), finds: { version: 4 } },
  "commit-duplicate-action": [
    {
      harm: (store) => editCommit(store, 3, (actions) => [...actions, info()]),
      finds: { version: 3, data: { action: "commitInfo", of: "" } },
    },
    {
      harm: async (store) =>
        commit(store, info(), { protocol: await protocolOf(store) }, { protocol: await protocolOf(store) }),
      finds: { version: 4, data: { action: "protocol", of: "" } },
    },
    {
      harm: (store) => editCommit(store, 3, (actions) => [...actions, ...actions.filter((action) => "add" in action)]),
      finds: { version: 3, data: { action: "add", of: expect.any(String) } },
    },
    {
      harm: (store) =>
        commit(store, info(), { txn: { appId: "app", version: 3 } }, { txn: { appId: "app", version: 4 } }),
      finds: { version: 4, data: { action: "txn", of: "app" } },
    },
  ],
  "commit-add-and-remove": {
    harm: async (store) => {
      const { path } = await lastAdd(store);
      await editCommit(store, 3, (actions) => [remove(path), ...actions]);
    },
    finds: { version: 3 },
    also: ["remove-not-live"],
  },
  "transaction-id-repeated": {
    harm: async (store) => {
      await editCommit(store, 2, (actions) =>
        actions.map((action) => ("commitInfo" in action ? info({ txnId: "t" }) : action)),
      );
      await commit(store, info({ txnId: "t" }));
    },
    finds: { version: 4, data: { txnId: "t", before: 2 } },
  },
  "commit-timestamp-missing": {
    table: (store) => putCommit(store, 0, timed(5), IN_COMMIT, timestampsOn),
    harm: (store) => putCommit(store, 1, info()),
    finds: { version: 1 },
  },
  "commit-timestamp-order": {
    table: async (store) => {
      await putCommit(store, 0, timed(5), IN_COMMIT, timestampsOn);
      await putCommit(store, 1, timed(7));
    },
    harm: (store) => putCommit(store, 2, timed(7)),
    finds: { version: 2, data: { timestamp: 7, before: 7 } },
  },
  "partition-values": [
    {
      harm: (store) => editAdds(store, 3, (file) => ({ ...file, partitionValues: { other: "x" } })),
      finds: { version: 3, data: { missing: ["part"], extra: ["other"] } },
    },
    {
      harm: async (store) => {
        await setMetadata(store, (metadata) => ({
          ...metadata,
          schemaString: metadata.schemaString.replace('"part","type":"string"', '"part","type":"date"'),
        }));
        await editCommit(store, 4, (actions) => [
          ...actions,
          add("part=x/new.parquet", { partitionValues: { part: "x" } }),
        ]);
      },
      finds: { version: 4, column: "part", data: { value: "x" } },
      options: { depth: "log" },
    },
  ],
  "add-already-live": {
    harm: async (store) => commit(store, info(), { add: await lastAdd(store) }),
    finds: { version: 4, data: { since: 3 } },
  },
  "add-live-with-other-vector": [
    {
      harm: async (store) =>
        commit(store, info(), { add: { ...(await lastAdd(store)), deletionVector: inlineVector([0]) } }),
      finds: { version: 4 },
      also: ["file-repeated"],
    },
    {
      harm: async (store) => {
        const file = await lastAdd(store);
        await editCommit(store, 3, (actions) =>
          actions.map((action) => ("add" in action ? { add: { ...file, deletionVector: inlineVector([0]) } } : action)),
        );
        await commit(store, info(), { add: { ...file, deletionVector: inlineVector([1]) } });
      },
      finds: { version: 4 },
      also: ["file-repeated", "stats-null-count"],
    },
  ],
  "remove-not-live": {
    harm: async (store) => {
      const [file] = await addsOf(store, 1);
      await commit(store, info(), remove(file!.path));
      await store.put("_delta_log/00000000000000000005.json", await store.get(commitPath(4)));
    },
    finds: { version: 5 },
  },
  "schema-unreadable": {
    harm: (store) => setMetadata(store, (metadata) => ({ ...metadata, schemaString: "{" })),
    finds: { version: 4 },
  },
  "partition-column-unknown": {
    harm: (store) => setMetadata(store, (metadata) => ({ ...metadata, partitionColumns: ["part", "nope"] })),
    finds: { version: 4, column: "nope" },
  },
  "protocol-invalid": {
    harm: (store) => commit(store, info(), { protocol: { minReaderVersion: 99, minWriterVersion: 7 } }),
    finds: { version: 4, data: { minReaderVersion: 99, minWriterVersion: 7 } },
  },
  "features-unsupported": {
    harm: (store) =>
      commit(store, info(), {
        protocol: {
          minReaderVersion: 3,
          minWriterVersion: 7,
          readerFeatures: ["timestampNanos"],
          writerFeatures: ["timestampNanos"],
        },
      }),
    finds: { version: 4, severity: "warning", data: { features: ["timestampNanos"] } },
  },
  "not-checked": [
    {
      harm: (store) =>
        setMetadata(store, (metadata) => ({ ...metadata, configuration: { "delta.constraints.positive": "id > 0" } })),
      finds: { version: 4, data: { constraint: "positive" } },
    },
    {
      harm: (store) =>
        setMetadata(store, (metadata) => ({
          ...metadata,
          schemaString: metadata.schemaString.replace(
            '"name":"name","type":"string"',
            '"name":"name","type":"timestamp_nanos"',
          ),
        })),
      finds: { version: 4 },
    },
    {
      harm: async (store) => {
        await putText(store, compactionPath(1, 2), "");
        await store.delete(commitPath(1));
      },
      finds: { version: 2, path: compactionPath(1, 2) },
      also: ["history-gap"],
    },
  ],
} satisfies Damages;
