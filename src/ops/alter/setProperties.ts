import { DeltaError } from "../../errors.js";
import type { Metadata } from "../../log/actions.js";
import { columnMappingOf, withNewMapping } from "../../log/columnMapping.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { checkProperties, checkSettable, property } from "../../log/properties.js";
import { addedByProperties, protocolWith, requestedFeatures } from "../../log/protocolUpgrade.js";
import { withRowTrackingColumns } from "../../log/rowTracking.js";
import type { Snapshot } from "../../log/snapshot.js";
import { checkNoChangeColumns } from "../../read/changeColumns.js";
import { type Altered, type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";
import { backfillRowIds } from "./backfillRowIds.js";
import { removeColumnMapping } from "./removeColumnMapping.js";

const MODE = "delta.columnMapping.mode";

/** Implements `TableAlter.setProperties`; see there. */
export async function setProperties(
  log: DeltaLog,
  properties: Readonly<Record<string, string>>,
  options: AlterOptions,
): Promise<AlterResult> {
  checkProperties(properties);
  checkNoConstraints(Object.keys(properties));
  const { configuration } = requestedFeatures(properties);
  if (property({ configuration }, "delta.enableRowTracking")) await backfillRowIds(log, options);
  if (configuration[MODE] !== undefined && property({ configuration }, MODE) === "none") {
    await removeColumnMapping(log, "none", options.signal, options);
  }
  return alterTable(log, options, (snapshot) => withProperties(snapshot, properties));
}

/** Implements `TableAlter.unsetProperties`; see there. */
export async function unsetProperties(
  log: DeltaLog,
  names: readonly string[],
  options: AlterOptions & { readonly ifExists?: boolean },
): Promise<AlterResult> {
  const { ifExists = false } = options;
  checkNoConstraints(names);
  for (const name of names) checkSettable(name);
  const removesMapping = names.includes(MODE) && (await removeColumnMapping(log, undefined, options.signal, options));
  return alterTable(log, options, (snapshot) => {
    const before = snapshot.metadata.configuration;
    const missing = names.find((name) => !Object.hasOwn(before, name) && !(removesMapping && name === MODE));
    if (missing !== undefined && !ifExists) {
      throw new DeltaError("DELTA_UNSET_NON_EXISTENT_PROPERTY", `The table has no property ${missing}.`, {
        property: missing,
      });
    }
    const present = names.filter((name) => Object.hasOwn(before, name));
    if (present.length === 0) return undefined;
    const configuration = Object.fromEntries(Object.entries(before).filter(([name]) => !present.includes(name)));
    return {
      ...altered(snapshot, configuration, []),
      operation: "UNSET TBLPROPERTIES",
      operationParameters: { properties: JSON.stringify(present), ifExists: String(ifExists) },
    };
  });
}

/** The table with these properties, or undefined where it has them already. */
function withProperties(snapshot: Snapshot, properties: Readonly<Record<string, string>>): Altered | undefined {
  const { features, configuration } = requestedFeatures(properties);
  const changed = altered(snapshot, { ...snapshot.metadata.configuration, ...configuration }, features);
  if (changed.protocol === snapshot.protocol && isSame(changed.metadata, snapshot.metadata)) return undefined;
  return {
    ...changed,
    operation: "SET TBLPROPERTIES",
    operationParameters: { properties: JSON.stringify(properties) },
  };
}

/** What the table is with other properties: they turn features on and off, of which some keep more in the metadata. */
function altered(
  snapshot: Snapshot,
  wanted: Readonly<Record<string, string>>,
  features: readonly string[],
): Required<Pick<Altered, "protocol" | "metadata">> {
  const { schema, metadata: before } = snapshot;
  const configuration = withRowTrackingColumns(withoutStaleTimestamps(before.configuration, wanted));
  let metadata: Metadata = { ...before, configuration };
  const mode = property(metadata, "delta.columnMapping.mode");
  const oldMode = columnMappingOf(snapshot.protocol, before);
  if (mode !== oldMode) {
    checkModeChange(oldMode, mode);
    metadata = withNewMapping(metadata, schema).metadata;
  }
  if (property(metadata, "delta.enableChangeDataFeed")) checkNoChangeColumns(schema);
  if (property(metadata, "delta.enableRowTracking") && property(metadata, "delta.rowTrackingSuspended")) {
    throw new DeltaError(
      "DELTA_INVALID_PROPERTY_VALUE",
      "delta.enableRowTracking and delta.rowTrackingSuspended exclude each other.",
      { property: "delta.rowTrackingSuspended", value: "true" },
    );
  }
  const protocol = protocolWith(snapshot.protocol, [...addedByProperties(metadata), ...features]);
  return { protocol, metadata };
}

/** Where in-commit timestamps are turned off, when they were turned on means nothing any more. */
function withoutStaleTimestamps(
  before: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const isOn = (configuration: Readonly<Record<string, string>>) =>
    property({ configuration }, "delta.enableInCommitTimestamps");
  if (!isOn(before) || isOn(wanted)) return wanted;
  const stale = ["delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp"];
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => !stale.includes(name)));
}

function checkModeChange(from: string, to: string): void {
  if (from === "none" && to === "name") return;
  throw new DeltaError(
    "DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE",
    `delta.columnMapping.mode can't be changed from ${from} to ${to}: the data files that are there don't fit. Only from none to name it can, and to none.`,
    { from, to },
  );
}

function checkNoConstraints(names: readonly string[]): void {
  const name = names.find((each) => each.startsWith("delta.constraints."));
  if (name === undefined) return;
  throw new DeltaError(
    "DELTA_ADD_CONSTRAINTS",
    `${name} is a constraint: rows have to be checked for it. Use addConstraint and dropConstraint.`,
    {
      property: name,
    },
  );
}

function isSame(one: Metadata, other: Metadata): boolean {
  const text = ({ configuration, ...rest }: Metadata) =>
    JSON.stringify([rest, Object.entries(configuration).sort(([a], [b]) => (a < b ? -1 : 1))]);
  return text(one) === text(other);
}
