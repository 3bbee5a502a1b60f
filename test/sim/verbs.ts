import type { Table } from "#src/index.js";
import { type CommitRecord, liveFiles, newestAt, type Operation, removedFiles, type Value } from "./history.js";
import type { Life } from "./scheduler.js";
import type { World } from "./world.js";

/** A row of the tables that are simulated. */
export interface SimRow {
  readonly id: string;
  readonly n: bigint;
}

/** What a plan says of a call: the verb and a number from 0 to 999 that picks among its variants. */
export interface Call {
  readonly verb: VerbName;
  readonly pick: number;
}

/** What a verb works with. */
export interface Stage {
  readonly world: World;
  readonly life: Life;
  readonly table: Table<SimRow>;
  readonly properties: Readonly<Record<string, string>>;
}

interface Verb {
  /** How often plans call it, beside the others. */
  readonly weight: number;
  /** What the call asks for; it goes into the history. */
  readonly ask?: (pick: number, world: World, client: number) => Partial<Pick<Operation, "txn" | "asked">>;
  /** How many rows it appends. */
  readonly rowCount?: (pick: number) => number;
  readonly run: (stage: Stage, operation: Operation) => Promise<Value>;
}

const idsOf = (rows: readonly SimRow[]) => rows.map(({ id }) => id);

async function append({ table, properties }: Stage, { id, rowIds, txn }: Operation): Promise<Value> {
  const rows = rowIds.map((rowId, index) => ({ id: rowId, n: BigInt(index) }));
  const result = await table.append(rows, {
    schema: { id: "string", n: "long" },
    properties,
    userMetadata: id,
    ...(txn === undefined ? {} : { txn }),
  });
  return { kind: "append", version: result.version, rowCount: result.rowCount, skipped: result.skipped };
}

/** What another engine does to the table, at one stroke. */
function foreignCommit(
  { world, life }: Stage,
  actionOf: (log: readonly CommitRecord[], newest: number) => object,
): Value {
  const newest = newestAt(world, world.step);
  if (newest < 0) return { kind: "none" };
  const action = actionOf(
    world.commits.filter(({ undoneAt }) => undoneAt === undefined),
    newest,
  );
  const txnId = world.chanceOf(life).uuid();
  const lines = [{ commitInfo: { timestamp: 1, operation: "FOREIGN", txnId, userMetadata: "foreign" } }, action];
  const path = `_delta_log/${String(newest + 1).padStart(20, "0")}.json`;
  const bytes = new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  world.note(life, `foreign ${path}`);
  world.disk.flush(world.land(path, bytes));
  return { kind: "none" };
}

/** The verbs that clients call. A new verb of the product is a row here and, where it changes rows, of the model. */
export const VERBS = {
  append: { weight: 6, rowCount: (pick) => 1 + (pick % 3), run: append },
  appendOnce: {
    weight: 4,
    rowCount: (pick) => 1 + (pick % 3),
    // Two applications: one of the client's own, and one that all clients run at once.
    ask: (pick, _world, client) => ({
      txn: { appId: pick % 2 === 0 ? `app${client}` : "shared", version: 1 + (Math.floor(pick / 2) % 4) },
    }),
    run: append,
  },
  read: { weight: 3, run: async ({ table }) => ({ kind: "rows", ids: idsOf(await table.toArray()) }) },
  count: { weight: 2, run: async ({ table }) => ({ kind: "count", count: await table.count() }) },
  version: { weight: 1, run: async ({ table }) => ({ kind: "version", version: await table.version() }) },
  files: {
    weight: 2,
    run: async ({ table }) => ({ kind: "files", paths: (await table.files()).map(({ path }) => path) }),
  },
  history: {
    weight: 1,
    run: async ({ table }) => ({
      kind: "history",
      commits: (await table.history()).map(({ version, txnId, userMetadata }) => ({ version, txnId, userMetadata })),
    }),
  },
  readVersion: {
    weight: 2,
    ask: (pick, world) => ({ asked: { version: pick % (newestAt(world, world.step) + 3) } }),
    run: async ({ table }, { asked }) => ({ kind: "rows", ids: idsOf(await table.at(asked.version!).toArray()) }),
  },
  readTime: {
    weight: 1,
    ask: (pick, world) => ({ asked: { timestampMs: world.scheduler.nowMs - pick } }),
    run: async ({ table }, { asked }) => ({
      kind: "version",
      version: await table.at(new Date(asked.timestampMs!)).version(),
    }),
  },
  checkpoint: {
    weight: 2,
    run: async ({ table }) => ({ kind: "version", version: (await table.checkpoint()).version }),
  },
  foreignRemove: {
    weight: 1,
    run: async (stage, { asked }) =>
      foreignCommit(stage, (log, newest) => {
        const live = [...liveFiles(log, newest).keys()];
        if (live.length === 0) return { txn: { appId: "foreign", version: newest } };
        const path = live[(asked.version ?? 0) % live.length];
        return { remove: { path, deletionTimestamp: Math.floor(stage.world.scheduler.nowMs), dataChange: true } };
      }),
    ask: (pick) => ({ asked: { version: pick } }),
  },
  foreignRestore: {
    weight: 1,
    run: async (stage) =>
      foreignCommit(stage, (log, newest) => {
        const [path] = removedFiles(log, newest);
        const add = log.flatMap(({ actions }) => actions).find((action) => "add" in action && action.add.path === path);
        return add ?? { txn: { appId: "foreign", version: newest } };
      }),
  },
} as const satisfies Record<string, Verb>;

export type VerbName = keyof typeof VERBS;

/** A verb's row, whichever it is. */
export function verbOf(name: VerbName): Verb {
  return VERBS[name];
}
