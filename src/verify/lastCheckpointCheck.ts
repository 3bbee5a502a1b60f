import { jsonChecksum, type LastCheckpoint } from "../log/lastCheckpoint.js";
import { classicCheckpointPath, LAST_CHECKPOINT_PATH } from "../log/names.js";
import type { ObjectStore } from "../storage/store.js";
import type { Findings } from "./findings.js";
import type { LogFiles } from "./logFiles.js";

/** What a checkpoint holds, as it was found. */
export interface CheckpointFacts {
  readonly version: number;
  readonly actionCount: number;
  readonly addCount: number;
  readonly sizeBytes: number;
  /** 1 for a checkpoint of one file. */
  readonly parts: number;
}

type Hint = LastCheckpoint & { readonly parts?: number };

/** Checks the pointer to the newest checkpoint (PROTOCOL.md, Last Checkpoint File Schema). */
export async function checkLastCheckpoint(
  store: ObjectStore,
  log: LogFiles,
  checked: readonly CheckpointFacts[],
  findings: Findings,
  signal?: AbortSignal,
): Promise<void> {
  if (!log.hasLastCheckpoint) return;
  const path = LAST_CHECKPOINT_PATH;
  const hint = parse(await store.get(path, undefined, signal));
  if (typeof hint === "string") {
    findings.add("last-checkpoint-malformed", `${path} ${hint}.`, { path });
    return;
  }
  const { version } = hint;
  const isThere = log.checkpoints.some((checkpoint) => checkpoint.version === version);
  // A writer may have been at work since the log was listed.
  if (!isThere && (await store.head(classicCheckpointPath(version), signal)) !== undefined) return;
  if (!isThere) {
    const message = `${path} points at a checkpoint of version ${version}, which isn't there or lacks parts.`;
    findings.add("last-checkpoint-dangling", message, { version, path });
    return;
  }
  const newest = log.checkpoints.at(-1)?.version ?? version;
  if (newest > version) {
    const message = `${path} points at version ${version}, but there is a checkpoint of version ${newest}.`;
    findings.add("last-checkpoint-stale", message, { version, path }, { newest });
  }
  const candidates = checked.filter((facts) => facts.version === version);
  const flaws = candidates.map((facts) => differences(hint, facts));
  // Of several checkpoints of the version, the pointer may mean any.
  if (candidates.length === 0 || flaws.some((found) => found.length === 0)) return;
  for (const { field, expected, found } of flaws[0]!) {
    const message = `${path} gives the checkpoint of version ${version} ${field} ${found}, but it is ${expected}.`;
    findings.add("last-checkpoint-differs", message, { version, path }, { field, expected, found });
  }
}

function differences(hint: Hint, facts: CheckpointFacts) {
  const expected = {
    size: facts.actionCount,
    sizeInBytes: facts.sizeBytes,
    numOfAddFiles: facts.addCount,
    parts: facts.parts,
  };
  return Object.entries(expected).flatMap(([field, value]) => {
    const found = (hint as unknown as Record<string, unknown>)[field] ?? (field === "parts" ? 1 : undefined);
    return found === undefined || found === value ? [] : [{ field, expected: value, found }];
  });
}

/** The pointer, or what is wrong with its form. */
function parse(bytes: Uint8Array): Hint | string {
  let hint: Hint;
  try {
    hint = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return "isn't JSON";
  }
  if (typeof hint !== "object" || hint === null) return "isn't a JSON object";
  if (!Number.isSafeInteger(hint.version) || hint.version < 0) return "has no version";
  if (!Number.isSafeInteger(hint.size)) return "has no size";
  if (hint.checksum !== undefined && hint.checksum !== jsonChecksum(hint)) return "doesn't have its checksum";
  return hint;
}
