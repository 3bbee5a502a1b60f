import { DeltaError } from "../../errors.js";
import type { Protocol } from "../../log/actions.js";
import { writeCheckpoint } from "../../log/checkpoint.js";
import { CLUSTERING_DOMAIN } from "../../log/clustering.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { checkWritable, featuresOf, hasFeature } from "../../log/features.js";
import { FEATURES } from "../../log/featureTable.js";
import { checkFeature, protocolWith } from "../../log/protocolUpgrade.js";
import type { Snapshot } from "../../log/snapshot.js";
import { runtime } from "../../runtime.js";
import { type Altered, type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";
import { isFeatureInUse } from "./featureUse.js";
import { protectHistory } from "./protectHistory.js";
import { TRACES } from "./removeTraces.js";

/** Implements `TableAlter.addFeature`; see there. */
export function addFeature(log: DeltaLog, feature: string, options: AlterOptions): Promise<AlterResult> {
  const name = checkFeature(feature);
  return alterTable(log, options, (snapshot) => {
    const protocol = protocolWith(snapshot.protocol, [name]);
    if (protocol === snapshot.protocol) return undefined;
    return {
      protocol,
      operation: "SET TBLPROPERTIES",
      operationParameters: { properties: JSON.stringify({ [`delta.feature.${name}`]: "supported" }) },
    };
  });
}

/**
 * Features that leave nothing behind once they aren't in use: writers alone have to know them, or, in older versions of the table,
 * readers have nothing to know.
 */
const DROPPABLE: ReadonlySet<string> = new Set([
  "allowColumnDefaults",
  "appendOnly",
  "changeDataFeed",
  "checkConstraints",
  "clustering",
  "domainMetadata",
  "generatedColumns",
  "identityColumns",
  "inCommitTimestamp",
  "invariants",
  "vacuumProtocolCheck",
]);

/** Implements `TableAlter.dropFeature`; see there. */
export async function dropFeature(log: DeltaLog, feature: string, options: AlterOptions): Promise<AlterResult> {
  const { signal } = options;
  const name = FEATURES.find((row) => row.name.toLowerCase() === feature.toLowerCase())?.name ?? feature;
  const traces = TRACES.get(name);
  if (traces === undefined) return alterTable(log, options, (snapshot) => withoutUnused(snapshot, name));
  const before = await log.latest(signal);
  checkWritable(before.protocol, before.metadata);
  checkDroppable(before, name);
  await traces.remove(log, signal);
  if (traces.asksReaders) await protectHistory(log, signal);
  const result = await alterTable(log, options, async (snapshot) => {
    const dropped = withoutUnused(snapshot, name);
    if (await traces.areIn(snapshot, signal)) throw inUse(name);
    const rest = { ...dropped, ...traces.rest?.(snapshot), reads: traces.reads };
    return traces.asksReaders ? withProtection(rest, snapshot) : rest;
  });
  if (traces.asksReaders) await closeHistory(log);
  return result;
}

const PROTECTED = "delta.requireCheckpointProtectionBeforeVersion";

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

function withoutUnused(snapshot: Snapshot, name: string): Altered & { readonly protocol: Protocol } {
  checkDroppable(snapshot, name);
  if (isFeatureInUse(snapshot, name)) throw inUse(name);
  const domain = name === "clustering" ? snapshot.domainMetadata.get(CLUSTERING_DOMAIN) : undefined;
  return {
    protocol: protocolWithout(snapshot.protocol, name),
    ...(domain && { actions: [{ domainMetadata: { ...domain, removed: true } }] }),
    operation: "DROP FEATURE",
    operationParameters: { featureName: name, truncateHistory: "false" },
  };
}

function checkDroppable({ protocol }: Snapshot, name: string): void {
  if (!hasFeature(protocol, name)) {
    throw refused("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", name, "the table doesn't have it");
  }
  if (!DROPPABLE.has(name) && !TRACES.has(name)) {
    const why = "older versions or data files of the table may need it, which this release doesn't write anew";
    throw refused("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", name, why);
  }
  const dependent = featuresOf(protocol).find(({ row }) => row?.needs?.includes(name));
  if (dependent !== undefined) {
    throw refused("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", name, `${dependent.name} needs it`);
  }
}

/** The protocol with all features but one, by version numbers again where these say the same. */
function protocolWithout(protocol: Protocol, name: string): Protocol {
  const left = featuresOf(protocol).filter((feature) => feature.name !== name);
  const readerFeatures = left.filter(({ row }) => row?.kind === "readerWriter").map((feature) => feature.name);
  const writerFeatures = left.map((feature) => feature.name);
  if (readerFeatures.length > 0) {
    return protocol.minReaderVersion === 3
      ? { minReaderVersion: 3, minWriterVersion: 7, readerFeatures, writerFeatures }
      : { minReaderVersion: protocol.minReaderVersion, minWriterVersion: 7, writerFeatures };
  }
  if (writerFeatures.length === 0) return { minReaderVersion: 1, minWriterVersion: 1 };
  const isPlain =
    writerFeatures.length === 2 && ["appendOnly", "invariants"].every((one) => writerFeatures.includes(one));
  return isPlain
    ? { minReaderVersion: 1, minWriterVersion: 2 }
    : { minReaderVersion: 1, minWriterVersion: 7, writerFeatures };
}

function inUse(name: string): DeltaError {
  return refused("DELTA_FEATURE_DROP_IN_USE", name, "the table uses it: turn it off first");
}

function refused(code: DeltaError["code"], feature: string, why: string): DeltaError {
  return new DeltaError(code, `The feature ${feature} can't be dropped: ${why}.`, { feature });
}
