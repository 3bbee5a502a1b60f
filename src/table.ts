import type { Table as ArrowTable, RecordBatch } from "apache-arrow";
import { DeltaError } from "./errors.js";
import { loaded } from "./lazy.js";
import { CheckpointedJob } from "./load/checkpointed.js";
import type { DeadLetter, DeadLettersOptions } from "./load/letterList.js";
import type { LoadOptions, LoadResult, LoadSource } from "./load/loadOptions.js";
import type { RetryOptions, RetryResult } from "./load/retryLetters.js";
import type { CompactionRange, WrittenCompaction } from "./log/compactionWrite.js";
import { DeltaLog, type TimeTravel } from "./log/deltaLog.js";
import { checkWritable } from "./log/features.js";
import type { Snapshot } from "./log/snapshot.js";
import { TableAlter } from "./ops/alter/tableAlter.js";
import type { AppendOptions } from "./ops/append.js";
import { type ChangeRow, type ChangesOptions, changes } from "./ops/changes.js";
import type { CloneOptions, CloneResult } from "./ops/clone.js";
import type { ConvertOptions, ConvertResult } from "./ops/convert.js";
import type { CreateOptions } from "./ops/create.js";
import type { DeleteResult } from "./ops/delete.js";
import type { TableDetail } from "./ops/detail.js";
import type { DataFile, FilesOptions, ListedBatchOptions } from "./ops/files.js";
import type { FsckOptions, FsckResult } from "./ops/fsck.js";
import type { HistoryEntry, HistoryOptions } from "./ops/history.js";
import type { MergeOptions, MergeResult } from "./ops/merge.js";
import type { OptimizeOptions, OptimizeResult } from "./ops/optimize/optimize.js";
import type { OverwriteOptions, OverwriteResult } from "./ops/overwrite.js";
import type { TableProtocol } from "./ops/protocol.js";
import type { RestoreOptions, RestoreResult } from "./ops/restore.js";
import { rowsOf, Scan, type ScanOptions } from "./ops/scan.js";
import { type SqlOptions, snapshotOf, sql } from "./ops/sql.js";
import type { AppendResult } from "./ops/stagedAppend.js";
import type { ChangeResult, CommitOptions } from "./ops/stagedChange.js";
import { timeTravelOf } from "./ops/timeTravel.js";
import type { TableTransaction } from "./ops/transaction.js";
import type { UpdateOptions, UpdateResult } from "./ops/update.js";
import type { VacuumOptions, VacuumResult } from "./ops/vacuum.js";
import type { VerifyOptions, VerifyReport } from "./ops/verify.js";
import type { WhereOption } from "./ops/where.js";
import { withoutColumnMapping } from "./schema/columnMapping.js";
import type { StructType } from "./schema/types.js";
import { openStore, type StorageOptions } from "./storage/open.js";
import { withOtherRoots } from "./storage/otherRoots.js";
import type { ObjectStore } from "./storage/store.js";
import { DeltaSource, type TableStreamOptions } from "./stream/deltaSource.js";
import { Stream, type StreamTarget, streamedLog } from "./stream/stream.js";
import type { BatchSource, InputRow, RowInput } from "./write/input.js";
import { storedBatches } from "./write/storedBatches.js";

/** How a table's storage is reached, and what of it will do. */
export interface OpenOptions extends StorageOptions {
  /**
   * Read a table that a catalog manages by its path all the same: as its catalog has published it to the log, which may be
   * older than what the catalog knows. Default false: such a table is refused.
   */
  readonly catalogManagedByPath?: boolean;
  /**
   * Other folders that the table's log may name data files and deletion vectors in, as paths or URLs: shallow clones name those of
   * the table they were made from. They are only read. By default there are none: who writes a log could name any file.
   */
  readonly dataRoots?: readonly (string | URL)[];
}

/**
 * A Delta table: its newest version at each call or, from {@link Table.at}, one version for good.
 *
 * @example
 * const events = Table.open<{ id: bigint; name: string }>("./events");
 * await events.append([{ id: 1n, name: "a" }]);
 * for await (const row of events.rows({ where: { id: { gt: 0n } } })) console.log(row.name);
 */
export class Table<Row extends object = Record<string, unknown>> implements BatchSource, StreamTarget, AsyncDisposable {
  readonly #log: DeltaLog;
  readonly #travel: TimeTravel | undefined;

  private constructor(log: DeltaLog, travel?: TimeTravel) {
    this.#log = log;
    this.#travel = travel;
  }

  /**
   * A handle on the table at `location`: a path, a `file:`, `s3://bucket/prefix` or `memory:` URL, or an
   * {@link ObjectStore} of your own. No I/O happens here, and the table need not exist yet. Throws
   * `DELTA_UNSUPPORTED_URL`.
   */
  static open<Row extends object = Record<string, unknown>>(
    location: string | URL | ObjectStore,
    options: OpenOptions = {},
  ): Table<Row> {
    const isUrl = typeof location === "string" || location instanceof URL;
    const store = isUrl ? openStore(location, options) : location;
    const others = (options.dataRoots ?? []).map((root) => openStore(root, options));
    return new Table<Row>(new DeltaLog(withOtherRoots(store, others), options));
  }

  /** Where the table is, without credentials. */
  get url(): string {
    return this.#log.store.url;
  }

  /**
   * Adds rows as a new version, all or nothing; the first append creates the table.
   *
   * Rows are objects, Arrow tables or record batches, another table, or an (async) iterable of objects or batches, which is
   * streamed. A crash or an error leaves nothing visible, so the same append can just be run again; a crash may
   * leave unreferenced files behind. Appends never conflict with each other: one that loses a race goes after the winner.
   *
   * Columns that get their values by themselves may be left out: generated ones, those with defaults, identity columns. Where
   * another writer gave out identity values first, rows that can be read again are written again.
   *
   * Throws `DELTA_SCHEMA_MISMATCH`, `DELTA_VALUE_OUT_OF_RANGE` and `DELTA_NOT_NULL_CONSTRAINT_VIOLATED` (naming row and
   * column), `DELTA_VIOLATE_CONSTRAINT_WITH_VALUES` (naming row, constraint and values) and `DELTA_EXPRESSION_FAILED`,
   * `DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED`, `DELTA_UNSUPPORTED_EXPRESSION` before any row is looked at,
   * `DELTA_METADATA_CHANGED` for a stream of rows that has to be written again, `DELTA_CANNOT_INFER_SCHEMA`, `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE`, storage errors such as
   * `DELTA_DISK_FULL`, and `DELTA_COMMIT_OUTCOME_UNKNOWN` if storage couldn't tell whether the commit is there.
   *
   * @example
   * const { version } = await table.append([{ id: 1n, name: "a" }], { txn: { appId: "nightly", version: 7 } });
   */
  async append(rows: RowInput<InputRow<Row>>, options: AppendOptions = {}): Promise<AppendResult> {
    this.#checkWritable("append");
    const { append } = await loaded(() => import("./ops/append.js"), "delta-table/append");
    return append(this.#log, rows, options);
  }

  /**
   * Puts rows in the place of those that are there, as one new version: of all, of those for which `where` is true, or with
   * `dynamicPartitions` of the partitions that the rows are in. The first one creates the table. Rows are given as to {@link Table.append}.
   *
   * A crash or an error leaves nothing visible. Throws what `append` and `delete` throw, `DELTA_REPLACE_WHERE_MISMATCH` for a row that
   * isn't one of those that `where` means, and `DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT` for a new schema that needs another protocol.
   *
   * @example
   * await table.overwrite(rows, { where: { day: "2026-01-31" } });
   */
  async overwrite(rows: RowInput<InputRow<Row>>, options: OverwriteOptions<Row> = {}): Promise<OverwriteResult> {
    this.#checkWritable("overwrite");
    const { overwrite } = await loaded(() => import("./ops/overwrite.js"), "delta-table/ops/overwrite");
    return overwrite(this.#log, rows, options);
  }

  /**
   * Deletes the rows for which `where` is true, or all of them, as a new version. Only files that may hold such rows are read. Where the
   * table has deletion vectors on, they name the rows; else the other rows of their files are written anew.
   *
   * A crash or an error leaves nothing visible. Throws `DELTA_INVALID_PREDICATE`, `DELTA_CANNOT_MODIFY_APPEND_ONLY`,
   * `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE`, `DELTA_TABLE_NOT_FOUND`, and where another writer has changed what this depends on
   * `DELTA_CONCURRENT_APPEND`, `DELTA_CONCURRENT_DELETE_READ`, `DELTA_CONCURRENT_DELETE_DELETE`, `DELTA_METADATA_CHANGED` or
   * `DELTA_PROTOCOL_CHANGED`: then nothing was committed, and the same call may simply be made again.
   *
   * @example
   * const { deletedRowCount } = await table.delete({ day: { lt: "2026-01-01" } });
   */
  async delete(where?: WhereOption<Row>, options: CommitOptions = {}): Promise<DeleteResult> {
    this.#checkWritable("delete");
    const { deleteRows } = await loaded(() => import("./ops/delete.js"), "delta-table/ops/delete");
    return deleteRows(this.#log, where, options);
  }

  /**
   * Gives the rows for which `where` is true, or all of them, new values, as a new version: plain values, or SQL expressions over
   * the row as it was (`sql`, which needs `@duckdb/node-api`).
   *
   * A crash or an error leaves nothing visible. Throws what {@link Table.delete} throws, `DELTA_INVALID_ARGUMENT` for an unknown
   * column, and `DELTA_VALUE_OUT_OF_RANGE`, `DELTA_SCHEMA_MISMATCH` and `DELTA_NOT_NULL_CONSTRAINT_VIOLATED` for values that a column can't take,
   * `DELTA_VIOLATE_CONSTRAINT_WITH_VALUES`, `DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED`. Generated columns follow.
   *
   * @example
   * await table.update({ set: { state: "done", tries: sql`tries + 1` }, where: { id: 7n } });
   */
  async update(options: UpdateOptions<Row>): Promise<UpdateResult> {
    this.#checkWritable("update");
    const { update } = await loaded(() => import("./ops/update.js"), "delta-table/ops/update");
    return update(this.#log, options);
  }

  /**
   * Writes the rows of small files, and of files of which deletion vectors remove many rows, to fewer, larger ones; with `zOrderBy`
   * all rows, those near each other in the same files. No row changes: readers, streams and the change feed notice
   * nothing, and rows keep their ids. Old files stay for older versions until they are vacuumed.
   *
   * A crash or an error leaves nothing visible. It doesn't conflict with appends, only with changes of the files that it rewrites:
   * `DELTA_CONCURRENT_DELETE_READ`, `DELTA_METADATA_CHANGED`, `DELTA_PROTOCOL_CHANGED`. Throws also `DELTA_INVALID_ARGUMENT`.
   *
   * @example
   * await table.optimize({ where: { day: { gte: "2026-01-01" } }, zOrderBy: ["customer", "product"] });
   */
  async optimize(options: OptimizeOptions<Row> = {}): Promise<OptimizeResult> {
    this.#checkWritable("optimize");
    const { optimize } = await loaded(() => import("./ops/optimize/optimize.js"), "delta-table/ops/optimize");
    return optimize(this.#log, options);
  }

  /**
   * Makes several changes one version: all become visible together, or none. Each sees what those before it did, and
   * the whole conflicts with others' commits as its parts would. It is committed once the function's promise resolves. A call within
   * that fails ends the transaction, also where its error is caught.
   *
   * A crash, an error or a rejected promise leaves nothing visible. Throws what the function throws and what its calls would, and
   * `DELTA_TABLE_NOT_FOUND`; of a table that tells its changes, `DELTA_INVALID_ARGUMENT` where rows are changed that the
   * transaction has written itself.
   *
   * @example
   * await table.transaction(async (tx) => {
   *   await tx.delete({ day: "2026-01-31" });
   *   await tx.append(rows);
   * });
   */
  async transaction<T>(
    work: (tx: TableTransaction<Row>) => Promise<T>,
    options: CommitOptions = {},
  ): Promise<ChangeResult & { readonly value: T | undefined }> {
    this.#checkWritable("begin a transaction");
    const { transaction } = await loaded(() => import("./ops/transaction.js"), "delta-table/ops/transaction");
    return transaction(this.#log, work, options);
  }

  /**
   * Changes this table's rows by those of a source, as a new version: `whenMatched` clauses update or delete target rows that a source
   * row matches, `whenNotMatched` ones insert source rows that match none, `whenNotMatchedBySource` ones update or delete target rows
   * that none matches. Of the clauses of a kind the first whose condition holds takes the row. The source may be anything that `append`
   * takes, and larger than memory. Only files that may hold matching rows are read, and only those with changed rows are written anew
   * or, with deletion vectors, their rows are. Needs `@duckdb/node-api`.
   *
   * A crash or an error leaves nothing visible. Throws what {@link Table.update} throws, `DELTA_MERGE_MISSING_WHEN`,
   * `DELTA_MERGE_UNRESOLVED_EXPRESSION` where the source lacks a column, `DELTA_NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION` and its like, and
   * `DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE` where several source rows would change one row.
   *
   * @example
   * await table.merge(rows, {
   *   on: "id",
   *   whenMatched: [{ where: "source.gone", delete: true }, { update: { price: sql`source.price` } }],
   *   whenNotMatched: [{ insert: "*" }],
   * });
   */
  async merge(source: RowInput<object>, options: MergeOptions<Row>): Promise<MergeResult> {
    this.#checkWritable("merge");
    const { merge } = await loaded(() => import("./ops/merge.js"), "delta-table/ops/merge");
    return merge(this.#log, source, options);
  }

  /**
   * A job that appends from a source of your own and keeps its place in it, exactly once: each append commits its rows and the
   * offset they reach together. `job` names it in the table; two jobs of one table don't know each other.
   *
   * @example
   * const orders = table.checkpointed("orders");
   * for await (const { rows, offset } of readFrom(await orders.offset())) await orders.append(rows, { offset });
   */
  checkpointed(job: string): CheckpointedJob<Row> {
    this.#checkWritable("append");
    return new CheckpointedJob<Row>(this.#log, job);
  }

  /**
   * The changes of this table, and those that are made from then on, as a stream: inserts, updates and deletes as
   * {@link Table.changes} has them. Running it throws what that says, and `DELTA_STREAM_DATA_LOST` for files that were vacuumed.
   *
   * @example
   * await orders.stream({ readChangeFeed: true, startingVersion: 0 }).toTable(audit, { checkpoint: "./checkpoints/audit" });
   */
  stream(options: TableStreamOptions & { readonly readChangeFeed: true }): Stream<ChangeRow<Row>>;
  /**
   * The rows of this table and those that are added to it from then on, as a stream: it is given a checkpoint where it is run, and
   * goes on from there. Commits that delete or change rows are refused unless an option says otherwise.
   *
   * Running it throws `DELTA_SOURCE_IGNORE_DELETE`, `DELTA_SOURCE_TABLE_IGNORE_CHANGES`, `DELTA_SCHEMA_CHANGED`,
   * `DELTA_STREAM_DATA_LOST` where the history was cleaned up before it was read, and what {@link Stream.toTable} says.
   *
   * @example
   * await orders.stream().toTable(Table.open("./copy"), { checkpoint: "./checkpoints/copy" });
   */
  stream(options?: TableStreamOptions): Stream<Row>;
  stream(options: TableStreamOptions = {}): Stream<Row> {
    if (this.#travel === undefined) return new Stream<Row>(new DeltaSource(this.#log, options));
    throw new DeltaError(
      "DELTA_INVALID_ARGUMENT",
      "A table at a past version never changes. Stream the table itself, with startingVersion.",
      {},
    );
  }

  /** @internal */
  get [streamedLog](): DeltaLog {
    this.#checkWritable("take a stream's rows");
    return this.#log;
  }

  /**
   * Loads files (CSV, JSON lines, Parquet, Arrow; plain, gzip, zstd, zip), folders, globs, objects on S3 or a stream, each
   * record exactly once, in batches of which each is a commit with the load's place in the sources. After a crash or an error the
   * same call goes on from there; a finished load that is called again loads what is new. Records that don't fit become dead
   * letters, in a table of their own. The first batch creates the table. See spec/loads.md.
   *
   * Throws `DELTA_LOAD_SOURCE_CHANGED` and `DELTA_LOAD_OPTIONS_CHANGED` where going on would mix two things,
   * `DELTA_LOAD_PROGRESS_LOST`, `DELTA_LOAD_TOO_MANY_BAD_RECORDS`, `DELTA_FILE_NOT_FOUND`, `DELTA_INPUT_UNREADABLE`,
   * `DELTA_SCHEMA_MISMATCH` for columns that the table lacks, `DELTA_ABORTED`, and what `append` throws. Batches that were committed
   * stay.
   *
   * @example
   * const { rowsLoaded, rowsDead } = await table.load("s3://raw/2026-*.csv.gz", { partitionBy: ["day"] });
   */
  async load(source: LoadSource, options: LoadOptions<Row> = {}): Promise<LoadResult> {
    this.#checkWritable("load");
    const { load } = await loaded(() => import("./load/load.js"), "delta-table/load");
    return load(this.#log, source, options);
  }

  /**
   * The records that loads of this table couldn't load, but for those that {@link Table.retryDeadLetters} has loaded since.
   *
   * @example
   * for await (const { id, file, line, reason, raw } of table.deadLetters()) console.log(id, file, line, reason);
   */
  async *deadLetters(options: DeadLettersOptions = {}): AsyncGenerator<DeadLetter> {
    const { listLetters } = await loaded(() => import("./load/letterList.js"), "delta-table/load");
    yield* listLetters(this.#log, options);
  }

  /**
   * Parses dead letters again, as the table is now and, where given, with other options or a mended text, and loads those that
   * are rows by then, each exactly once. The others stay dead letters.
   *
   * Throws what `append` throws, and `DELTA_CONCURRENT_TRANSACTION` where another retry was first: nothing was loaded twice; retry.
   *
   * @example
   * await table.retryDeadLetters({ mended: [{ id: "flights/3/0", raw: "2026-01-31,12" }] });
   */
  async retryDeadLetters(options: RetryOptions = {}): Promise<RetryResult> {
    this.#checkWritable("retry dead letters");
    const { retryLetters } = await loaded(() => import("./load/retryLetters.js"), "delta-table/load");
    return retryLetters(this.#log, options);
  }

  /**
   * Creates an empty table. Throws `DELTA_PATH_EXISTS` if there is one, `DELTA_INVALID_SCHEMA`,
   * `DELTA_INVALID_PARTITION_COLUMN`, `DELTA_UNKNOWN_PROPERTY`; for rules of rows (`delta.constraints.*`, generated, default and identity
   * columns) `DELTA_UNSUPPORTED_EXPRESSION`, `DELTA_INVALID_EXPRESSION`, `DELTA_NON_BOOLEAN_CHECK_CONSTRAINT`,
   * `DELTA_GENERATED_COLUMNS_EXPR_TYPE_MISMATCH`, `DELTA_INVALID_GENERATED_COLUMN_REFERENCES`,
   * `DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE`, `DELTA_IDENTITY_COLUMNS_ILLEGAL_STEP`.
   *
   * @example
   * await table.create({ schema: { id: "long not null", name: "string", day: "date" }, partitionBy: ["day"] });
   */
  async create(options: CreateOptions): Promise<{ readonly version: number }> {
    this.#checkWritable("create");
    const { create } = await loaded(() => import("./ops/create.js"), "delta-table/create");
    return create(this.#log, options);
  }

  /**
   * Makes a folder of Parquet files a table, in place: version 0 names the files that are there, none is written. Folders such as
   * `day=2026-01-31` are partitions. Statistics are read from the files' values. Nothing is done where it is a table already. A crash
   * leaves the folder as it was.
   *
   * Throws `DELTA_EMPTY_DIRECTORY`, `DELTA_PARQUET_UNREADABLE` for files that are none, `DELTA_FAILED_TO_MERGE_FIELDS` for columns whose
   * types differ, `DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME`, `DELTA_PARTITION_COLUMN_CAST_FAILED`, `DELTA_INVALID_SCHEMA`.
   *
   * @example
   * await Table.open("./events").convert({ partitionBy: { day: "date" } });
   */
  async convert(options: ConvertOptions = {}): Promise<ConvertResult> {
    this.#checkWritable("convert");
    const { convert } = await loaded(() => import("./ops/convert.js"), "delta-table/convert");
    return convert(this.#log, options);
  }

  /**
   * Changes of the table's columns, properties and features, each a version of its own. See spec/alter.md.
   *
   * @example
   * await table.alter.addColumns({ score: "double" });
   * await table.alter.setProperties({ "delta.columnMapping.mode": "name" });
   * await table.alter.renameColumn("score", "points");
   */
  get alter(): TableAlter {
    this.#checkWritable("alter");
    return new TableAlter(this.#log);
  }

  /**
   * The table as it was at a version, or at a time (a Date, or an ISO 8601 text; UTC where it has no zone): a read-only
   * table that stays at that version. Reading it throws `DELTA_VERSION_NOT_FOUND` or `DELTA_TIMESTAMP_OUT_OF_RANGE`, naming
   * what there is.
   *
   * @example
   * await table.at(3).count();
   * await table.at("2026-01-01T00:00:00Z").toArray();
   */
  at(versionOrTime: number | Date | string): Table<Row> {
    return new Table<Row>(this.#log, timeTravelOf(versionOrTime));
  }

  /** A read that can be given as rows, Arrow batches, arrays or a count. */
  scan(options: ScanOptions<Row> = {}): Scan<Row> {
    return new Scan<Row>(async () => rowsOf(await this.#snapshot(options.signal)), options);
  }

  /**
   * What a SQL query gives, run by DuckDB (the optional package `@duckdb/node-api`): `this` is the table at this handle's version, other
   * tables and versions have the names that `tables` gives them. Only statements that read can run, and nothing can be read but these
   * tables. Sums of longs are long, as in Spark. See spec/sql.md.
   *
   * Reading it throws `DELTA_INVALID_SQL` with DuckDB's reason in `data.reason`, `DELTA_VALUE_OUT_OF_RANGE` for a sum beyond long,
   * `DELTA_MISSING_DEPENDENCY`, `DELTA_ENGINE_FAILED` for want of memory or disk, and what reading the tables throws.
   *
   * @example
   * const query = "select city, count(*) as orders from this where day >= $1 group by city";
   * for await (const { city, orders } of table.sql(query, { params: ["2026-01-01"] })) console.log(city, orders);
   * await table.sql("select * from this except select * from old", { tables: { old: table.at(3) } }).toArray();
   */
  sql(query: string, options: SqlOptions = {}): Scan {
    return sql(this, query, options);
  }

  /** @internal */
  [snapshotOf](signal?: AbortSignal): Promise<Snapshot> {
    return this.#snapshot(signal);
  }

  /** @internal */
  [storedBatches](): AsyncGenerator<RecordBatch> {
    return this.scan()[storedBatches]();
  }

  /** The rows as objects: long as bigint, decimal as text, date and timestamps as Date, binary as Uint8Array, map as Map. */
  rows(options: ScanOptions<Row> = {}): AsyncGenerator<Row> {
    return this.scan(options).rows();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Row> {
    return this.rows();
  }

  /** The rows as Arrow record batches. */
  batches(options: ScanOptions<Row> = {}): AsyncGenerator<RecordBatch> {
    return this.scan(options).batches();
  }

  /** All rows as objects. */
  async toArray(options: ScanOptions<Row> = {}): Promise<Row[]> {
    return this.scan(options).toArray();
  }

  /** All rows as one Arrow table. */
  async toArrow(options: ScanOptions<Row> = {}): Promise<ArrowTable> {
    return this.scan(options).toArrow();
  }

  /** How many rows there are; from statistics alone where they decide. */
  async count(options: ScanOptions<Row> = {}): Promise<number> {
    return this.scan(options).count();
  }

  /**
   * The rows that were inserted, updated and deleted from one version (or time) to another, both included: the change data feed. They
   * have the table's columns as of the last version, and `_change_type`, `_commit_version` and `_commit_timestamp`; they come commit by
   * commit, in each what is gone before what is new. See spec/changes.md.
   *
   * Reading them throws `DELTA_MISSING_CHANGE_DATA` for a commit that wrote files anew while `delta.enableChangeDataFeed` was off,
   * `DELTA_VERSION_NOT_FOUND` and `DELTA_CHANGE_DATA_FILE_NOT_FOUND` where the history was cleaned up, `DELTA_TIMESTAMP_OUT_OF_RANGE`,
   * `DELTA_INVALID_CDC_RANGE`, and `DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA` or `…_SCHEMA_CHANGE` where older rows don't fit
   * the last version's schema.
   *
   * @example
   * for await (const { _change_type, id } of table.changes({ from: 3 })) console.log(_change_type, id);
   */
  changes(options: ChangesOptions<Row>): Scan<ChangeRow<Row>> {
    return changes<Row>(this.#log, () => this.#snapshot(options.signal), options);
  }

  /** The version this handle reads: the newest, or the one it is at. Throws `DELTA_TABLE_NOT_FOUND`. */
  async version(): Promise<number> {
    return (await this.#snapshot()).version;
  }

  async schema(): Promise<StructType> {
    return withoutColumnMapping((await this.#snapshot()).schema);
  }

  /** The commits that the log still holds, newest first. */
  async history(options: HistoryOptions = {}): Promise<HistoryEntry[]> {
    const { history } = await loaded(() => import("./ops/history.js"), "delta-table/history");
    return history(await this.#snapshot(options.signal), options);
  }

  /** What the table is: id, features, properties, number of files and their size. */
  async detail(): Promise<TableDetail> {
    const { detail } = await loaded(() => import("./ops/detail.js"), "delta-table/detail");
    return detail(await this.#snapshot());
  }

  /**
   * What the table's protocol asks for: its versions, each feature, whether the table uses it, and what it means for reading
   * and appending here. It also tells of tables that this release refuses to read, and why. Throws `DELTA_TABLE_NOT_FOUND`.
   *
   * @example
   * const { readRefusal, features } = await table.protocol();
   * for (const { name, isActive, reading } of features) console.log(name, isActive, reading.meaning);
   */
  async protocol(options: { readonly signal?: AbortSignal } = {}): Promise<TableProtocol> {
    const { protocol } = await loaded(() => import("./ops/protocol.js"), "delta-table/protocol");
    return protocol(this.#log, this.#travel, options.signal);
  }

  /**
   * The live data files as objects; with `where` only those that may hold rows for which it is true, by partition values and
   * statistics. For millions of files see {@link Table.fileBatches}, also for what is thrown.
   *
   * @example
   * const files = await table.files({ where: { day: "2026-03-05" } });
   * console.log(files.length, files[0]?.path);
   */
  async files(options: FilesOptions<Row> = {}): Promise<DataFile[]> {
    const { listFiles } = await loaded(() => import("./ops/files.js"), "delta-table/files");
    return listFiles(await this.#snapshot(options.signal), options);
  }

  /**
   * The live data files as Arrow batches in the columns of the log's `add` action (`path` percent-encoded,
   * `partitionValues`, `size`, `modificationTime`, `stats` …). Only the columns asked for are decoded, and what `where` needs. Throws
   * `DELTA_INVALID_PREDICATE`, `DELTA_MISSING_DEPENDENCY` (SQL needs `@duckdb/node-api`), and `DELTA_LOG_CORRUPT` for a partition value that
   * is none of its column's type.
   *
   * @example
   * const where = { day: "2026-03-05", id: { gte: 1000n } };
   * for await (const batch of table.fileBatches({ columns: ["path", "size"], where })) console.log(batch.numRows);
   */
  async *fileBatches(options: ListedBatchOptions<Row> = {}): AsyncGenerator<RecordBatch> {
    const snapshot = await this.#snapshot(options.signal);
    if (options.where === undefined) return yield* snapshot.fileBatches(options);
    const { chosenFileBatches } = await loaded(() => import("./ops/files.js"), "delta-table/files");
    yield* chosenFileBatches(snapshot, options);
  }

  /**
   * Writes a checkpoint of the newest version, so that readers needn't replay the commits before it. Appends do so by
   * themselves every `delta.checkpointInterval` versions. Then versions go that `delta.logRetentionDuration` lets go of
   * (`interval 30 days`), unless `delta.enableExpiredLogCleanup` is off. A crash leaves the log as good as before.
   */
  async checkpoint(options: { readonly signal?: AbortSignal } = {}): Promise<{ readonly version: number }> {
    this.#checkWritable("checkpoint");
    const { writeCheckpoint } = await loaded(() => import("./log/checkpoint.js"), "delta-table/log/checkpoint");
    const { letGo } = await loaded(() => import("./log/maintenance.js"), "delta-table/log/maintenance");
    const snapshot = await this.#snapshot(options.signal);
    await writeCheckpoint(this.#log.store, snapshot, options.signal);
    await letGo(snapshot, { signal: options.signal });
    return { version: snapshot.version };
  }

  /**
   * Writes one file in the place of some commits, so that readers between two checkpoints read fewer: those after the newest checkpoint,
   * unless `from` and `to` say which. The commits stay. Undefined where there are fewer than two. A crash leaves the log as good as before.
   * Throws `DELTA_INVALID_ARGUMENT`, and `DELTA_FILE_NOT_FOUND` where one of the commits isn't there any more.
   *
   * @example
   * const { from, to } = (await table.compactLog()) ?? {};
   */
  async compactLog(
    options: CompactionRange & { readonly signal?: AbortSignal } = {},
  ): Promise<WrittenCompaction | undefined> {
    this.#checkWritable("compact its log");
    const { store } = this.#log;
    const { version, protocol, metadata } = await this.#snapshot(options.signal);
    checkWritable(protocol, metadata);
    const { writeCompaction } = await loaded(
      () => import("./log/compactionWrite.js"),
      "delta-table/log/compactionWrite",
    );
    return writeCompaction(store, version, options, options.signal);
  }

  /**
   * Deletes the files below the table's folder that neither the newest version needs nor a version of the last
   * `delta.deletedFileRetentionDuration`: older versions can't be read afterwards. Untracked files go by their age, hidden ones and those
   * of other folders stay. Two commits tell of it. A crash leaves some of the files, and the table as it was.
   *
   * Throws `DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT` for fewer hours than the table asks for, `DELTA_CANNOT_VACUUM_LITE`,
   * `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE`, and what the store throws.
   *
   * @example
   * const { fileCount, paths } = await table.vacuum({ dryRun: true });
   * await table.vacuum();
   */
  async vacuum(options: VacuumOptions = {}): Promise<VacuumResult> {
    this.#checkWritable("vacuum");
    const { vacuum } = await loaded(() => import("./ops/vacuum.js"), "delta-table/vacuum");
    return vacuum(this.#log, options);
  }

  /**
   * Makes the table what it was at a version, or at a time, as a new version: files that it had then are in it again, others are removed,
   * schema and properties are as they were. The history stays, and nothing is written anew. Ids and identity values count on, and the
   * protocol never goes back.
   *
   * Throws `DELTA_FILE_NOT_FOUND` where files of that version are gone, `DELTA_VERSION_NOT_FOUND`, `DELTA_TIMESTAMP_OUT_OF_RANGE`,
   * `DELTA_CANNOT_MODIFY_APPEND_ONLY`, `DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT`, and a conflict where anybody else changes the table at
   * the same time: nothing was done then.
   *
   * @example
   * await table.restore(3);
   * await table.restore("2026-01-31T12:00:00Z");
   */
  async restore(versionOrTime: number | Date | string, options: RestoreOptions = {}): Promise<RestoreResult> {
    this.#checkWritable("restore");
    const { restore } = await loaded(() => import("./ops/restore.js"), "delta-table/restore");
    return restore(this.#log, versionOrTime, options);
  }

  /**
   * Makes a table at `target` that is what this one is, at the handle's version: schema, properties, protocol and rows. Its files are
   * copied or, in a shallow clone, named by absolute paths; the source stays as it is. Both go ways of their own from then on. After a
   * crash there is no table at `target`, and the same call goes on with the files that are left to copy.
   *
   * Throws `DELTA_PATH_EXISTS` where there is a table, `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE`, and what the stores throw.
   *
   * @example
   * await table.at(3).clone("s3://backup/events");
   * await table.clone("./test", { shallow: true });
   * await Table.open("./test", { dataRoots: [table.url] }).count();
   */
  async clone(target: string | URL | Table, options: CloneOptions = {}): Promise<CloneResult> {
    const table = target instanceof Table ? target : Table.open(target);
    table.#checkWritable("become a clone");
    const { clone } = await loaded(() => import("./ops/clone.js"), "delta-table/clone");
    return clone(await this.#snapshot(options.signal), table.#log, options);
  }

  /**
   * Takes the files out of the table that it names and that are gone from storage, as a new version: their rows are lost, the others can
   * be read again.
   *
   * Throws `DELTA_FILE_NOT_FOUND` where only a deletion vector is gone, and a conflict where anybody else removes these files.
   *
   * @example
   * const { missing } = await table.fsck({ dryRun: true });
   */
  async fsck(options: FsckOptions = {}): Promise<FsckResult> {
    this.#checkWritable("fsck");
    const { fsck } = await loaded(() => import("./ops/fsck.js"), "delta-table/fsck");
    return fsck(this.#log, options);
  }

  /**
   * Checks the table from outside, only reading: the log and its checkpoints and checksums against each other, and the live
   * files, their statistics and deletion vectors against the log. What is wrong is told in the report, never thrown, also of
   * tables that this release can't read; spec/verify.md explains each finding. `table.at(3).verify()` checks version 3.
   *
   * Throws `DELTA_TABLE_NOT_FOUND`, `DELTA_VERSION_NOT_FOUND`, `DELTA_ABORTED`, and what the store throws.
   *
   * @example
   * const { ok, findings } = await table.verify();
   * for (const { severity, code, message } of findings) console.log(severity, code, message);
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    const { verify } = await loaded(() => import("./ops/verify.js"), "delta-table/verify");
    const travel = this.#travel;
    const version = travel === undefined || "version" in travel ? travel?.version : await this.version();
    return verify(this.#log.store, version, options, this.#log.access);
  }

  /** Lets go of connections and workers. The handle isn't usable afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log.settled();
    await this.#log.store[Symbol.asyncDispose]();
  }

  #snapshot(signal?: AbortSignal): Promise<Snapshot> {
    return this.#travel === undefined ? this.#log.latest(signal) : this.#log.at(this.#travel, signal);
  }

  #checkWritable(verb: string): void {
    if (this.#travel === undefined) return;
    throw new DeltaError("DELTA_READ_ONLY", `A table at a past version can't ${verb}. Use the table itself.`, { verb });
  }
}
