import { Table } from "#src/index.js";
import { load } from "#src/load/load.js";
import { storeBelow } from "#src/storage/below.js";
import type { ObjectStore } from "#src/storage/store.js";
import { streamedLog } from "#src/stream/stream.js";
import { CHANGE_VERBS, SIM_SCHEMA } from "./changeVerbs.js";
import { type CommitRecord, liveFiles, logAt, newestAt, type Operation, removedFiles, type Value } from "./history.js";
import { BATCH_BYTES, COPY, grown, LOAD_JOB, QUEUE_JOB, queueRow, SOURCE, STREAM, simulatedSource } from "./jobs.js";
import { type Change, spell } from "./model.js";
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
  readonly store: ObjectStore;
  readonly table: Table<SimRow>;
  readonly properties: Readonly<Record<string, string>>;
  /** Whether rows are changed, so that what they are is told too. */
  readonly tellsValues: boolean;
  readonly isPartitioned: boolean;
}

export interface Verb {
  /** How often plans call it, beside the others: those of one table, those of jobs, and those of changes. */
  readonly weight: number;
  readonly jobWeight: number;
  readonly changeWeight?: number;
  /** True where it commits rows that aren't the operation's own. */
  readonly commits?: boolean;
  /** True where it leaves several commits that change no rows. */
  readonly commitsOften?: boolean;
  /** Codes of errors for which another call of the verb, under way or before, is a reason. */
  readonly rivalry?: readonly string[];
  /** What the call asks for; it goes into the history. */
  readonly ask?: (pick: number, world: World, client: number) => Partial<Pick<Operation, "txn" | "asked">>;
  /** How many rows it appends. */
  readonly rowCount?: (pick: number) => number;
  /** What it does to rows, where that isn't to append its own. */
  readonly changes?: (pick: number, rowIds: readonly string[], asked: Operation["asked"]) => readonly Change[];
  readonly run: (stage: Stage, operation: Operation) => Promise<Value>;
}

const idsOf = ({ tellsValues }: Stage, rows: readonly SimRow[]) =>
  rows.map((row) => (tellsValues ? spell(row) : row.id));

const SCHEMA = SIM_SCHEMA;

/** A run of the load, to its end. */
async function runLoad({ table, store, properties }: Stage): Promise<Value> {
  const options = { job: LOAD_JOB, schema: SCHEMA, properties, batchBytes: BATCH_BYTES };
  const { batches, isUpToDate } = await load(table[streamedLog], SOURCE, options, simulatedSource(store));
  return { kind: "job", batches, isAtEnd: isUpToDate };
}

/** A step of the job that keeps its own offset: how many rows it has appended. */
async function step({ table, properties }: Stage, operation: Operation): Promise<Value> {
  const job = table.checkpointed(QUEUE_JOB);
  const offset = Number((await job.offset()) ?? 0);
  operation.rowIds = operation.rowIds.map((_, index) => queueRow(offset + index));
  const rows = operation.rowIds.map((id, index) => ({ id, n: BigInt(offset + index) }));
  const { version, rowCount, skipped } = await job.append(rows, {
    offset: offset + rows.length,
    schema: SCHEMA,
    properties,
    userMetadata: operation.id,
  });
  return { kind: "append", version, rowCount, skipped };
}

/** A run of the stream that copies what is added to the table, until it has all that was there. */
async function runStream({ table, store, properties }: Stage): Promise<Value> {
  const { batchCount } = await table
    .stream({ startingVersion: 0, maxFilesPerTrigger: 2, ignoreDeletes: true })
    .toTable(Table.open(storeBelow(store, COPY)), { checkpoint: storeBelow(store, STREAM), properties });
  return { kind: "job", batches: batchCount, isAtEnd: batchCount === 0 };
}

async function append({ table, properties }: Stage, { id, rowIds, txn }: Operation): Promise<Value> {
  const rows = rowIds.map((rowId, index) => ({ id: rowId, n: BigInt(index) }));
  const result = await table.append(rows, {
    schema: SCHEMA,
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
  const action = actionOf(logAt(world, world.step), newest);
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
  append: { weight: 6, jobWeight: 4, rowCount: (pick) => 1 + (pick % 3), run: append },
  appendOnce: {
    weight: 4,
    jobWeight: 1,
    changeWeight: 1,
    rowCount: (pick) => 1 + (pick % 3),
    // Two applications: one of the client's own, and one that all clients run at once.
    ask: (pick, _world, client) => ({
      txn: { appId: pick % 2 === 0 ? `app${client}` : "shared", version: 1 + (Math.floor(pick / 2) % 4) },
    }),
    run: append,
  },
  read: {
    weight: 3,
    jobWeight: 1,
    changeWeight: 3,
    run: async (stage) => ({ kind: "rows", ids: idsOf(stage, await stage.table.toArray()) }),
  },
  count: {
    weight: 2,
    jobWeight: 0,
    changeWeight: 1,
    run: async ({ table }) => ({ kind: "count", count: await table.count() }),
  },
  version: { weight: 1, jobWeight: 0, run: async ({ table }) => ({ kind: "version", version: await table.version() }) },
  files: {
    weight: 2,
    jobWeight: 0,
    changeWeight: 1,
    run: async ({ table }) => ({ kind: "files", paths: (await table.files()).map(({ path }) => path) }),
  },
  history: {
    weight: 1,
    jobWeight: 0,
    changeWeight: 1,
    run: async ({ table }) => ({
      kind: "history",
      commits: (await table.history()).map(({ version, txnId, userMetadata }) => ({ version, txnId, userMetadata })),
    }),
  },
  readVersion: {
    weight: 2,
    jobWeight: 1,
    changeWeight: 4,
    ask: (pick, world) => ({ asked: { version: pick % (newestAt(world, world.step) + 3) } }),
    run: async (stage, { asked }) => ({
      kind: "rows",
      ids: idsOf(stage, await stage.table.at(asked.version!).toArray()),
    }),
  },
  readTime: {
    weight: 1,
    jobWeight: 0,
    changeWeight: 1,
    ask: (pick, world) => ({ asked: { timestampMs: world.scheduler.nowMs - pick } }),
    run: async ({ table }, { asked }) => ({
      kind: "version",
      version: await table.at(new Date(asked.timestampMs!)).version(),
    }),
  },
  checkpoint: {
    weight: 2,
    jobWeight: 1,
    changeWeight: 4,
    run: async ({ table }) => ({ kind: "version", version: (await table.checkpoint()).version }),
  },
  foreignRemove: {
    weight: 1,
    jobWeight: 1,
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
    jobWeight: 1,
    run: async (stage) =>
      foreignCommit(stage, (log, newest) => {
        const [path] = removedFiles(log, newest).keys();
        const add = log.flatMap(({ actions }) => actions).find((action) => "add" in action && action.add.path === path);
        return add ?? { txn: { appId: "foreign", version: newest } };
      }),
  },
  load: { weight: 0, jobWeight: 10, commits: true, run: runLoad },
  step: {
    weight: 0,
    jobWeight: 5,
    rowCount: (pick) => 1 + (pick % 3),
    rivalry: ["DELTA_CONCURRENT_TRANSACTION"],
    run: step,
  },
  stream: { weight: 0, jobWeight: 10, commits: true, rivalry: ["DELTA_CONCURRENT_TRANSACTION"], run: runStream },
  sourceGrows: {
    weight: 0,
    jobWeight: 2,
    ask: (pick) => ({ asked: { version: pick } }),
    run: async ({ world, life }, { asked }) => {
      const { path, bytes } = grown(world.disk, asked.version ?? 0);
      world.note(life, `grown ${path} ${bytes.length}`);
      world.disk.flush(world.land(path, bytes));
      return { kind: "none" };
    },
  },
  ...CHANGE_VERBS,
} as const satisfies Record<string, Verb>;

export function stageOf(
  world: World,
  life: Life,
  store: ObjectStore,
  table: Table<SimRow>,
  properties: Readonly<Record<string, string>>,
): Stage {
  const isPartitioned = world.kind?.partitioned === true;
  return { world, life, store, table, properties, tellsValues: world.kind !== undefined, isPartitioned };
}

export type VerbName = keyof typeof VERBS;

/** A verb's row, whichever it is. */
export function verbOf(name: VerbName): Verb {
  return VERBS[name];
}
