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

function entryOf(version: number, timestampMs: number, info: Partial<CommitInfo> = {}): HistoryEntry {
  return {
    version,
    timestamp: new Date(timestampMs),
    operation: info.operation ?? null,
    operationParameters: info.operationParameters ?? {},
    operationMetrics: info.operationMetrics ?? {},
    readVersion: info.readVersion ?? null,
    isBlindAppend: info.isBlindAppend ?? null,
    userMetadata: info.userMetadata ?? null,
    engineInfo: info.engineInfo ?? null,
    txnId: info.txnId ?? null,
  };
}
