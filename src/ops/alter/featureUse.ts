import { CLUSTERING_DOMAIN, clusteringColumns } from "../../log/clustering.js";
import { isFeatureActive } from "../../log/features.js";
import { FEATURES } from "../../log/featureTable.js";
import type { Snapshot } from "../../log/snapshot.js";

/** Whether a table uses a feature of its protocol, by its metadata or by domains. */
export function isFeatureInUse({ protocol, metadata, domainMetadata }: Snapshot, name: string): boolean {
  if (name === "domainMetadata") return domainMetadata.size > 0;
  if (name === "clustering") return clusteringColumns(domainMetadata.get(CLUSTERING_DOMAIN)).length > 0;
  const row = FEATURES.find((feature) => feature.name === name);
  return row?.isActive !== undefined && isFeatureActive(name, protocol, metadata);
}
