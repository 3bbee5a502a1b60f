import { type FileHandle, open, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { FileStatistics } from "../arrow/statistics.js";
import { encodePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import { type Footer, readFooter } from "../parquet/footer.js";
import { readParquet as readBatches } from "../parquet/read.js";
import { MAGIC, type NewChunks, newChunks, type SplicedFile, splicedFile } from "../parquet/splicedFile.js";
import { encodeParquet } from "../parquet/write.js";
import type { ScanFile } from "../read/plan.js";
import { runtime } from "../runtime.js";
import { columnsOf, type Predicate } from "../schema/predicate.js";
import type { StructField } from "../schema/types.js";
import { abortedError, checkSignal } from "../signal.js";
import type { ObjectStore } from "../storage/store.js";
import type { DataFileOptions } from "../write/dataFiles.js";
import { addFooterStatistics } from "../write/footerStatistics.js";
import { replacedStatistics } from "../write/replacedStatistics.js";
import { DICTIONARY_SIZE, discardCopies, endOf, newPath, type WrittenCopy } from "./copiedRows.js";
import { type DirectFile, directFiles, directRows, ROW_NUMBER } from "./directFiles.js";
import { type DuckdbConnection, quoteName, withWorkDatabase } from "./duckdb.js";
import { ROWS } from "./evaluate.js";
import { dataFileCopy } from "./parquetCopy.js";
import { predicateSql } from "./predicateSql.js";
import { readParquet, selected } from "./tableView.js";

/** New values of some columns, for the rows for which a predicate is true, or for all. */
export interface ColumnValues {
  readonly predicate: Predicate | undefined;
  /** SQL of those that are computed, over rows called {@link ROWS}. */
  readonly sql: ReadonlyMap<string, string>;
  /** A row with the others. */
  readonly constants: RecordBatch | undefined;
  /** Columns that the values are made of. */
  readonly named: ReadonlySet<string>;
}

/** The same, all of it as SQL. */
interface PlannedValues {
  readonly predicate: Predicate | undefined;
  readonly values: ReadonlyMap<string, string>;
}

/** A file without a deletion vector that gets them. */
export interface ReplacedFile extends ScanFile {
  readonly stats: string | undefined;
  readonly partition: Readonly<Record<string, string | null>>;
  /** Whether all of its rows do. */
  readonly isWhole: boolean;
}

const TOUCHED = quoteName("touched by the change");
/** DuckDB's rows come in vectors of so many. */
const VECTOR_ROWS = 2048;
const COPY_BYTES = 4 * 1024 * 1024;

/**
 * Writes files anew, with other values in some top-level columns: their chunks only are decoded and encoded, by DuckDB; all other bytes are
 * copied, so rows stay in their places. Gives undefined for a file where that can't be done, or DuckDB fails; nothing is left of it
 * then. Throws `DELTA_ABORTED` and what the store throws, and leaves no file then.
 */
export async function replaceColumns(
  snapshot: Snapshot,
  store: ObjectStore,
  options: DataFileOptions,
  files: readonly ReplacedFile[],
  change: ColumnValues,
): Promise<(WrittenCopy | undefined)[]> {
  const { predicate, sql, constants, named } = change;
  const values = new Map(sql);
  const fixed = constants?.schema.fields.map(({ name }) => name) ?? [];
  const read = new Set([
    ...sql.keys(),
    ...fixed,
    ...named,
    ...(predicate ? columnsOf(predicate).map(([name]) => name!) : []),
  ]);
  const fields = snapshot.schema.fields.filter(({ name }) => read.has(name));
  const direct = await directFiles(snapshot, files, fields, options.signal);
  const written: (WrittenCopy | undefined)[] = files.map(() => undefined);
  if (direct.length === 0) return written;
  let hasBegun = false;
  const work = async (db: DuckdbConnection, folder: string, connect: () => Promise<DuckdbConnection>) => {
    hasBegun = true;
    if (constants !== undefined) {
      const path = join(folder, "constants.parquet");
      await writeFile(path, (await encodeParquet([constants], { compression: "uncompressed" })).bytes);
      for (const name of fixed) values.set(name, `(SELECT ${quoteName(name)} FROM ${readParquet([path])})`);
    }
    const lanes = [db];
    while (lanes.length < availableParallelism()) lanes.push(await connect());
    const replacing = new Replacing(
      snapshot,
      store,
      options,
      fields,
      { predicate, values },
      folder,
      new Lanes(lanes, options.signal),
    );
    const waiting = direct.map((one) => ({ one, index: files.indexOf(one.file) }));
    const next = async (): Promise<void> => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
        const { one, index } = file;
        written[index] = await replacing.file(one, newPath(options, one.file.partition, index));
      }
    };
    try {
      // One more than connections: while a file's bytes are put together, DuckDB works on others.
      const done = await Promise.allSettled([...lanes, undefined].map(next));
      for (const one of done) if (one.status === "rejected") throw one.reason;
    } finally {
      for (const lane of lanes.slice(1)) lane[Symbol.dispose]();
    }
  };
  try {
    await withWorkDatabase(
      work,
      direct.map(({ read }) => read.path),
    );
  } catch (error) {
    // Without a folder for its temporary files, DuckDB isn't started.
    if (!hasBegun) return written;
    await discardCopies(store, written);
    throw error;
  }
  return written;
}

/** What DuckDB fails with. */
class Failed extends Error {}

/** Connections, of which each runs one statement after the other. */
class Lanes {
  readonly #lanes: { readonly db: DuckdbConnection; last: Promise<unknown> }[];
  readonly #signal: AbortSignal | undefined;
  #next = 0;

  constructor(connections: readonly DuckdbConnection[], signal: AbortSignal | undefined) {
    this.#lanes = connections.map((db) => ({ db, last: Promise.resolve() }));
    this.#signal = signal;
  }

  async run(sql: string): Promise<void> {
    const lane = this.#lanes[this.#next++ % this.#lanes.length]!;
    const own = lane.last.then(() => this.#run(lane.db, sql));
    lane.last = own.catch(() => undefined);
    await own;
  }

  async #run(db: DuckdbConnection, sql: string): Promise<void> {
    checkSignal(this.#signal, "update");
    const stop = () => db.interrupt();
    this.#signal?.addEventListener("abort", stop, { once: true });
    try {
      await db.columns(sql);
    } catch (cause) {
      if (this.#signal?.aborted) throw abortedError(this.#signal, "update");
      throw new Failed("", { cause });
    } finally {
      this.#signal?.removeEventListener("abort", stop);
    }
  }
}

class Replacing {
  readonly #snapshot: Snapshot;
  readonly #store: ObjectStore;
  readonly #options: DataFileOptions;
  readonly #fields: readonly StructField[];
  readonly #change: PlannedValues;
  readonly #folder: string;
  readonly #lanes: Lanes;

  constructor(
    snapshot: Snapshot,
    store: ObjectStore,
    options: DataFileOptions,
    fields: readonly StructField[],
    change: PlannedValues,
    folder: string,
    lanes: Lanes,
  ) {
    this.#snapshot = snapshot;
    this.#store = store;
    this.#options = options;
    this.#fields = fields;
    this.#change = change;
    this.#folder = folder;
    this.#lanes = lanes;
  }

  async file(one: DirectFile<ReplacedFile>, path: string): Promise<WrittenCopy | undefined> {
    const { signal } = this.#options;
    const { store } = this.#snapshot;
    const { present } = one.read;
    if (![...this.#change.values.keys()].every((name) => present.includes(name))) return undefined;
    const footer = await readFooter(store, one.file, signal);
    try {
      const groups = await this.#newChunks(one, footer);
      const spliced =
        groups && splicedFile(footer, await endOf(store, one.file.path, one.file.sizeBytes, signal), groups);
      return spliced && (await this.#put(one, path, spliced));
    } catch (error) {
      if (error instanceof Failed) return undefined;
      throw error;
    }
  }

  async #newChunks(one: DirectFile<ReplacedFile>, footer: Footer): Promise<NewChunks[] | undefined> {
    let first = 0;
    const full = footer.rowGroups.flatMap(({ rowCount }) => {
      const start = first;
      first += rowCount;
      return rowCount > 0 ? [{ start, rowCount }] : [];
    });
    const made = await Promise.allSettled(
      full.map(async ({ start, rowCount }) => {
        const target = join(this.#folder, `columns-${runtime.randomUUID()}.parquet`);
        const part = full.length === 1 ? undefined : ([start, start + rowCount] as const);
        await this.#lanes.run(this.#copySql(one, part, target, rowCount));
        const bytes = new Uint8Array(await readFile(target));
        await rm(target);
        return newChunks(bytes);
      }),
    );
    const chunks = made.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    });
    return chunks.every((one) => one !== undefined) ? (chunks as NewChunks[]) : undefined;
  }

  #copySql(
    one: DirectFile<ReplacedFile>,
    part: readonly [number, number] | undefined,
    target: string,
    rowCount: number,
  ): string {
    const { predicate, values } = this.#change;
    const { schema } = this.#snapshot;
    const places = part ? [`${ROW_NUMBER} AS ${quoteName(ROW_NUMBER)}`] : [];
    const rows = directRows([one], this.#fields, places);
    const within = part ? ` WHERE ${ROW_NUMBER} >= ${part[0]} AND ${ROW_NUMBER} < ${part[1]}` : "";
    const isTouched = one.file.isWhole || predicate === undefined ? "true" : predicateSql(predicate, schema);
    const replaced = schema.fields.filter(({ name }) => values.has(name));
    const columns = replaced.map((field) => {
      const name = quoteName(field.name);
      return selected(field, `(CASE WHEN ${TOUCHED} THEN ${values.get(field.name)} ELSE ${ROWS}.${name} END)`);
    });
    const select = `SELECT ${columns.join(", ")} FROM
      (SELECT *, ${isTouched} AS ${TOUCHED} FROM (${rows}${within})) AS ${ROWS}`;
    return dataFileCopy(select, target, {
      schema: { type: "struct", fields: replaced },
      compression: this.#options.compression,
      dictionarySize: DICTIONARY_SIZE,
      rowGroupSize: Math.ceil(rowCount / VECTOR_ROWS) * VECTOR_ROWS,
    });
  }

  async #put(one: DirectFile<ReplacedFile>, path: string, spliced: SplicedFile): Promise<WrittenCopy | undefined> {
    const { schema, statisticsColumns, signal } = this.#options;
    const { stats, partition } = one.file;
    const replaced = new Set(this.#change.values.keys());
    const { sizeBytes, stored } = await this.#store.putNewBy!(
      path,
      (localPath) =>
        splice(spliced, one.read.path, localPath, signal).catch((cause: unknown) => {
          // Who writes the rows in the other way tells what is wrong with the files.
          throw signal?.aborted ? abortedError(signal, "update") : new Failed("", { cause });
        }),
      signal,
    );
    try {
      const told = statisticsColumns.filter(([name]) => replaced.has(name!));
      const statistics = new FileStatistics(schema, told);
      const read = (columns: readonly (readonly string[])[]) =>
        readBatches(this.#store, { path, sizeBytes }, { columns, signal });
      const end = await endOf(this.#store, path, sizeBytes, signal);
      await addFooterStatistics(statistics, end, { schema, statisticsColumns: told }, read);
      const now = replacedStatistics(stats, statistics.toJson(), statisticsColumns, replaced);
      if (now !== undefined && (await this.#hasRequired(path, sizeBytes, replaced))) {
        const modificationTime = runtime.now();
        const add = { path: encodePath(path), partitionValues: partition, size: sizeBytes, modificationTime };
        return { path, add: { ...add, dataChange: true, stats: now }, stored };
      }
    } catch (error) {
      await stored.catch(() => undefined);
      await this.#store.delete(path);
      throw error;
    }
    await stored.catch(() => undefined);
    await this.#store.delete(path);
    return undefined;
  }

  /** Whether columns that must have no nulls have none. */
  async #hasRequired(path: string, sizeBytes: number, replaced: ReadonlySet<string>): Promise<boolean> {
    const required = this.#options.schema.fields.filter(({ name, nullable }) => !nullable && replaced.has(name));
    if (required.length === 0) return true;
    const { leaves, rowGroups } = await readFooter(this.#store, { path, sizeBytes }, this.#options.signal);
    const names = new Set(required.map(({ name }) => name));
    const indexes = leaves.flatMap(({ path: [name, ...rest] }, i) =>
      rest.length === 0 && names.has(name!) ? [i] : [],
    );
    return rowGroups.every(({ chunks }) => chunks.length === 0 || indexes.every((i) => chunks[i]!.nullCount === 0));
  }
}

/** Writes the file. */
async function splice(
  { pieces, end }: SplicedFile,
  oldPath: string,
  localPath: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [source, target] = await opened(oldPath, localPath);
  try {
    await target.write(MAGIC);
    const buffer = new Uint8Array(Math.min(COPY_BYTES, Math.max(0, ...pieces.map(({ start, end }) => end - start))));
    for (const { of, start, end } of pieces) {
      if (of !== "old") {
        await writeAll(target, of.bytes.subarray(start, end));
        continue;
      }
      for (let at = start; at < end; ) {
        checkSignal(signal, "update");
        const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, end - at), at);
        if (bytesRead === 0) throw new Failed("the file is cut");
        await writeAll(target, buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
    }
    await writeAll(target, end);
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

async function opened(oldPath: string, localPath: string): Promise<[FileHandle, FileHandle]> {
  const source = await open(oldPath, "r");
  try {
    return [source, await open(localPath, "w")];
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function writeAll(target: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await target.write(bytes, at)).bytesWritten;
}
