import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { batchByteLength } from "../arrow/size.js";
import type { Snapshot } from "../log/snapshot.js";
import { readFooter } from "../parquet/footer.js";
import { encodeParquet } from "../parquet/write.js";
import { planFiles, type ScanFile } from "../read/plan.js";
import { scanFiles } from "../read/scan.js";
import { physicalName } from "../schema/columnMapping.js";
import { parsePartitionValue } from "../schema/partition.js";
import type { Predicate } from "../schema/predicate.js";
import type { StructField } from "../schema/types.js";
import { checkSignal } from "../signal.js";
import { quoteName, quoteText } from "./duckdb.js";
import { sqlLiteral } from "./literal.js";
import { plainColumns } from "./plainFile.js";
import { columnType, sqlType } from "./types.js";

/** What a query needs of a table. */
export interface TableUse {
  readonly columns: readonly StructField[];
  /** Rows that it isn't true for don't count, and needn't be left out. */
  readonly predicate: Predicate | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Files whose rows DuckDB reads from the files themselves, or needn't read. */
interface Group {
  /** SQL of the partition columns that are used. */
  readonly constants: ReadonlyMap<string, string>;
  /** Columns that all of the files have. */
  readonly present: ReadonlySet<string>;
  readonly paths: string[];
  /** Rows of which nothing but the partition columns is used. */
  rowCount: number;
}

/** The files of a table as a query reads them. */
export interface TableFiles {
  readonly groups: readonly Group[];
  readonly scanned: readonly ScanFile[];
}

/** Footers that are read at a time. */
const FOOTERS = 16;
/** Groups beyond which those of the same columns are read together. */
const MAX_GROUPS = 64;
/** Arrow bytes that are written to one temporary file. */
const PIECE_BYTES = 64 * 1024 * 1024;

/**
 * Finds out which files DuckDB can read by itself with the same values as this package: files of this machine without deletion
 * vectors, of tables without column mapping, of the forms that {@link plainColumns} knows.
 */
export async function tableFiles(snapshot: Snapshot, { columns, predicate, signal }: TableUse): Promise<TableFiles> {
  const partitionColumns = new Set(snapshot.metadata.partitionColumns);
  const stored = columns.filter(({ name, type }) => !partitionColumns.has(name) && type !== "void");
  const constant = columns.filter(({ name }) => partitionColumns.has(name));
  const groups = new Map<string, Group>();
  const scanned: ScanFile[] = [];

  const take = async (file: ScanFile) => {
    if (stored.length === 0) {
      const constants = constantsOf(snapshot, file, constant);
      if (constants === undefined) return void scanned.push(file);
      const rowCount = await rowCountOf(snapshot, file, signal);
      if (rowCount === undefined) scanned.push(file);
      else groupOf(groups, constants, []).rowCount += rowCount;
      return;
    }
    const read = file.deletionVector ? undefined : await directRead(snapshot, file, { stored, constant }, signal);
    if (read === undefined) scanned.push(file);
    else groupOf(groups, read.constants, read.present).paths.push(read.path);
  };

  let waiting: Promise<void>[] = [];
  for await (const file of planFiles(snapshot, { ...(predicate && { predicate }), ...(signal && { signal }) })) {
    waiting.push(take(file));
    if (waiting.length === FOOTERS) await Promise.all(waiting.splice(0));
  }
  await Promise.all(waiting);
  waiting = [];
  return { groups: [...groups.values()], scanned };
}

/** How DuckDB reads a file by itself. */
export interface DirectRead {
  readonly path: string;
  /** SQL of the partition columns that are used. */
  readonly constants: ReadonlyMap<string, string>;
  /** Columns that the file has. */
  readonly present: readonly string[];
  /** Removed rows too. */
  readonly rowCount: number;
}

/** What is to be read of a file. */
export interface DirectColumns {
  /** In the file, as far as it has them. */
  readonly stored: readonly StructField[];
  /** Partition columns. */
  readonly constant: readonly StructField[];
  /** Names, in lower case, that no column of the file may have. */
  readonly lacking?: readonly string[];
}

/** How DuckDB reads these columns from a file, with the rows that are removed; undefined where it can't, or not with the same values. */
export async function directRead(
  snapshot: Snapshot,
  file: ScanFile,
  { stored, constant, lacking = [] }: DirectColumns,
  signal: AbortSignal | undefined,
): Promise<DirectRead | undefined> {
  const path = snapshot.columnMapping === "none" ? snapshot.store.localPath?.(file.path) : undefined;
  if (path === undefined || !isPlainPath(path)) return undefined;
  const constants = constantsOf(snapshot, file, constant);
  if (constants === undefined) return undefined;
  const footer = await readFooter(snapshot.store, file, signal);
  const isHidden = footer.root.children.some(({ element }) => lacking.includes(element.name.toLowerCase()));
  const present = isHidden ? undefined : plainColumns(footer, stored);
  return present && { path, constants, present, rowCount: footer.rowCount };
}

/** DuckDB would take these characters for a pattern, or for its own names of places. */
function isPlainPath(path: string): boolean {
  return path.startsWith("/") && !/[*?[\]{}\\\0]/.test(path);
}

function groupOf(
  groups: Map<string, Group>,
  constants: ReadonlyMap<string, string>,
  present: readonly string[],
): Group {
  const key = JSON.stringify([[...constants], present]);
  let group = groups.get(key);
  if (group === undefined) {
    group = { constants, present: new Set(present), paths: [], rowCount: 0 };
    groups.set(key, group);
  }
  return group;
}

function constantsOf(
  snapshot: Snapshot,
  file: ScanFile,
  columns: readonly StructField[],
): Map<string, string> | undefined {
  const constants = new Map<string, string>();
  for (const field of columns) {
    const text = file.partitionValues.get(physicalName(field, snapshot.columnMapping)) ?? null;
    const sql = sqlLiteral(field.type, parsePartitionValue(field.type, text, { column: field.name }));
    if (sql === undefined) return undefined;
    constants.set(field.name, sql);
  }
  return constants;
}

async function rowCountOf(
  snapshot: Snapshot,
  file: ScanFile,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const rowCount = file.numRecords ?? (await readFooter(snapshot.store, file, signal)).rowCount;
  const removed = file.deletionVector?.cardinality ?? 0;
  return removed >= 0 && removed <= rowCount ? rowCount - removed : undefined;
}

/** Writes what only this package reads to temporary files below `folder`; their paths. */
export async function writeScanned(
  snapshot: Snapshot,
  { scanned }: TableFiles,
  { columns, signal }: TableUse,
  folder: string,
): Promise<string[]> {
  const paths: string[] = [];
  // A file has at least one column.
  const wanted = columns.filter(({ type }) => type !== "void");
  const read = wanted.length > 0 ? wanted : snapshot.schema.fields.filter(({ type }) => type !== "void").slice(0, 1);
  let pending: RecordBatch[] = [];
  let bytes = 0;
  const flush = async () => {
    if (pending.length === 0) return;
    const path = join(folder, `${paths.length}.parquet`);
    const encoded = encodeParquet(pending, { compression: "uncompressed", ...(signal && { signal }) });
    pending = [];
    bytes = 0;
    await writeFile(path, (await encoded).bytes);
    paths.push(path);
  };
  if (scanned.length > 0) await mkdir(folder, { recursive: true });
  for await (const batch of scanFiles(snapshot, listed(scanned), { columns: read, ...(signal && { signal }) })) {
    checkSignal(signal, "the query");
    if (batch.numRows === 0) continue;
    pending.push(batch);
    bytes += batchByteLength(batch);
    if (bytes >= PIECE_BYTES) await flush();
  }
  await flush();
  return paths;
}

async function* listed<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** The rows of a table as a SELECT, of the columns used. */
export function tableSql({ groups }: TableFiles, written: readonly string[], { columns }: TableUse): string {
  const parts =
    groups.length > MAX_GROUPS ? merged(groups, columns) : groups.flatMap((group) => groupSql(group, columns));
  if (written.length > 0) {
    parts.push(
      `SELECT ${columns.map((field) => selected(field, field.type === "void" ? "NULL" : quoteName(field.name)))}`.concat(
        columns.length === 0 ? "1" : "",
        ` FROM ${readParquet(written)}`,
      ),
    );
  }
  if (parts.length > 0) return parts.join(" UNION ALL ");
  return `SELECT ${columns.map((field) => selected(field, "NULL")).join(", ") || "1"} WHERE false`;
}

function groupSql(group: Group, columns: readonly StructField[]): string[] {
  const list = columns.map((field) => {
    const column = quoteName(field.name);
    return selected(field, group.constants.get(field.name) ?? (group.present.has(field.name) ? column : "NULL"));
  });
  const select = `SELECT ${list.join(", ") || "1"} FROM`;
  const files = group.paths.length > 0 ? [`${select} ${readParquet(group.paths)}`] : [];
  return group.rowCount > 0 ? [...files, `${select} range(${group.rowCount})`] : files;
}

/** A statement of thousands of parts would take longer than what it reads: constants are looked up by the file instead. */
function merged(groups: readonly Group[], columns: readonly StructField[]): string[] {
  const byColumns = new Map<string, Group[]>();
  for (const group of groups) {
    const key = JSON.stringify([[...group.present], group.rowCount > 0]);
    byColumns.set(key, [...(byColumns.get(key) ?? []), group]);
  }
  return [...byColumns.values()].flatMap((alike) => {
    const counts = alike.filter(({ rowCount }) => rowCount > 0);
    if (counts.length > 0) return [countsSql(counts, columns)];
    const list = columns.map((field) => {
      if (!alike[0]!.constants.has(field.name)) {
        return selected(field, alike[0]!.present.has(field.name) ? quoteName(field.name) : "NULL");
      }
      const values = alike.flatMap(({ constants, paths }) => paths.map(() => constants.get(field.name)!));
      return selected(field, `([${values.join(", ")}])[file_index::BIGINT + 1]`);
    });
    return [`SELECT ${list.join(", ") || "1"} FROM ${readParquet(alike.flatMap(({ paths }) => paths))}`];
  });
}

function countsSql(groups: readonly Group[], columns: readonly StructField[]): string {
  const rows = groups.map(({ constants, rowCount }) => {
    const values = columns.map((field) => `${constants.get(field.name) ?? "NULL"}::${sqlType(field.type)}`);
    return `(${[...values, rowCount].join(", ")})`;
  });
  const names = [...columns.map(({ name }) => quoteName(name)), ROW_COUNT];
  const list = columns.map(({ name }) => quoteName(name)).join(", ") || "1";
  return `SELECT ${list} FROM (VALUES ${rows.join(", ")}) AS counts(${names.join(", ")}), range(${ROW_COUNT})`;
}

const ROW_COUNT = quoteName("rows of the files");

/** A column of a SELECT, as its type and under its name. */
export function selected({ name, type }: StructField, sql: string): string {
  return `${sql}::${columnType(type)} AS ${quoteName(name)}`;
}

/** What the rows of files are selected from. */
export function readParquet(paths: readonly string[]): string {
  return `read_parquet([${paths.map(quoteText).join(", ")}], hive_partitioning = false)`;
}
