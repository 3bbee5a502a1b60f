import type { Action, AddFile } from "#src/log/actions.js";
import { LOG_FOLDER, parseLogPath } from "#src/log/names.js";
import type { FaultKind, FaultPoint } from "./faults.js";

/** What a verb gave, in plain values. */
export type Value =
  | { readonly kind: "none" }
  | { readonly kind: "append"; readonly version: number; readonly rowCount: number; readonly skipped: boolean }
  | { readonly kind: "job"; readonly batches: number; readonly isAtEnd: boolean }
  | { readonly kind: "rows"; readonly ids: readonly string[]; readonly version?: number; readonly timestampMs?: number }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "version"; readonly version: number }
  | { readonly kind: "files"; readonly paths: readonly string[] }
  | { readonly kind: "history"; readonly commits: readonly HistoryLine[] };

export interface HistoryLine {
  readonly version: number;
  readonly txnId: string | null;
  readonly userMetadata: string | null;
}

export type Outcome =
  | { readonly status: "ok"; readonly value: Value }
  | { readonly status: "failed"; readonly code: string }
  | { readonly status: "crashed" };

/** A call of a verb, from its begin to its end in steps of the run. */
export interface Operation {
  /** Unique; an append leaves it in its commit as `userMetadata`. */
  readonly id: string;
  readonly client: number;
  readonly verb: string;
  /** The rows it appends; of a job's step once its place is known. */
  rowIds: readonly string[];
  readonly txn: { readonly appId: string; readonly version: number } | undefined;
  /** What the verb asks for: a version or a time. */
  readonly asked: { readonly version?: number; readonly timestampMs?: number };
  readonly begin: number;
  end: number | undefined;
  outcome: Outcome | undefined;
}

/** A fault that struck. */
export interface Strike {
  readonly step: number;
  readonly client: number;
  readonly point: FaultPoint;
  /** `outage` for calls that an outage took. */
  readonly kind: FaultKind | "outage";
}

/** A commit as it became visible. */
export interface CommitRecord {
  /** The table's folder: `""` or, of a job's other tables, ending in `/`. */
  readonly table: string;
  readonly version: number;
  readonly landedAt: number;
  /** When a power cut took it back. */
  undoneAt: number | undefined;
  readonly modifiedMs: number;
  readonly actions: readonly Action[];
  readonly txnId: string | undefined;
  readonly operation: string | undefined;
  /** Its files that weren't there, or not whole, when it became visible. */
  readonly torn: readonly string[];
}

/** The client of a run's end, which no plan has. */
export const LAST_CLIENT = 99;

/** Everything that was seen of a run. */
export interface History {
  readonly operations: readonly Operation[];
  readonly commits: readonly CommitRecord[];
  readonly strikes: readonly Strike[];
  readonly warnings: readonly { readonly step: number; readonly client: number }[];
}

/** A table's log as it was visible at a step: the commit of each version. */
export function logAt(history: History, step: number, table = ""): CommitRecord[] {
  return history.commits
    .filter((commit) => commit.table === table)
    .filter(({ landedAt, undoneAt }) => landedAt <= step && (undoneAt === undefined || undoneAt > step))
    .sort((a, b) => a.version - b.version);
}

/** The newest version visible at a step, -1 for none. */
export function newestAt(history: History, step: number): number {
  return logAt(history, step).at(-1)?.version ?? -1;
}

/** The live files of a version: replay of its commits, as plain as can be. */
export function liveFiles(log: readonly CommitRecord[], version: number): Map<string, AddFile> {
  const live = new Map<string, AddFile>();
  for (const commit of log) {
    if (commit.version > version) break;
    for (const action of commit.actions) {
      if ("add" in action) live.set(action.add.path, action.add);
      else if ("remove" in action) live.delete(action.remove.path);
    }
  }
  return live;
}

/** Which removed files a version still knows of. */
export function removedFiles(log: readonly CommitRecord[], version: number): Set<string> {
  const removed = new Set<string>();
  for (const commit of log) {
    if (commit.version > version) break;
    for (const action of commit.actions) {
      if ("add" in action) removed.delete(action.add.path);
      else if ("remove" in action) removed.add(action.remove.path);
    }
  }
  return removed;
}

/** The applications' progress at a version. */
export function progress(log: readonly CommitRecord[], version: number): Map<string, number> {
  const progress = new Map<string, number>();
  for (const commit of log) {
    if (commit.version > version) break;
    for (const action of commit.actions)
      if ("txn" in action) progress.set(action.txn.appId, Number(action.txn.version));
  }
  return progress;
}

/** Parses a commit without the product's help. */
export function parseActions(bytes: Uint8Array): Action[] {
  const lines = new TextDecoder().decode(bytes).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** The table and the version of a commit's path, else undefined. */
export function commitOf(path: string): Pick<CommitRecord, "table" | "version"> | undefined {
  const at = path.indexOf(LOG_FOLDER);
  const name = at < 0 ? undefined : parseLogPath(path.slice(at));
  return name?.kind === "commit" ? { table: path.slice(0, at), version: name.version } : undefined;
}
