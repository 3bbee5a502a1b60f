import { writeCheckpoint } from "../../log/checkpoint.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { change } from "../stagedChange.js";

/** As many as Delta's own writes: one that is damaged leaves others. */
const BARRIERS = 3;

/**
 * Writes checkpoints of versions that hold nothing of a feature, so that whoever doesn't know it needs no commit from before to read
 * what comes after (PROTOCOL.md, Checkpoint Protection). Each is of a version of its own, which changes nothing. Crashing between
 * leaves fewer, which does no harm; doing it again writes all of them.
 */
export async function protectHistory(
  log: DeltaLog,
  signal: AbortSignal | undefined,
  count: number = BARRIERS,
): Promise<void> {
  for (let barrier = 0; barrier < count; barrier++) {
    await change(log, { signal }, async () => ({
      actions: [],
      reads: undefined,
      operation: "Empty Commit",
      operationParameters: {},
      operationMetrics: {},
      discard: async () => undefined,
    }));
    await writeCheckpoint(log.store, await log.latest(signal), signal);
  }
}
