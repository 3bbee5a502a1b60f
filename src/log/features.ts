import { DeltaError } from "../errors.js";
import { exactJson } from "../schema/exactJson.js";
import type { StructType } from "../schema/types.js";
import type { Metadata, Protocol } from "./actions.js";
import { FEATURES, type FeatureRow, type Support, type TableDescription } from "./featureTable.js";

const BY_NAME = new Map(FEATURES.map((feature) => [feature.name, feature]));
const NEWEST_READER_VERSION = 3;
const NEWEST_WRITER_VERSION = 7;

/** What whoever opens a table says about it. */
export interface ReadAccess {
  /** That the commits which a catalog has published will do, where only a catalog knows all of them. */
  readonly catalogManagedByPath?: boolean;
}

/**
 * Passes if this release can read a table of this protocol and metadata (PROTOCOL.md, Requirements for Readers).
 *
 * Throws `DELTA_INVALID_PROTOCOL_VERSION`, or `DELTA_UNSUPPORTED_FEATURES_FOR_READ` with the features in
 * `data.features`; its message says what each means.
 */
export function checkReadable(protocol: Protocol, metadata: Metadata, access: ReadAccess = {}): void {
  checkVersions(protocol);
  const refused = refusedForReading(protocol, metadata, access);
  if (refused.size > 0) throw unsupported("DELTA_UNSUPPORTED_FEATURES_FOR_READ", "read", refused);
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
  const refused = refusedForReading(protocol, metadata, {});
  for (const feature of featuresOf(protocol)) {
    if (refusesWriters(feature, metadata)) refused.set(feature.name, feature.row?.writing ?? UNKNOWN_FEATURE);
  }
  if (READ_ONLY_TYPE.test(metadata.schemaString)) {
    refused.set("columns of a type that is only read", "values are of type geometry or geography");
  }
  if (refused.size > 0) throw unsupported("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", "write to", refused);
}

/** A column of a type that is only read. */
const READ_ONLY_TYPE = /"(?:type|elementType|keyType|valueType)"\s*:\s*"geo(?:metry|graphy)\([^"]*"/i;

/** A feature that a protocol lists, or that its versions imply (PROTOCOL.md, Supported Features). */
export interface SupportedFeature {
  readonly name: string;
  /** Undefined for one that this release doesn't know. */
  readonly row: FeatureRow | undefined;
  readonly isListed: boolean;
  readonly asksReaders: boolean;
  readonly asksWriters: boolean;
}

/** The features of a protocol: those that readers have to know, those of writers, and both. */
export function featuresOf(protocol: Protocol): SupportedFeature[] {
  const { minReaderVersion, minWriterVersion } = protocol;
  const [forReaders, forWriters] = [new Set(readerFeatures(protocol)), new Set(writerFeatures(protocol))];
  return [...new Set([...forReaders, ...forWriters])].map((name) => {
    const row = BY_NAME.get(name);
    const [inReaders, asksWriters] = [forReaders.has(name), forWriters.has(name)];
    return {
      name,
      row,
      isListed: (minReaderVersion === 3 && inReaders) || (minWriterVersion === 7 && asksWriters),
      asksReaders: inReaders || row?.kind === "writer",
      asksWriters,
    };
  });
}

/** Whether the protocol lists or implies the feature, in use or not. */
export function hasFeature(protocol: Protocol, name: string): boolean {
  return readerFeatures(protocol).includes(name) || writerFeatures(protocol).includes(name);
}

/** Whether the protocol has the feature and the metadata uses it (PROTOCOL.md, Active Features). */
export function isFeatureActive(name: string, protocol: Protocol, metadata: TableDescription): boolean {
  const row = BY_NAME.get(name);
  return row !== undefined && isActive(row, metadata) && featuresOf(protocol).some((feature) => feature.row === row);
}

/** Whether a table's metadata uses a feature that its protocol has. */
export function isActive(row: FeatureRow, metadata: TableDescription): boolean {
  return row.isActive?.(metadata) ?? true;
}

/** What a feature that isn't in the table means: one of the future. */
export const UNKNOWN_FEATURE = "this release doesn't know it";

/** Whether a table with this feature isn't read. */
export function refusesReaders(feature: SupportedFeature, metadata: TableDescription, access: ReadAccess): boolean {
  const { row, asksReaders } = feature;
  return asksReaders && (row === undefined || REFUSES[row.read](isActive(row, metadata), access));
}

/** Whether nothing is appended to a table with this feature, for what it asks of writers alone. */
export function refusesWriters({ row, asksWriters }: SupportedFeature, metadata: TableDescription): boolean {
  return asksWriters && (row === undefined || REFUSES[row.write](isActive(row, metadata), {}));
}

const REFUSES: Readonly<Record<Support, (isActive: boolean, access: ReadAccess) => boolean>> = {
  supported: () => false,
  refused: () => true,
  refusedWhenActive: (active) => active,
  refusedByPath: (active, { catalogManagedByPath = false }) => active && !catalogManagedByPath,
};

/**
 * The least protocol for a new table: only the features in use are added (PROTOCOL.md, Table Features for New and
 * Existing Tables).
 */
export function protocolFor(schema: StructType, configuration: Readonly<Record<string, string>>): Protocol {
  const table = { schemaString: exactJson(schema), configuration };
  return protocolOf(FEATURES.filter((feature) => feature.isActive?.(table)));
}

/**
 * Passes if the protocol allows every feature that a table of this description uses. A protocol is never upgraded without being
 * asked. Throws `DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT` with the features in `data.features`.
 */
export function checkFeaturesListed(protocol: Protocol, table: TableDescription): void {
  const listed = new Set([...readerFeatures(protocol), ...writerFeatures(protocol)]);
  const isListed = ({ name }: FeatureRow) => listed.has(name) || listed.has(`${name}-preview`);
  const features = FEATURES.filter((feature) => feature.isActive?.(table) && !isListed(feature));
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
  return FEATURES.filter((feature) => feature.write !== "supported" && feature.isActive?.(table)).map(
    ({ name }) => name,
  );
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
  return protocol.minWriterVersion === 7 ? (protocol.writerFeatures ?? []) : impliedFeatures(protocol);
}

/** What readers have to know too isn't implied by a number of writers alone. */
function impliedFeatures({ minReaderVersion, minWriterVersion }: Protocol): readonly string[] {
  const isImplied = ({ legacy }: FeatureRow) =>
    legacy && legacy.minReaderVersion <= minReaderVersion && legacy.minWriterVersion <= minWriterVersion;
  return FEATURES.filter(isImplied).map(({ name }) => name);
}

/** The least protocol with exactly these features: by version numbers alone where these imply the same. */
export function protocolOfFeatures(names: readonly string[]): Protocol {
  const rows = names.map((name) => BY_NAME.get(name));
  const leastOf = (row: FeatureRow | undefined) =>
    row?.legacy ?? { minReaderVersion: row?.kind === "writer" ? 1 : NEWEST_READER_VERSION, minWriterVersion: 7 };
  const minReaderVersion = Math.max(1, ...rows.map((row) => leastOf(row).minReaderVersion));
  const minWriterVersion = Math.max(1, ...rows.map((row) => leastOf(row).minWriterVersion));
  const numbers = { minReaderVersion, minWriterVersion };
  if (minWriterVersion < 7) {
    const implied = impliedFeatures(numbers);
    if (implied.length === names.length && names.every((name) => implied.includes(name))) return numbers;
  }
  const listed = { minReaderVersion, minWriterVersion: 7 };
  if (minReaderVersion < NEWEST_READER_VERSION) return { ...listed, writerFeatures: names };
  return { ...listed, readerFeatures: names.filter((_, i) => rows[i]?.kind !== "writer"), writerFeatures: names };
}

/** What is refused, by feature, and what it means. */
function refusedForReading(protocol: Protocol, metadata: Metadata, access: ReadAccess): Map<string, string> {
  const refused = new Map<string, string>();
  for (const feature of featuresOf(protocol)) {
    if (refusesReaders(feature, metadata, access)) refused.set(feature.name, reasonOf(feature));
  }
  const { provider } = metadata.format;
  if (provider !== "parquet") refused.set(`format ${provider}`, "only data files of the format parquet are read");
  return refused;
}

function reasonOf({ row }: SupportedFeature): string {
  if (row === undefined) return UNKNOWN_FEATURE;
  return row.read === "refusedByPath"
    ? `${row.reading}; where they will do, say so as the table is opened`
    : row.reading;
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
  refused: ReadonlyMap<string, string>,
): DeltaError {
  const reasons = [...refused].map(([name, why]) => `${name} (${why})`);
  return new DeltaError(
    code,
    `This release can't ${verb} the table: it uses ${reasons.join(", ")}. Use a release or an engine that supports that.`,
    { features: [...refused.keys()] },
  );
}
