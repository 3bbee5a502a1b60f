import { DeltaError } from "../errors.js";
import type { Action, AddFile, DomainMetadata, Metadata, Protocol } from "../log/actions.js";
import { hasFeature } from "../log/features.js";
import { property } from "../log/properties.js";
import { parseStatistics } from "../schema/fileStatistics.js";

/** The domain that holds the highest row id that was ever given. */
const ROW_TRACKING_DOMAIN = "delta.rowTracking";

/** The part of a snapshot that row ids go on from. */
export interface RowIdState {
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly domainMetadata: ReadonlyMap<string, DomainMetadata>;
}

/** Whether files that are added get row ids: as soon as the feature is there, in use or not (PROTOCOL.md, Row Tracking). */
function assignsRowIds(protocol: Protocol, metadata: Pick<Metadata, "configuration">): boolean {
  return hasFeature(protocol, "rowTracking") && !property(metadata, "delta.rowTrackingSuspended");
}

/**
 * The actions of a commit that would be `version`, after `base` (undefined for the first), with ids for the rows of the files that it
 * adds where the table has row tracking: each file's first id is above all that were given before, and the highest one is
 * committed with them. Files that were in the table keep theirs. Of an attempt that lost its version to another writer the
 * actions without ids are given again. The same array where there is nothing to assign.
 *
 * Throws `DELTA_ROW_ID_ASSIGNMENT_WITHOUT_STATS` where a file's statistics don't say how many rows it has.
 */
export function assignRowIds(
  actions: readonly Action[],
  base: RowIdState | undefined,
  version: number,
): readonly Action[] {
  const { protocol, metadata } = stateAfter(actions, base);
  if (protocol === undefined || metadata === undefined || !assignsRowIds(protocol, metadata)) return actions;
  const before = highWaterMark(base?.domainMetadata.get(ROW_TRACKING_DOMAIN));
  let mark = before;
  const assigned = actions.map((action): Action => {
    if (!("add" in action)) return action;
    const { add } = action;
    if (add.baseRowId !== undefined && add.defaultRowCommitVersion !== undefined) return action;
    const baseRowId = add.baseRowId ?? mark + 1;
    if (add.baseRowId === undefined) mark += rowCountOf(add);
    return { add: { ...add, baseRowId, defaultRowCommitVersion: add.defaultRowCommitVersion ?? version } };
  });
  if (!Number.isSafeInteger(mark)) {
    throw new DeltaError("DELTA_LIMIT_EXCEEDED", "The table has no row ids left.", { highWaterMark: mark });
  }
  if (mark === before) return assigned;
  const configuration = JSON.stringify({ rowIdHighWaterMark: mark });
  return [...assigned, { domainMetadata: { domain: ROW_TRACKING_DOMAIN, configuration, removed: false } }];
}

/**
 * What a commit says of row ids: whether each row that it writes anew keeps its own, as rewriting does while they are in use.
 * Undefined where the table doesn't track rows.
 */
export function rowTrackingTags(
  actions: readonly Action[],
  base: RowIdState | undefined,
): Readonly<Record<string, string>> | undefined {
  const { protocol, metadata } = stateAfter(actions, base);
  if (protocol === undefined || metadata === undefined || !assignsRowIds(protocol, metadata)) return undefined;
  const isKept = property(metadata, "delta.enableRowTracking") || !actions.some((action) => "remove" in action);
  return { "delta.rowTracking.preserved": String(isKept) };
}

function stateAfter(
  actions: readonly Action[],
  base: RowIdState | undefined,
): { protocol: Protocol | undefined; metadata: Metadata | undefined } {
  let protocol = base?.protocol;
  let metadata = base?.metadata;
  for (const action of actions) {
    if ("protocol" in action) protocol = action.protocol;
    if ("metaData" in action) metadata = action.metaData;
  }
  return { protocol, metadata };
}

/** The highest id that was given; -1 where there was none. */
function highWaterMark(domain: DomainMetadata | undefined): number {
  if (domain === undefined) return -1;
  let mark: unknown;
  try {
    mark = (JSON.parse(domain.configuration) as { rowIdHighWaterMark?: unknown } | null)?.rowIdHighWaterMark;
  } catch {}
  if (typeof mark === "number" && Number.isSafeInteger(mark)) return mark;
  throw new DeltaError(
    "DELTA_LOG_CORRUPT",
    `The table's log has no valid rowIdHighWaterMark in the domain ${ROW_TRACKING_DOMAIN}: new rows could get the ids of others. Go back to an older version.`,
    { domain: ROW_TRACKING_DOMAIN, configuration: domain.configuration },
  );
}

function rowCountOf({ path, stats }: AddFile): number {
  const rows = parseStatistics(stats ?? null)?.numRecords;
  if (rows !== undefined) return rows;
  throw new DeltaError(
    "DELTA_ROW_ID_ASSIGNMENT_WITHOUT_STATS",
    `The table tracks rows, but nothing says how many are in ${path}: its statistics lack numRecords.`,
    { path },
  );
}
