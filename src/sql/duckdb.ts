import { DeltaError } from "../errors.js";

/** DuckDB as the rest of this package sees it. */
export interface Duckdb {
  /** Runs one statement; the values of each column of its result. `parameters` stand for $1, $2 …. */
  columns(sql: string, parameters?: readonly string[]): Promise<readonly (readonly unknown[])[]>;
}

type Api = typeof import("@duckdb/node-api");

let started: Promise<Duckdb> | undefined;

/**
 * The process's one in-memory DuckDB, started on first use, in UTC; it loads no extension that isn't built in. It
 * keeps no process alive. Throws DELTA_MISSING_DEPENDENCY where `@duckdb/node-api` isn't installed.
 */
export function duckdb(): Promise<Duckdb> {
  if (!started) {
    started = start();
    // A failed start may be tried again: the package may have been installed meanwhile.
    started.catch(() => {
      started = undefined;
    });
  }
  return started;
}

async function start(): Promise<Duckdb> {
  const { DuckDBInstance } = await load();
  const instance = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  return {
    async columns(sql, parameters = []) {
      // A connection runs one statement at a time, and its settings are its own.
      const connection = await instance.connect();
      try {
        await connection.run("SET TimeZone = 'UTC'");
        const reader = await connection.runAndReadAll(sql, [...parameters]);
        return reader.getColumns();
      } finally {
        connection.closeSync();
      }
    },
  };
}

async function load(): Promise<Api> {
  try {
    return await import("@duckdb/node-api");
  } catch (cause) {
    throw new DeltaError(
      "DELTA_MISSING_DEPENDENCY",
      "SQL needs the optional package @duckdb/node-api, which can't be loaded. Install it with: npm install @duckdb/node-api",
      { package: "@duckdb/node-api" },
      cause,
    );
  }
}

/** A name as a SQL identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a SQL string. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
