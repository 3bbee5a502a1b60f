import { DeltaError } from "../errors.js";
import type { DomainMetadata, Metadata, Protocol } from "../log/actions.js";
import { clusteringDomain } from "../log/clustering.js";
import { withMappedSchema } from "../log/columnMapping.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { protocolFor } from "../log/features.js";
import { checkIcebergCompat } from "../log/icebergCompat.js";
import { checkNewProperties, property } from "../log/properties.js";
import { featuresInUse, protocolWith, requestedFeatures } from "../log/protocolUpgrade.js";
import { withRowTrackingColumns } from "../log/rowTracking.js";
import { checkNoChangeColumns } from "../read/changeColumns.js";
import { runtime } from "../runtime.js";
import type { StructType } from "../schema/types.js";
import { validateNewTable } from "../schema/validate.js";
import { commit } from "../write/transaction.js";
import { clusterPaths } from "./clusterBy.js";
import { checkNewRules } from "./rowRules.js";
import { type SchemaOption, schemaFrom } from "./schemaOption.js";

export interface CreateOptions {
  readonly schema: SchemaOption;
  /** Columns whose values name folders and are kept out of the data files. */
  readonly partitionBy?: readonly string[];
  /** Table properties, such as `delta.checkpointInterval`. */
  readonly properties?: Readonly<Record<string, string>>;
  /**
   * Up to four columns ("a", "address.city") whose neighbours `optimize` brings together, instead of partitions; they can be changed
   * later.
   */
  readonly clusterBy?: readonly string[];
  readonly name?: string;
  readonly description?: string;
  readonly userMetadata?: string;
  readonly signal?: AbortSignal;
}

/** Implements `Table.create`; see there. */
export async function create(log: DeltaLog, options: CreateOptions): Promise<{ readonly version: number }> {
  const existing = await log.latestIfExists(options.signal);
  if (existing !== undefined) throw pathExists(log.store.url, existing.version);
  const table = newTable(schemaFrom(options.schema), options);
  await checkNewRules(table);
  const { protocol, metadata, domains } = table;
  const result = await commit(
    log,
    {
      read: undefined,
      actions: [{ protocol }, { metaData: metadata }, ...domains.map((domainMetadata) => ({ domainMetadata }))],
      operation: "CREATE TABLE",
      operationParameters: {
        isManaged: "false",
        description: metadata.description ?? null,
        clusterBy: JSON.stringify(options.clusterBy ?? []),
        partitionBy: JSON.stringify(metadata.partitionColumns),
        properties: JSON.stringify(metadata.configuration),
      },
      operationMetrics: {},
      userMetadata: options.userMetadata,
    },
    options.signal,
  );
  if (result.status === "conflict") throw pathExists(log.store.url, result.snapshot.version);
  return { version: result.version };
}

/** The first protocol and metadata of a table: the least protocol that its schema and properties need, with the features asked for. */
export function newTable(
  schema: StructType,
  options: Pick<CreateOptions, "partitionBy" | "clusterBy" | "properties" | "name" | "description">,
): { protocol: Protocol; metadata: Metadata; schema: StructType; domains: readonly DomainMetadata[] } {
  const { partitionBy = [], clusterBy, name, description } = options;
  checkNewProperties(options.properties ?? {});
  const { features, configuration } = requestedFeatures(options.properties ?? {});
  const properties = withRowTrackingColumns(withMappingForIceberg(configuration));
  const mode = property({ configuration: properties }, "delta.columnMapping.mode");
  validateNewTable(schema, partitionBy, mode);
  if (property({ configuration: properties }, "delta.enableChangeDataFeed")) checkNoChangeColumns(schema);
  const plain: Metadata = {
    id: runtime.randomUUID(),
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    format: { provider: "parquet", options: {} },
    schemaString: "",
    partitionColumns: [...partitionBy],
    configuration: { ...properties },
    createdTime: runtime.now(),
  };
  const { metadata, schema: mapped } = withMappedSchema(plain, schema, mode);
  const least = protocolFor(mapped, metadata.configuration);
  const domains =
    clusterBy === undefined ? [] : [clusteringDomain(clusterPaths(mapped, clusterBy, partitionBy), mapped, mode)];
  const clustering = domains.length === 0 ? [] : ["clustering", "domainMetadata"];
  const protocol = protocolWith(least, [...featuresInUse(metadata), ...clustering, ...features]);
  checkIcebergCompat(protocol, metadata);
  return { protocol, metadata, schema: mapped, domains };
}

/** Iceberg finds columns by ids, and since its third version rows too. */
function withMappingForIceberg(configuration: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const tracksRows = property({ configuration }, "delta.enableIcebergCompatV3");
  const isIceberg =
    tracksRows ||
    property({ configuration }, "delta.enableIcebergCompatV1") ||
    property({ configuration }, "delta.enableIcebergCompatV2");
  if (!isIceberg) return configuration;
  return {
    "delta.columnMapping.mode": "name",
    ...(tracksRows && { "delta.enableRowTracking": "true" }),
    ...configuration,
  };
}

/** The error for a table that is there already. */
export function pathExists(url: string, version: number): DeltaError {
  return new DeltaError(
    "DELTA_PATH_EXISTS",
    `${url} is a table already (version ${version}). Append to it, or choose another path.`,
    { path: url, version },
  );
}
