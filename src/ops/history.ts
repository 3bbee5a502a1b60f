import type { CommitInfo } from "../log/actions.js";
import type { Snapshot } from "../log/snapshot.js";
import { history as readHistory } from "../log/timestamps.js";

/** A commit, as `history` tells it. */
export interface HistoryEntry {
  readonly version: number;
  /** When it was committed; later versions never have an earlier time. */
  readonly timestamp: Date;
  readonly operation: string | null;
  readonly operationParameters: Readonly<Record<string, unknown>>;
  readonly operationMetrics: Readonly<Record<string, string>>;
  readonly readVersion: number | null;
  readonly isBlindAppend: boolean | null;
  readonly userMetadata: string | null;
  /** Which program wrote it. */
  readonly engineInfo: string | null;
  readonly txnId: string | null;
}

export interface HistoryOptions {
  /** Commits at most, the newest first. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** Implements `Table.history`; see there. */
export async function history(snapshot: Snapshot, options: HistoryOptions = {}): Promise<HistoryEntry[]> {
  const commits = await readHistory(snapshot, options);
  return commits.map(({ version, timestampMs, commitInfo }) => entryOf(version, timestampMs, commitInfo));
}

/** What a commitInfo holds is its writer's affair: a field of another type than ours is as good as none. */
function entryOf(version: number, timestampMs: number, info: Partial<CommitInfo> = {}): HistoryEntry {
  const { operationParameters, operationMetrics, readVersion, isBlindAppend } = info;
  return {
    version,
    timestamp: new Date(timestampMs),
    operation: textOf(info.operation),
    operationParameters: isRecord(operationParameters) ? operationParameters : {},
    operationMetrics: isRecord(operationMetrics) ? textsOf(operationMetrics) : {},
    readVersion: typeof readVersion === "number" ? readVersion : null,
    isBlindAppend: typeof isBlindAppend === "boolean" ? isBlindAppend : null,
    userMetadata: textOf(info.userMetadata),
    engineInfo: textOf(info.engineInfo),
    txnId: textOf(info.txnId),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Some writers give numbers. */
function textsOf(metrics: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(metrics).filter(([, value]) => typeof value === "string" || typeof value === "number");
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
