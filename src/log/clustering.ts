import type { ColumnMappingMode } from "../schema/columnMapping.js";
import { physicalName, physicalPath } from "../schema/columnMapping.js";
import type { DataType, StructType } from "../schema/types.js";
import type { DomainMetadata } from "./actions.js";

/** The domain that names the columns which a table is clustered by (PROTOCOL.md, Clustered Table). */
export const CLUSTERING_DOMAIN = "delta.clustering";

/** What this release and Delta's own put into `clusteringProvider` of files whose rows are ordered by those columns. */
export const CLUSTERING_PROVIDER = "liquid";

/** The columns, under their physical names, that a domain's configuration tells of. */
export function clusteringColumns(
  domain: Pick<DomainMetadata, "configuration"> | undefined,
): readonly (readonly string[])[] {
  if (domain === undefined) return [];
  const { clusteringColumns: columns } = JSON.parse(domain.configuration) as { clusteringColumns?: unknown };
  return Array.isArray(columns) ? columns.map((column) => (Array.isArray(column) ? column : [String(column)])) : [];
}

/** The paths in the schema of the columns that a table is clustered by, as far as it still has them. */
export function clusteringPaths(
  domains: ReadonlyMap<string, DomainMetadata>,
  schema: StructType,
  mode: ColumnMappingMode,
): readonly (readonly string[])[] {
  const columns = clusteringColumns(domains.get(CLUSTERING_DOMAIN));
  return columns.flatMap((column) => {
    const path = logicalPath(schema, column, mode);
    return path === undefined ? [] : [path];
  });
}

/** The domain that says that a table is clustered by these columns. */
export function clusteringDomain(
  paths: readonly (readonly string[])[],
  schema: StructType,
  mode: ColumnMappingMode,
): DomainMetadata {
  const columns = paths.map((path) => physicalPath(schema, path, mode));
  const configuration = JSON.stringify({ clusteringColumns: columns, domainName: CLUSTERING_DOMAIN });
  return { domain: CLUSTERING_DOMAIN, configuration, removed: false };
}

function logicalPath(schema: StructType, column: readonly string[], mode: ColumnMappingMode): string[] | undefined {
  const path: string[] = [];
  let type: DataType = schema;
  for (const name of column) {
    const fields: StructType["fields"] = typeof type === "object" && type.type === "struct" ? type.fields : [];
    const field = fields.find((candidate) => physicalName(candidate, mode) === name);
    if (field === undefined) return undefined;
    path.push(field.name);
    type = field.type;
  }
  return path;
}
