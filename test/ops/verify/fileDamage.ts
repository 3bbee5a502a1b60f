import { expect } from "vitest";
import type { DeletionVectorDescriptor } from "#src/log/actions.js";
import { decodePath } from "#src/log/paths.js";
import type { ObjectStore } from "#src/storage/store.js";
import { inlineVector, putVectors } from "../../log/deletionVectorBytes.js";
import {
  type Damage,
  type Damages,
  editAdds,
  editStats,
  lastAdd,
  ordinaryTable,
  putText,
  type Stats,
  setMetadata,
} from "./build.js";

const UUID = "9b2b0a3c-1111-4222-8333-444455556666";

async function lastPath(store: ObjectStore): Promise<string> {
  return decodePath((await lastAdd(store)).path);
}

const inStats = (column: string, edit: (stats: Stats) => unknown, data: unknown): Damage => ({
  harm: (store) => editStats(store, edit),
  finds: { version: 3, column, data: data as Record<string, unknown> },
});

const withType = (column: string, from: string, to: string) => (store: ObjectStore) =>
  setMetadata(store, (metadata) => ({
    ...metadata,
    schemaString: metadata.schemaString.replace(`"${column}","type":"${from}"`, `"${column}","type":"${to}"`),
  }));

/** The ordinary table, the second of its last file's rows removed by a vector in a file. */
export async function withVector(store: ObjectStore): Promise<void> {
  await ordinaryTable(store);
  const [vector] = await putVectors(store, UUID, [[1]]);
  await setVector(store, vector!);
}

/** Its statistics say what they did before rows were deleted. */
async function setVector(store: ObjectStore, deletionVector: DeletionVectorDescriptor): Promise<void> {
  await editAdds(store, 3, (file) => ({ ...file, deletionVector }));
  await editStats(store, (stats) => ({ ...stats, tightBounds: false }));
}

const VECTOR_FILE = `deletion_vector_${UUID}.bin`;

/** Damage of data files, statistics, values and deletion vectors. */
export const FILE_DAMAGE = {
  "file-missing": { harm: async (store) => store.delete(await lastPath(store)), finds: { version: 3 } },
  "file-size": {
    harm: (store) => editAdds(store, 3, (file) => ({ ...file, size: file.size + 1 })),
    finds: { version: 3 },
    options: { depth: "files" },
  },
  "file-unreadable": [
    {
      harm: async (store) => {
        const path = await lastPath(store);
        await store.put(path, (await store.get(path)).fill(0, -20));
      },
      finds: { version: 3 },
      options: { depth: "files" },
    },
    {
      harm: async (store) => {
        const path = await lastPath(store);
        await store.put(path, (await store.get(path)).fill(255, 4, 300));
      },
      finds: { version: 3 },
    },
  ],
  "file-row-count": {
    harm: (store) => editStats(store, (stats) => ({ ...stats, numRecords: 3 })),
    finds: { version: 3, data: { rowCount: 2, numRecords: 3 } },
    options: { depth: "files" },
  },
  "file-schema": [
    {
      harm: withType("name", "string", "long"),
      finds: { version: 4, column: "name", data: { type: "long" } },
      options: { depth: "files" },
    },
    { harm: withType("price", "double", "float"), finds: { version: 4, column: "price", data: { type: "float" } } },
  ],
  "file-outside": {
    harm: (store) => editAdds(store, 3, (file) => ({ ...file, path: "../elsewhere.parquet" })),
    finds: { version: 3, path: "../elsewhere.parquet" },
    also: ["orphan-file"],
  },
  "file-repeated": {
    // Nothing says so in the commits: the one that adds the file is older than the checkpoint.
    table: withVector,
    harm: async (store) => {
      const file = await lastAdd(store);
      const { deletionVector: _, ...bare } = file;
      await putText(
        store,
        "_delta_log/00000000000000000004.json",
        `${JSON.stringify({ add: { ...bare, dataChange: false, stats: undefined } })}\n`,
      );
    },
    finds: { version: 4 },
    also: ["add-live-with-other-vector"],
  },
  "orphan-file": [
    {
      harm: (store) => putText(store, "part=x/stray.parquet", "12345"),
      finds: { path: "part=x/stray.parquet", severity: "info", data: expect.objectContaining({ sizeBytes: 5 }) },
    },
    {
      harm: (store) => putText(store, "_change_data/cdc-1.parquet", "1"),
      finds: { path: "_change_data/cdc-1.parquet" },
    },
  ],
  "stats-malformed": {
    harm: (store) => editAdds(store, 3, (file) => ({ ...file, stats: "{" })),
    finds: { version: 3 },
    options: { depth: "files" },
  },
  "stats-min": [
    inStats("id", (stats) => ({ ...stats, minValues: { ...stats.minValues, id: 6 } }), {
      row: 0,
      bound: 6n,
      value: 5n,
    }),
    inStats("name", (stats) => ({ ...stats, minValues: { name: "y" } }), expect.objectContaining({ bound: "y" })),
    inStats("price", (stats) => ({ ...stats, minValues: { price: 5.5 } }), { row: 0, bound: 5.5, value: 5 }),
  ],
  "stats-max": [
    inStats("id", (stats) => ({ ...stats, maxValues: { ...stats.maxValues, id: 5 } }), {
      row: 1,
      bound: 5n,
      value: 6n,
    }),
    inStats(
      "at",
      (stats) => ({ ...stats, maxValues: { at: "2024-01-31T12:00:00.121Z" } }),
      expect.objectContaining({ row: 0 }),
    ),
    inStats(
      "name",
      (stats) => ({ ...stats, maxValues: { name: "x".repeat(31) } }),
      expect.objectContaining({ row: 0 }),
    ),
  ],
  "stats-max-cut": inStats("name", (stats) => ({ ...stats, maxValues: { name: "x".repeat(32) } }), {
    row: 0,
    bound: "x".repeat(32),
  }),
  "stats-null-count": [
    inStats("name", (stats) => ({ ...stats, nullCount: { ...stats.nullCount, name: 0 } }), {
      nullCount: 0,
      nulls: 1,
      tightBounds: true,
    }),
    {
      table: withVector,
      harm: (store) => editStats(store, (stats) => ({ ...stats, nullCount: { name: 2 } })),
      finds: { column: "name", data: { nullCount: 2, nulls: 0, tightBounds: false } },
    },
  ],
  "stats-bound-unreadable": {
    ...inStats("id", (stats) => ({ ...stats, maxValues: { id: "six" } }), { part: "maxValues", value: "six" }),
    options: { depth: "files" },
  },
  "stats-partition-column": inStats("part", (stats) => ({ ...stats, minValues: { part: "x" } }), { part: "minValues" }),
  "null-in-required-column": {
    harm: (store) =>
      setMetadata(store, (metadata) => ({
        ...metadata,
        schemaString: metadata.schemaString.replace(
          '"name":"name","type":"string","nullable":true',
          '"name":"name","type":"string","nullable":false',
        ),
      })),
    finds: { version: 4, column: "name", data: expect.objectContaining({ row: expect.any(Number) }) },
  },
  "vector-missing": { table: withVector, harm: (store) => store.delete(VECTOR_FILE), finds: { version: 3 } },
  "vector-unreadable": [
    { table: withVector, harm: (store) => putText(store, VECTOR_FILE, "\u0001abc"), finds: { version: 3 } },
    {
      table: withVector,
      harm: (store) => setVector(store, { ...inlineVector([1]), pathOrInlineDv: "0rr910rr91", sizeInBytes: 8 }),
      finds: { version: 3 },
      also: ["orphan-file"],
    },
  ],
  "vector-checksum": {
    table: withVector,
    harm: async (store) => {
      const bytes = await store.get(VECTOR_FILE);
      await store.put(VECTOR_FILE, bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1));
    },
    finds: { version: 3 },
  },
  "vector-cardinality": {
    table: withVector,
    harm: async (store) => setVector(store, { ...(await lastAdd(store)).deletionVector!, cardinality: 2 }),
    finds: { version: 3, data: expect.objectContaining({ cardinality: 2, found: 1 }) },
  },
  "vector-out-of-range": {
    harm: (store) => setVector(store, inlineVector([0, 2])),
    finds: { version: 3, data: expect.objectContaining({ last: 2, rowCount: 2 }) },
    options: { depth: "files" },
  },
  "vector-without-row-count": {
    harm: async (store) => {
      await setVector(store, inlineVector([1]));
      await editAdds(store, 3, ({ stats: _, ...file }) => file);
    },
    finds: { version: 3 },
  },
} satisfies Damages;
