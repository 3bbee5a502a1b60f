import { hasCode } from "../errors.js";
import type { ObjectStore } from "../storage/store.js";
import { flawOf } from "./actionShape.js";
import type { Action } from "./actions.js";
import { readVersionChecksum, type VersionChecksum } from "./checksumFile.js";
import { checksumPath } from "./names.js";
import { tellPassedOver } from "./passedOver.js";
import { StateBuilder, type TableState } from "./state.js";
import { stateDifferences } from "./stateDifferences.js";

/** A version's state as its version checksum has it. */
export interface ChecksumState {
  readonly version: number;
  readonly state: TableState;
}

/**
 * Two neighbouring version checksums that tell the whole state, the older one first: together with the commits between them,
 * each vouches for the other. One alone may be damaged without anybody seeing it. Undefined where there are no two at
 * `versions`, or one of them can't be used, which is a warning where it is malformed.
 */
export async function checksumStates(
  store: ObjectStore,
  versions: readonly number[],
  signal?: AbortSignal,
): Promise<readonly [ChecksumState, ChecksumState] | undefined> {
  if (versions.length < 2) return undefined;
  const [older, newer] = await Promise.all(versions.slice(-2).map((version) => checksumState(store, version, signal)));
  return older && newer && [older, newer];
}

/** Whether the newer state follows from the older one by `changes`; a warning where it doesn't. */
export function isVouchedFor(
  store: ObjectStore,
  [older, newer]: readonly [ChecksumState, ChecksumState],
  changes: StateBuilder,
): boolean {
  const replayed = changes.build(newer.version, older.state);
  const [difference] = stateDifferences(replayed, newer.state, () => false);
  if (difference === undefined && hasSameTimes(replayed, newer.state)) return true;
  const what = difference?.action ?? "txn";
  const reason = `its ${what} isn't what ${checksumPath(older.version)} and the commits after that make`;
  tellPassedOver(store, checksumPath(newer.version), reason);
  return false;
}

/** Whether all progress, which is the same, was made at the same times. */
function hasSameTimes({ transactions }: TableState, other: TableState): boolean {
  const timeOf = (appId: string, { transactions: all }: TableState) => all.get(appId)?.lastUpdated ?? undefined;
  return [...transactions].every(([appId, txn]) => (txn.lastUpdated ?? undefined) === timeOf(appId, other));
}

async function checksumState(
  store: ObjectStore,
  version: number,
  signal?: AbortSignal,
): Promise<ChecksumState | undefined> {
  try {
    const checksum = await readVersionChecksum(store, version, signal);
    const actions = checksum && stateActions(checksum);
    if (actions === undefined) return undefined;
    const state = new StateBuilder();
    for (const action of actions) state.apply(action);
    return { version, state: state.build(version) };
  } catch (error) {
    if (!hasCode(error, "DELTA_LOG_CORRUPT")) throw error;
    tellPassedOver(store, checksumPath(version), error.message);
    return undefined;
  }
}

/** The actions that make the state; undefined where the checksum doesn't tell all of it. */
function stateActions({
  protocol,
  metadata,
  setTransactions,
  domainMetadata,
  numProtocol,
  numMetadata,
}: VersionChecksum): readonly Action[] | undefined {
  const isWhole = numProtocol === 1 && numMetadata === 1 && setTransactions !== undefined;
  const hasDomains = protocol.writerFeatures?.includes("domainMetadata") ?? false;
  // Forgotten progress may be in one checksum and not in the next.
  const forgets = metadata.configuration?.["delta.setTransactionRetentionDuration"] !== undefined;
  if (!isWhole || forgets || (hasDomains && domainMetadata === undefined)) return undefined;
  const actions: Action[] = [
    { protocol },
    { metaData: metadata },
    ...setTransactions.map((txn) => ({ txn })),
    ...(domainMetadata ?? []).map((domain) => ({ domainMetadata: domain })),
  ];
  const isSound = actions.every((action) => {
    const [[key, body]] = Object.entries(action) as [["protocol", unknown]];
    return flawOf(key, body) === undefined;
  });
  return isSound ? actions : undefined;
}
