import { DeltaError } from "../errors.js";
import { nearestName } from "../schema/columns.js";
import type { Protocol } from "./actions.js";
import { featuresOf, protocolOfFeatures } from "./features.js";
import { FEATURES, type FeatureRow, type TableDescription } from "./featureTable.js";
import { FEATURE_PREFIX } from "./properties.js";

const BY_NAME: ReadonlyMap<string, FeatureRow> = new Map(FEATURES.map((row) => [row.name, row]));

/** Properties that are kept, and the features that the others ask for. */
export interface RequestedFeatures {
  readonly features: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
}

/**
 * Takes `delta.feature.<name>` = `supported` out of properties. Throws `DELTA_INVALID_PROPERTY_VALUE` for another value and what
 * {@link checkFeature} throws.
 */
export function requestedFeatures(properties: Readonly<Record<string, string>>): RequestedFeatures {
  const features: string[] = [];
  const configuration: Record<string, string> = {};
  for (const [key, value] of Object.entries(properties)) {
    if (!key.startsWith(FEATURE_PREFIX)) {
      configuration[key] = value;
      continue;
    }
    if (value !== "supported" && value !== "enabled") {
      throw new DeltaError(
        "DELTA_INVALID_PROPERTY_VALUE",
        `${key} is ${JSON.stringify(value)}; it can only be "supported".`,
        {
          property: key,
          value,
        },
      );
    }
    features.push(checkFeature(key.slice(FEATURE_PREFIX.length)));
  }
  return { features, configuration };
}

/**
 * The feature's name as Delta spells it. Throws `DELTA_UNSUPPORTED_FEATURES_IN_CONFIG` where there is none, with the nearest in
 * `data.nearest`, or where this release couldn't write the table any more.
 */
export function checkFeature(name: string): string {
  const row = BY_NAME.get(name) ?? FEATURES.find((feature) => feature.name.toLowerCase() === name.toLowerCase());
  if (row !== undefined && row.write === "supported") return row.name;
  const nearest = row === undefined ? nearestName(name, [...BY_NAME.keys()]) : undefined;
  const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  throw new DeltaError(
    "DELTA_UNSUPPORTED_FEATURES_IN_CONFIG",
    row === undefined
      ? `There is no table feature ${name}.${hint}`
      : `This release can't write tables with the feature ${name}.`,
    { feature: name, nearest },
  );
}

/** The features that a table of this description uses by its metadata, and those that they need. */
export function featuresInUse(table: TableDescription): string[] {
  return withNeeded(FEATURES.filter((row) => row.isActive?.(table)).map(({ name }) => name));
}

/**
 * Those of them that changing properties adds to a table by itself, as Delta does: what properties turn on, and what was there
 * before features had names. The others, types among them, have to be asked for.
 */
export function addedByProperties(table: TableDescription): string[] {
  const rows = FEATURES.filter((row) => row.isActive?.(table) && (row.property ?? row.legacy) !== undefined);
  return withNeeded(rows.map(({ name }) => name));
}

function withNeeded(names: readonly string[]): string[] {
  const all = new Set<string>();
  const add = (name: string) => {
    if (all.has(name)) return;
    all.add(name);
    for (const needed of BY_NAME.get(name)?.needs ?? []) add(needed);
  };
  for (const name of names) add(name);
  return [...all];
}

/**
 * The least protocol with all that `protocol` has, and these features with those that they need. The same object where it has
 * them already.
 */
export function protocolWith(protocol: Protocol, names: readonly string[]): Protocol {
  const present = featuresOf(protocol);
  // A number of readers or of writers alone may imply a feature that both have to know.
  const known = new Set(present.flatMap(({ name, ...of }) => (of.asksReaders && of.asksWriters ? [name] : [])));
  const added = withNeeded(names).filter((name) => !known.has(name));
  if (added.length === 0) return protocol;
  const isRead = (name: string) => BY_NAME.get(name)?.kind === "readerWriter";
  const readerFeatures = [
    ...new Set([
      ...present.filter(({ row, asksReaders }) => asksReaders && row?.kind !== "writer").map(({ name }) => name),
      ...added.filter(isRead),
    ]),
  ];
  const writerFeatures = [
    ...new Set([...present.filter(({ asksWriters }) => asksWriters).map(({ name }) => name), ...added]),
  ];
  if (protocol.minReaderVersion < 3 && !added.some(isRead)) {
    return { minReaderVersion: protocol.minReaderVersion, minWriterVersion: 7, writerFeatures };
  }
  return { minReaderVersion: 3, minWriterVersion: 7, readerFeatures, writerFeatures };
}

/**
 * The protocol at these version numbers, with all that it has and all that the numbers imply. Numbers of which a lower pair implies the same are that
 * pair, as in Delta. The same object where it has them already. Throws `DELTA_INVALID_PROTOCOL_DOWNGRADE` for a lower number, and `DELTA_INVALID_ARGUMENT` for numbers that don't go together.
 */
export function protocolAt(protocol: Protocol, minReaderVersion: number, minWriterVersion: number): Protocol {
  checkNumbers(minReaderVersion, minWriterVersion);
  const [reader, writer] = [protocol.minReaderVersion, protocol.minWriterVersion];
  if (minReaderVersion < reader || minWriterVersion < writer) {
    throw new DeltaError(
      "DELTA_INVALID_PROTOCOL_DOWNGRADE",
      `The table's protocol is ${reader}, ${writer}; it can't go back to ${minReaderVersion}, ${minWriterVersion}. Features are taken away by dropFeature.`,
      { minReaderVersion: reader, minWriterVersion: writer },
    );
  }
  if (minReaderVersion === reader && minWriterVersion === writer) return protocol;
  if (minWriterVersion < 7) {
    const implied = featuresOf({ minReaderVersion, minWriterVersion }).filter(({ asksWriters }) => asksWriters);
    const least = protocolOfFeatures(implied.map(({ name }) => name));
    const isLower = least.minReaderVersion < reader || least.minWriterVersion < writer;
    if (isLower) return { minReaderVersion, minWriterVersion };
    const isHad = least.minReaderVersion === reader && least.minWriterVersion === writer;
    return isHad ? protocol : least;
  }
  const present = featuresOf(protocol);
  const writerFeatures = present.filter(({ asksWriters }) => asksWriters).map(({ name }) => name);
  // What readers of version 2 have to know, writers have too.
  const added = minReaderVersion === 2 && !writerFeatures.includes("columnMapping") ? ["columnMapping"] : [];
  const listed = { minWriterVersion, writerFeatures: [...writerFeatures, ...added] };
  if (minReaderVersion < 3) return { minReaderVersion, ...listed };
  const read = present.filter(({ row, asksReaders }) => asksReaders && row?.kind !== "writer");
  return { minReaderVersion, minWriterVersion, readerFeatures: read.map(({ name }) => name), writerFeatures };
}

function checkNumbers(reader: number, writer: number): void {
  const isNumber = (value: number, newest: number) => Number.isInteger(value) && value >= 1 && value <= newest;
  const fit = reader < 3 || writer === 7;
  if (isNumber(reader, 3) && isNumber(writer, 7) && fit) return;
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `There is no protocol ${reader}, ${writer}: versions of readers are 1 to 3 and of writers 1 to 7, and readers of version 3 go with writers of 7.`,
    { minReaderVersion: reader, minWriterVersion: writer },
  );
}
