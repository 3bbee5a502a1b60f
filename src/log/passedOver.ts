import { runtime } from "../runtime.js";
import type { ObjectStore } from "../storage/store.js";

/** What was told of each store: nobody needs to hear of a file twice. */
const told = new WeakMap<ObjectStore, Set<string>>();

/**
 * Warns, once of each file and store, that a file of the log can't be used though others give the same table.
 * `reason` completes "…: ".
 */
export function tellPassedOver(store: ObjectStore, path: string, reason: string): void {
  const paths = told.get(store) ?? new Set();
  told.set(store, paths);
  if (paths.has(path)) return;
  paths.add(path);
  runtime.warn(
    `${store.url}: ${path} was passed over for other files of the log that tell the same: ${reason}`,
    "DELTA_LOG_FILE_PASSED_OVER",
  );
}
