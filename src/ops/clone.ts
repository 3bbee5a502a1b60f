import { DeltaError } from "../errors.js";
import type { Action, AddFile, Metadata } from "../log/actions.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkFeaturesListed, checkWritable } from "../log/features.js";
import { checkNewProperties } from "../log/properties.js";
import type { Snapshot } from "../log/snapshot.js";
import { runtime } from "../runtime.js";
import { commit } from "../write/transaction.js";
import { absoluteAdd, rootUri } from "./clone/absolute.js";
import { Copies } from "./clone/copies.js";
import { liveAdds } from "./liveAdds.js";
import { inParallel } from "./parallel.js";

export interface CloneOptions {
  /**
   * Names the source's files instead of copying them. Then the clone needs the source's folder: it is opened with that one among its
   * `dataRoots`, and can't be read any more once a vacuum of the source has deleted files that it names. Default false.
   */
  readonly shallow?: boolean;
  /** Table properties that the clone has otherwise. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly userMetadata?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CloneProgress) => void;
}

export interface CloneProgress {
  /** Files that are in the clone. */
  readonly done: number;
}

export interface CloneResult {
  /** The clone's version. */
  readonly version: number;
  /** The version of the source that it is a clone of. */
  readonly sourceVersion: number;
  readonly fileCount: number;
  readonly sizeBytes: number;
  /** Of the files and those of deletion vectors, those that this call copied: none in a shallow clone. */
  readonly copiedFileCount: number;
  readonly copiedSizeBytes: number;
}

const COPIED_AT_ONCE = 4;

/** Of the table as it was, not of its clone. */
const NOT_CLONED = [
  "delta.inCommitTimestampEnablementVersion",
  "delta.inCommitTimestampEnablementTimestamp",
  "delta.requireCheckpointProtectionBeforeVersion",
];

/** Implements `Table.clone`; see there. */
export async function clone(source: Snapshot, target: DeltaLog, options: CloneOptions = {}): Promise<CloneResult> {
  const { shallow = false, signal, userMetadata, onProgress } = options;
  const existing = await target.latestIfExists(signal);
  if (existing !== undefined) throw pathExists(target, existing.version);
  const metadata = clonedMetadata(source, options.properties ?? {});
  checkWritable(source.protocol, metadata);
  checkFeaturesListed(source.protocol, metadata);

  const root = shallow ? rootUri(source.store) : "";
  const copies = new Copies(source.store, target.store, signal);
  const adds: AddFile[] = [];
  let sizeBytes = 0;
  let index = 0;
  const numbered = async function* () {
    for await (const add of liveAdds(source, signal)) yield [index++, add] as const;
  };
  await inParallel(
    numbered(),
    async ([place, add]) => {
      adds[place] = shallow ? absoluteAdd(add, source.store, root) : await copies.copy(add);
      sizeBytes += add.size;
      onProgress?.({ done: place + 1 });
    },
    COPIED_AT_ONCE,
  );

  const [fileCount, copiedFileCount, copiedSizeBytes] = [adds.length, copies.copiedFiles, copies.copiedBytes];
  const result = await commit(
    target,
    {
      read: undefined,
      actions: [{ protocol: source.protocol }, { metaData: metadata }, ...domainsOf(source, adds)],
      operation: "CLONE",
      operationParameters: {
        source: `delta.\`${source.store.url}\``,
        sourceVersion: String(source.version),
        isShallow: String(shallow),
      },
      operationMetrics: {
        sourceTableSize: String(sizeBytes),
        sourceNumOfFiles: String(fileCount),
        numRemovedFiles: "0",
        numCopiedFiles: String(copiedFileCount),
        removedFilesSize: "0",
        copiedFilesSize: String(copiedSizeBytes),
      },
      userMetadata,
    },
    signal,
  );
  if (result.status === "conflict") throw pathExists(target, result.snapshot.version);
  const { version } = result;
  return { version, sourceVersion: source.version, fileCount, sizeBytes, copiedFileCount, copiedSizeBytes };
}

function clonedMetadata({ metadata }: Snapshot, properties: Readonly<Record<string, string>>): Metadata {
  checkNewProperties(properties);
  const mode = "delta.columnMapping.mode";
  if (Object.hasOwn(properties, mode) && properties[mode] !== (metadata.configuration[mode] ?? "none")) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `A clone has the files of its source, so ${mode} stays as it is.`, {
      property: mode,
    });
  }
  const configuration = Object.entries(metadata.configuration).filter(([name]) => !NOT_CLONED.includes(name));
  return {
    ...metadata,
    id: runtime.randomUUID(),
    configuration: { ...Object.fromEntries(configuration), ...properties },
    createdTime: runtime.now(),
  };
}

const ROW_TRACKING_DOMAIN = "delta.rowTracking";

/** The files and the table's domains. Rows keep their ids where all have some; else all get new ones. */
function domainsOf({ domainMetadata }: Snapshot, adds: readonly AddFile[]): Action[] {
  const keepsIds = adds.every((add) => add.baseRowId !== undefined && add.defaultRowCommitVersion !== undefined);
  const domains = [...domainMetadata.values()].filter(({ domain }) => keepsIds || domain !== ROW_TRACKING_DOMAIN);
  const files = adds.map((add) => {
    if (keepsIds) return add;
    const { baseRowId: _, defaultRowCommitVersion: __, ...fresh } = add;
    return fresh;
  });
  return [...domains.map((domain) => ({ domainMetadata: domain })), ...files.map((add) => ({ add }))];
}

function pathExists({ store }: DeltaLog, version: number): DeltaError {
  return new DeltaError(
    "DELTA_PATH_EXISTS",
    `${store.url} is a table already (version ${version}). Choose another place for the clone.`,
    { path: store.url, version },
  );
}
