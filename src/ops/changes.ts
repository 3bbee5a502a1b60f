import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import type { DeltaLog, TimeTravel } from "../log/deltaLog.js";
import type { Snapshot } from "../log/snapshot.js";
import { firstVersionFrom, timesByVersion, versionAt } from "../log/timestamps.js";
import type { ChangeFeed } from "../read/changes.js";
import { Scan, type ScanOptions } from "./scan.js";
import { timeTravelOf } from "./timeTravel.js";

/** What happened to a row. An update is two rows: as it was, and as it is. */
export type ChangeType = "insert" | "delete" | "update_preimage" | "update_postimage";

/** A row of a table that changed, and how. */
export type ChangeRow<Row extends object = Record<string, unknown>> = Row & {
  readonly _change_type: ChangeType;
  readonly _commit_version: bigint;
  readonly _commit_timestamp: Date;
};

/** Which changes of a table are read; conditions and columns may name those of the change, `_change_type` and the like. */
export interface ChangesOptions<Row extends object = Record<string, unknown>> extends ScanOptions<ChangeRow<Row>> {
  /**
   * The first version whose changes are wanted, or a time (a Date, or an ISO 8601 text; UTC where it has no zone): the first version
   * committed then or later.
   */
  readonly from: number | Date | string;
  /** The last version, or a time: the last version committed by then. By default the table's newest. */
  readonly to?: number | Date | string;
}

/** Implements `Table.changes`; see there. */
export function changes<Row extends object>(
  log: DeltaLog,
  open: () => Promise<Snapshot>,
  options: ChangesOptions<Row>,
): Scan<ChangeRow<Row>> {
  const { from, to, ...rest } = options;
  return new Scan<ChangeRow<Row>>(() => openFeed(log, open, from, to, rest.signal), rest);
}

async function openFeed(
  log: DeltaLog,
  open: () => Promise<Snapshot>,
  from: ChangesOptions["from"],
  to: ChangesOptions["to"],
  signal: AbortSignal | undefined,
): Promise<ChangeFeed> {
  const [start, end] = [timeTravelOf(from), to === undefined ? undefined : timeTravelOf(to)];
  if (end !== undefined && "timestampMs" in start && "timestampMs" in end && end.timestampMs < start.timestampMs) {
    throw invalidRange(from, to);
  }
  const newest = await open();
  const first = "version" in start ? start.version : await firstVersionFrom(newest, start.timestampMs, signal);
  const last = await lastVersion(newest, end, signal);
  if (last < first && !mayBeEmpty(start, end, first === newest.version + 1)) {
    throw first > newest.version ? versionNotFound(newest, first) : invalidRange(from, to);
  }
  const { ChangeFeed } = await loaded(() => import("../read/changes.js"), "delta-table/changes");
  const snapshotAt = async (version: number) => (version === newest.version ? newest : log.at({ version }, signal));
  return new ChangeFeed({
    first,
    last,
    reader: await snapshotAt(last),
    snapshotAt,
    times: await timesByVersion(newest, { first, last }, signal),
  });
}

/** Nothing changed between two commits, nor after the newest one: whoever asks again and again needn't know. */
function mayBeEmpty(start: TimeTravel, end: TimeTravel | undefined, isNext: boolean): boolean {
  if ("timestampMs" in start) return end === undefined || "timestampMs" in end;
  return isNext && end === undefined;
}

async function lastVersion(
  newest: Snapshot,
  end: TimeTravel | undefined,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (end === undefined) return newest.version;
  if ("timestampMs" in end) return Math.min(newest.version, await versionAt(newest, end.timestampMs, signal));
  if (end.version > newest.version) throw versionNotFound(newest, end.version);
  return end.version;
}

function versionNotFound({ store, version: latest }: Snapshot, version: number): DeltaError {
  return new DeltaError(
    "DELTA_VERSION_NOT_FOUND",
    `${store.url} has no version ${version} yet, only up to ${latest}.`,
    {
      version,
      latest,
    },
  );
}

function invalidRange(from: ChangesOptions["from"], to: ChangesOptions["to"]): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_CDC_RANGE",
    `Changes from ${say(from)} to ${say(to)} make no sense: the end comes first. Both ends are included.`,
    { from, to },
  );
}

function say(place: ChangesOptions["to"]): string {
  if (place === undefined) return "the newest version";
  return typeof place === "number" ? `version ${place}` : place instanceof Date ? place.toISOString() : place;
}
