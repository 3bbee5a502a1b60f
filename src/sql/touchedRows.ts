import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { DeletionVectorReader } from "../log/deletionVector.js";
import type { Snapshot } from "../log/snapshot.js";
import type { ScanFile } from "../read/plan.js";
import type { Predicate } from "../schema/predicate.js";
import type { StructType } from "../schema/types.js";
import { abortedError, checkSignal } from "../signal.js";
import { type DirectFile, directFiles, directRows, FILE_INDEX, ROW_NUMBER } from "./directFiles.js";
import { type DuckdbConnection, quoteName, withWorkDatabase } from "./duckdb.js";
import { ROWS } from "./evaluate.js";
import { statements } from "./filePlaces.js";
import { dataFileCopy, spoolCopy } from "./parquetCopy.js";
import { predicateSql } from "./predicateSql.js";
import { FILE, POSITION, withoutRemovedRows } from "./removedRows.js";
import { spooledRows } from "./spooledRows.js";

/** Rows that a change touches, of files that DuckDB read, as it holds them. */
export interface TouchedRows<File> {
  /** The rows' places in each of the files, ascending; none where no row of it is touched. */
  readonly places: ReadonlyMap<File, Uint32Array>;
  readonly rowCount: number;
  /** Bytes of the rows in their files, about. */
  readonly sizeBytes: number;
  /** The rows in the table's columns, file after file. */
  batches(): AsyncGenerator<RecordBatch>;
  /**
   * Writes the rows with other values, SQL by column, to a file that may be a data file, and gives its path. Undefined where a value can't be had; why, tells
   * who computes it from {@link TouchedRows.batches}.
   */
  copy(values: ReadonlyMap<string, string>): Promise<string | undefined>;
}

const [file, position] = [FILE, POSITION].map(({ name }) => quoteName(name));
const TOUCHED = quoteName("touched rows");

/**
 * Has DuckDB find the live rows for which a predicate is true, and take them, in one pass through those of the files that it reads by itself:
 * files of this machine in the forms that {@link directFiles} knows. `take` gets the rows, as they are found in some of the files. Gives the other
 * files: those, too, in which the predicate fails on a row, be it one that counts no more.
 */
export async function touchedRows<File extends ScanFile>(
  snapshot: Snapshot,
  files: readonly File[],
  predicate: Predicate,
  take: (rows: TouchedRows<File>) => Promise<void>,
  signal?: AbortSignal,
): Promise<readonly File[]> {
  const direct = await directFiles(snapshot, files, snapshot.schema.fields, signal);
  if (direct.length === 0) return files;
  const vectors = new DeletionVectorReader(snapshot.store);
  const taken = new Set<File>();
  const work = async (db: DuckdbConnection, folder: string) => {
    const rows = new RowTable(db, folder, snapshot.schema, vectors, signal);
    for (const some of statements(direct)) {
      checkSignal(signal, "a change of rows");
      if (!(await rows.fill(some, predicate))) continue;
      await take(await rows.found(some));
      for (const one of some) taken.add(one.file);
    }
  };
  await withWorkDatabase(
    work,
    direct.map(({ read }) => read.path),
  );
  return files.filter((one) => !taken.has(one));
}

/** DuckDB's table of the rows found in some files. */
class RowTable {
  readonly #db: DuckdbConnection;
  readonly #folder: string;
  readonly #schema: StructType;
  readonly #vectors: DeletionVectorReader;
  readonly #signal: AbortSignal | undefined;
  #count = 0;

  constructor(
    db: DuckdbConnection,
    folder: string,
    schema: StructType,
    vectors: DeletionVectorReader,
    signal: AbortSignal | undefined,
  ) {
    this.#db = db;
    this.#folder = folder;
    this.#schema = schema;
    this.#vectors = vectors;
    this.#signal = signal;
  }

  /** False where the rows can't be had. */
  async fill(files: readonly DirectFile<ScanFile>[], predicate: Predicate): Promise<boolean> {
    const numbered = files.map((one, number) => [number, one.file] as const);
    const name = `removed-${this.#count++}`;
    const without = await withoutRemovedRows(numbered, this.#vectors, this.#folder, name, this.#signal);
    const places = [`${FILE_INDEX}::INTEGER AS ${file}`, `${ROW_NUMBER}::BIGINT AS ${position}`];
    const rows = directRows(files, this.#schema.fields, places);
    const condition = predicateSql(predicate, this.#schema);
    const found = `(SELECT * FROM (${rows}) WHERE ${condition})`;
    const made = await this.#tried(`CREATE OR REPLACE TABLE ${TOUCHED} AS SELECT * FROM ${found}${without}`);
    return made !== undefined;
  }

  async found<File extends ScanFile>(files: readonly DirectFile<File>[]): Promise<TouchedRows<File>> {
    const select = `SELECT ${file}, ${position}::UINTEGER FROM ${TOUCHED}`;
    const [inFile = [], at = []] = (await this.#db.columns(select)) as [number[]?, number[]?];
    const byFile = files.map(() => [] as number[]);
    for (let i = 0; i < at.length; i++) byFile[inFile[i]!]!.push(at[i]!);
    const places = new Map(files.map((one, i) => [one.file, Uint32Array.from(byFile[i]!).sort()]));
    const shareOf = ({ file: { numRecords, sizeBytes } }: DirectFile<File>, found: number) =>
      sizeBytes * Math.min(1, found / (numRecords ?? 1));
    return {
      places,
      rowCount: at.length,
      sizeBytes: files.reduce((sum, one, i) => sum + shareOf(one, byFile[i]!.length), 0),
      batches: () => this.#batches(),
      copy: (values) => this.#copy(values),
    };
  }

  async *#batches(): AsyncGenerator<RecordBatch> {
    const { fields } = this.#schema;
    const stored = fields.filter(({ type }) => type !== "void");
    const name = "touched.parquet";
    const columns = stored.map((field) => quoteName(field.name)).join(", ");
    await this.#db.columns(spoolCopy(`SELECT ${columns} FROM ${TOUCHED}`, join(this.#folder, name)));
    for await (const batch of spooledRows(this.#folder, name, this.#signal)) {
      yield conformBatch(makeBatch(batch.schema.fields, batch.data.children, batch.numRows), this.#schema);
    }
  }

  async #copy(values: ReadonlyMap<string, string>): Promise<string | undefined> {
    const columns = this.#schema.fields.map(
      ({ name }) => `${values.get(name) ?? quoteName(name)} AS ${quoteName(name)}`,
    );
    const path = join(this.#folder, "changed.parquet");
    const made = await this.#tried(
      dataFileCopy(`SELECT ${columns.join(", ")} FROM ${TOUCHED} AS ${ROWS}`, path, {
        schema: this.#schema,
        compression: "snappy",
      }),
    );
    return made && path;
  }

  async #tried(sql: string): Promise<true | undefined> {
    const stop = () => this.#db.interrupt();
    this.#signal?.addEventListener("abort", stop, { once: true });
    try {
      await this.#db.columns(sql);
      return true;
    } catch {
      if (this.#signal?.aborted) throw abortedError(this.#signal, "a change of rows");
      return undefined;
    } finally {
      this.#signal?.removeEventListener("abort", stop);
    }
  }
}
