import type { Tail } from "./tail.js";

/** How many live files a version has, and the sum of their sizes in bytes. */
export interface FileTotals {
  readonly version: number;
  readonly fileCount: number;
  readonly sizeBytes: number;
}

/** Of a table before its first commit. */
export const NO_FILES: FileTotals = { version: -1, fileCount: 0, sizeBytes: 0 };

/**
 * The totals of `version` from those of an older one and the commits between; undefined where they don't tell. `isWhole`: the
 * tail has all of the table's commits, not just those behind a checkpoint. Costs the actions between the versions.
 *
 * A file that no commit of the tail speaks of before is in the checkpoint if it is removed, and isn't if it is added: that goes
 * without saying only for commits that change data, or both add and remove. The others may add files again to describe them anew.
 */
export function totalsAfter(before: FileTotals, tail: Tail, version: number, isWhole: boolean): FileTotals | undefined {
  let { fileCount, sizeBytes } = before;
  for (let row = tail.firstAfter(before.version); row < tail.length && tail.addedAt.get(row) <= version; ) {
    const end = endOfCommit(tail, row);
    const isClear = isWhole || tellsWhatIsNew(tail, row, end);
    for (; row < end; row++) {
      const previous = tail.previous.get(row);
      const isAdd = tail.isAdd[row]!;
      if (previous < 0 && !isClear) return undefined;
      const wasLive = previous >= 0 ? tail.isAdd[previous]! : !isWhole && !isAdd;
      if (wasLive) {
        fileCount--;
        sizeBytes -= tail.size.get(previous >= 0 ? previous : row);
      }
      if (isAdd) {
        fileCount++;
        sizeBytes += tail.size.get(row);
      }
    }
  }
  // A size that somebody left out makes the sum NaN.
  return Number.isSafeInteger(sizeBytes) && sizeBytes >= 0 && fileCount >= 0
    ? { version, fileCount, sizeBytes }
    : undefined;
}

function endOfCommit({ addedAt, length }: Tail, start: number): number {
  let end = start;
  while (end < length && addedAt.get(end) === addedAt.get(start)) end++;
  return end;
}

function tellsWhatIsNew({ isAdd, dataChange }: Tail, start: number, end: number): boolean {
  let [adds, removes, changes] = [false, false, false];
  for (let row = start; row < end; row++) {
    if (isAdd[row]) adds = true;
    else removes = true;
    if (dataChange[row]) changes = true;
  }
  return changes || (adds && removes);
}
