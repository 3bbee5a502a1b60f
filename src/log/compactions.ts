/** A file with the reconciled actions of some commits (PROTOCOL.md, Log Compaction Files). */
export interface Compaction {
  /** Of the first commit that it takes the place of. */
  readonly version: number;
  /** Of the last one, which is after the first. */
  readonly endVersion: number;
  readonly path: string;
}

/** More than any number of files: a commit that isn't there is read only where nothing takes its place. */
const NOT_THERE = 1e9;

/**
 * The compactions, in ascending order and without overlap, that with the commits between them make the fewest files from
 * commit `first` to `last`. `isThere` tells of each commit.
 */
export function chooseCompactions(
  found: readonly Compaction[],
  first: number,
  last: number,
  isThere: (commit: number) => boolean,
): readonly Compaction[] {
  const byStart = new Map<number, Compaction[]>();
  for (const compaction of found) {
    if (compaction.version < first || compaction.endVersion > last) continue;
    byStart.set(compaction.version, [...(byStart.get(compaction.version) ?? []), compaction]);
  }
  if (byStart.size === 0) return NONE;
  // Of each commit, how many files it and those after it take.
  const cost = new Float64Array(last - first + 2);
  const best = new Map<number, Compaction>();
  for (let commit = last; commit >= first; commit--) {
    const at = commit - first;
    cost[at] = cost[at + 1]! + (isThere(commit) ? 1 : NOT_THERE);
    for (const compaction of byStart.get(commit) ?? []) {
      const withIt = cost[compaction.endVersion + 1 - first]! + 1;
      if (withIt >= cost[at]!) continue;
      cost[at] = withIt;
      best.set(commit, compaction);
    }
  }
  const chosen: Compaction[] = [];
  for (let commit = first; commit <= last; commit++) {
    const compaction = best.get(commit);
    if (compaction === undefined) continue;
    chosen.push(compaction);
    commit = compaction.endVersion;
  }
  return chosen;
}

const NONE: readonly Compaction[] = [];
