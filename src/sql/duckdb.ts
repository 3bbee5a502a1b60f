import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { DeltaError, hasCode } from "../errors.js";
import { loaded } from "../lazy.js";
import { runtime } from "../runtime.js";

/** DuckDB as the rest of this package sees it. */
export interface Duckdb {
  /** Runs one statement; the values of each column of its result. `parameters` stand for $1, $2 …. */
  columns(sql: string, parameters?: readonly string[]): Promise<readonly (readonly unknown[])[]>;
  /** A connection of the caller's own, for statements that share temporary tables. */
  connect(): Promise<DuckdbConnection>;
}

/** One statement after the other. Disposing of it ends what is running. */
export interface DuckdbConnection extends Disposable {
  readonly native: NativeConnection;
  columns(sql: string): Promise<readonly (readonly unknown[])[]>;
  /** Makes the statement that is running fail. */
  interrupt(): void;
}

/** The package's own connection. */
export type NativeConnection = import("@duckdb/node-api").DuckDBConnection;

type Api = typeof import("@duckdb/node-api");

/** What conditions are evaluated with: nothing outside of {@link withWorkFolder}'s folders. */
let evaluating: Promise<Duckdb> | undefined;
/** What files that the caller names are read with. */
let reading: Promise<Duckdb> | undefined;
/** What queries are understood with. */
let binding: Promise<Duckdb> | undefined;
let workRoot: string | undefined;
let workers = 0;

/**
 * The process's in-memory DuckDB for conditions, started on first use, in UTC. It reads and writes no file but those of
 * {@link withWorkFolder}, loads no extension, attaches nothing, and none of that can be changed by SQL. It keeps no process
 * alive. Throws DELTA_MISSING_DEPENDENCY where `@duckdb/node-api` isn't installed.
 */
export function duckdb(): Promise<Duckdb> {
  evaluating ??= start(confinedTo(workRootPath())).catch((error: unknown) => {
    // A failed start may be tried again: the package may have been installed meanwhile.
    evaluating = undefined;
    throw error;
  });
  return evaluating;
}

/** The same for SQL of this package's own about files that the caller named. Nothing of a condition may reach it. */
export function fileDuckdb(): Promise<Duckdb> {
  reading ??= start(["SET lock_configuration = true"]).catch((error: unknown) => {
    reading = undefined;
    throw error;
  });
  return reading;
}

/** The same for queries that are looked at before they run: it has no files, and no rows. */
export function bindingDuckdb(): Promise<Duckdb> {
  binding ??= start(["SET enable_external_access = false", "SET lock_configuration = true"]).catch((error: unknown) => {
    binding = undefined;
    throw error;
  });
  return binding;
}

/** Runs `work` with a new folder that {@link duckdb} may read, and removes it. */
export async function withWorkFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const root = workRootPath();
  workers++;
  let folder: string | undefined;
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
    folder = await mkdtemp(join(root, "batch-"));
    return await work(folder);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    if (--workers === 0) rmSync(root, { recursive: true, force: true });
  }
}

/**
 * Runs `work` with a DuckDB of its own, under the rules of {@link duckdb}, that reads, writes and spills what is larger than memory in a
 * new folder only, and the files of `allowed` beside, and ends it. `more` are settings of its own.
 */
export async function withWorkDatabase<T>(
  work: (db: DuckdbConnection, folder: string, connect: () => Promise<DuckdbConnection>) => Promise<T>,
  allowed: readonly string[] = [],
  more: readonly string[] = [],
): Promise<T> {
  return withWorkFolder(async (folder) => {
    const settings = [`SET allowed_paths = [${allowed.map(quoteText).join(", ")}]`, ...more, ...confinedTo(folder)];
    const db = await start(settings, join(folder, "spilled"));
    try {
      using connection = await db.connect();
      return await work(connection, folder, () => db.connect());
    } finally {
      db.close();
    }
  });
}

function workRootPath(): string {
  workRoot ??= join(tmpdir(), `delta-table-sql-${runtime.randomUUID()}`);
  return workRoot;
}

function confinedTo(folder: string): string[] {
  return [
    `SET allowed_directories = [${quoteText(`${folder}${sep}`)}]`,
    "SET enable_external_access = false",
    "SET lock_configuration = true",
  ];
}

/** Without a folder to spill to, one would be made in the process's own. */
async function start(settings: readonly string[], spillFolder = ""): Promise<Duckdb & { close(): void }> {
  const { DuckDBInstance } = await loadDuckdb();
  const instance = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    temp_directory: spillFolder,
  });
  const first = await instance.connect();
  for (const setting of ["SET GLOBAL TimeZone = 'UTC'", ...settings]) await first.run(setting);
  first.closeSync();
  return {
    async columns(sql, parameters = []) {
      // A connection runs one statement at a time.
      const connection = await instance.connect();
      try {
        const reader = await connection.runAndReadAll(sql, [...parameters]);
        return reader.getColumns();
      } finally {
        connection.closeSync();
      }
    },
    async connect() {
      const connection = await instance.connect();
      return {
        native: connection,
        columns: async (sql) => (await connection.runAndReadAll(sql)).getColumns(),
        interrupt: () => connection.interrupt(),
        [Symbol.dispose]: () => connection.closeSync(),
      };
    },
    close: () => instance.closeSync(),
  };
}

/** The package itself. Throws DELTA_MISSING_DEPENDENCY. */
export async function loadDuckdb(): Promise<Api> {
  try {
    return await loaded(() => import("@duckdb/node-api"), "@duckdb/node-api");
  } catch (cause) {
    if (!hasCode(cause, "DELTA_MISSING_DEPENDENCY")) throw cause;
    throw new DeltaError(
      "DELTA_MISSING_DEPENDENCY",
      "CSV and SQL need the optional package @duckdb/node-api, which can't be loaded. Install it with: npm install @duckdb/node-api",
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
