import type { Action, AddFile } from "#src/log/actions.js";
import { LOG_FOLDER, parseLogPath } from "#src/log/names.js";
import type { FaultKind, FaultPoint } from "./faults.js";
import type { Change } from "./model.js";

/** What a verb gave, in plain values. */
export type Value =
  | { readonly kind: "none" }
  | { readonly kind: "append"; readonly version: number; readonly rowCount: number; readonly skipped: boolean }
  | {
      readonly kind: "change";
      readonly version: number;
      readonly skipped: boolean;
      /** Rows that were appended, deleted or updated, where the verb tells. */
      readonly count: number | undefined;
    }
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
  /** What it does to rows; undefined where it appends its own. */
  readonly changes: readonly Change[] | undefined;
  /** What the verb asks for: a version, a time, or a number of its own. */
  readonly asked: { readonly version?: number; readonly timestampMs?: number; readonly waitMs?: number };
  readonly begin: number;
  end: number | undefined;
  outcome: Outcome | undefined;
  /** Of a call that failed: the versions that couldn't be read any more when it ended. */
  lacks: LackedVersions | undefined;
}

/** Versions that are no more, since their commits or their files have gone. */
export interface LackedVersions {
  /** Whether some commit is gone. */
  readonly lacksCommits: boolean;
  readonly inLog: ReadonlySet<number>;
  readonly files: ReadonlySet<number>;
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

/** The client that makes a table whose rows are changed, which no plan has. */
export const FIRST_CLIENT = 98;
/** The client of a run's end, which no plan has. */
export const LAST_CLIENT = 99;

/** A table whose rows are changed. */
export interface TableKind {
  readonly partitioned: boolean;
  readonly vectors: boolean;
  readonly inCommitTimestamps: boolean;
  readonly rowTracking: boolean;
  readonly writeSerializable: boolean;
  readonly v2Checkpoints: boolean;
}

/** Everything that was seen of a run. */
export interface History {
  /** Of schedules that change rows. */
  readonly kind: TableKind | undefined;
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

/** When a version ceased to be the newest; never, for the newest. */
export function supersededMs(history: History, version: number): number {
  return logAt(history, Number.POSITIVE_INFINITY)[version + 1]?.modifiedMs ?? Number.POSITIVE_INFINITY;
}

/** A file, or with its deletion vector what is left of one. */
export function fileKeyOf({ path, deletionVector }: Pick<AddFile, "path" | "deletionVector">): string {
  return deletionVector ? `${path} ${deletionVector.pathOrInlineDv}@${deletionVector.offset}` : path;
}

/** The live files of a version: replay of its commits, as plain as can be. */
export function liveFiles(log: readonly CommitRecord[], version: number): Map<string, AddFile> {
  const live = new Map<string, AddFile>();
  for (const commit of log) {
    if (commit.version > version) break;
    // What a commit removes it removes from what was there before.
    for (const action of commit.actions) if ("remove" in action) live.delete(fileKeyOf(action.remove));
    for (const action of commit.actions) if ("add" in action) live.set(fileKeyOf(action.add), action.add);
  }
  return live;
}

/** Which removed files a version still knows of, and since when they are. */
export function removedFiles(log: readonly CommitRecord[], version: number): Map<string, number> {
  const removed = new Map<string, number>();
  for (const commit of log) {
    if (commit.version > version) break;
    for (const action of commit.actions)
      if ("remove" in action) removed.set(fileKeyOf(action.remove), action.remove.deletionTimestamp ?? 0);
    for (const action of commit.actions) if ("add" in action) removed.delete(fileKeyOf(action.add));
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
