import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeBatch, makeColumn } from "../arrow/column.js";
import { toArrowSchema } from "../arrow/schema.js";
import { FileStatistics } from "../arrow/statistics.js";
import type { AddFile } from "../log/actions.js";
import { isFeatureActive } from "../log/features.js";
import { materializesPartitions } from "../log/icebergCompat.js";
import { encodePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import { readParquet as readBatches } from "../parquet/read.js";
import { encodeParquet } from "../parquet/write.js";
import type { ScanFile } from "../read/plan.js";
import { runtime } from "../runtime.js";
import { parseDecimalType } from "../schema/decimal.js";
import { partitionFolder } from "../schema/partition.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import { abortedError, checkSignal } from "../signal.js";
import type { ObjectStore } from "../storage/store.js";
import { dataFileName } from "../write/dataFileName.js";
import type { DataFileOptions } from "../write/dataFiles.js";
import { addFooterStatistics } from "../write/footerStatistics.js";
import { type DuckdbConnection, quoteName, withWorkDatabase } from "./duckdb.js";
import { dataFileCopy } from "./parquetCopy.js";
import { type DirectRead, directRead, readParquet, selected } from "./tableView.js";

/** A file of which rows are copied. */
export interface CopiedFile {
  readonly read: DirectRead;
  /** Places of the rows that aren't, ascending. */
  readonly without: Uint32Array;
}

/** Files of one partition whose rows go into one new file. */
export interface CopiedGroup {
  readonly partitionValues: AddFile["partitionValues"];
  readonly files: readonly CopiedFile[];
}

/** A new file, and when it is durable. */
export interface WrittenCopy {
  readonly path: string;
  readonly add: AddFile;
  readonly stored: Promise<void>;
}

/** Types that DuckDB writes as this package does, and with the same statistics. */
const COPIED_TYPES: ReadonlySet<unknown> = new Set([
  ...["boolean", "byte", "short", "integer", "long", "float", "double"],
  ...["string", "binary", "date", "timestamp", "timestamp_ntz"],
]);
/** DuckDB's own columns of a file's rows. */
const [FILE_INDEX, ROW_NUMBER] = ["file_index", "file_row_number"];
/** Values beyond which a column gets no dictionary: to find out that it has more takes a tenth of the time. */
export const DICTIONARY_SIZE = 1000;
const TAIL_BYTES = 64 * 1024;

/**
 * Whether DuckDB may write data files of a table: one on this machine, of plain columns, under their own names, without
 * anything in its files but those.
 */
export function isCopyable({ store, schema, protocol, metadata, columnMapping }: Snapshot): boolean {
  if (store.putNewBy === undefined || store.localPath === undefined || columnMapping !== "none") return false;
  if (isFeatureActive("rowTracking", protocol, metadata) || materializesPartitions(protocol, metadata)) return false;
  return storedFields(schema, metadata.partitionColumns).every(({ type }) => isCopiedType(type));
}

/** Whether DuckDB writes values of a type as this package does, and with the same statistics. */
export function isCopiedType(type: DataType): boolean {
  return COPIED_TYPES.has(type) || (typeof type === "string" && parseDecimalType(type) !== undefined);
}

/** How DuckDB reads a file of a table that {@link isCopyable}; undefined where it can't, or not with the same values. */
export async function copyableFile(
  snapshot: Snapshot,
  file: ScanFile,
  signal?: AbortSignal,
): Promise<DirectRead | undefined> {
  const stored = storedFields(snapshot.schema, snapshot.metadata.partitionColumns);
  // A file's own columns of those names would hide them.
  const read = await directRead(snapshot, file, { stored, constant: [], lacking: [FILE_INDEX, ROW_NUMBER] }, signal);
  return read !== undefined && read.present.length > 0 ? read : undefined;
}

/**
 * Copies rows by DuckDB, in no particular order, to new data files of the table: of each group to one. Gives undefined for a group in
 * which DuckDB fails; nothing is left of it then. Throws `DELTA_ABORTED` and what the store throws, and leaves no file then.
 */
export async function copyRows(
  store: ObjectStore,
  options: DataFileOptions,
  groups: readonly CopiedGroup[],
): Promise<(WrittenCopy | undefined)[]> {
  const paths = groups.map(({ partitionValues }, i) => newPath(options, partitionValues, i));
  const written: (WrittenCopy | undefined)[] = [];
  let hasBegun = false;
  const work = async (db: DuckdbConnection, folder: string) => {
    hasBegun = true;
    for (const [i, group] of groups.entries()) {
      written.push(await copyGroup(store, options, group, paths[i]!, db, folder));
    }
  };
  const sources = groups.flatMap(({ files }) => files.map(({ read }) => read.path));
  const targets = paths.map((path) => join(store.url, path));
  try {
    await withWorkDatabase(work, [...sources, ...targets], ["SET preserve_insertion_order = false"]);
  } catch (error) {
    // Without a folder for its temporary files, DuckDB isn't started.
    if (!hasBegun) return groups.map(() => undefined);
    await discardCopies(store, written);
    throw error;
  }
  return written;
}

/** Where a new file of a partition goes. */
export function newPath(
  { partitionColumns, compression }: DataFileOptions,
  partitionValues: AddFile["partitionValues"],
  index: number,
): string {
  const folder = partitionFolder(
    partitionColumns,
    partitionColumns.map((column) => partitionValues[column] ?? null),
  );
  return [folder, dataFileName(index, compression)].filter((part) => part !== "").join("/");
}

/** Removes the files. */
export async function discardCopies(store: ObjectStore, written: readonly (WrittenCopy | undefined)[]): Promise<void> {
  await Promise.allSettled(
    written.map(async (copy) => {
      if (copy === undefined) return;
      await copy.stored.catch(() => undefined);
      await store.delete(copy.path);
    }),
  );
}

/** What DuckDB fails with, or the writing of what it is given. */
export class Failed extends Error {}

async function copyGroup(
  store: ObjectStore,
  options: DataFileOptions,
  group: CopiedGroup,
  path: string,
  db: DuckdbConnection,
  folder: string,
): Promise<WrittenCopy | undefined> {
  const { schema, signal, statisticsColumns, compression } = options;
  checkSignal(signal, "a change of rows");
  const rowCount = group.files.reduce((sum, { read, without }) => sum + read.rowCount - without.length, 0);
  const copy = async (localPath: string) => {
    const stop = () => db.interrupt();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const places = await spoolPlaces(group, folder);
      const rows = rowsSql(group, storedFields(schema, options.partitionColumns), places);
      checkSignal(signal, "a change of rows");
      await db.columns(dataFileCopy(rows, localPath, { schema, compression, dictionarySize: DICTIONARY_SIZE }));
    } catch (cause) {
      if (signal?.aborted) throw abortedError(signal, "a change of rows");
      throw new Failed("", { cause });
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  };
  try {
    const { sizeBytes, stored } = await store.putNewBy!(path, copy, signal);
    const statistics = new FileStatistics(schema, statisticsColumns);
    const read = (columns: readonly (readonly string[])[]) =>
      readBatches(store, { path, sizeBytes }, { columns, signal });
    const end = await endOf(store, path, sizeBytes, signal);
    const found = await addFooterStatistics(statistics, end, options, read);
    const add = {
      path: encodePath(path),
      partitionValues: group.partitionValues,
      size: sizeBytes,
      modificationTime: runtime.now(),
      dataChange: true,
      stats: statistics.toJson(),
    };
    const written = { path, add, stored };
    if (found === rowCount) return written;
    await discardCopies(store, [written]);
    return undefined;
  } catch (error) {
    if (error instanceof Failed) return undefined;
    await store.delete(path);
    throw error;
  }
}

/** A SELECT of the rows; `places` is where those are that are left out. */
function rowsSql({ files }: CopiedGroup, fields: readonly StructField[], places: string | undefined): string {
  const byColumns = new Map<string, number[]>();
  for (const [i, { read }] of files.entries()) {
    const key = JSON.stringify(read.present);
    byColumns.set(key, [...(byColumns.get(key) ?? []), i]);
  }
  const parts = [...byColumns.values()].map((alike) => {
    const { present } = files[alike[0]!]!.read;
    const columns = fields.map((field) =>
      selected(field, present.includes(field.name) ? quoteName(field.name) : "NULL"),
    );
    const from = readParquet(alike.map((i) => files[i]!.read.path));
    if (places === undefined) return `SELECT ${columns.join(", ")} FROM ${from}`;
    const index = `rows.${FILE_INDEX}::INTEGER`;
    const number = alike.length === files.length ? index : `([${alike.join(", ")}])[${index} + 1]`;
    return `SELECT ${columns.join(", ")} FROM ${from} AS rows ANTI JOIN ${places} AS gone
      ON gone.${FILE} = ${number} AND gone.${PLACE} = rows.${ROW_NUMBER}::INTEGER`;
  });
  return parts.join(" UNION ALL ");
}

// Names that no column of a table has, in any case that DuckDB would take for it.
const [FILE, PLACE] = [quoteName("file of the row"), quoteName("place of the row")];

/** Writes the places of the rows that are left out; what they are selected from. */
async function spoolPlaces({ files }: CopiedGroup, folder: string): Promise<string | undefined> {
  const count = files.reduce((sum, { without }) => sum + without.length, 0);
  if (count === 0) return undefined;
  const [file, place] = [new Int32Array(count), new Int32Array(count)];
  let at = 0;
  for (const [i, { without }] of files.entries()) {
    file.fill(i, at, at + without.length);
    place.set(without, at);
    at += without.length;
  }
  const column = (name: string) => ({ name, type: "integer", nullable: false, metadata: {} }) as const;
  const { fields } = toArrowSchema({
    type: "struct",
    fields: [column("file of the row"), column("place of the row")],
  });
  const columns = [file, place].map((values, i) => makeColumn(fields[i]!.type, count, undefined, { values }));
  const { bytes } = await encodeParquet([makeBatch(fields, columns, count)], { compression: "uncompressed" });
  const path = join(folder, `places-${runtime.randomUUID()}.parquet`);
  await writeFile(path, bytes);
  return readParquet([path]);
}

/** The last bytes of a file, with all of its footer. */
export async function endOf(
  store: ObjectStore,
  path: string,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const last = await store.get(path, { start: Math.max(0, sizeBytes - TAIL_BYTES), end: sizeBytes }, signal);
  const view = new DataView(last.buffer, last.byteOffset, last.byteLength);
  const wanted = view.getUint32(last.length - 8, true) + 8;
  return wanted <= last.length ? last : store.get(path, { start: sizeBytes - wanted, end: sizeBytes }, signal);
}

export function storedFields({ fields }: StructType, partitionColumns: readonly string[]): readonly StructField[] {
  return fields.filter(({ name }) => !partitionColumns.includes(name));
}
