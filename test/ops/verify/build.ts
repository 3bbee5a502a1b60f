import { expect } from "vitest";
import { type Finding, type FindingCode, Table, type VerifyOptions, type VerifyReport } from "#src/index.js";
import type { Action, AddFile, CommitInfo, Metadata, Protocol } from "#src/log/actions.js";
import { parseCommit, serializeCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";

/** A way to damage a table, and what must be found of it. */
export interface Damage {
  /** Makes the table, sound as it is; {@link ordinaryTable} where it's left out. */
  readonly table?: (store: ObjectStore) => Promise<void>;
  readonly harm: (store: ObjectStore) => Promise<void>;
  /** What the finding must have. */
  readonly finds: Partial<Finding>;
  /** What the damage brings with it. */
  readonly also?: readonly FindingCode[];
  readonly options?: VerifyOptions;
}

export type Damages = Partial<Record<FindingCode, Damage | readonly Damage[]>>;

const LONG = "x".repeat(40);

/**
 * Versions: 0 creates it, 1 and 2 append two files each and set a `txn`, then comes a checkpoint of 2, 3 appends one file.
 * Partitioned by `part`; no column but `id` is without nulls.
 */
export async function ordinaryTable(store: ObjectStore): Promise<void> {
  const table = Table.open(store);
  await table.create({
    schema: { id: "long", name: "string", at: "timestamp", price: "double", part: "string" },
    partitionBy: ["part"],
  });
  const at = new Date("2024-01-31T12:00:00.123Z");
  await table.append(
    [
      { id: 1n, name: "a", at, price: 1.5, part: "x" },
      { id: 2n, name: null, at: null, price: Number.NaN, part: "y y" },
    ],
    { txn: { appId: "app", version: 1 } },
  );
  await table.append(
    [
      { id: 3n, name: LONG, at, price: -0, part: null },
      { id: 4n, name: "d", at, price: null, part: "x" },
    ],
    { txn: { appId: "app", version: 2 } },
  );
  await table.checkpoint();
  await table.append([
    { id: 5n, name: LONG, at, price: 5, part: "x" },
    { id: 6n, name: null, at: null, price: 6, part: "x" },
  ]);
}

/** The table, which was found to be sound, without its version checksums. */
export async function soundTable(build = ordinaryTable): Promise<ObjectStore> {
  const store = memoryStore();
  await build(store);
  const { findings } = await verify(store);
  expect(findings).toEqual([]);
  // Each damage would show in them too.
  for (const path of await store.listNames("_delta_log/")) if (path.endsWith(".crc")) await store.delete(path);
  return store;
}

export function verify(store: ObjectStore, options: VerifyOptions = {}): Promise<VerifyReport> {
  return Table.open(store).verify(options);
}

/** Replaces the actions of a commit. */
export async function editCommit(
  store: ObjectStore,
  version: number,
  edit: (actions: Action[]) => readonly Action[],
): Promise<void> {
  const actions = parseCommit(version, await store.get(commitPath(version)));
  await store.put(commitPath(version), serializeCommit(edit(actions)));
}

/** Replaces the adds of a commit. */
export function editAdds(store: ObjectStore, version: number, edit: (add: AddFile) => AddFile): Promise<void> {
  return editCommit(store, version, (actions) =>
    actions.map((action) => ("add" in action ? { add: edit(action.add) } : action)),
  );
}

/** Replaces the statistics of the file that version 3 adds. */
export function editStats(store: ObjectStore, edit: (stats: Stats) => unknown): Promise<void> {
  return editAdds(store, 3, (add) => ({ ...add, stats: JSON.stringify(edit(JSON.parse(add.stats!))) }));
}

export interface Stats {
  readonly numRecords: number;
  readonly minValues: Readonly<Record<string, unknown>>;
  readonly maxValues: Readonly<Record<string, unknown>>;
  readonly nullCount: Readonly<Record<string, unknown>>;
}

/** The adds of a commit. */
export async function addsOf(store: ObjectStore, version: number): Promise<AddFile[]> {
  const actions = parseCommit(version, await store.get(commitPath(version)));
  return actions.flatMap((action) => ("add" in action ? [action.add] : []));
}

/** The one add of version 3. */
export async function lastAdd(store: ObjectStore): Promise<AddFile> {
  return (await addsOf(store, 3))[0]!;
}

/** The newest metadata and protocol that commit 0 has. */
export async function metadataOf(store: ObjectStore): Promise<Metadata> {
  const actions = parseCommit(0, await store.get(commitPath(0)));
  return actions.flatMap((action) => ("metaData" in action ? [action.metaData] : []))[0]!;
}

export async function protocolOf(store: ObjectStore): Promise<Protocol> {
  const actions = parseCommit(0, await store.get(commitPath(0)));
  return actions.flatMap((action) => ("protocol" in action ? [action.protocol] : []))[0]!;
}

/** Appends a commit as version 4 of {@link ordinaryTable}. */
export async function commit(store: ObjectStore, ...actions: readonly Action[]): Promise<void> {
  await store.put(commitPath(4), serializeCommit(actions));
}

export function info(more: Partial<CommitInfo> = {}): Action {
  return { commitInfo: { timestamp: 1, operation: "TEST", ...more } };
}

/** Sets table metadata in version 4. */
export async function setMetadata(store: ObjectStore, edit: (metadata: Metadata) => Metadata): Promise<void> {
  await commit(store, info(), { metaData: edit(await metadataOf(store)) });
}

export function putText(store: ObjectStore, path: string, text: string): Promise<void> {
  return store.put(path, new TextEncoder().encode(text));
}
