import { DeltaError, hasCode } from "#src/errors.js";
import { Table } from "#src/index.js";
import { descriptorReader } from "#src/log/deletionVectors/descriptors.js";
import { parseLogPath } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { liveAdds } from "#src/ops/liveAdds.js";
import { storeBelow } from "#src/storage/below.js";
import { fileKeyOf, LAST_CLIENT } from "./history.js";
import { COPY, fileNumber, LETTERS, recordId } from "./jobs.js";
import { spell } from "./model.js";
import { perform } from "./perform.js";
import type { Life } from "./scheduler.js";
import { SimulatedStore } from "./store.js";
import { type SimRow, type Stage, stageOf } from "./verbs.js";
import type { World } from "./world.js";

/** A checkpoint as a new reader takes it. */
export interface FoundCheckpoint {
  readonly version: number;
  /** Whether the reader had to do without it. */
  readonly isDamaged: boolean;
  /** Live files with their sizes and statistics; the path tells the deletion vector too. */
  readonly files: readonly { readonly path: string; readonly size: number; readonly stats?: string }[];
  readonly removed: readonly string[];
  /** When it was written. */
  readonly modifiedMs: number;
  readonly progress: ReadonlyMap<string, number>;
}

/** What is there when all is over. */
export interface FinalState {
  readonly step: number;
  readonly checkpoints: readonly FoundCheckpoint[];
  /** Paths and sizes of all objects. */
  readonly objects: ReadonlyMap<string, number>;
  /** The records that are dead letters. */
  readonly letters: readonly string[];
  /** The rows that a stream has copied. */
  readonly copy: readonly string[];
  /** Where rows are changed: versions as a new reader finds them. */
  readonly pasts: readonly FoundVersion[];
  /** Where rows are changed: what the table's verification finds. */
  readonly findings: readonly string[];
}

/** A version at the end: its rows, or why it can't be read. */
export interface FoundVersion {
  readonly version: number;
  readonly rows?: readonly string[];
  readonly code?: string;
}

type Found = Omit<FinalState, "step" | "objects">;

const MAX_EVENTS = 20_000;

/**
 * When the faults are over: repeats the appends with a `txn` that nobody saw succeed, appends and reads once more as a
 * new client, and looks at every checkpoint. All of it must succeed. Undefined where it doesn't come to an end.
 */
export async function finish(
  world: World,
  properties: Readonly<Record<string, string>>,
): Promise<FinalState | undefined> {
  world.isFaulty = false;
  const life = world.begin(LAST_CLIENT, 0);
  let found: Found | undefined;
  world.scheduler.after(0, life, "step", () => {
    void conclude(world, life, properties).then((all) => {
      found = all;
    });
  });
  const hasEnded = await world.scheduler.run(MAX_EVENTS);
  if (!hasEnded || found === undefined) return undefined;
  const objects = new Map(world.disk.paths().map((path) => [path, world.disk.head(path)!.sizeBytes]));
  return { step: world.step, objects, ...found };
}

async function conclude(world: World, life: Life, properties: Readonly<Record<string, string>>): Promise<Found> {
  const store = new SimulatedStore(world, life);
  const stage: Stage = stageOf(world, life, store, Table.open<SimRow>(store), properties);
  for (const [index, { txn }] of unfinished(world).entries()) {
    await perform(stage, { verb: "appendOnce", pick: 0 }, `again${index}`, { txn });
  }
  await perform(stage, { verb: "append", pick: 0 }, "last", {});
  const verbs = new Set(world.operations.map(({ verb }) => verb));
  for (const verb of JOBS) if (verbs.has(verb)) await perform(stage, { verb, pick: 0 }, `last ${verb}`, {});
  const fresh: Stage = { ...stage, table: Table.open<SimRow>(store) };
  await perform(fresh, { verb: "read", pick: 0 }, "final read", {});
  // A version may have several checkpoints that name the same files; the newest one knows the fewest removed ones.
  const versions = new Map<number, number>();
  for (const path of world.disk.paths("_delta_log/")) {
    const name = parseLogPath(path);
    if (name?.kind !== "classicCheckpoint" && name?.kind !== "uuidCheckpoint") continue;
    const { modifiedMs } = world.disk.head(path)!;
    versions.set(name.version, Math.max(modifiedMs, versions.get(name.version) ?? 0));
  }
  const checkpoints: FoundCheckpoint[] = [];
  for (const [version, modifiedMs] of versions) {
    try {
      checkpoints.push({ ...(await readCheckpoint(store, version)), modifiedMs });
    } catch (error) {
      world.violations.push(`the checkpoint of version ${version} can't be read: ${error}`);
    }
  }
  const letters = verbs.has("load") ? await rowsBelow(store, LETTERS, ["file", "record"]) : [];
  const copy = verbs.has("stream") ? await rowsBelow(store, COPY, ["id"]) : [];
  return {
    checkpoints,
    letters: letters.map(({ file, record }) => recordId(fileNumber(String(file)), Number(record))),
    copy: copy.map(({ id }) => String(id)),
    ...(world.kind === undefined ? { pasts: [], findings: [] } : await lookBack(store)),
  };
}

/**
 * Of tombstones that expire by clocks that differ, also between two checkpoints of a version, and of a cleanup that was cut short, the
 * checker knows more.
 */
const JUDGED_HERE: readonly string[] = [
  "checkpoint-tombstone-missing",
  "checkpoint-tombstone-extra",
  "last-checkpoint-differs",
  "history-gap",
];

/** Each version, as a new reader finds it, and what verification finds. */
async function lookBack(store: SimulatedStore): Promise<Pick<Found, "pasts" | "findings">> {
  const newest = await Table.open(store).version();
  const pasts: FoundVersion[] = [];
  for (let version = 0; version <= newest; version++) {
    try {
      const rows = await Table.open<SimRow>(store).at(version).toArray();
      pasts.push({ version, rows: rows.map(spell) });
    } catch (error) {
      pasts.push({ version, code: error instanceof DeltaError ? error.code : String(error) });
    }
  }
  const { findings } = await Table.open(store).verify();
  const wrong = findings.filter(({ severity, code }) => severity !== "info" && !JUDGED_HERE.includes(code));
  return { pasts, findings: wrong.map(({ code, message }) => `${code} ${message}`) };
}

/** In the order in which one has what the one before wrote. */
const JOBS = ["load", "step", "stream"] as const;

async function rowsBelow(store: SimulatedStore, folder: string, columns: string[]): Promise<Record<string, unknown>[]> {
  try {
    return await Table.open(storeBelow(store, folder)).toArray({ columns });
  } catch (error) {
    // A load of which every record was good has made none.
    if (hasCode(error, "DELTA_TABLE_NOT_FOUND")) return [];
    throw error;
  }
}

/** Appends with a `txn` of which no try was seen to succeed, one of each. */
function unfinished({ operations }: World): { readonly txn: { appId: string; version: number } }[] {
  const keyOf = (txn: { appId: string; version: number }) => `${txn.appId} ${txn.version}`;
  const done = new Set(
    operations.flatMap(({ txn, outcome }) => (txn !== undefined && outcome?.status === "ok" ? [keyOf(txn)] : [])),
  );
  const left = new Map<string, { txn: { appId: string; version: number } }>();
  for (const { txn } of operations) if (txn !== undefined && !done.has(keyOf(txn))) left.set(keyOf(txn), { txn });
  return [...left.values()];
}

async function readCheckpoint(store: SimulatedStore, version: number): Promise<Omit<FoundCheckpoint, "modifiedMs">> {
  const snapshot = await loadSnapshot(store, { version });
  const files: { path: string; size: number; stats?: string }[] = [];
  for await (const add of liveAdds(snapshot)) {
    const { size, stats } = add;
    files.push({ path: fileKeyOf(add), size, ...(stats === undefined ? {} : { stats }) });
  }
  const removed: string[] = [];
  for await (const batch of snapshot.tombstoneBatches()) {
    const vectors = descriptorReader(batch);
    const paths = batch.getChild("path")!;
    for (let row = 0; row < batch.numRows; row++) {
      removed.push(fileKeyOf({ path: paths.get(row), deletionVector: vectors(row) }));
    }
  }
  const progress = new Map([...snapshot.transactions].map(([appId, txn]) => [appId, Number(txn.version)]));
  return { version, isDamaged: snapshot.damagedFiles.size > 0, files, removed, progress };
}
