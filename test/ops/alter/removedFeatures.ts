import { type SchemaLiteral, Table } from "#src/index.js";
import { LOG_FOLDER } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";

/** The property that names the version before which versions are protected. */
export const BEFORE = "delta.requireCheckpointProtectionBeforeVersion";
export const DAY = 86_400_000;
/** What a protocol is that has nothing but the protection of older versions. */
export const PROTECTED = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["checkpointProtection"] };

export async function tableOf(
  schema: SchemaLiteral,
  properties: Record<string, string> = {},
  partitionBy: string[] = [],
) {
  const store = memoryStore();
  const table = Table.open(store);
  await table.create({ schema, properties, partitionBy });
  return { store, table };
}

export const protocolOf = async (store: ObjectStore) => (await loadSnapshot(store)).protocol;
export const metadataOf = async (store: ObjectStore) => (await loadSnapshot(store)).metadata;
/** The operations of the last versions, the newest last. */
export const operations = async (table: Table, limit: number) =>
  (await table.history({ limit })).map(({ operation }) => operation).reverse();

/** The commits that the log still has. */
export async function commits(store: ObjectStore): Promise<number[]> {
  const names = (await store.listNames(LOG_FOLDER)).map((path) => path.slice(LOG_FOLDER.length));
  return names.flatMap((name) => (/^\d{20}\.json$/.test(name) ? [Number(name.slice(0, 20))] : []));
}

/** The store, on which something is done before the put of each commit, which may fail instead. */
export function beforeClaims(store: ObjectStore, act: (commit: string) => Promise<unknown>): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name === "putIfAbsent") {
        return async (...given: Parameters<ObjectStore["putIfAbsent"]>) => {
          await act(Buffer.from(given[1]).toString());
          return target.putIfAbsent(...given);
        };
      }
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
