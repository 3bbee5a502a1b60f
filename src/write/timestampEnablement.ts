import type { Action, Metadata, Protocol } from "../log/actions.js";
import { isFeatureActive } from "../log/features.js";
import type { RowIdState } from "./rowIds.js";

/** Whether a commit turns in-commit timestamps on in a table that has been without. */
export function turnsTimestampsOn(
  actions: readonly Action[],
  base: Pick<RowIdState, "protocol" | "metadata"> | undefined,
): boolean {
  if (base !== undefined && isFeatureActive("inCommitTimestamp", base.protocol, base.metadata)) return false;
  let [protocol, metadata]: [Protocol | undefined, Metadata | undefined] = [base?.protocol, base?.metadata];
  for (const action of actions) {
    if ("protocol" in action) protocol = action.protocol;
    if ("metaData" in action) metadata = action.metaData;
  }
  return protocol !== undefined && metadata !== undefined && isFeatureActive("inCommitTimestamp", protocol, metadata);
}

/**
 * The actions of a commit that turns in-commit timestamps on in a table that has commits without: its metadata says from which
 * version and time on there are some (PROTOCOL.md, Writer Requirements for In-Commit Timestamps).
 */
export function withTimestampEnablement(
  actions: readonly Action[],
  version: number,
  inCommitTimestamp: number,
): readonly Action[] {
  return actions.map((action) => {
    if (!("metaData" in action)) return action;
    const configuration = {
      ...action.metaData.configuration,
      "delta.inCommitTimestampEnablementVersion": String(version),
      "delta.inCommitTimestampEnablementTimestamp": String(inCommitTimestamp),
    };
    return { metaData: { ...action.metaData, configuration } };
  });
}
