import { DeltaError } from "../../errors.js";
import type { Action, DomainMetadata } from "../../log/actions.js";
import { CLUSTERING_DOMAIN, clusteringDomain, clusteringPaths } from "../../log/clustering.js";
import { columnMappingOf, MAX_COLUMN_ID } from "../../log/columnMapping.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { checkIcebergCompat } from "../../log/icebergCompat.js";
import type { Snapshot } from "../../log/snapshot.js";
import { withoutColumnMapping } from "../../schema/columnMapping.js";
import { schemaToJson } from "../../schema/json.js";
import type { StructType } from "../../schema/types.js";
import { invalidNames } from "../../schema/validate.js";
import type { ReadSet } from "../../write/conflicts.js";
import { rewriteFiles } from "../rewrite/rewriteFiles.js";
import type { RowTarget } from "../rewrite/rowRewriter.js";
import { type CommitOptions, change } from "../stagedChange.js";

const MODE = "delta.columnMapping.mode";

/** Files that come meanwhile have other names in them. */
const EVERY_FILE: ReadSet = { mayMatch: () => true, files: "all" };

/** Whether columns tell of names or ids of their own in files. */
export function isMapped(schema: StructType): boolean {
  return withoutColumnMapping(schema) !== schema;
}

/**
 * Writes all files of a table anew under its columns' own names, in one version; tells whether there was anything to do. `none` keeps the
 * property and says so in it. Throws `DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING` and `DELTA_ICEBERG_COMPAT_VIOLATION` before
 * anything is written, and `DELTA_CONCURRENT_APPEND` where rows came meanwhile.
 */
export async function removeColumnMapping(
  log: DeltaLog,
  mode: "none" | undefined,
  signal: AbortSignal | undefined,
  options: Pick<CommitOptions, "userMetadata"> = {},
): Promise<boolean> {
  const { staged } = await change(log, { ...options, signal }, async (snapshot) => {
    const { protocol, metadata, schema } = snapshot;
    const isRead = columnMappingOf(protocol, metadata) !== "none";
    if (!isRead && !isMapped(schema)) return undefined;
    const target = unmapped(snapshot, mode);
    checkNames(schema);
    checkIcebergCompat(protocol, target.metadata);
    const rewritten = await rewriteFiles(log, snapshot, { isMeant: () => isRead, target, signal });
    const domains = [...target.domainMetadata.values()].filter(
      (one) => one !== snapshot.domainMetadata.get(one.domain),
    );
    const actions: Action[] = [
      { metaData: target.metadata },
      ...domains.map((domainMetadata) => ({ domainMetadata })),
      ...rewritten.actions,
    ];
    const bytes = rewritten.added.reduce((sum, { size }) => sum + size, 0);
    return {
      actions,
      reads: EVERY_FILE,
      stored: rewritten.stored,
      discard: rewritten.discard,
      operation: "REMOVE COLUMN MAPPING",
      operationParameters: {},
      operationMetrics: {
        numRemovedFiles: String(rewritten.removed.length),
        numAddedFiles: String(rewritten.added.length),
        numOutputBytes: String(bytes),
      },
    };
  });
  return staged !== undefined;
}

/** The table whose columns are called in files what they are called. */
function unmapped({ protocol, metadata, schema, columnMapping, domainMetadata }: Snapshot, mode: "none" | undefined) {
  const plain = withoutColumnMapping(schema);
  const { [MODE]: _, [MAX_COLUMN_ID]: __, ...others } = metadata.configuration;
  const configuration = mode === undefined ? others : { ...others, [MODE]: mode };
  const domains = new Map<string, DomainMetadata>(domainMetadata);
  if (domains.has(CLUSTERING_DOMAIN)) {
    const paths = clusteringPaths(domainMetadata, schema, columnMapping);
    domains.set(CLUSTERING_DOMAIN, clusteringDomain(paths, plain, "none"));
  }
  const target: RowTarget = {
    protocol,
    metadata: { ...metadata, schemaString: schemaToJson(plain), configuration },
    schema: plain,
    domainMetadata: domains,
  };
  return target;
}

function checkNames(schema: StructType): void {
  const columns = invalidNames(schema);
  if (columns.length === 0) return;
  throw new DeltaError(
    "DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING",
    `Only a table that maps its columns can have names such as ${columns.map((name) => JSON.stringify(name)).join(", ")}, with one of " ,;{}()\\n\\t=" in them. Rename them first.`,
    { columns },
  );
}
