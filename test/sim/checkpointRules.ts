import { isDeepStrictEqual } from "node:util";
import type { FinalState, FoundCheckpoint } from "./finale.js";
import { type History, liveFiles, logAt, progress, removedFiles } from "./history.js";

/** Each checkpoint, as a new reader takes it, says what the commits up to its version say. */
export function* checkpointsAgree(history: History, final: FinalState): Generator<string> {
  const log = logAt(history, final.step);
  for (const checkpoint of final.checkpoints) {
    const { version, isDamaged } = checkpoint;
    if (isDamaged) yield `the checkpoint of version ${version} is damaged`;
    for (const difference of differences(checkpoint, log)) yield `the checkpoint of version ${version} ${difference}`;
  }
}

function* differences(found: FoundCheckpoint, log: ReturnType<typeof logAt>): Generator<string> {
  const { version } = found;
  if (version >= log.length) yield "is ahead of the log";
  const live = [...liveFiles(log, version).values()].map(({ path, size, stats }) => ({ path, size, stats }));
  if (!isDeepStrictEqual(sorted(found.files), sorted(live))) {
    yield `has other files: ${found.files.length} where the commits have ${live.length}`;
  }
  const removed = [...removedFiles(log, version)].sort();
  if (!isDeepStrictEqual([...found.removed].sort(), removed)) yield "has other removed files";
  if (!isDeepStrictEqual(new Map([...found.progress].sort()), new Map([...progress(log, version)].sort()))) {
    yield "tells other progress of applications";
  }
}

function sorted(files: FoundCheckpoint["files"]): FoundCheckpoint["files"] {
  return [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
