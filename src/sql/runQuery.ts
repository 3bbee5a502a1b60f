import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { DeltaError } from "../errors.js";
import type { Snapshot } from "../log/snapshot.js";
import type { Predicate } from "../schema/predicate.js";
import type { StructType } from "../schema/types.js";
import { abortedError, checkSignal } from "../signal.js";
import { bindingDuckdb, loadDuckdb, type NativeConnection, quoteName } from "./duckdb.js";
import { describeQuery, invalidQuery, type Parameters, type PreparedColumns, syntaxTree } from "./query.js";
import { QueryDatabase } from "./queryDatabase.js";
import { queryParameters } from "./queryParameters.js";
import { resultBatches, resultSchema } from "./queryResult.js";
import { skippingPredicate } from "./querySkipping.js";
import { type TableFiles, type TableUse, tableFiles, tableSql, writeScanned } from "./tableView.js";
import { columnType, nullRow } from "./types.js";
import { type QueryUse, queryUse } from "./usedColumns.js";

/** A query over versions of tables, by the names that it has for them. */
export interface Query {
  readonly sql: string;
  readonly parameters: readonly unknown[] | Readonly<Record<string, unknown>>;
  readonly tables: ReadonlyMap<string, Snapshot>;
}

/** A query that was understood. */
export interface PreparedQuery {
  readonly schema: StructType;
  /** Runs it. */
  batches(signal?: AbortSignal): AsyncGenerator<RecordBatch>;
}

/**
 * Understands a query by DuckDB, without reading any rows. Throws `DELTA_INVALID_SQL` for what isn't a statement that reads from these
 * tables and nothing else, `DELTA_MISSING_DEPENDENCY`.
 */
export async function prepareQuery(query: Query): Promise<PreparedQuery> {
  const { sql, tables } = query;
  if (sql.includes("\0")) throw invalidQuery(sql, "it holds a NUL character");
  const parameters = queryParameters(query.parameters, await loadDuckdb());
  const db = await bindingDuckdb();
  using connection = await db.connect();
  for (const [name, snapshot] of tables) await connection.columns(emptyView(name, snapshot));
  const columns = await describeQuery(connection.native, sql, parameters);
  const use = queryUse(await syntaxTree(db, sql));
  const prepared = { query, parameters, columns, use, schema: resultSchema(columns) };
  return { schema: prepared.schema, batches: (signal) => runPrepared(prepared, signal) };
}

/** A table without its rows. */
function emptyView(name: string, { schema }: Snapshot): string {
  return `CREATE TEMP VIEW ${quoteName(name)} AS ${nullRow(schema, columnType)} WHERE false`;
}

interface Prepared {
  readonly query: Query;
  readonly parameters: Parameters;
  readonly columns: PreparedColumns;
  readonly use: QueryUse;
  readonly schema: StructType;
}

/**
 * Runs a query in a DuckDB which may read the files of the tables and a folder for what doesn't fit into memory, and
 * nothing else.
 */
async function* runPrepared(
  { query, parameters, columns, use, schema }: Prepared,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordBatch> {
  checkSignal(signal, "the query");
  let database = QueryDatabase.take();
  let connection: NativeConnection | undefined;
  let isThrough = false;
  const interrupt = () => connection?.interrupt();
  signal?.addEventListener("abort", interrupt, { once: true });
  try {
    const uses: { readonly name: string; readonly snapshot: Snapshot; readonly read?: TableRead }[] = [];
    for (const [name, snapshot] of query.tables) {
      if (use.tables !== undefined && !use.tables.has(name.toLowerCase())) {
        uses.push({ name, snapshot });
        continue;
      }
      const tableUse = await tableUseOf(name, snapshot, use, signal);
      uses.push({ name, snapshot, read: { tableUse, files: await tableFiles(snapshot, tableUse) } });
    }
    const readable = uses.flatMap(({ read }) => read?.files.groups.flatMap(({ paths }) => paths) ?? []);
    database = await database.confinedTo(readable);
    connection = await database.connect();
    for (const [index, { name, snapshot, read }] of uses.entries()) {
      if (read === undefined) {
        await connection.run(emptyView(name, snapshot));
        continue;
      }
      const { files, tableUse } = read;
      const written = await writeScanned(snapshot, files, tableUse, join(database.folder, `table${index}`));
      await connection.run(`CREATE TEMP VIEW ${quoteName(name)} AS ${tableSql(files, written, tableUse)}`);
    }
    checkSignal(signal, "the query");
    await connection.run("BEGIN TRANSACTION");
    const result = await connection.stream(query.sql, parameters as never);
    yield* resultBatches(result, columns, schema);
    checkSignal(signal, "the query");
    await checkComplete(connection, query.sql, parameters);
    isThrough = true;
  } catch (error) {
    if (signal?.aborted) throw abortedError(signal, "the query");
    throw error instanceof DeltaError ? error : invalidQuery(query.sql, error);
  } finally {
    signal?.removeEventListener("abort", interrupt);
    connection?.closeSync();
    await (isThrough ? database.giveBack() : database.close());
  }
}

/** What is read of a table, and how. */
interface TableRead {
  readonly tableUse: TableUse;
  readonly files: TableFiles;
}

/** A query that fails midway ends like one that is through: what tells them apart is that its transaction is over then. */
async function checkComplete(connection: NativeConnection, sql: string, parameters: Parameters): Promise<void> {
  try {
    await connection.run("SELECT 1");
  } catch (error) {
    await connection.run("ROLLBACK");
    // Once more, so that it tells why.
    await connection.run(`EXPLAIN ANALYZE ${sql}`, parameters as never);
    throw error;
  }
}

async function tableUseOf(
  name: string,
  snapshot: Snapshot,
  { names, filter }: QueryUse,
  signal: AbortSignal | undefined,
): Promise<TableUse> {
  const { fields } = snapshot.schema;
  const columns = names === undefined ? fields : fields.filter((field) => names.has(field.name.toLowerCase()));
  let predicate: Predicate | undefined;
  if (filter?.table.toLowerCase() === name.toLowerCase()) predicate = await skippingPredicate(filter, snapshot.schema);
  return { columns, predicate, signal };
}
