import { DeltaError } from "../../errors.js";
import { CLUSTERING_DOMAIN, clusteringDomain, clusteringPaths } from "../../log/clustering.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { clusterPaths } from "../clusterBy.js";
import { type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";

/** Implements `TableAlter.clusterBy`; see there. */
export function clusterBy(log: DeltaLog, columns: readonly string[], options: AlterOptions): Promise<AlterResult> {
  return alterTable(log, options, ({ schema, metadata, protocol, columnMapping, domainMetadata }) => {
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
    const namesOf = (all: readonly (readonly string[])[]) => all.map((path) => path.join(".")).join(",");
    return {
      actions: [{ domainMetadata: domain }],
      operation: "CLUSTER BY",
      operationParameters: { oldClusteringColumns: namesOf(before), newClusteringColumns: namesOf(paths) },
    };
  });
}
