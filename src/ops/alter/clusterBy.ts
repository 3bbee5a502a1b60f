import { DeltaError } from "../../errors.js";
import { CLUSTERING_DOMAIN, clusteringDomain, clusteringPaths } from "../../log/clustering.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import type { Snapshot } from "../../log/snapshot.js";
import { physicalPath } from "../../schema/columnMapping.js";
import { columnText } from "../../schema/columns.js";
import { parseStatistics } from "../../schema/fileStatistics.js";
import type { ReadSet } from "../../write/conflicts.js";
import { clusterPaths } from "../clusterBy.js";
import { type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";

/** Files that come meanwhile may lack the statistics. */
const EVERY_FILE: ReadSet = { mayMatch: () => true, files: new Set() };

/** Implements `TableAlter.clusterBy`; see there. */
export function clusterBy(log: DeltaLog, columns: readonly string[], options: AlterOptions): Promise<AlterResult> {
  return alterTable(log, options, async (snapshot) => {
    const { schema, metadata, protocol, columnMapping, domainMetadata } = snapshot;
    if (!(protocol.writerFeatures ?? []).includes("clustering")) {
      throw new DeltaError(
        "DELTA_ALTER_TABLE_CLUSTER_BY_NOT_ALLOWED",
        `${log.store.url} isn't a clustered table. Make it one by table.alter.addFeature("clustering") first; a partitioned table can't be one.`,
        { table: log.store.url },
      );
    }
    const paths = clusterPaths(schema, columns, metadata.partitionColumns);
    const domain = clusteringDomain(paths, schema, columnMapping);
    const before = clusteringPaths(domainMetadata, schema, columnMapping);
    if (domainMetadata.get(CLUSTERING_DOMAIN)?.configuration === domain.configuration) return undefined;
    for (const path of paths) await checkStatistics(snapshot, path, options.signal);
    const namesOf = (all: readonly (readonly string[])[]) => all.map((path) => path.join(".")).join(",");
    return {
      actions: [{ domainMetadata: domain }],
      reads: EVERY_FILE,
      operation: "CLUSTER BY",
      operationParameters: { oldClusteringColumns: namesOf(before), newClusteringColumns: namesOf(paths) },
    };
  });
}

/** Every file of a clustered table tells of its columns (PROTOCOL.md, Writer Requirements for Clustered Table). */
async function checkStatistics(
  snapshot: Snapshot,
  path: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const physical = physicalPath(snapshot.schema, path, snapshot.columnMapping);
  for await (const batch of snapshot.fileBatches({ columns: ["path", "stats"], signal })) {
    const [paths, stats] = [batch.getChild("path")!, batch.getChild("stats")];
    for (let row = 0; row < batch.numRows; row++) {
      let told: unknown = parseStatistics((stats?.get(row) as string | null) ?? null)?.nullCount;
      for (const name of physical) told = (told as Record<string, unknown> | undefined)?.[name];
      if (told !== undefined) continue;
      const [file, column] = [String(paths.get(row)), columnText(path)];
      throw new DeltaError(
        "DELTA_CLUSTERING_COLUMN_MISSING_STATS",
        `${file} has no statistics of "${column}", which the files of a table clustered by it need. Name the column in delta.dataSkippingStatsColumns and write the files anew first.`,
        { column, path: file },
      );
    }
  }
}
