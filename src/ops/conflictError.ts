import { DeltaError } from "../errors.js";
import type { Conflict } from "../write/conflicts.js";

const WHAT: Readonly<Record<Conflict["code"], string>> = {
  DELTA_PROTOCOL_CHANGED: "changed the table's protocol",
  DELTA_METADATA_CHANGED: "changed the table's metadata",
  DELTA_CONCURRENT_TRANSACTION: "moved the same application or domain on",
  DELTA_CONCURRENT_APPEND: "added rows that this change should have read",
  DELTA_CONCURRENT_DELETE_READ: "removed a file that this change read",
  DELTA_CONCURRENT_DELETE_DELETE: "removed a file that this change removes too",
};

/** The error for a change that can't stand beside what another writer committed meanwhile. */
export function conflictError(url: string, conflict: Conflict): DeltaError {
  const { code, version, operation, path, appId, domain } = conflict;
  const winner = version === undefined ? "Another writer" : `Version ${version}${operation ? ` (${operation})` : ""}`;
  const what = [path, appId, domain].find((name) => name !== undefined);
  return new DeltaError(
    code,
    `${winner} of ${url} ${WHAT[code]}${what === undefined ? "" : ` (${what})`}. Nothing of this change was committed; do it again on what is there now.`,
    { ...conflict },
  );
}
