import { DeltaError } from "../errors.js";
import type { StructType } from "../schema/types.js";
import type { Metadata, Protocol } from "./actions.js";
import { FEATURES, type FeatureRow, type Support, type TableDescription } from "./featureTable.js";

const BY_NAME = new Map(FEATURES.map((feature) => [feature.name, feature]));
const NEWEST_READER_VERSION = 3;
const NEWEST_WRITER_VERSION = 7;

/**
 * Passes if this release can read a table of this protocol and metadata (PROTOCOL.md, Requirements for Readers).
 *
 * Throws `DELTA_INVALID_PROTOCOL_VERSION`, or `DELTA_UNSUPPORTED_FEATURES_FOR_READ` with the features in
 * `data.features`.
 */
export function checkReadable(protocol: Protocol, metadata: Metadata): void {
  checkVersions(protocol);
  const refused = refusedFeatures(readerFeatures(protocol), metadata, (feature) => feature.read);
  if (metadata.format.provider !== "parquet") refused.push(`format ${metadata.format.provider}`);
  if (refused.length > 0) throw unsupported("DELTA_UNSUPPORTED_FEATURES_FOR_READ", "read", refused);
}

/**
 * Passes if this release can append to a table of this protocol and metadata (PROTOCOL.md, Requirements for Writers).
 *
 * Throws `DELTA_INVALID_PROTOCOL_VERSION`, or `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE` with the features in
 * `data.features`, those that can't be read among them.
 */
export function checkWritable(protocol: Protocol, metadata: Metadata): void {
  checkVersions(protocol);
  const { minWriterVersion } = protocol;
  if (!isVersion(minWriterVersion, NEWEST_WRITER_VERSION)) {
    throw invalidVersion(protocol, `a writer of version ${minWriterVersion}`);
  }
  if (minWriterVersion === 7 && protocol.writerFeatures === undefined) {
    throw invalidVersion(protocol, "writer version 7, but doesn't list writerFeatures");
  }
  const refused = new Set([
    ...refusedFeatures(readerFeatures(protocol), metadata, (feature) => feature.read),
    ...refusedFeatures(writerFeatures(protocol), metadata, (feature) => feature.write),
  ]);
  if (metadata.format.provider !== "parquet") refused.add(`format ${metadata.format.provider}`);
  if (refused.size > 0) throw unsupported("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", "write to", [...refused]);
}

/**
 * The least protocol for a new table: only the features in use are added (PROTOCOL.md, Table Features for New and
 * Existing Tables).
 */
export function protocolFor(schema: StructType, configuration: Readonly<Record<string, string>>): Protocol {
  const table = { schemaString: JSON.stringify(schema), configuration };
  return protocolOf(FEATURES.filter((feature) => feature.isActive(table)));
}

/**
 * Passes if the protocol allows every feature that a table of this description uses. A protocol is never upgraded without being
 * asked. Throws `DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT` with the features in `data.features`.
 */
export function checkFeaturesListed(protocol: Protocol, table: TableDescription): void {
  const listed = new Set([...readerFeatures(protocol), ...writerFeatures(protocol)]);
  const features = FEATURES.filter((feature) => feature.isActive(table) && !listed.has(feature.name));
  if (features.length === 0) return;
  const names = features.map(({ name }) => name);
  throw new DeltaError(
    "DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT",
    `This needs ${names.join(", ")}, which the table's protocol doesn't list. Readers that lack it could no longer read the table, so it isn't added unasked: enable the feature first, or use another type.`,
    { features: names },
  );
}

/** The features that `table` uses and this release can't write. */
export function unwritableFeatures(table: TableDescription): string[] {
  return FEATURES.filter((feature) => feature.write !== "supported" && feature.isActive(table)).map(({ name }) => name);
}

function protocolOf(features: readonly FeatureRow[]): Protocol {
  const names = features.map(({ name }) => name);
  const readerNames = features.filter(({ kind }) => kind === "readerWriter").map(({ name }) => name);
  if (readerNames.length > 0) {
    return { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: readerNames, writerFeatures: names };
  }
  const impliedByTwo = features.every(({ legacy }) => legacy !== undefined && legacy.minWriterVersion <= 2);
  if (impliedByTwo) return { minReaderVersion: 1, minWriterVersion: 2 };
  return { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: names };
}

/** The reader features that a protocol lists, or implies by its version. */
export function readerFeatures(protocol: Protocol): readonly string[] {
  if (protocol.minReaderVersion === 3) return protocol.readerFeatures ?? [];
  return FEATURES.filter(
    ({ kind, legacy }) => kind === "readerWriter" && legacy && legacy.minReaderVersion <= protocol.minReaderVersion,
  ).map(({ name }) => name);
}

function writerFeatures(protocol: Protocol): readonly string[] {
  if (protocol.minWriterVersion === 7) return protocol.writerFeatures ?? [];
  return FEATURES.filter(({ legacy }) => legacy && legacy.minWriterVersion <= protocol.minWriterVersion).map(
    ({ name }) => name,
  );
}

/** A name that isn't in the table is a feature of the future: refused. */
function refusedFeatures(
  names: readonly string[],
  metadata: Metadata,
  support: (feature: FeatureRow) => Support,
): string[] {
  return names.filter((name) => {
    const feature = BY_NAME.get(name);
    if (feature === undefined) return true;
    if (support(feature) === "refusedWhenActive") return feature.isActive(metadata);
    return support(feature) === "refused";
  });
}

function checkVersions(protocol: Protocol): void {
  const { minReaderVersion, minWriterVersion } = protocol;
  if (!isVersion(minReaderVersion, NEWEST_READER_VERSION)) {
    throw invalidVersion(protocol, `a reader of version ${minReaderVersion}`);
  }
  if (minReaderVersion === 3 && (protocol.readerFeatures === undefined || minWriterVersion < 7)) {
    throw invalidVersion(protocol, "reader version 3, but not readerFeatures and writer version 7 with it");
  }
}

function isVersion(value: unknown, newest: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= newest;
}

function invalidVersion(protocol: Protocol, what: string): DeltaError {
  const { minReaderVersion, minWriterVersion } = protocol;
  return new DeltaError(
    "DELTA_INVALID_PROTOCOL_VERSION",
    `The table's protocol asks for ${what}; this release knows reader versions 1 to ${NEWEST_READER_VERSION} and writer versions 1 to ${NEWEST_WRITER_VERSION}.`,
    { minReaderVersion, minWriterVersion },
  );
}

function unsupported(
  code: "DELTA_UNSUPPORTED_FEATURES_FOR_READ" | "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE",
  verb: string,
  features: readonly string[],
): DeltaError {
  return new DeltaError(
    code,
    `This release can't ${verb} the table: it uses ${features.join(", ")}. Use a release or an engine that supports that.`,
    { features },
  );
}
