import { Table } from "#src/index.js";
import { parseLogPath } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { listFiles } from "#src/ops/files.js";
import { perform } from "./perform.js";
import type { Life } from "./scheduler.js";
import { SimulatedStore } from "./store.js";
import type { SimRow, Stage } from "./verbs.js";
import type { World } from "./world.js";

/** A checkpoint as a new reader takes it. */
export interface FoundCheckpoint {
  readonly version: number;
  /** Whether the reader had to do without it. */
  readonly isDamaged: boolean;
  /** Live files with their sizes and statistics. */
  readonly files: readonly { readonly path: string; readonly size: number; readonly stats?: string }[];
  readonly removed: readonly string[];
  readonly progress: ReadonlyMap<string, number>;
}

/** What is there when all is over. */
export interface FinalState {
  readonly step: number;
  readonly checkpoints: readonly FoundCheckpoint[];
  /** Paths and sizes of all objects. */
  readonly objects: ReadonlyMap<string, number>;
}

/** A client that no plan has. */
const LAST_CLIENT = 99;
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
  let checkpoints: FoundCheckpoint[] | undefined;
  world.scheduler.after(0, life, "step", () => {
    void conclude(world, life, properties).then((found) => {
      checkpoints = found;
    });
  });
  const hasEnded = await world.scheduler.run(MAX_EVENTS);
  if (!hasEnded || checkpoints === undefined) return undefined;
  const objects = new Map(world.disk.paths().map((path) => [path, world.disk.head(path)!.sizeBytes]));
  return { step: world.step, checkpoints, objects };
}

async function conclude(
  world: World,
  life: Life,
  properties: Readonly<Record<string, string>>,
): Promise<FoundCheckpoint[]> {
  const store = new SimulatedStore(world, life);
  const stage: Stage = { world, life, table: Table.open<SimRow>(store), properties };
  for (const [index, { txn }] of unfinished(world).entries()) {
    await perform(stage, { verb: "appendOnce", pick: 0 }, `again${index}`, { txn });
  }
  await perform(stage, { verb: "append", pick: 0 }, "last", {});
  const fresh: Stage = { ...stage, table: Table.open<SimRow>(store) };
  await perform(fresh, { verb: "read", pick: 0 }, "final read", {});
  const versions = world.disk.paths("_delta_log/").flatMap((path) => {
    const name = parseLogPath(path);
    return name?.kind === "classicCheckpoint" ? [name.version] : [];
  });
  const found: FoundCheckpoint[] = [];
  for (const version of versions) {
    try {
      found.push(await readCheckpoint(store, version));
    } catch (error) {
      world.violations.push(`the checkpoint of version ${version} can't be read: ${error}`);
    }
  }
  return found;
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

async function readCheckpoint(store: SimulatedStore, version: number): Promise<FoundCheckpoint> {
  const snapshot = await loadSnapshot(store, { version });
  const files = (await listFiles(snapshot)).map(({ path, size, stats }) => ({ path, size, stats }));
  const removed: string[] = [];
  for await (const batch of snapshot.tombstoneBatches()) {
    for (const path of batch.getChild("path")!) removed.push(path as string);
  }
  const progress = new Map([...snapshot.transactions].map(([appId, txn]) => [appId, Number(txn.version)]));
  return { version, isDamaged: snapshot.damagedCheckpoints.size > 0, files, removed, progress };
}
