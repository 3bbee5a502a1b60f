import type { AddFile } from "../../log/actions.js";

/** What the history tells of files that took the place of others, under the names that Spark gives it. */
export function sizeMetrics(removed: readonly AddFile[], added: readonly AddFile[]): Record<string, string> {
  const sizes = added.map(({ size }) => size).sort((a, b) => a - b);
  const at = (part: number) => String(sizes[Math.min(sizes.length - 1, Math.floor(part * sizes.length))] ?? 0);
  const sum = (files: readonly AddFile[]) => String(files.reduce((total, { size }) => total + size, 0));
  return {
    numRemovedFiles: String(removed.length),
    numRemovedBytes: sum(removed),
    numAddedFiles: String(added.length),
    numAddedBytes: sum(added),
    numDeletionVectorsRemoved: String(removed.filter(({ deletionVector }) => deletionVector !== undefined).length),
    minFileSize: at(0),
    p25FileSize: at(0.25),
    p50FileSize: at(0.5),
    p75FileSize: at(0.75),
    maxFileSize: String(sizes.at(-1) ?? 0),
  };
}
