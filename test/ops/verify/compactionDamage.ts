import { expect } from "vitest";
import type { Action } from "#src/log/actions.js";
import { parseCommit, serializeCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import type { ObjectStore } from "#src/storage/store.js";
import { add, metaData, PROTOCOL, remove } from "../../log/build.js";
import { addsOf, type Damages, info, lastAdd, ordinaryTable, putText } from "./build.js";

export const compactionPath = (first: number, last: number) =>
  `_delta_log/${String(first).padStart(20, "0")}.${String(last).padStart(20, "0")}.compacted.json`;

const [EARLY, LATE] = [compactionPath(1, 2), compactionPath(4, 5)];
const isAdd = (action: Action) => "add" in action;
const isRemove = (action: Action) => "remove" in action;

/** The ordinary table, its last file removed in version 4, a `txn` set in version 5, and compactions of 1 and 2, 4 and 5. */
export async function compactedTable(store: ObjectStore): Promise<void> {
  await ordinaryTable(store);
  const { path } = await lastAdd(store);
  const domain: Action = { domainMetadata: { domain: "d", configuration: "c", removed: true } };
  const txn: Action = { txn: { appId: "app", version: 3 } };
  const tombstone = remove(path, { deletionTimestamp: Date.now() });
  await store.put(commitPath(4), serializeCommit([info(), tombstone, domain, { txn: { appId: "app", version: 7 } }]));
  await store.put(commitPath(5), serializeCommit([info(), txn]));
  await store.put(LATE, serializeCommit([txn, tombstone, domain]));
  const adds = [...(await addsOf(store, 1)), ...(await addsOf(store, 2))].map((file) => ({ add: file }));
  await store.put(EARLY, serializeCommit([...adds, { txn: { appId: "app", version: 2 } }]));
}

const differs = (path: string, data: object, edit: (actions: Action[]) => readonly Action[]) => ({
  table: compactedTable,
  harm: async (store: ObjectStore) => {
    const actions = parseCommit(0, await store.get(path));
    await store.put(path, serializeCommit(edit(actions)));
  },
  finds: { version: path === EARLY ? 2 : 5, path, data: expect.objectContaining(data) },
});

/** Damage of log compactions. */
export const COMPACTION_DAMAGE = {
  "compaction-unreadable": {
    table: compactedTable,
    harm: (store) => putText(store, LATE, '{"txn":{"appId":"app","version":3}}\n{"rem'),
    finds: { version: 5, path: LATE, data: expect.objectContaining({ cause: "DELTA_LOG_CORRUPT", line: 2 }) },
  },
  "compaction-differs": [
    differs(EARLY, { action: "add", file: expect.stringContaining(".parquet"), since: 1 }, (all) =>
      all.filter((action, i) => i > 0 || !isAdd(action)),
    ),
    differs(EARLY, { action: "add", file: "x" }, (all) => [...all, add("x")]),
    differs(EARLY, { action: "add" }, (all) => [...all, all[0]!]),
    differs(EARLY, { action: "add", fields: ["size"] }, (all) =>
      all.map((action) => ("add" in action ? { add: { ...action.add, size: 1 } } : action)),
    ),
    differs(EARLY, { action: "remove", file: "x" }, (all) => [...all, remove("x")]),
    differs(EARLY, { action: "txn", name: "app", found: { appId: "app", version: 1 } }, (all) => [
      ...all.filter((action) => !("txn" in action)),
      { txn: { appId: "app", version: 1 } },
    ]),
    differs(EARLY, { action: "protocol", found: { minReaderVersion: 1, minWriterVersion: 2 } }, (all) => [
      ...all,
      PROTOCOL,
    ]),
    differs(EARLY, { action: "metaData" }, (all) => [...all, metaData()]),
    differs(LATE, { action: "remove", file: expect.stringContaining(".parquet"), since: 4 }, (all) =>
      all.filter((action) => !isRemove(action)),
    ),
    differs(LATE, { action: "remove", fields: ["deletionTimestamp"] }, (all) =>
      all.map((action) => ("remove" in action ? { remove: { ...action.remove, deletionTimestamp: 1 } } : action)),
    ),
    differs(LATE, { action: "remove" }, (all) => [...all, ...all.filter(isRemove)]),
    differs(LATE, { action: "txn", name: "app", found: undefined }, (all) =>
      all.filter((action) => !("txn" in action)),
    ),
    differs(LATE, { action: "domainMetadata", name: "d" }, (all) =>
      all.filter((action) => !("domainMetadata" in action)),
    ),
    differs(LATE, { action: "domainMetadata", name: "d" }, (all) =>
      all.map((action) =>
        "domainMetadata" in action ? { domainMetadata: { ...action.domainMetadata, removed: false } } : action,
      ),
    ),
  ],
} satisfies Damages;
