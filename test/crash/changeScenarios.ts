import fs from "node:fs";
import path from "node:path";
import { hasCode } from "#src/errors.js";
import type { Table } from "#src/index.js";
import type { InputRow } from "#src/write/input.js";
import { TABLE, type World } from "./world.js";

type Row = { id: bigint; part: string; n: number };

/** The copy that a table is cloned to, beside it. */
export const CLONE = "x/clone";

/** A change of a table that is there, and what must be true of it after a crash. */
export interface ChangeScenario {
  readonly name: string;
  readonly properties?: Readonly<Record<string, string>>;
  /** Makes what goes before from a table with the ids 0 to 5, in two files. */
  readonly before?: (table: Table<Row>, world: World) => Promise<unknown>;
  /** The change. Whoever isn't sure that it was done does it again. */
  readonly change: (table: Table<Row>, open: (name: string) => Table<Row>) => Promise<unknown>;
  /** The table that it makes or changes; `TABLE` where it's left out. */
  readonly of?: string;
  /** The ids that the table has before and after it; undefined where there is no table. */
  readonly ids: { readonly before: string | undefined; readonly after: string };
  /** What else tells whether it has been done. */
  readonly isDone?: (table: Table<Row>) => Promise<boolean>;
  /** Versions that can be read before, during and after it. */
  readonly versions?: readonly number[];
  /** How many days pass before it. */
  readonly days?: number;
  /** What verification may find after a crash: versions that have expired may be left in part. */
  readonly harmless?: readonly string[];
  /** Its files are named by where they are, so the disk has to be made anew in that place. */
  readonly inPlace?: boolean;
}

const VECTORS = { "delta.enableDeletionVectors": "true" };
const ALL = "0 1 2 3 4 5";

/** The removal of commits, checkpoints and sidecars may be lost for each alone; tombstones expired by a clock of the future. */
const CLEANED = ["history-gap", "checkpoint-unreadable", "checkpoint-tombstone-missing"];

const same = { before: ALL, after: ALL };

/** Where it may have been done. */
function unlessThere(call: () => Promise<unknown>): Promise<unknown> {
  return call().catch((error: unknown) => {
    if (!hasCode(error, "DELTA_PATH_EXISTS")) throw error;
  });
}

export const CHANGE_SCENARIOS: readonly ChangeScenario[] = [
  {
    name: "deletes rows by writing their files anew",
    change: (table) => table.delete({ id: { lt: 2n } }),
    ids: { before: ALL, after: "2 3 4 5" },
    versions: [1, 2],
  },
  {
    name: "deletes rows by deletion vectors, one of them in place of an older one",
    properties: VECTORS,
    before: (table) => table.delete({ id: 1n }),
    change: (table) => table.delete({ id: { gte: 2n }, n: 1 }),
    ids: { before: "0 2 3 4 5", after: "0 2 4" },
    versions: [1, 2, 3],
  },
  {
    name: "updates rows, and tells the changes",
    properties: { "delta.enableChangeDataFeed": "true", "delta.enableRowTracking": "true" },
    change: (table) => table.update({ set: { id: 9n }, where: { id: 3n } }),
    ids: { before: ALL, after: "0 1 2 4 5 9" },
    versions: [1, 2],
  },
  {
    name: "overwrites the rows of a condition",
    properties: VECTORS,
    change: (table) => table.overwrite([{ id: 7n, part: "c", n: 1 }], { where: { n: 1 } }),
    ids: { before: ALL, after: "0 2 4 7" },
    versions: [1, 2],
  },
  {
    name: "makes several changes one version",
    properties: { ...VECTORS, "delta.checkpointInterval": "3" },
    change: (table) =>
      table.transaction(
        async (tx) => {
          await tx.delete({ id: 0n });
          await tx.append([{ id: 8n, part: "c", n: 8 }]);
          await tx.update({ set: { n: 7 }, where: { id: 8n } });
        },
        { txn: { appId: "steps", version: 1 } },
      ),
    ids: { before: ALL, after: "1 2 3 4 5 8" },
    versions: [1, 2],
  },
  {
    name: "optimizes",
    properties: { "delta.enableRowTracking": "true" },
    change: (table) => table.optimize(),
    ids: same,
    isDone: async (table) => (await table.files()).length === 1,
    versions: [1, 2],
  },
  {
    name: "purges deletion vectors",
    properties: VECTORS,
    before: (table) => table.delete({ id: 1n }),
    change: (table) => table.optimize({ purge: true }),
    ids: { before: "0 2 3 4 5", after: "0 2 3 4 5" },
    isDone: async (table) => (await table.files()).every(({ deletionVector }) => !deletionVector),
    versions: [1, 2, 3],
  },
  {
    name: "restores a version",
    properties: VECTORS,
    before: async (table) => {
      await table.delete({ id: 1n });
      await table.overwrite([{ id: 6n, part: "a", n: 0 }]);
    },
    change: (table) => table.restore(2),
    ids: { before: "6", after: ALL },
    versions: [1, 2, 3, 4],
  },
  {
    name: "vacuums",
    properties: VECTORS,
    before: async (table) => {
      await table.delete({ id: 1n });
      await table.optimize({ purge: true });
    },
    days: 1,
    change: (table) => table.vacuum({ retentionHours: 0, enforceRetention: false }),
    ids: { before: "0 2 3 4 5", after: "0 2 3 4 5" },
  },
  {
    name: "compacts the log",
    properties: VECTORS,
    before: (table) => table.delete({ id: 1n }),
    change: (table) => table.compactLog(),
    ids: { before: "0 2 3 4 5", after: "0 2 3 4 5" },
    versions: [1, 2, 3],
  },
  {
    name: "checkpoints, and cleans the log up behind an older checkpoint",
    before: async (table) => {
      await table.delete({ id: 1n });
      await table.checkpoint();
      await table.append([{ id: 6n, part: "a", n: 0 }]);
    },
    days: 40,
    change: (table) => table.checkpoint(),
    ids: { before: "0 2 3 4 5 6", after: "0 2 3 4 5 6" },
    versions: [4],
    harmless: CLEANED,
  },
  {
    name: "writes a V2 checkpoint, and cleans the log up behind another one",
    properties: { ...VECTORS, "delta.checkpointPolicy": "v2" },
    before: async (table) => {
      await table.checkpoint();
      await table.delete({ id: 1n });
    },
    days: 40,
    change: (table) => table.checkpoint(),
    ids: { before: "0 2 3 4 5", after: "0 2 3 4 5" },
    versions: [3],
    harmless: CLEANED,
  },
  {
    name: "alters the table: adds a column",
    change: async (table) => {
      const { fields } = await table.schema();
      if (!fields.some(({ name }) => name === "more")) await table.alter.addColumns({ more: "double" });
    },
    ids: same,
    isDone: async (table) => (await table.schema()).fields.length === 4,
    versions: [1, 2],
  },
  {
    name: "alters the table: turns deletion vectors on",
    change: (table) => table.alter.setProperties({ "delta.enableDeletionVectors": "true" }),
    ids: same,
    isDone: async (table) => (await table.detail()).properties["delta.enableDeletionVectors"] === "true",
    versions: [1, 2],
  },
  {
    name: "alters the table: turns row tracking on, in several versions",
    change: (table) => table.alter.setProperties({ "delta.enableRowTracking": "true" }),
    ids: same,
    isDone: async (table) => (await table.detail()).properties["delta.enableRowTracking"] === "true",
    versions: [1, 2],
  },
  {
    name: "clones the table, with its files",
    of: CLONE,
    properties: VECTORS,
    before: (table) => table.delete({ id: 1n }),
    change: (table, open) => unlessThere(() => table.clone(open(CLONE) as unknown as Table)),
    ids: { before: undefined, after: "0 2 3 4 5" },
  },
  {
    name: "clones the table without its files",
    of: CLONE,
    inPlace: true,
    change: (table, open) => unlessThere(() => table.clone(open(CLONE) as unknown as Table, { shallow: true })),
    ids: { before: undefined, after: ALL },
  },
  {
    name: "makes a folder of Parquet files a table",
    before: async (_table, world) => {
      fs.rmSync(path.join(world.root, TABLE, "_delta_log"), { recursive: true });
    },
    change: (table) => unlessThere(() => table.convert()),
    ids: { before: undefined, after: ALL },
  },
];

export function rowsOf(...ids: readonly number[]): InputRow<Row>[] {
  return ids.map((id) => ({ id: BigInt(id), part: id < 3 ? "a" : "b", n: id % 2 }));
}
