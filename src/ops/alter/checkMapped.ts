import { DeltaError } from "../../errors.js";
import type { Snapshot } from "../../log/snapshot.js";

/** Throws where columns can't be renamed or dropped without writing all files anew. */
export function checkMapped({ columnMapping, store }: Snapshot, verb: "rename" | "drop"): void {
  if (columnMapping !== "none") return;
  throw new DeltaError(
    verb === "rename" ? "DELTA_UNSUPPORTED_RENAME_COLUMN" : "DELTA_UNSUPPORTED_DROP_COLUMN",
    `${store.url} has its columns' names in its data files, so it can't ${verb} one. Set the property delta.columnMapping.mode to name first; readers must know the feature columnMapping then.`,
    { verb },
  );
}
