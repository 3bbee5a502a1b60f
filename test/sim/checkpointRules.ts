import { isDeepStrictEqual } from "node:util";
import type { FinalState, FoundCheckpoint } from "./finale.js";
import { fileKeyOf, type History, liveFiles, logAt, progress, removedFiles } from "./history.js";
import { FILES_MS, SKEW_MS } from "./retention.js";

/** Each checkpoint, as a new reader takes it, says what the commits up to its version say. */
export function* checkpointsAgree(history: History, final: FinalState): Generator<string> {
  const log = logAt(history, final.step);
  for (const checkpoint of final.checkpoints) {
    const { version, isDamaged } = checkpoint;
    if (isDamaged) yield `the checkpoint of version ${version} is damaged`;
    for (const difference of differences(history, checkpoint, log))
      yield `the checkpoint of version ${version} ${difference}`;
  }
}

function* differences({ kind }: History, found: FoundCheckpoint, log: ReturnType<typeof logAt>): Generator<string> {
  const { version } = found;
  if (version >= log.length) yield "is ahead of the log";
  const live = [...liveFiles(log, version).values()].map((add) => {
    const { size, stats } = add;
    return { path: fileKeyOf(add), size, ...(stats === undefined ? {} : { stats }) };
  });
  if (!isDeepStrictEqual(sorted(found.files), sorted(live))) {
    yield `has other files: ${found.files.length} where the commits have ${live.length}`;
  }
  const removed = removedFiles(log, version);
  // Only where rows are changed does so much time pass that the retention lets some go.
  const mayLackMs = kind === undefined ? Number.NEGATIVE_INFINITY : found.modifiedMs + SKEW_MS - FILES_MS;
  const lacking = [...removed].filter(([key, sinceMs]) => sinceMs >= mayLackMs && !found.removed.includes(key));
  if (lacking.length > 0) yield `has forgotten removed files: ${lacking.map(([key]) => key).join(" ")}`;
  const others = found.removed.filter((key) => !removed.has(key));
  if (others.length > 0) yield `has files as removed that aren't: ${others.join(" ")}`;
  if (found.removed.length > removed.size) yield "has removed files twice";
  if (!isDeepStrictEqual(new Map([...found.progress].sort()), new Map([...progress(log, version)].sort()))) {
    yield "tells other progress of applications";
  }
}

function sorted(files: FoundCheckpoint["files"]): FoundCheckpoint["files"] {
  return [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
