import { expect } from "vitest";
import { Table } from "#src/index.js";
import { jsonChecksum } from "#src/log/lastCheckpoint.js";
import {
  checksumPath,
  classicCheckpointPath,
  commitPath,
  LAST_CHECKPOINT_PATH,
  multiPartCheckpointPath,
} from "#src/log/names.js";
import { runtime } from "#src/runtime.js";
import type { ObjectStore } from "#src/storage/store.js";
import { remove } from "../../log/build.js";
import { addsOf, type Damages, editAdds, editCommit, lastAdd, metadataOf, protocolOf, putText } from "./build.js";

const CHECKPOINT = classicCheckpointPath(2);
const JSON_CHECKPOINT = "_delta_log/00000000000000000002.checkpoint.b9c4b2a0-0000-4000-8000-000000000000.json";

async function lastCheckpoint(store: ObjectStore, edit: (hint: Record<string, unknown>) => object): Promise<void> {
  const { checksum: _, ...hint } = JSON.parse(new TextDecoder().decode(await store.get(LAST_CHECKPOINT_PATH)));
  const edited = edit(hint);
  await putText(store, LAST_CHECKPOINT_PATH, JSON.stringify({ ...edited, checksum: jsonChecksum(edited) }));
}

/** A table that removes its first file in version 2, then is checkpointed. */
async function withTombstone(store: ObjectStore, deletionTimestamp: number): Promise<void> {
  const table = Table.open(store);
  await table.append([{ id: 1 }]);
  await table.append([{ id: 2 }]);
  const [file] = await addsOf(store, 0);
  await putText(store, commitPath(2), `${JSON.stringify(remove(file!.path, { deletionTimestamp }))}\n`);
  await Table.open(store).checkpoint();
}

/** The checksum that version 3 of the ordinary table should have. */
export async function checksum(store: ObjectStore): Promise<Record<string, unknown>> {
  const files = (await Promise.all([1, 2, 3].map((version) => addsOf(store, version)))).flat();
  const sizes = files.map(({ size }) => size);
  return {
    tableSizeBytes: sizes.reduce((sum, size) => sum + size, 0),
    numFiles: files.length,
    numMetadata: 1,
    numProtocol: 1,
    setTransactions: [{ appId: "app", version: 2 }],
    domainMetadata: [],
    metadata: await metadataOf(store),
    protocol: await protocolOf(store),
    fileSizeHistogram: {
      sortedBinBoundaries: [0, 1, 1_000_000],
      fileCounts: [0, files.length, 0],
      totalBytes: [0, sizes.reduce((sum, size) => sum + size, 0), 0],
    },
    allFiles: files,
    numDeletedRecordsOpt: 0,
    numDeletionVectorsOpt: 0,
    deletedRecordCountsHistogramOpt: { deletedRecordCounts: [files.length, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
  };
}

async function putChecksum(store: ObjectStore, edit: (right: Record<string, unknown>) => object): Promise<void> {
  await putText(store, checksumPath(3), JSON.stringify(edit(await checksum(store))));
}

const differs = (field: string, edit: (right: Record<string, unknown>) => object) => ({
  table: async (store: ObjectStore) => {
    const { ordinaryTable } = await import("./build.js");
    await ordinaryTable(store);
    await putChecksum(store, (right) => right);
  },
  harm: (store: ObjectStore) => putChecksum(store, edit),
  finds: { version: 3, path: checksumPath(3), data: expect.objectContaining({ field }) },
});

/** Damage of checkpoints, of the pointer to the newest and of version checksums. */
export const CHECKPOINT_DAMAGE = {
  "checkpoint-incomplete": {
    harm: async (store) => store.put(multiPartCheckpointPath(3, 1, 2), await store.get(CHECKPOINT)),
    finds: { version: 3, data: { found: 1, parts: 2 } },
  },
  "checkpoint-unreadable": [
    {
      harm: async (store) => store.put(CHECKPOINT, (await store.get(CHECKPOINT)).subarray(0, 500)),
      finds: { version: 2, path: CHECKPOINT, data: expect.objectContaining({ cause: "DELTA_PARQUET_UNREADABLE" }) },
    },
    {
      harm: (store) => store.put(JSON_CHECKPOINT, new TextEncoder().encode('{"checkpointMetadata":{"version":2}}')),
      finds: { version: 2, path: JSON_CHECKPOINT, data: expect.objectContaining({ cause: "DELTA_LOG_CORRUPT" }) },
    },
  ],
  "checkpoint-file-missing": {
    harm: async (store) => {
      const file = { ...(await lastAdd(store)), path: "part=x/forgotten.parquet" };
      await editCommit(store, 1, (actions) => [...actions, { add: file }]);
    },
    finds: { version: 2, path: "part=x/forgotten.parquet", data: { since: 1, checkpoint: CHECKPOINT } },
  },
  "checkpoint-file-extra": {
    harm: (store) =>
      editCommit(store, 1, (actions) =>
        actions.filter((action) => !("add" in action && action.add.partitionValues.part === "x")),
      ),
    finds: { version: 2, data: { checkpoint: CHECKPOINT } },
  },
  "checkpoint-file-differs": [
    {
      harm: (store) =>
        editAdds(store, 2, (file) => (file.partitionValues.part === "x" ? { ...file, size: file.size + 1 } : file)),
      finds: { version: 2, data: { fields: ["size"], since: 2, checkpoint: CHECKPOINT } },
    },
    {
      harm: (store) =>
        editAdds(store, 2, (file) =>
          file.partitionValues.part === "x" ? { ...file, tags: { a: "b" }, modificationTime: 1 } : file,
        ),
      finds: { version: 2, data: { fields: ["tags", "modificationTime"], since: 2, checkpoint: CHECKPOINT } },
    },
    {
      harm: (store) =>
        editAdds(store, 2, (file) =>
          file.partitionValues.part === "x" ? { ...file, stats: '{"numRecords":2}' } : file,
        ),
      finds: { version: 2, data: { fields: ["stats"], since: 2, checkpoint: CHECKPOINT } },
    },
  ],
  "checkpoint-file-repeated": {
    harm: async (store) => {
      for (const part of [1, 2]) await store.put(multiPartCheckpointPath(2, part, 2), await store.get(CHECKPOINT));
    },
    finds: { version: 2 },
    also: ["checkpoint-state-differs"],
  },
  "checkpoint-tombstone-missing": {
    table: (store) => withTombstone(store, 1000),
    harm: (store) =>
      editCommit(store, 2, (actions) =>
        actions.map((action) =>
          "remove" in action ? { remove: { ...action.remove, deletionTimestamp: runtime.now() } } : action,
        ),
      ),
    finds: { version: 2, severity: "warning", data: { since: 2, checkpoint: CHECKPOINT } },
  },
  "checkpoint-tombstone-extra": [
    {
      table: (store) => withTombstone(store, runtime.now()),
      harm: (store) =>
        editCommit(store, 2, (actions) =>
          actions.map((action) =>
            "remove" in action ? { remove: { ...action.remove, deletionTimestamp: 1 } } : action,
          ),
        ),
      finds: { version: 2 },
    },
    {
      table: (store) => withTombstone(store, runtime.now()),
      harm: (store) => editCommit(store, 2, () => [{ commitInfo: { timestamp: 1, operation: "TEST" } }]),
      finds: { version: 2 },
      also: ["checkpoint-file-missing"],
    },
  ],
  "checkpoint-state-differs": [
    {
      harm: (store) =>
        editCommit(store, 2, (actions) =>
          actions.map((action) => ("txn" in action ? { txn: { appId: "app", version: 9 } } : action)),
        ),
      finds: { version: 2, data: expect.objectContaining({ action: "txn", name: "app" }) },
    },
    {
      harm: (store) =>
        editCommit(store, 0, (actions) =>
          actions.map((action) =>
            "protocol" in action ? { protocol: { minReaderVersion: 1, minWriterVersion: 3 } } : action,
          ),
        ),
      finds: { version: 2, data: expect.objectContaining({ action: "protocol" }) },
    },
    {
      harm: (store) =>
        editCommit(store, 0, (actions) =>
          actions.map((action) =>
            "metaData" in action ? { metaData: { ...action.metaData, configuration: { a: "b" } } } : action,
          ),
        ),
      finds: { version: 2, data: expect.objectContaining({ action: "metaData" }) },
    },
    {
      harm: (store) =>
        editCommit(store, 1, (actions) => [
          ...actions,
          { domainMetadata: { domain: "d", configuration: "", removed: false } },
        ]),
      finds: { version: 2, data: expect.objectContaining({ action: "domainMetadata", name: "d" }) },
    },
  ],
  "last-checkpoint-malformed": [
    { harm: (store) => putText(store, LAST_CHECKPOINT_PATH, "{"), finds: { path: LAST_CHECKPOINT_PATH } },
    { harm: (store) => putText(store, LAST_CHECKPOINT_PATH, "null"), finds: { path: LAST_CHECKPOINT_PATH } },
    { harm: (store) => putText(store, LAST_CHECKPOINT_PATH, '{"size":1}'), finds: { path: LAST_CHECKPOINT_PATH } },
    {
      harm: (store) => putText(store, LAST_CHECKPOINT_PATH, '{"version":2,"size":6,"checksum":"00"}'),
      finds: { path: LAST_CHECKPOINT_PATH },
    },
  ],
  "last-checkpoint-dangling": {
    harm: (store) => lastCheckpoint(store, (hint) => ({ ...hint, version: 1 })),
    finds: { version: 1 },
  },
  "last-checkpoint-differs": [
    {
      harm: (store) => lastCheckpoint(store, (hint) => ({ ...hint, size: Number(hint.size) + 1 })),
      finds: { version: 2, data: { field: "size", expected: 7, found: 8 } },
    },
    {
      harm: (store) => lastCheckpoint(store, (hint) => ({ ...hint, numOfAddFiles: 5 })),
      finds: { version: 2, data: { field: "numOfAddFiles", expected: 4, found: 5 } },
    },
    {
      harm: (store) => lastCheckpoint(store, (hint) => ({ ...hint, sizeInBytes: 5 })),
      finds: { version: 2, data: expect.objectContaining({ field: "sizeInBytes", found: 5 }) },
    },
    {
      harm: (store) => lastCheckpoint(store, (hint) => ({ ...hint, parts: 2 })),
      finds: { version: 2, data: { field: "parts", expected: 1, found: 2 } },
    },
  ],
  "last-checkpoint-stale": {
    harm: async (store) => {
      const hint = await store.get(LAST_CHECKPOINT_PATH);
      await Table.open(store).checkpoint();
      await store.put(LAST_CHECKPOINT_PATH, hint);
    },
    finds: { version: 2, severity: "info", data: { newest: 3 } },
  },
  "checksum-malformed": {
    harm: (store) => putText(store, checksumPath(3), '{"numFiles":1}'),
    finds: { version: 3, severity: "warning", data: expect.objectContaining({ field: "tableSizeBytes" }) },
  },
  "checksum-differs": [
    differs("numFiles", (right) => ({ ...right, numFiles: 4 })),
    differs("tableSizeBytes", (right) => ({ ...right, tableSizeBytes: 4 })),
    differs("numMetadata", (right) => ({ ...right, numMetadata: 2 })),
    differs("txnId", (right) => ({ ...right, txnId: "another" })),
    differs("numDeletionVectorsOpt", (right) => ({ ...right, numDeletionVectorsOpt: 1 })),
    differs("numDeletedRecordsOpt", (right) => ({ ...right, numDeletedRecordsOpt: 1 })),
    differs("protocol", (right) => ({ ...right, protocol: { minReaderVersion: 1, minWriterVersion: 3 } })),
    differs("metaData", (right) => ({ ...right, metadata: { ...(right.metadata as object), id: "another" } })),
    differs("txn of app", (right) => ({ ...right, setTransactions: [] })),
    differs("domainMetadata of d", (right) => ({
      ...right,
      domainMetadata: [{ domain: "d", configuration: "", removed: false }],
    })),
    differs("fileSizeHistogram.fileCounts", (right) => ({
      ...right,
      fileSizeHistogram: { ...(right.fileSizeHistogram as object), fileCounts: [0, 4, 1] },
    })),
    differs("fileSizeHistogram.totalBytes", (right) => ({
      ...right,
      fileSizeHistogram: { ...(right.fileSizeHistogram as object), totalBytes: [1, 1, 1] },
    })),
    differs("deletedRecordCountsHistogramOpt", (right) => ({
      ...right,
      deletedRecordCountsHistogramOpt: { deletedRecordCounts: [4, 1, 0, 0, 0, 0, 0, 0, 0, 0] },
    })),
    differs("allFiles", (right) => ({ ...right, allFiles: (right.allFiles as object[]).slice(1) })),
    differs("allFiles", (right) => ({
      ...right,
      allFiles: (right.allFiles as object[]).map((file) => ({ ...file, size: 1 })),
    })),
  ],
} satisfies Damages;
