import { DeltaError } from "../errors.js";
import type { Metadata, Protocol } from "./actions.js";
import {
  checkReadable,
  checkWritable,
  featuresOf,
  isActive,
  type ReadAccess,
  refusesReaders,
  refusesWriters,
  UNKNOWN_FEATURE,
} from "./features.js";

/** What a table's protocol asks for (PROTOCOL.md, Protocol Evolution, Table Features). It can be turned into JSON. */
export interface ProtocolReport {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  /** Why this release doesn't read the table; null where it does. */
  readonly readRefusal: string | null;
  /** Why this release doesn't append to the table; null where it does. */
  readonly appendRefusal: string | null;
  /** Those that the protocol lists, and those that its versions imply. */
  readonly features: readonly FeatureReport[];
}

/** A feature of a table, and what it means here. */
export interface FeatureReport {
  readonly name: string;
  /** Who has to know it; null for a feature that this release doesn't know. */
  readonly kind: "readerWriter" | "writer" | null;
  /** Whether the protocol names it, or its versions imply it. */
  readonly source: "listed" | "implied";
  /** Whether the table uses it, or only may; null for a feature that this release doesn't know. */
  readonly isActive: boolean | null;
  readonly reading: FeatureMeaning;
  readonly appending: FeatureMeaning;
}

/** What a feature means for reading, or for appending. */
export interface FeatureMeaning {
  /** False where the table is refused because of it. */
  readonly isSupported: boolean;
  readonly meaning: string;
}

/** Explains a protocol; nothing is refused here. */
export function reportProtocol(protocol: Protocol, metadata: Metadata, access: ReadAccess): ProtocolReport {
  const { minReaderVersion, minWriterVersion } = protocol;
  return {
    minReaderVersion,
    minWriterVersion,
    readRefusal: refusalOf(() => checkReadable(protocol, metadata, access)),
    appendRefusal: refusalOf(() => checkWritable(protocol, metadata)),
    features: featuresOf(protocol).map((feature) => {
      const { name, row, isListed, asksReaders } = feature;
      const isRead = !refusesReaders(feature, metadata, access);
      return {
        name,
        kind: row?.kind ?? null,
        source: isListed ? "listed" : "implied",
        isActive: row === undefined ? null : isActive(row, metadata),
        reading: {
          isSupported: isRead,
          meaning: row?.reading ?? (asksReaders ? UNKNOWN_FEATURE : "only writers have to know it"),
        },
        appending: {
          isSupported: isRead && !refusesWriters(feature, metadata),
          meaning: row?.writing ?? UNKNOWN_FEATURE,
        },
      };
    }),
  };
}

function refusalOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof DeltaError) return error.message;
    throw error;
  }
}
