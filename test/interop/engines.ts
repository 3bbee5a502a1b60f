import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Table } from "#src/index.js";
import { type Canonical, type Content, canonicalRow, typesOf } from "./canonical.js";
import { type Peer, startPython, startSpark } from "./peer.js";
import type { TestTable } from "./values.js";

// Started at first use and kept for all test files; they end when this process does, by the end of their input.
let startedPython: Promise<Peer> | undefined;
let startedSpark: Promise<Peer> | undefined;
export const python = (): Promise<Peer> => (startedPython ??= startPython());
export const spark = (): Promise<Peer> => (startedSpark ??= startSpark());

/** A reader of tables: the whole table at a version, or at its newest. */
export interface Reader {
  readonly name: string;
  read(path: string, version?: number): Promise<Content>;
}

export const here: Reader = {
  name: "delta-table",
  async read(path, version) {
    const table = version === undefined ? Table.open(path) : Table.open(path).at(version);
    const schema = await table.schema();
    const rows = await table.toArray();
    return { types: typesOf(schema), rows: rows.map((row) => canonicalRow(row, schema)) };
  },
};

const byVerb = (name: string, peer: () => Promise<Peer>, verb: string): Reader => ({
  name,
  read: async (path, version) => (await peer()).request<Content>(verb, { path, version: version ?? null }),
});

const deltaRs = byVerb("delta-rs", python, "read");
const deltaRsWithPyarrow = byVerb("delta-rs with pyarrow", python, "read_pyarrow");
const sparkDelta = byVerb("Spark", spark, "read");

/** Everybody that knows the log. */
export const READERS: readonly Reader[] = [here, deltaRs, deltaRsWithPyarrow, sparkDelta];

/** A writer of tables other than this package. */
export interface Writer {
  readonly name: string;
  readonly peer: () => Promise<Peer>;
}

export const WRITERS: readonly Writer[] = [
  { name: "delta-rs", peer: python },
  { name: "Spark", peer: spark },
];

export interface WriteOptions {
  readonly partitionBy?: readonly string[];
  readonly configuration?: Readonly<Record<string, string>>;
}

/** Has a peer append some of a test table's rows, as given in canonical form. */
export async function peerAppend(
  writer: Writer,
  path: string,
  { schema, expected }: TestTable,
  rows: readonly Record<string, Canonical>[] = expected.rows,
  { partitionBy, configuration }: WriteOptions = {},
): Promise<void> {
  const options = { partition_by: partitionBy ?? null, configuration: configuration ?? null };
  await (await writer.peer()).request("write", { path, schema, rows, ...options });
}

/** The rows in the order of `id`: a table has none of its own. */
export function sortedById({ types, rows }: Content): Content {
  const id = (row: Readonly<Record<string, Canonical>>) => Number(String(row.id).slice("int:".length));
  return { types, rows: [...rows].sort((a, b) => id(a) - id(b)) };
}

/** Removes the commits before `version`, as a log clean-up does: readers have only the checkpoint then. */
export async function removeCommitsBefore(path: string, version: number): Promise<void> {
  const log = join(path, "_delta_log");
  for (const name of await readdir(log)) {
    if (/^\d{20}\.(json|crc)$/.test(name) && Number(name.slice(0, 20)) < version) await rm(join(log, name));
  }
}

/** What DuckDB finds in the active data files: partition columns come as the text of the folders' names. */
export async function readWithDuckDB(path: string, partitions: readonly string[]): Promise<Content> {
  return (await python()).request<Content>("read_duckdb", { path, partitions });
}
