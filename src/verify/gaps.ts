import { commitPath } from "../log/names.js";
import type { Findings } from "./findings.js";
import type { LogFiles } from "./logFiles.js";

/**
 * Reports commits that are missing: as an error where no checkpoint behind the gap, and no compaction over it, makes them unneeded.
 * Commits below the oldest ones were cleaned up, if a checkpoint takes their place. `damaged` files take nothing's place.
 */
export function reportGaps(log: LogFiles, version: number, damaged: ReadonlySet<string>, findings: Findings): void {
  const usable = log.checkpoints.filter(({ paths }) => !paths.some((path) => damaged.has(path)));
  const newest = Math.max(-1, ...usable.map((checkpoint) => checkpoint.version).filter((found) => found <= version));
  const commits = log.commits.filter((commit) => commit <= version);
  const isCompacted = (first: number, last: number) =>
    log.compactions.some((compaction) => {
      const isOver = compaction.version <= first && last <= compaction.endVersion && compaction.endVersion <= version;
      return isOver && !damaged.has(compaction.path);
    });
  const report = (first: number, last: number) => {
    const covered = newest >= last || isCompacted(first, last);
    const which =
      first === last ? `The commit of version ${first} is` : `The commits of versions ${first} to ${last} are`;
    const effect = covered
      ? "a checkpoint behind them or a compaction over them keeps newer versions readable"
      : "newer versions can't be rebuilt";
    const place = { version: first, path: commitPath(first) };
    findings.add(covered ? "history-gap" : "commit-missing", `${which} missing; ${effect}.`, place, { first, last });
  };
  const [oldest] = commits;
  if (oldest !== undefined && oldest > 0 && newest < oldest - 1) report(0, oldest - 1);
  for (const [i, commit] of commits.entries()) {
    const next = commits[i + 1] ?? version + 1;
    if (next > commit + 1) report(commit + 1, next - 1);
  }
}
