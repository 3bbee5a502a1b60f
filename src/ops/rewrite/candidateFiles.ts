import type { AddFile, Metadata, RemoveFile } from "../../log/actions.js";
import { isFeatureActive } from "../../log/features.js";
import { canonicalPath } from "../../log/paths.js";
import type { Snapshot } from "../../log/snapshot.js";
import { planFiles, type ScanFile } from "../../read/plan.js";
import { runtime } from "../../runtime.js";
import type { Predicate } from "../../schema/predicate.js";
import { fileFilter } from "../../schema/skipping.js";
import type { ReadSet } from "../../write/conflicts.js";

/** A live file whose rows a change may touch. */
export type CandidateFile = ScanFile & { readonly add: AddFile };

/** The files of a snapshot that may hold rows for which a predicate is true, and the record of having read them. */
export class CandidateFiles {
  readonly #snapshot: Snapshot;
  readonly #predicate: Predicate | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #read = new Set<string>();

  constructor(snapshot: Snapshot, predicate: Predicate | undefined, signal?: AbortSignal) {
    this.#snapshot = snapshot;
    this.#predicate = predicate;
    this.#signal = signal;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CandidateFile> {
    const { protocol, metadata } = this.#snapshot;
    const rowTracking = isFeatureActive("rowTracking", protocol, metadata);
    const options = { predicate: this.#predicate, rowTracking, withAdd: true, signal: this.#signal };
    for await (const file of planFiles(this.#snapshot, options)) {
      const candidate = file as CandidateFile;
      if (this.#predicate !== undefined) this.#read.add(canonicalPath(candidate.add.path));
      yield candidate;
    }
  }

  /** What a change depends on that has looked at all of them. */
  get reads(): ReadSet {
    const predicate = this.#predicate;
    if (predicate === undefined) return { mayMatch: () => true, files: "all" };
    const { schema, metadata, columnMapping } = this.#snapshot;
    const matches = fileFilter(predicate, schema, metadata.partitionColumns, { columnMapping });
    const mayMatch = ({ partitionValues, stats }: AddFile) =>
      matches({ partitionValues: (column) => partitionValues[column] ?? null, stats: stats ?? null }) !== "none";
    return { mayMatch, files: this.#read };
  }
}

/** The action that removes a live file, and says all that is known of it. */
export function removeOf(add: AddFile, dataChange = true): RemoveFile {
  const { path, partitionValues, size, stats, tags, deletionVector, baseRowId, defaultRowCommitVersion } = add;
  return {
    path,
    deletionTimestamp: runtime.now(),
    dataChange,
    extendedFileMetadata: true,
    partitionValues,
    size,
    ...(stats !== undefined && { stats }),
    ...(tags !== undefined && { tags }),
    ...(deletionVector !== undefined && { deletionVector }),
    ...(baseRowId !== undefined && { baseRowId }),
    ...(defaultRowCommitVersion !== undefined && { defaultRowCommitVersion }),
  };
}

/** Whether rows are removed by deletion vectors instead of writing their file anew. */
export function usesDeletionVectors({
  protocol,
  metadata,
}: Pick<Snapshot, "protocol"> & { metadata: Metadata }): boolean {
  return isFeatureActive("deletionVectors", protocol, metadata);
}
