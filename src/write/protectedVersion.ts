import type { Action } from "../log/actions.js";
import type { Snapshot } from "../log/snapshot.js";

const BEFORE = "delta.requireCheckpointProtectionBeforeVersion";

/**
 * The actions of a commit that newly protects the versions before it (PROTOCOL.md, Checkpoint Protection): they name the version that it
 * gets, which is later than planned where others were first.
 */
export function withProtectedVersion(
  actions: readonly Action[],
  base: Pick<Snapshot, "metadata"> | undefined,
  version: number,
): readonly Action[] {
  if (base === undefined) return actions;
  const before = base.metadata.configuration[BEFORE];
  const at = actions.findIndex((action) => "metaData" in action);
  const action = actions[at];
  if (action === undefined || !("metaData" in action)) return actions;
  const { metaData } = action;
  const planned = metaData.configuration[BEFORE];
  if (planned === undefined || planned === before) return actions;
  const configuration = { ...metaData.configuration, [BEFORE]: String(version) };
  return actions.with(at, { metaData: { ...metaData, configuration } });
}
