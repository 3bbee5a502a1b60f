import { hasCode } from "../errors.js";
import { runtime } from "../runtime.js";
import type { ObjectStore } from "../storage/store.js";
import { checkReadable, type ReadAccess } from "./features.js";
import { loadSnapshot, type ReadCheck, type Snapshot } from "./snapshot.js";
import { versionAt } from "./timestamps.js";

/** Which version a reader wants: a version number or a time in milliseconds since the epoch. */
export type TimeTravel = { readonly version: number } | { readonly timestampMs: number };

/**
 * How long a handle goes on from the version it saw. Log cleanup may then have removed the commit after it: that version
 * would pass for the newest, and the next one for free. Far less than any sensible `delta.logRetentionDuration`.
 */
const TRUSTED_MS = 10 * 60 * 1000;

/** Past snapshots that a handle keeps: each may hold some commits' actions. */
const KEPT_PAST = 16;

/**
 * The log of one table as one handle knows it: the store, and the newest snapshot seen so far. It holds no state that
 * isn't on storage; losing it costs reads, never correctness.
 */
export class DeltaLog {
  readonly store: ObjectStore;
  readonly access: ReadAccess;
  #newest: Snapshot | undefined;
  #seenMs = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #alongside: Promise<void> = Promise.resolve();
  readonly #past = new Map<string, Promise<Snapshot>>();

  constructor(store: ObjectStore, access: ReadAccess = {}) {
    this.store = store;
    this.access = access;
  }

  /** The newest snapshot this handle has seen, without asking storage; undefined where that was too long ago. */
  get known(): Snapshot | undefined {
    // A clock that was set back says as little as one that ran on.
    return Math.abs(runtime.now() - this.#seenMs) > TRUSTED_MS ? undefined : this.#newest;
  }

  /**
   * The table's newest snapshot, readable by this release. Throws `DELTA_TABLE_NOT_FOUND`,
   * `DELTA_UNSUPPORTED_FEATURES_FOR_READ` and the log's own errors.
   */
  async latest(signal?: AbortSignal): Promise<Snapshot> {
    const askedMs = runtime.now();
    const snapshot = await loadSnapshot(this.store, { base: this.known, check: this.#check, signal });
    this.adopt(snapshot, askedMs);
    return snapshot;
  }

  /** As {@link latest}, but undefined where there is no table. */
  async latestIfExists(signal?: AbortSignal): Promise<Snapshot | undefined> {
    try {
      return await this.latest(signal);
    } catch (error) {
      if (hasCode(error, "DELTA_TABLE_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  /** The snapshot of a version or time. The last ones are kept, since the past doesn't change. */
  at(travel: TimeTravel, signal?: AbortSignal): Promise<Snapshot> {
    const key = JSON.stringify(travel);
    let snapshot = this.#past.get(key);
    if (snapshot === undefined) {
      snapshot = this.#load(travel, signal);
      snapshot.catch(() => this.#past.delete(key));
    }
    // The one used last is the last to go.
    this.#past.delete(key);
    this.#past.set(key, snapshot);
    const [oldest] = this.#past.keys();
    if (this.#past.size > KEPT_PAST && oldest !== undefined) this.#past.delete(oldest);
    return snapshot;
  }

  /** Remembers a snapshot that was the newest at `seenMs`, a time of `runtime.now`, unless a newer one is known. */
  adopt(snapshot: Snapshot, seenMs: number): void {
    const { known } = this;
    if (known !== undefined && known.version > snapshot.version) return;
    if (known?.version !== snapshot.version) this.#newest = snapshot;
    this.#seenMs = seenMs;
  }

  /** Runs `claim` alone among this handle's commits, so that they queue up instead of losing to each other. */
  async exclusively<T>(claim: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const next = () => this.#alongside.then(claim);
    const mine = before.then(next, next);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Has the handle's next commit wait for `work`, which mustn't reject. */
  alongside(work: Promise<void>): void {
    const before = this.#alongside;
    // What came of them is let go: the chain would grow with each commit.
    this.#alongside = work.then(() => before);
  }

  /** Resolves once nothing is under way alongside commits any more. */
  async settled(): Promise<void> {
    await this.#turn;
    await this.#alongside;
  }

  async #load(travel: TimeTravel, signal?: AbortSignal): Promise<Snapshot> {
    const version =
      "version" in travel ? travel.version : await versionAt(await this.latest(signal), travel.timestampMs, signal);
    return loadSnapshot(this.store, { version, check: this.#check, signal });
  }

  /**
   * The snapshot of a version or time, or the newest one, whatever features it needs: its protocol can be asked, its rows can't.
   * Throws what {@link latest} does but for the features.
   */
  async unchecked(travel: TimeTravel | undefined, signal?: AbortSignal): Promise<Snapshot> {
    const check = () => undefined;
    if (travel !== undefined && "version" in travel) {
      return loadSnapshot(this.store, { version: travel.version, check, signal });
    }
    const newest = await loadSnapshot(this.store, { check, signal });
    if (travel === undefined) return newest;
    const version = await versionAt(newest, travel.timestampMs, signal);
    return loadSnapshot(this.store, { version, check, signal });
  }

  readonly #check: ReadCheck = (protocol, metadata) => checkReadable(protocol, metadata, this.access);
}
