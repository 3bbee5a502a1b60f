import { DeltaError } from "../../errors.js";
import { hasFeature } from "../../log/features.js";
import type { Snapshot } from "../../log/snapshot.js";

/** Would have it recorded that a column was renamed or dropped, which isn't done here. */
const USAGE_TRACKING = "columnMappingUsageTracking";

/** Throws where columns can't be renamed or dropped without writing all files anew, and `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE`. */
export function checkMapped({ columnMapping, protocol, store }: Snapshot, verb: "rename" | "drop"): void {
  if (hasFeature(protocol, USAGE_TRACKING)) {
    throw new DeltaError(
      "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE",
      `This release can't ${verb} a column of ${store.url}: it uses ${USAGE_TRACKING}. Use a release or an engine that supports that.`,
      { features: [USAGE_TRACKING] },
    );
  }
  if (columnMapping !== "none") return;
  throw new DeltaError(
    verb === "rename" ? "DELTA_UNSUPPORTED_RENAME_COLUMN" : "DELTA_UNSUPPORTED_DROP_COLUMN",
    `${store.url} has its columns' names in its data files, so it can't ${verb} one. Set the property delta.columnMapping.mode to name first; readers must know the feature columnMapping then.`,
    { verb },
  );
}
