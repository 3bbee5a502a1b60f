import { createHash } from "node:crypto";
import { DeltaError } from "#src/errors.js";
import { forEachAction, forEachCheckpointAction } from "#src/log/commitFile.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { pagesOf } from "../parquet/pagesOf.js";
import { liveFiles, tombstonePaths } from "./build.js";

export type LogBytes = ReadonlyMap<string, Uint8Array>;

/** All files of a table's log. */
export async function logOf(store: ObjectStore): Promise<LogBytes> {
  const files = new Map<string, Uint8Array>();
  for await (const { path } of store.list("_delta_log/")) files.set(path, await store.get(path));
  return files;
}

/** Everything that the log tells of its newest version. */
export async function contentOf(log: LogBytes): Promise<string> {
  const store = memoryStore();
  for (const [path, bytes] of log) await store.put(path, bytes);
  const snapshot = await loadSnapshot(store);
  const { version, protocol, metadata } = snapshot;
  const transactions = [...snapshot.transactions.values()];
  const domains = [...snapshot.domainMetadata.values()];
  // A checkpoint repeats actions, but they changed no data there, and their order and statistics' text may be others.
  const files = (await liveFiles(snapshot)).map((file) => ({ ...file, dataChange: true }));
  const removed = await tombstonePaths(snapshot);
  const content = { version, protocol, metadata, transactions, domains, files, removed };
  return JSON.stringify(content, (_, value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export interface Damage {
  readonly title: string;
  readonly bytes: Uint8Array;
  /** The byte with another bit; undefined where the file was cut. */
  readonly flippedAt?: number;
}

/** Cuts and flipped bits, spread over the file, the same ones each time. */
export function* damagesOf(path: string, bytes: Uint8Array, count: number): Generator<Damage> {
  if (bytes.length === 0) return;
  const random = numbers(path);
  yield { title: "emptied", bytes: new Uint8Array(0) };
  for (let i = 0; i < count; i++) {
    const at = Math.floor(((i + random()) / count) * bytes.length);
    if (i % 4 === 0) {
      yield { title: `cut at ${at}`, bytes: bytes.slice(0, at) };
      continue;
    }
    const flipped = bytes.slice();
    const bit = Math.floor(random() * 8);
    flipped[at]! ^= 1 << bit;
    yield { title: `bit ${bit} of byte ${at} flipped`, bytes: flipped, flippedAt: at };
  }
}

/** Numbers from 0 to 1 that follow from a text. */
function numbers(seed: string): () => number {
  let state = createHash("md5").update(seed).digest().readUInt32LE();
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Tells which damage of a sound file nobody could see: lines of JSON may say something else after a flip, or less after a cut, and
 * still be a sound file; a page of a Parquet file without checksum may have other values.
 */
export async function unseenDamage(path: string, bytes: Uint8Array): Promise<(damage: Damage) => boolean> {
  if (!path.endsWith(".parquet")) return (damage) => isSoundText(path, damage.bytes);
  const unchecked = (await pagesOf(bytes)).filter(({ isChecked }) => !isChecked).map(({ body }) => body);
  return ({ flippedAt }) =>
    flippedAt !== undefined && unchecked.some(({ start, end }) => start <= flippedAt && flippedAt < end);
}

function isSoundText(path: string, bytes: Uint8Array): boolean {
  if (!path.endsWith(".json")) return false;
  const visit = () => undefined;
  try {
    if (path.includes(".checkpoint.")) forEachCheckpointAction({ version: 0, path }, bytes, visit);
    else forEachAction(0, bytes, { commitInfo: false }, visit);
    return true;
  } catch {
    return false;
  }
}

/** What reading a damaged log came to. */
export type Outcome = "same" | "other" | DeltaError;

export async function outcomeOf(log: LogBytes, path: string, damage: Damage, expected: string): Promise<Outcome> {
  try {
    const found = await contentOf(new Map(log).set(path, damage.bytes));
    return found === expected ? "same" : "other";
  } catch (error) {
    if (error instanceof DeltaError) return error;
    throw new Error(`${path}, ${damage.title}`, { cause: error });
  }
}
