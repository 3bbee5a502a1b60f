import { DeltaError } from "../errors.js";
import { parseExactJson } from "../schema/exactJson.js";
import type { Duckdb, NativeConnection } from "./duckdb.js";

/** The beginning of a statement that explains another one: no comment or text in it, which might hide what comes behind. */
const EXPLAIN = /^\s*explain(?:\s+analyze\b)?(?:\s*\([\w\s,]*\))?\s*/i;

/** `statementType` of DuckDB's prepared statements. */
const SELECT = 1;
const EXPLAINS = 4;

/** A statement's columns, as {@link describeQuery} tells them. */
export type PreparedColumns = readonly { readonly name: string; readonly type: DuckType }[];

export type DuckType = import("@duckdb/node-api").DuckDBType;
/** Values of the package's own classes, or those that it takes for SQL's. */
export type DuckValue = import("@duckdb/node-api").DuckDBValue;
export type Parameters = DuckValue[] | Record<string, DuckValue>;

/**
 * The columns that a query gives, whose tables are there by name. Throws `DELTA_INVALID_SQL` for whatever isn't one
 * statement that only reads.
 */
export async function describeQuery(
  connection: NativeConnection,
  sql: string,
  parameters: Parameters,
): Promise<PreparedColumns> {
  try {
    const type = await statementType(connection, sql);
    if (type === EXPLAINS) {
      const inner = EXPLAIN.exec(sql);
      const explained = inner && (await statementType(connection, sql.slice(inner[0].length)));
      if (explained !== SELECT) throw notReading(sql);
    } else if (type !== SELECT) throw notReading(sql);
    const text = type === EXPLAINS ? sql : `SELECT * FROM (${withoutEnd(sql)}\n) LIMIT 0`;
    const statement = await connection.prepare(text);
    try {
      // What a parameter is decides what comes out, so that the types are known only of a statement that runs.
      if (type === SELECT && statement.parameterCount > 0) {
        const result = await connection.run(text, parameters as DuckValue[]);
        return result.deduplicatedColumnNames().map((name, index) => ({ name, type: result.columnType(index) }));
      }
      return unique(
        Array.from({ length: statement.columnCount }, (_, index) => ({
          name: statement.columnName(index),
          type: statement.columnType(index),
        })),
      );
    } finally {
      statement.destroySync();
    }
  } catch (error) {
    throw error instanceof DeltaError ? error : invalidQuery(sql, error);
  }
}

async function statementType(connection: NativeConnection, sql: string): Promise<number> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw refused(sql, `it is ${statements.count} statements, not one`);
  const statement = await statements.prepare(0);
  try {
    return statement.statementType;
  } finally {
    statement.destroySync();
  }
}

function unique(columns: PreparedColumns): PreparedColumns {
  const seen = new Set<string>();
  return columns.map(({ name, type }) => {
    let own = name;
    for (let count = 1; seen.has(own); count++) own = `${name}_${count}`;
    seen.add(own);
    return { name: own, type };
  });
}

/** A statement without the semicolon at its end, so that it can stand in parentheses. */
function withoutEnd(sql: string): string {
  return sql.replace(/;\s*$/, "");
}

/** The syntax tree of a query; undefined where DuckDB can't tell it. */
export async function syntaxTree(db: Duckdb, sql: string): Promise<unknown> {
  const [[json]] = (await db.columns("SELECT json_serialize_sql($1::VARCHAR)", [sql])) as [[string]];
  try {
    const parsed = parseExactJson(json) as { readonly error: boolean; readonly statements?: readonly unknown[] };
    return parsed.error ? undefined : parsed.statements?.[0];
  } catch {
    // A number beyond the range of doubles comes as Infinity, which is no JSON.
    return undefined;
  }
}

function notReading(sql: string): DeltaError {
  return refused(
    sql,
    "it does more than read: only SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE and EXPLAIN of those can run",
  );
}

function refused(sql: string, reason: string): DeltaError {
  return new DeltaError("DELTA_INVALID_SQL", `The query can't run: ${reason}.`, { sql, reason });
}

/** What went wrong with DuckDB isn't always the query. */
const ENGINE = /^(?:Out of Memory|IO|INTERNAL|FATAL) Error/;

/** The error of a query that DuckDB refused or gave up. */
export function invalidQuery(sql: string, cause: unknown): DeltaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = ENGINE.test(reason) ? "DELTA_ENGINE_FAILED" : "DELTA_INVALID_SQL";
  return new DeltaError(code, `The query can't run: ${reason}`, { sql, reason }, cause);
}
