import type { Snapshot } from "../log/snapshot.js";

/** What a table is, in the names of Delta's DESCRIBE DETAIL. */
export interface TableDetail {
  readonly format: "delta";
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  /** The table's path or URL. */
  readonly location: string;
  readonly version: number;
  readonly createdAt: Date | null;
  readonly partitionColumns: readonly string[];
  readonly numFiles: number;
  /** Of the live data files. */
  readonly sizeInBytes: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly tableFeatures: readonly string[];
}

/** Implements `Table.detail`; see there. */
export async function detail(snapshot: Snapshot, signal?: AbortSignal): Promise<TableDetail> {
  const { metadata, protocol } = snapshot;
  let numFiles = 0;
  let sizeInBytes = 0n;
  for await (const batch of snapshot.fileBatches({ columns: ["size"], signal })) {
    numFiles += batch.numRows;
    for (const size of batch.getChild("size")!.toArray() as BigInt64Array) sizeInBytes += size;
  }
  return {
    format: "delta",
    id: metadata.id,
    name: metadata.name ?? null,
    description: metadata.description ?? null,
    location: snapshot.store.url,
    version: snapshot.version,
    createdAt: dateOf(metadata.createdTime),
    partitionColumns: metadata.partitionColumns,
    numFiles,
    sizeInBytes: Number(sizeInBytes),
    properties: metadata.configuration,
    minReaderVersion: protocol.minReaderVersion,
    minWriterVersion: protocol.minWriterVersion,
    tableFeatures: [...new Set([...(protocol.readerFeatures ?? []), ...(protocol.writerFeatures ?? [])])].sort(),
  };
}

/** Null too for a number that is no time. */
function dateOf(ms: number | undefined | null): Date | null {
  const date = new Date(ms ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}
