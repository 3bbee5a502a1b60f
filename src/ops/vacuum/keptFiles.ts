import { hasCode } from "../../errors.js";
import { forEachAction } from "../../log/commitFile.js";
import { descriptorReader } from "../../log/deletionVectors/descriptors.js";
import { deletionVectorPath } from "../../log/deletionVectors/storage.js";
import { storePath } from "../../log/paths.js";
import { readCommits } from "../../log/readCommits.js";
import type { Snapshot } from "../../log/snapshot.js";
import { HashIndex, keyOf } from "../../verify/hashIndex.js";

/**
 * The files that a version's vacuum leaves: the live ones, those removed since `cutoffMs`, and their deletion vectors. Some 28 bytes
 * a file; two paths that are taken for one only keep a file too many.
 */
export class KeptFiles {
  readonly #index = new HashIndex();

  static async of(snapshot: Snapshot, cutoffMs: number, signal?: AbortSignal): Promise<KeptFiles> {
    const kept = new KeptFiles();
    for await (const batch of snapshot.fileBatches({
      columns: ["path", "deletionVector"],
      ...(signal && { signal }),
    })) {
      const paths = batch.getChild("path")!;
      const vectors = descriptorReader(batch);
      for (let row = 0; row < batch.numRows; row++) kept.#add(snapshot, paths.get(row), vectors(row));
    }
    for await (const batch of snapshot.tombstoneBatches(signal && { signal })) {
      const paths = batch.getChild("path")!;
      const times = batch.getChild("deletionTimestamp")!;
      const vectors = descriptorReader(batch);
      for (let row = 0; row < batch.numRows; row++) {
        // Without a time it was removed long ago (PROTOCOL.md, Remove File).
        if (Number(times.get(row) ?? 0) >= cutoffMs) kept.#add(snapshot, paths.get(row), vectors(row));
      }
    }
    return kept;
  }

  /** Keeps what was added after the snapshot and before a version: who restores a version may have brought files back. */
  async addFrom(snapshot: Snapshot, before: number, signal?: AbortSignal): Promise<void> {
    for await (const { version, bytes } of readCommits(snapshot.store, snapshot.version + 1, before - 1, signal)) {
      forEachAction(version, bytes, { commitInfo: false }, (action) => {
        if ("add" in action) this.#add(snapshot, action.add.path, action.add.deletionVector);
      });
    }
  }

  has(path: string): boolean {
    return this.#index.find(keyOf(path)) >= 0;
  }

  #add({ store }: Snapshot, path: string, vector: ReturnType<ReturnType<typeof descriptorReader>>): void {
    const file = insideTable(() => storePath(store, path));
    if (file !== undefined) this.#index.add(keyOf(file));
    // Some writers don't encode paths: their file may be called as the log spells it.
    if (path.includes("%")) this.#index.add(keyOf(path));
    const vectorFile = vector && insideTable(() => deletionVectorPath(store, vector));
    if (vectorFile !== undefined) this.#index.add(keyOf(vectorFile));
  }
}

/** A path in the table; undefined for one elsewhere, which isn't this table's to delete. */
export function insideTable(pathOf: () => string | undefined): string | undefined {
  try {
    return pathOf();
  } catch (error) {
    if (hasCode(error, "DELTA_UNSUPPORTED_FILE_PATH")) return undefined;
    throw error;
  }
}
