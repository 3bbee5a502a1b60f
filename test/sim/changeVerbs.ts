import type { WhereOption } from "#src/ops/where.js";
import { newestAt, supersededMs, type Value } from "./history.js";
import { type Change, spell, type Where } from "./model.js";
import type { SimRow, Stage, Verb } from "./verbs.js";
import type { World } from "./world.js";

/** Rows have an `n` below this. */
const VALUES = 6;
const HOUR_MS = 3_600_000;
/** A version that was the newest within this time has all its files, however wrong clocks are. */
const SAFE_MS = HOUR_MS;

/** Which rows a call means, by its number. */
function whereOf(pick: number): Where | undefined {
  const n = Math.floor(pick / 10) % VALUES;
  const is = (["eq", "eq", "eq", "eq", "lt", "lt", "gte", "gte", "eq", undefined] as const)[pick % 10];
  return is === undefined ? undefined : { is, n };
}

function whereOption(where: Where | undefined): WhereOption<SimRow> | undefined {
  if (where === undefined) return undefined;
  const n = BigInt(where.n);
  return where.is === "eq" ? { n } : where.is === "lt" ? { n: { lt: n } } : { n: { gte: n } };
}

type Insert = Extract<Change, { kind: "insert" }>;

/** Neighbours, so that files have narrow statistics. */
function inserted(pick: number, ids: readonly string[]): Insert {
  const base = Math.floor(pick / 7) % (VALUES - 1);
  return { kind: "insert", rows: ids.map((id, i) => ({ id, n: base + (i % 2) })) };
}

function insertedAs(n: number, ids: readonly string[]): Insert {
  return { kind: "insert", rows: ids.map((id) => ({ id, n })) };
}

function rowsOf({ rows }: Insert): SimRow[] {
  return rows.map(({ id, n }) => ({ id, n: BigInt(n) }));
}

const spelled = (rows: readonly SimRow[]) => rows.map(spell);

interface Changed {
  readonly version: number | undefined;
  readonly skipped?: boolean;
}

function changed({ version, skipped = false }: Changed, count?: number): Value {
  return version === undefined ? { kind: "none" } : { kind: "change", version, skipped, count };
}

const CONFLICTS = [
  "DELTA_CONCURRENT_APPEND",
  "DELTA_CONCURRENT_DELETE_READ",
  "DELTA_CONCURRENT_DELETE_DELETE",
] as const;

/** Two applications: one of the client's own, and one that all clients run at once. */
const once = (pick: number, _world: World, client: number) => ({
  txn: { appId: pick % 2 === 0 ? `app${client}` : "shared", version: 1 + (Math.floor(pick / 2) % 6) },
});

const none = { weight: 0, jobWeight: 0 } as const;

async function remove({ table }: Stage, { id, changes, txn }: Parameters<Verb["run"]>[1]): Promise<Value> {
  const [{ where }] = changes as [Extract<Change, { kind: "delete" }>];
  const result = await table.delete(whereOption(where), { userMetadata: id, txn });
  return changed(result, result.deletedRowCount);
}

async function wait({ world, life }: Stage, ms: number): Promise<void> {
  await new Promise<void>((resolve) => world.scheduler.after(ms, life, "step", () => resolve()));
}

/** The verbs of schedules that change rows, beside those that append and read. */
export const CHANGE_VERBS = {
  insert: {
    ...none,
    changeWeight: 8,
    rowCount: (pick) => 1 + (pick % 6),
    changes: (pick, ids) => [inserted(pick, ids)],
    run: async ({ table }, { id, changes }) => {
      const result = await table.append(rowsOf(changes![0] as Insert), { userMetadata: id });
      return changed(result, result.rowCount);
    },
  },
  delete: {
    ...none,
    changeWeight: 6,
    rivalry: CONFLICTS,
    changes: (pick) => [{ kind: "delete", where: whereOf(pick) }],
    run: remove,
  },
  deleteOnce: {
    ...none,
    changeWeight: 2,
    rivalry: [...CONFLICTS, "DELTA_CONCURRENT_TRANSACTION"],
    ask: once,
    changes: (pick) => [{ kind: "delete", where: whereOf(pick) }],
    run: remove,
  },
  update: {
    ...none,
    changeWeight: 5,
    rivalry: CONFLICTS,
    changes: (pick) => [{ kind: "update", where: whereOf(pick), n: pick % VALUES }],
    run: async ({ table }, { id, changes }) => {
      const [{ where, n }] = changes as [Extract<Change, { kind: "update" }>];
      const rows = whereOption(where);
      const result = await table.update({
        set: { n: BigInt(n) },
        ...(rows === undefined ? {} : { where: rows }),
        userMetadata: id,
      });
      return changed(result, result.updatedRowCount);
    },
  },
  overwriteWhere: {
    ...none,
    changeWeight: 3,
    rivalry: CONFLICTS,
    rowCount: (pick) => pick % 4,
    changes: (pick, ids) => {
      const n = pick % VALUES;
      return [{ kind: "delete", where: { is: "eq", n } }, insertedAs(n, ids)];
    },
    run: async ({ table }, { id, changes }) => {
      const [gone, rows] = changes as [Extract<Change, { kind: "delete" }>, Insert];
      const where = whereOption(gone.where)!;
      return changed(await table.overwrite(rowsOf(rows), { where, schema: SIM_SCHEMA, userMetadata: id }));
    },
  },
  overwrite: {
    ...none,
    changeWeight: 1,
    rivalry: CONFLICTS,
    rowCount: (pick) => 1 + (pick % 4),
    changes: (pick, ids) => [{ kind: "delete", where: undefined }, inserted(pick, ids)],
    run: async ({ table }, { id, changes }) =>
      changed(await table.overwrite(rowsOf(changes![1] as Insert), { userMetadata: id })),
  },
  transaction: {
    ...none,
    changeWeight: 3,
    rivalry: CONFLICTS,
    rowCount: (pick) => 2 + (pick % 3),
    changes: (pick, ids) => {
      const where = whereOf(pick);
      const parts: Change[] = [
        { kind: "delete", where },
        inserted(pick, ids),
        { kind: "update", where: { is: "gte", n: pick % VALUES }, n: (pick + 1) % VALUES },
      ];
      return pick % 3 === 0 ? parts.slice(0, 2) : pick % 3 === 1 ? parts.toReversed() : parts;
    },
    run: async ({ table }, { id, changes }) => {
      const result = await table.transaction(
        async (tx) => {
          for (const change of changes ?? []) {
            if (change.kind === "insert") await tx.append(rowsOf(change));
            else if (change.kind === "delete") await tx.delete(whereOption(change.where));
            else if (change.kind === "update")
              await tx.update({ set: { n: BigInt(change.n) }, where: whereOption(change.where)! });
          }
        },
        { userMetadata: id },
      );
      return changed(result);
    },
  },
  optimize: {
    ...none,
    changeWeight: 4,
    rivalry: CONFLICTS,
    changes: () => [],
    run: async ({ table, isPartitioned }, { id, asked }) => {
      const pick = asked.version!;
      const zOrderBy = isPartitioned ? (["id"] as const) : (["n"] as const);
      const options = pick % 4 === 0 ? { zOrderBy } : pick % 4 === 1 ? { purge: true } : {};
      return changed(await table.optimize({ ...options, userMetadata: id }));
    },
    ask: (pick) => ({ asked: { version: pick } }),
  },
  vacuum: {
    ...none,
    changeWeight: 4,
    commitsOften: true,
    changes: () => [],
    run: async ({ table }, { id, asked }) => {
      await table.vacuum({ userMetadata: id, lite: asked.version! % 3 === 0 });
      return { kind: "none" };
    },
    ask: (pick) => ({ asked: { version: pick } }),
  },
  restore: {
    ...none,
    changeWeight: 2,
    rivalry: CONFLICTS,
    ask: (pick, world) => {
      const newest = newestAt(world, world.step);
      // Of an older version, a vacuum under way may just be deleting the files.
      const reaches =
        pick % 4 === 0 && !world.operations.some(({ verb, end }) => verb === "vacuum" && end === undefined);
      const isSafe = (version: number) => reaches || supersededMs(world, version) > world.scheduler.nowMs - SAFE_MS;
      const versions = Array.from({ length: newest }, (_, version) => version).filter(isSafe);
      return { asked: { version: versions[pick % Math.max(1, versions.length)] ?? newest } };
    },
    changes: (_pick, _ids, asked) => [{ kind: "restore", version: asked.version! }],
    run: async ({ table }, { id, asked }) => changed(await table.restore(asked.version!, { userMetadata: id })),
  },
  compactLog: {
    ...none,
    changeWeight: 3,
    run: async ({ table }, { asked }) => {
      const newest = await table.version();
      const from = asked.version! % (newest + 1);
      const range = asked.version! % 3 === 0 ? {} : { from, to: Math.min(newest, from + 4) };
      await table.compactLog(range);
      return { kind: "none" };
    },
    ask: (pick) => ({ asked: { version: pick } }),
  },
  readTwice: {
    ...none,
    changeWeight: 3,
    ask: (pick) => ({ asked: { waitMs: pick * 3_600 } }),
    run: async (stage, { asked }) => {
      const version = await stage.table.version();
      const then = stage.table.at(version);
      const first = spelled(await then.toArray());
      await wait(stage, asked.waitMs!);
      const ids = spelled(await then.toArray());
      if (ids.sort().join(" ") !== first.sort().join(" "))
        return { kind: "rows", ids: ["other rows", ...ids], version };
      return { kind: "rows", ids, version };
    },
  },
  readAgo: {
    ...none,
    changeWeight: 2,
    ask: (pick, world) => ({ asked: { timestampMs: world.scheduler.nowMs - pick * 180_000 } }),
    run: async ({ table }, { asked }) => ({
      kind: "rows",
      ids: spelled(await table.at(new Date(asked.timestampMs!)).toArray()),
    }),
  },
} as const satisfies Record<string, Verb>;

export const SIM_SCHEMA = { id: "string", n: "long" } as const;
