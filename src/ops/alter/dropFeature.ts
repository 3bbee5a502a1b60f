import { DeltaError } from "../../errors.js";
import type { Protocol } from "../../log/actions.js";
import { writeCheckpoint } from "../../log/checkpoint.js";
import { CLUSTERING_DOMAIN } from "../../log/clustering.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { checkWritable, featuresOf, hasFeature, protocolOfFeatures } from "../../log/features.js";
import { FEATURES } from "../../log/featureTable.js";
import { truncateHistory } from "../../log/logCleanup.js";
import { property } from "../../log/properties.js";
import { protocolWith } from "../../log/protocolUpgrade.js";
import type { Snapshot } from "../../log/snapshot.js";
import { runtime } from "../../runtime.js";
import { type Altered, type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";
import { isInHistory } from "./featureHistory.js";
import { isFeatureInUse } from "./featureUse.js";
import { protectHistory } from "./protectHistory.js";
import { REMOVALS, type Removal } from "./removals.js";
import { PROTECTED } from "./removeProtection.js";

export interface DropFeatureOptions extends AlterOptions {
  /** Removes the older versions that use the feature instead of protecting them; they must be a day old. */
  readonly truncateHistory?: boolean;
}

/** Implements `TableAlter.dropFeature`; see there. */
export async function dropFeature(log: DeltaLog, feature: string, options: DropFeatureOptions): Promise<AlterResult> {
  const { signal, truncateHistory: truncates = false } = options;
  const name = FEATURES.find((row) => row.name.toLowerCase() === feature.toLowerCase())?.name ?? feature;
  const before = await log.latest(signal);
  checkWritable(before.protocol, before.metadata);
  const removal = removalOf(before, name, truncates);
  const madeChanges = (await removal.remove?.(log, signal)) ?? false;
  if (removal.asksReaders) {
    await protectHistory(log, signal, truncates ? 1 : undefined);
    if (truncates) await truncate(log, name, removal, madeChanges, signal);
  }
  const isProtected = removal.asksReaders && !truncates;
  const result = await alterTable(log, options, async (snapshot) => {
    const dropped = withoutUnused(snapshot, name, truncates);
    if (await removal.areIn?.(snapshot, signal)) throw inUse(name);
    const rest = { ...dropped, ...removal.rest?.(snapshot), reads: removal.reads };
    return isProtected ? withProtection(rest, snapshot) : rest;
  });
  if (isProtected) await closeHistory(log);
  return result;
}

/** Passes once the log has no version left that uses the feature. */
async function truncate(
  log: DeltaLog,
  name: string,
  removal: Removal,
  madeChanges: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const snapshot = await log.latest(signal);
  const retentionMs = property(snapshot.metadata, "delta.dropFeatureTruncateHistory.retentionDuration");
  if (madeChanges) {
    throw new DeltaError(
      "DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD",
      `The newest version of ${log.store.url} doesn't use ${name} any more, but older ones do. Do it again in ${retentionMs / 3_600_000} hours, when they can go.`,
      { feature: name, retentionMs },
    );
  }
  await truncateHistory(snapshot, signal);
  if (!(await isInHistory(log, snapshot, removal, signal))) return;
  throw new DeltaError(
    "DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST",
    `The log of ${log.store.url} still has versions that use ${name}. They can go once they are ${retentionMs / 3_600_000} hours old: do it again then.`,
    { feature: name, retentionMs },
  );
}

/** Has the versions before this one kept together (PROTOCOL.md, Checkpoint Protection). */
function withProtection<T extends Altered & { readonly protocol: Protocol }>(altered: T, snapshot: Snapshot): T {
  const { metadata } = snapshot;
  const configuration = { ...metadata.configuration, [PROTECTED]: String(snapshot.version + 1) };
  const protocol = protocolWith(altered.protocol, ["checkpointProtection"]);
  return { ...altered, protocol, metadata: { ...metadata, configuration } };
}

/** The feature is dropped whatever happens here: the checkpoints before will do. */
async function closeHistory(log: DeltaLog): Promise<void> {
  try {
    await writeCheckpoint(log.store, await log.latest());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    runtime.warn(
      `${log.store.url}: the feature is dropped, but the checkpoint behind it could not be written: ${reason}`,
      "DELTA_CHECKPOINT_FAILED",
    );
  }
}

function withoutUnused(
  snapshot: Snapshot,
  name: string,
  truncates: boolean,
): Altered & { readonly protocol: Protocol } {
  removalOf(snapshot, name, truncates);
  if (isFeatureInUse(snapshot, name)) throw inUse(name);
  const domain = name === "clustering" ? snapshot.domainMetadata.get(CLUSTERING_DOMAIN) : undefined;
  const left = featuresOf(snapshot.protocol).filter((feature) => feature.name !== name);
  return {
    protocol: protocolOfFeatures(left.map((feature) => feature.name)),
    ...(domain && { actions: [{ domainMetadata: { ...domain, removed: true } }] }),
    operation: "DROP FEATURE",
    operationParameters: { featureName: name, truncateHistory: String(truncates) },
  };
}

/** How the feature is dropped. Throws where it can't be. */
function removalOf({ protocol }: Snapshot, name: string, truncates: boolean): Removal {
  if (!FEATURES.some((row) => row.name === name)) {
    throw refused("DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE", name, "this release doesn't know it");
  }
  const removal = REMOVALS.get(name);
  if (removal === undefined) {
    const why = "older versions or data files of the table may need it, which isn't undone";
    throw refused("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", name, why);
  }
  if (!hasFeature(protocol, name)) {
    throw refused("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", name, "the table doesn't have it");
  }
  if (truncates && !removal.asksReaders && !removal.truncatesAlways) {
    const why = "older versions may keep it: leave truncateHistory out";
    throw refused("DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED", name, why);
  }
  if (!truncates && removal.truncatesAlways) {
    const why = "the versions that it protects have to go with it: give truncateHistory";
    throw refused("DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION", name, why);
  }
  const dependent = featuresOf(protocol).find(({ row }) => row?.needs?.includes(name));
  if (dependent !== undefined) {
    throw refused("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", name, `${dependent.name} needs it`);
  }
  return removal;
}

function inUse(name: string): DeltaError {
  const isConstraints = name === "checkConstraints";
  return isConstraints
    ? refused("DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE", name, "the table has constraints: drop them first")
    : refused("DELTA_FEATURE_DROP_IN_USE", name, "the table uses it: turn it off first");
}

function refused(code: DeltaError["code"], feature: string, why: string): DeltaError {
  return new DeltaError(code, `The feature ${feature} can't be dropped: ${why}.`, { feature });
}
