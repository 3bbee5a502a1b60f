import type { Action, AddFile, Metadata } from "../../log/actions.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { property } from "../../log/properties.js";
import type { Snapshot } from "../../log/snapshot.js";
import { TYPE_CHANGES } from "../../schema/typeChanges.js";
import type { ReadSet } from "../../write/conflicts.js";
import { isMapped, removeColumnMapping } from "./removeColumnMapping.js";
import { removeProtection } from "./removeProtection.js";
import { filesWithIds, removeRowIds, untracked, withoutHighWaterMark } from "./removeRowIds.js";
import { removeTimestamps } from "./removeTimestamps.js";
import { hasTypeChanges, removeTypeChanges } from "./removeTypeChanges.js";
import { hasVectors, removeVectors } from "./removeVectors.js";
import { setProperties } from "./setProperties.js";

/** How a feature is dropped. */
export interface Removal {
  /** Whether readers have to know it: then versions before have to be kept apart from those after, or to be gone. */
  readonly asksReaders: boolean;
  /**
   * Turns the feature off and writes what uses it anew, in versions of their own; tells whether there was anything. A crash leaves some
   * of it; doing it again goes on. Undefined for a feature that must not be in use.
   */
  readonly remove?: (log: DeltaLog, signal: AbortSignal | undefined) => Promise<boolean>;
  /** Whether a version still uses it beyond its properties. */
  readonly areIn?: (snapshot: Snapshot, signal: AbortSignal | undefined) => boolean | Promise<boolean>;
  /** Whether a file that somebody adds meanwhile uses it. */
  readonly reads?: ReadSet;
  /** What the version that drops it takes away beside. */
  readonly rest?: (snapshot: Snapshot) => { readonly metadata: Metadata; readonly actions: readonly Action[] };
  /** Whether an action of an older version uses it. */
  readonly usedBy?: (action: Action) => boolean;
  /** It can be dropped only where older versions go. */
  readonly truncatesAlways?: boolean;
}

/** Features that leave nothing behind once they aren't in use: writers alone have to know them. */
const UNUSED: Removal = { asksReaders: false };

/** Files that somebody brings meanwhile don't matter: what would, changes the metadata. */
const NO_FILES: ReadSet = { mayMatch: () => false, files: new Set() };

const inMetadata = (uses: (metadata: Metadata) => boolean) => (action: Action) =>
  "metaData" in action && uses(action.metaData);

const typeWidening: Removal = {
  asksReaders: true,
  remove: removeTypeChanges,
  areIn: ({ schema }) => hasTypeChanges(schema),
  reads: NO_FILES,
  usedBy: inMetadata(({ schemaString }) => schemaString.includes(`"${TYPE_CHANGES}"`)),
};

/** The features that can be dropped. Data files or older versions need the others. */
export const REMOVALS: ReadonlyMap<string, Removal> = new Map<string, Removal>([
  ["allowColumnDefaults", UNUSED],
  ["appendOnly", UNUSED],
  ["changeDataFeed", UNUSED],
  ["checkConstraints", UNUSED],
  ["clustering", UNUSED],
  ["domainMetadata", UNUSED],
  ["generatedColumns", UNUSED],
  ["identityColumns", UNUSED],
  ["invariants", UNUSED],
  ["materializePartitionColumns", UNUSED],
  ["inCommitTimestamp", { asksReaders: false, remove: removeTimestamps }],
  // Older versions hold nothing of it but their protocol.
  ["vacuumProtocolCheck", { asksReaders: true }],
  [
    "deletionVectors",
    {
      asksReaders: true,
      remove: removeVectors,
      areIn: hasVectors,
      reads: { mayMatch: ({ deletionVector }: AddFile) => deletionVector !== undefined, files: new Set() },
      usedBy: usesVectors,
    },
  ],
  [
    "v2Checkpoint",
    {
      asksReaders: true,
      remove: toClassic,
      reads: NO_FILES,
      usedBy: inMetadata((metadata) => property(metadata, "delta.checkpointPolicy") !== "classic"),
    },
  ],
  [
    "columnMapping",
    {
      asksReaders: true,
      remove: (log, signal) => removeColumnMapping(log, undefined, signal),
      areIn: ({ schema }) => isMapped(schema),
      reads: NO_FILES,
      usedBy: inMetadata((metadata) => property(metadata, "delta.columnMapping.mode") !== "none"),
    },
  ],
  ["typeWidening", typeWidening],
  ["typeWidening-preview", typeWidening],
  [
    "rowTracking",
    {
      asksReaders: false,
      remove: removeRowIds,
      areIn: async (snapshot, signal) => (await filesWithIds(snapshot, 1, signal)).length > 0,
      reads: { mayMatch: ({ baseRowId }: AddFile) => baseRowId !== undefined, files: new Set() },
      rest: (snapshot) => ({ metadata: untracked(snapshot.metadata), actions: withoutHighWaterMark(snapshot) }),
    },
  ],
  ["checkpointProtection", { asksReaders: false, truncatesAlways: true, remove: removeProtection }],
]);

async function toClassic(log: DeltaLog, signal: AbortSignal | undefined): Promise<boolean> {
  const { metadata } = await log.latest(signal);
  if (property(metadata, "delta.checkpointPolicy") === "classic") return false;
  await setProperties(log, { "delta.checkpointPolicy": "classic" }, { signal });
  return true;
}

function usesVectors(action: Action): boolean {
  if ("metaData" in action) return property(action.metaData, "delta.enableDeletionVectors");
  const file = "add" in action ? action.add : "remove" in action ? action.remove : undefined;
  return file?.deletionVector !== undefined && file.deletionVector !== null;
}
