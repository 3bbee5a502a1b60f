import type { Plan } from "./plan.js";
import { FILES_MS, LOG_MS } from "./retention.js";

/** The properties that a schedule's table is created with. */
export function propertiesOf({ checkpointInterval, table }: Plan): Readonly<Record<string, string>> {
  const interval = { "delta.checkpointInterval": String(checkpointInterval) };
  if (table === undefined) return interval;
  return {
    ...interval,
    "delta.deletedFileRetentionDuration": `interval ${FILES_MS} milliseconds`,
    "delta.logRetentionDuration": `interval ${LOG_MS} milliseconds`,
    ...(table.vectors && { "delta.enableDeletionVectors": "true" }),
    ...(table.inCommitTimestamps && { "delta.enableInCommitTimestamps": "true" }),
    ...(table.rowTracking && { "delta.enableRowTracking": "true" }),
    ...(table.writeSerializable && { "delta.isolationLevel": "WriteSerializable" }),
    ...(table.v2Checkpoints && { "delta.checkpointPolicy": "v2", "delta.feature.v2Checkpoint": "supported" }),
  };
}
