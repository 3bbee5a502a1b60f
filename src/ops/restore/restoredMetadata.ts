import type { Action, Metadata } from "../../log/actions.js";
import { CLUSTERING_DOMAIN, clusteringDomain } from "../../log/clustering.js";
import type { Snapshot } from "../../log/snapshot.js";
import { schemaToJson } from "../../schema/json.js";
import type { StructField, StructType } from "../../schema/types.js";

/** What is true of all versions of a table, and doesn't go back. */
const KEPT = [
  "delta.enableInCommitTimestamps",
  "delta.inCommitTimestampEnablementVersion",
  "delta.inCommitTimestampEnablementTimestamp",
  "delta.requireCheckpointProtectionBeforeVersion",
  "delta.rowTracking.materializedRowIdColumnName",
  "delta.rowTracking.materializedRowCommitVersionColumnName",
] as const;

const MAX_COLUMN_ID = "delta.columnMapping.maxColumnId";
const HIGH_WATER_MARK = "delta.identity.highWaterMark";
const STEP = "delta.identity.step";

/** The metadata of a version as it is restored: what counts on, such as ids and identity values, never counts back. */
export function restoredMetadata(old: Snapshot, now: Snapshot): Metadata {
  const configuration: Record<string, string> = { ...old.metadata.configuration };
  for (const name of KEPT) {
    const value = now.metadata.configuration[name];
    if (value !== undefined) configuration[name] = value;
    else delete configuration[name];
  }
  const ids = [old, now].map(({ metadata }) => Number(metadata.configuration[MAX_COLUMN_ID] ?? 0));
  if (configuration[MAX_COLUMN_ID] !== undefined) configuration[MAX_COLUMN_ID] = String(Math.max(...ids));
  const schema = withHighWaterMarks(old.schema, now.schema);
  const schemaString = schema === old.schema ? old.metadata.schemaString : schemaToJson(schema);
  return { ...old.metadata, schemaString, configuration };
}

function withHighWaterMarks(old: StructType, now: StructType): StructType {
  let isSame = true;
  const fields = old.fields.map((field): StructField => {
    const current = now.fields.find(({ name }) => name === field.name)?.metadata[HIGH_WATER_MARK];
    const before = field.metadata[HIGH_WATER_MARK];
    if (current === undefined || current === before) return field;
    const descends = Number(field.metadata[STEP] ?? 1) < 0;
    const [a, b] = [BigInt(String(current)), BigInt(String(before ?? current))];
    const isFurther = before === undefined || (descends ? a < b : a > b);
    if (!isFurther) return field;
    isSame = false;
    return { ...field, metadata: { ...field.metadata, [HIGH_WATER_MARK]: current } };
  });
  return isSame ? old : { ...old, fields };
}

/** Clustering goes back with the rows; other domains stay as they are. */
export function restoredDomains(old: Snapshot, now: Snapshot): Action[] {
  const [before, current] = [old, now].map(({ domainMetadata }) => domainMetadata.get(CLUSTERING_DOMAIN));
  if (before?.configuration === current?.configuration) return [];
  const none = clusteringDomain([], now.schema, now.columnMapping);
  return [{ domainMetadata: before ?? none }];
}
