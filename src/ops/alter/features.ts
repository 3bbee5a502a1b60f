import { DeltaError } from "../../errors.js";
import type { Protocol } from "../../log/actions.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { featuresOf, hasFeature } from "../../log/features.js";
import { FEATURES } from "../../log/featureTable.js";
import { checkFeature, protocolWith } from "../../log/protocolUpgrade.js";
import { type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";
import { isFeatureInUse } from "./featureUse.js";

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
  "domainMetadata",
  "generatedColumns",
  "identityColumns",
  "inCommitTimestamp",
  "invariants",
  "vacuumProtocolCheck",
]);

/** Implements `TableAlter.dropFeature`; see there. */
export function dropFeature(log: DeltaLog, feature: string, options: AlterOptions): Promise<AlterResult> {
  return alterTable(log, options, (snapshot) => {
    const name = FEATURES.find((row) => row.name.toLowerCase() === feature.toLowerCase())?.name ?? feature;
    if (!hasFeature(snapshot.protocol, name)) {
      throw refused("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", name, "the table doesn't have it");
    }
    if (!DROPPABLE.has(name)) {
      const why = "older versions or data files of the table may need it, which this release doesn't write anew";
      throw refused("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", name, why);
    }
    const dependent = featuresOf(snapshot.protocol).find(({ row }) => row?.needs?.includes(name));
    if (dependent !== undefined) {
      throw refused("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", name, `${dependent.name} needs it`);
    }
    if (isFeatureInUse(snapshot, name)) {
      throw refused("DELTA_FEATURE_DROP_IN_USE", name, "the table uses it: turn it off first");
    }
    return {
      protocol: protocolWithout(snapshot.protocol, name),
      operation: "DROP FEATURE",
      operationParameters: { featureName: name, truncateHistory: "false" },
    };
  });
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

function refused(code: DeltaError["code"], feature: string, why: string): DeltaError {
  return new DeltaError(code, `The feature ${feature} can't be dropped: ${why}.`, { feature });
}
