import type { Action, AddFile } from "../log/actions.js";
import { fileKey } from "../log/tail.js";

/** What several changes do together. */
export interface ComposedActions {
  readonly actions: readonly Action[];
  /** What one of them added and a later one removed: nobody will ever see it. */
  readonly dropped: readonly AddFile[];
}

/**
 * The actions of one commit that does what these do one after the other: each logical file is added or removed at most once, and
 * of what a table has once the last word counts (PROTOCOL.md, Action Reconciliation).
 */
export function composedActions(actions: readonly Action[]): ComposedActions {
  const adds = new Map<string, AddFile>();
  const dropped: AddFile[] = [];
  const single = new Map<string, Action>();
  const others: Action[] = [];
  for (const action of actions) {
    if ("add" in action) {
      adds.set(fileKey(action.add.path, action.add.deletionVector), action.add);
    } else if ("remove" in action) {
      const key = fileKey(action.remove.path, action.remove.deletionVector);
      const added = adds.get(key);
      adds.delete(key);
      if (added === undefined) others.push(action);
      else dropped.push(added);
    } else if ("protocol" in action || "metaData" in action) single.set(Object.keys(action)[0]!, action);
    else if ("domainMetadata" in action) single.set(`domain ${action.domainMetadata.domain}`, action);
    else if ("txn" in action) single.set(`txn ${action.txn.appId}`, action);
    else others.push(action);
  }
  const files = [...adds.values()].map((add) => ({ add }));
  return { actions: [...single.values(), ...others, ...files], dropped };
}
