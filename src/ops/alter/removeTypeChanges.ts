import type { DeltaLog } from "../../log/deltaLog.js";
import { canonicalPath } from "../../log/paths.js";
import { property } from "../../log/properties.js";
import type { Snapshot } from "../../log/snapshot.js";
import { readFooter } from "../../parquet/footer.js";
import { holdsOlderTypes } from "../../read/olderTypes.js";
import { columnText } from "../../schema/columns.js";
import { exactJson } from "../../schema/exactJson.js";
import { schemaToJson } from "../../schema/json.js";
import { changedFields, typeChangesOf, withoutTypeChanges } from "../../schema/typeChanges.js";
import type { StructType } from "../../schema/types.js";
import { sizeMetrics } from "../optimize/sizeMetrics.js";
import { inParallel } from "../parallel.js";
import { CandidateFiles } from "../rewrite/candidateFiles.js";
import { rewriteFiles } from "../rewrite/rewriteFiles.js";
import { change } from "../stagedChange.js";
import { alterTable } from "./alterTable.js";
import { unsetProperties } from "./setProperties.js";

const ENABLED = "delta.enableTypeWidening";

/** Whether columns tell that their types were others once. */
export function hasTypeChanges(schema: StructType): boolean {
  return typeChangesOf(schema).length > 0;
}

/** Lets no type be widened any more, writes the files anew that hold older types, and takes what tells of them out of the schema. */
export async function removeTypeChanges(log: DeltaLog, signal: AbortSignal | undefined): Promise<boolean> {
  const { metadata, schema } = await log.latest(signal);
  if (!property(metadata, ENABLED) && !hasTypeChanges(schema)) return false;
  await unsetProperties(log, [ENABLED], { ifExists: true, signal });
  await widenFiles(log, signal);
  await forgetChanges(log, signal);
  return hasTypeChanges(schema);
}

async function widenFiles(log: DeltaLog, signal: AbortSignal | undefined): Promise<void> {
  await change(log, { signal }, async (snapshot) => {
    const older = hasTypeChanges(snapshot.schema) ? await filesOfOlderTypes(snapshot, signal) : new Set<string>();
    if (older.size === 0) return undefined;
    const isMeant = ({ add }: { readonly add: { readonly path: string } }) => older.has(canonicalPath(add.path));
    const { removed, added, paths, ...staged } = await rewriteFiles(log, snapshot, { isMeant, signal });
    return {
      ...staged,
      reads: { mayMatch: () => false, files: paths },
      operation: "REORG",
      operationParameters: { predicate: "[]", applyPurge: "true" },
      operationMetrics: sizeMetrics(removed, added),
    };
  });
}

async function filesOfOlderTypes(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<Set<string>> {
  const { store, schema, metadata, columnMapping } = snapshot;
  // Partition values are in the log, as texts that any of the types takes.
  const fields = schema.fields.filter(({ name }) => !metadata.partitionColumns.includes(name));
  const stored: StructType = { ...schema, fields };
  const older = new Set<string>();
  await inParallel(new CandidateFiles(snapshot, undefined, signal), async (file) => {
    const footer = await readFooter(store, file, signal);
    if (holdsOlderTypes(stored, columnMapping, footer)) older.add(canonicalPath(file.add.path));
  });
  return older;
}

async function forgetChanges(log: DeltaLog, signal: AbortSignal | undefined): Promise<void> {
  await alterTable(log, { signal }, ({ schema, metadata }) => {
    if (!hasTypeChanges(schema)) return undefined;
    const columns = changedFields(schema).map(({ path, field }) => ({ ...field, name: columnText(path) }));
    return {
      metadata: { ...metadata, schemaString: schemaToJson(withoutTypeChanges(schema)) },
      operation: "DROP FEATURE",
      operationParameters: { columns: exactJson(columns) },
    };
  });
}
