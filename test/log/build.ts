import type { Action, AddFile, RemoveFile } from "#src/log/actions.js";
import { serializeCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import type { Snapshot } from "#src/log/snapshot.js";
import type { ObjectStore } from "#src/storage/store.js";

const SCHEMA_STRING = JSON.stringify({
  type: "struct",
  fields: [{ name: "id", type: "long", nullable: true, metadata: {} }],
});

export const PROTOCOL: Action = { protocol: { minReaderVersion: 1, minWriterVersion: 2 } };

export function metaData(configuration: Record<string, string> = {}, schemaString = SCHEMA_STRING): Action {
  return {
    metaData: {
      id: "5fba94ed-9794-4965-ba6e-6ee3c0d22af9",
      format: { provider: "parquet", options: {} },
      schemaString,
      partitionColumns: [],
      configuration,
      createdTime: 1,
    },
  };
}

export function add(path: string, more: Partial<AddFile> = {}): Action {
  return { add: { path, partitionValues: {}, size: 10, modificationTime: 1000, dataChange: true, ...more } };
}

export function remove(path: string, more: Partial<RemoveFile> = {}): Action {
  return { remove: { path, deletionTimestamp: 2000, dataChange: true, ...more } };
}

export function commitInfo(txnId: string, operation = "WRITE"): Action {
  return { commitInfo: { timestamp: 1, operation, txnId } };
}

/** Writes a commit as another writer would: without asking whether one is there. */
export async function putCommit(store: ObjectStore, version: number, ...actions: Action[]): Promise<void> {
  await store.put(commitPath(version), serializeCommit(actions));
}

/** A table with its protocol and metadata in version 0, and one version for each list of actions after that. */
export async function putTable(store: ObjectStore, ...commits: Action[][]): Promise<void> {
  await putCommit(store, 0, PROTOCOL, metaData());
  for (const [index, actions] of commits.entries()) await putCommit(store, index + 1, ...actions);
}

/** The live files' paths as the log spells them, sorted. */
export async function livePaths(snapshot: Snapshot): Promise<string[]> {
  return pathsOf(snapshot.fileBatches({ columns: ["path"] }));
}

export async function tombstonePaths(snapshot: Snapshot): Promise<string[]> {
  return pathsOf(snapshot.tombstoneBatches());
}

async function pathsOf(batches: ReturnType<Snapshot["fileBatches"]>): Promise<string[]> {
  const paths: string[] = [];
  for await (const batch of batches) for (const path of batch.getChild("path")!) paths.push(path);
  return paths.sort();
}

/** The live files as plain objects, sorted by path; null fields left out, int64 as number. */
export async function liveFiles(snapshot: Snapshot): Promise<Record<string, unknown>[]> {
  const files: Record<string, unknown>[] = [];
  for await (const batch of snapshot.fileBatches()) {
    for (let row = 0; row < batch.numRows; row++) {
      const entries = batch.schema.fields.map(({ name }) => [name, plain(batch.getChild(name)!.get(row))] as const);
      files.push(Object.fromEntries(entries.filter(([, value]) => value !== null)));
    }
  }
  return files.sort((a, b) => (String(a.path) < String(b.path) ? -1 : 1));
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries((value as { toJSON(): object }).toJSON());
  return Object.fromEntries(entries.map(([key, member]) => [key, plain(member)]));
}
