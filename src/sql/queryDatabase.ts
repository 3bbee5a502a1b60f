import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { runtime } from "../runtime.js";
import { loadDuckdb, type NativeConnection, quoteText } from "./duckdb.js";

type Instance = import("@duckdb/node-api").DuckDBInstance;

const IDLE_MS = 10_000;
const SPILLED = "spilled";

/** The database of the last query, for one that may read the same files. */
let idle: { readonly database: QueryDatabase; readonly cancel: () => void } | undefined;

/**
 * A DuckDB in memory for one query at a time. What it may read is said once, before the query is there, and can't be changed then: some
 * files, and a folder for what the query's tables and what doesn't fit into memory are written to. To begin one takes as long as
 * to sum some millions of numbers, so that it waits for the next query over the same files for 10 seconds.
 */
export class QueryDatabase {
  readonly folder = join(tmpdir(), `delta-table-sql-${runtime.randomUUID()}`);
  readonly #instance: Promise<Instance>;
  #readable: string | undefined;

  private constructor() {
    this.#instance = loadDuckdb().then(({ DuckDBInstance }) =>
      DuckDBInstance.create(":memory:", {
        autoinstall_known_extensions: "false",
        autoload_known_extensions: "false",
        // What was read of files mustn't take room until the next query.
        enable_external_file_cache: "false",
        temp_directory: join(this.folder, SPILLED),
      }),
    );
    // It is heard of where it is waited for.
    this.#instance.catch(() => undefined);
  }

  /** The one that waits, which nobody else gets then, or a new one. */
  static take(): QueryDatabase {
    if (idle === undefined) return new QueryDatabase();
    const { database, cancel } = idle;
    cancel();
    idle = undefined;
    return database;
  }

  /** The database that may read these files: this one or, where it may read others, a new one in its place. */
  async confinedTo(files: readonly string[]): Promise<QueryDatabase> {
    const readable = JSON.stringify(files);
    if (this.#readable === readable) return this;
    if (this.#readable !== undefined) {
      await this.close();
      return new QueryDatabase().confinedTo(files);
    }
    const connection = await (await this.#instance).connect();
    const settings = [
      "SET GLOBAL TimeZone = 'UTC'",
      "SET GLOBAL enable_geoparquet_conversion = false",
      `SET GLOBAL allowed_paths = [${files.map(quoteText).join(", ")}]`,
      `SET GLOBAL allowed_directories = [${quoteText(`${this.folder}${sep}`)}]`,
      "SET GLOBAL enable_external_access = false",
      "SET GLOBAL lock_configuration = true",
    ];
    try {
      for (const setting of settings) await connection.run(setting);
    } finally {
      connection.closeSync();
    }
    this.#readable = readable;
    return this;
  }

  /** A connection with the folder in place. */
  async connect(): Promise<NativeConnection> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    return (await this.#instance).connect();
  }

  /** To be called when a query is through and its connection closed: keeps the database for the next one. */
  async giveBack(): Promise<void> {
    // One that spilled believes its folder to be there.
    if (idle !== undefined || existsSync(join(this.folder, SPILLED))) return this.close();
    await rm(this.folder, { recursive: true, force: true });
    if (idle !== undefined) return this.close();
    const cancel = runtime.later(IDLE_MS, () => {
      idle = undefined;
      void this.close();
    });
    idle = { database: this, cancel };
  }

  async close(): Promise<void> {
    await this.#instance.then((instance) => instance.closeSync()).catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }
}
