import { DeltaError } from "../../errors.js";
import type { Action, Metadata, Protocol } from "../../log/actions.js";
import { columnMappingOf, withMappedSchema } from "../../log/columnMapping.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { checkFeaturesListed, checkReadable, checkWritable } from "../../log/features.js";
import { checkIcebergCompat, isIcebergCompatible } from "../../log/icebergCompat.js";
import { property } from "../../log/properties.js";
import type { Snapshot } from "../../log/snapshot.js";
import { checkNoChangeColumns } from "../../read/changeColumns.js";
import { recordTypeChanges } from "../../schema/typeChanges.js";
import type { StructType } from "../../schema/types.js";
import { validateNewTable } from "../../schema/validate.js";
import type { ReadSet } from "../../write/conflicts.js";
import { type CommitOptions, change } from "../stagedChange.js";

/** What a verb makes of a table. What isn't named stays as it is. */
export interface Altered {
  readonly protocol?: Protocol;
  readonly metadata?: Metadata;
  /** Further actions. */
  readonly actions?: readonly Action[];
  /** What of the rows it relies on. */
  readonly reads?: ReadSet;
  readonly operation: string;
  readonly operationParameters: Readonly<Record<string, string>>;
}

/** What every verb of `table.alter` can be given. */
export type AlterOptions = Omit<CommitOptions, "txn">;

/** The version that has the change; the newest one where there was nothing to change. */
export interface AlterResult {
  readonly version: number;
}

/**
 * Commits what `alter` makes of the newest version; undefined for nothing. Any commit that changes the table's metadata or protocol
 * meanwhile is a conflict, and so is this one for whoever writes at the same time. Nothing is committed that this release couldn't
 * read and write.
 */
export async function alterTable(
  log: DeltaLog,
  options: AlterOptions,
  alter: (snapshot: Snapshot) => Altered | undefined | Promise<Altered | undefined>,
): Promise<AlterResult> {
  const { version } = await change(log, options, async (snapshot) => {
    const altered = await alter(snapshot);
    if (altered === undefined) return undefined;
    const { protocol = snapshot.protocol, metadata = snapshot.metadata, actions = [] } = altered;
    checkReadable(protocol, metadata, log.access);
    checkWritable(protocol, metadata);
    checkIcebergCompat(protocol, metadata);
    if (isIcebergCompatible(protocol, metadata) && !isIcebergCompatible(snapshot.protocol, snapshot.metadata)) {
      throw new DeltaError(
        "DELTA_ICEBERG_COMPAT_VIOLATION",
        "A table is compatible with Iceberg from its creation on, or not at all: files that are there lack ids and columns. Make a new one of its rows.",
        {},
      );
    }
    const changed: Action[] = [];
    if (protocol !== snapshot.protocol) changed.push({ protocol });
    if (metadata !== snapshot.metadata) changed.push({ metaData: metadata });
    const { operation, operationParameters, reads } = altered;
    return {
      actions: [...changed, ...actions],
      reads,
      operation,
      operationParameters,
      operationMetrics: {},
      discard: async () => undefined,
    };
  });
  return { version };
}

/**
 * The metadata with another schema. New columns get their place in files, and widened ones tell of it. Throws `DELTA_INVALID_SCHEMA`,
 * `DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT`.
 */
export function withSchema(
  { protocol, metadata, schema }: Snapshot,
  changed: StructType,
  partitionColumns = metadata.partitionColumns,
): Metadata {
  const mode = columnMappingOf(protocol, metadata);
  validateNewTable(changed, partitionColumns, mode);
  if (property(metadata, "delta.enableChangeDataFeed")) checkNoChangeColumns(changed);
  const mapped = withMappedSchema({ ...metadata, partitionColumns }, recordTypeChanges(schema, changed), mode);
  checkFeaturesListed(protocol, mapped.metadata);
  return mapped.metadata;
}
