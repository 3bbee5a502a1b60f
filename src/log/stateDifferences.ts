import { parseExactJson } from "../schema/exactJson.js";
import type { Metadata, Protocol } from "./actions.js";
import type { TableState } from "./state.js";

/** Texts that are equal for values which mean the same: members in one order, without those that say nothing. */
function canonicalText(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined && member !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`).join(",")}}`;
}

function protocolText({ minReaderVersion, minWriterVersion, readerFeatures, writerFeatures }: Protocol): string {
  const sorted = (features: readonly string[] | null | undefined) => [...(features ?? [])].sort();
  const [reader, writer] = [sorted(readerFeatures), sorted(writerFeatures)];
  return canonicalText({ minReaderVersion, minWriterVersion, reader, writer });
}

function metadataText(metadata: Metadata): string {
  const { id, name, description, schemaString, createdTime } = metadata;
  const { format, partitionColumns, configuration } = metadata;
  return canonicalText({
    id,
    name,
    description,
    format: { provider: format?.provider ?? "parquet", options: format?.options ?? {} },
    schema: schemaValue(schemaString),
    partitionColumns: partitionColumns ?? [],
    configuration: configuration ?? {},
    createdTime,
  });
}

function schemaValue(schemaString: string): unknown {
  try {
    return parseExactJson(schemaString);
  } catch {
    return schemaString;
  }
}

/** What a checkpoint or a version checksum says of the table beside its files; what it leaves out isn't compared. */
export interface StatedState {
  readonly protocol?: Protocol;
  readonly metadata?: Metadata;
  readonly transactions?: TableState["transactions"];
  readonly domainMetadata?: TableState["domainMetadata"];
}

/** A part of the state that differs, with both sides as they are; undefined for none. */
export interface StateDifference {
  readonly action: "protocol" | "metaData" | "txn" | "domainMetadata";
  /** The application or the domain. */
  readonly name?: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/**
 * Where `stated` differs from the replayed state. A `txn` may be missing where `mayForget` allows it
 * (`delta.setTransactionRetentionDuration`).
 */
export function* stateDifferences(
  replayed: TableState,
  stated: StatedState,
  mayForget: (appId: string) => boolean,
): Generator<StateDifference> {
  const { protocol, metadata, transactions, domainMetadata } = stated;
  if (protocol !== undefined && protocolText(protocol) !== protocolText(replayed.protocol)) {
    yield { action: "protocol", expected: replayed.protocol, found: protocol };
  }
  if (metadata !== undefined && metadataText(metadata) !== metadataText(replayed.metadata)) {
    yield { action: "metaData", expected: replayed.metadata, found: metadata };
  }
  if (transactions !== undefined) {
    for (const { name, expected, found } of mapDifferences(
      replayed.transactions,
      transactions,
      ({ version }) => version,
    )) {
      if (found !== undefined || !mayForget(name)) yield { action: "txn", name, expected, found };
    }
  }
  if (domainMetadata !== undefined) {
    const differences = mapDifferences(replayed.domainMetadata, domainMetadata, ({ configuration }) => configuration);
    for (const difference of differences) yield { action: "domainMetadata", ...difference };
  }
}

function* mapDifferences<T>(
  replayed: ReadonlyMap<string, T>,
  stated: ReadonlyMap<string, T>,
  field: (entry: T) => unknown,
): Generator<{ name: string; expected: T | undefined; found: T | undefined }> {
  for (const name of new Set([...replayed.keys(), ...stated.keys()])) {
    const [expected, found] = [replayed.get(name), stated.get(name)];
    const isSame = expected !== undefined && found !== undefined && String(field(expected)) === String(field(found));
    if (!isSame) yield { name, expected, found };
  }
}
