import { DeltaError } from "../../../errors.js";
import { loaded } from "../../../lazy.js";
import type { Duckdb } from "../../duckdb.js";
import { loadDuckdb } from "../../duckdb.js";

/** What goes in and out of a function of our own. */
export type OwnType = "text" | "double" | "long" | "integer" | "boolean" | "binary";
type OwnValue = string | number | bigint | boolean | Uint8Array | null;

/**
 * A function that DuckDB calls back for, because none of its own is as Spark's. It is null where an argument is; an exception ends the
 * evaluation.
 */
export interface OwnFunction {
  readonly takes: readonly OwnType[];
  readonly gives: OwnType;
  /** Whether it is called for nulls too. */
  readonly takesNulls?: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the arguments are as `takes` says.
  readonly of: (...args: any[]) => OwnValue;
}

/** In front of their names, so that they are never DuckDB's own. */
export const OWN_PREFIX = "delta_own_";

const registered = new WeakMap<Duckdb, Promise<void>>();

/** Makes all functions of our own known to a DuckDB, once. */
export function registerOwn(db: Duckdb): Promise<void> {
  let done = registered.get(db);
  if (done === undefined) {
    done = register(db).catch((error: unknown) => {
      registered.delete(db);
      throw error;
    });
    registered.set(db, done);
  }
  return done;
}

async function register(db: Duckdb): Promise<void> {
  const { OWN_FUNCTIONS } = await loaded(() => import("./functions.js"), "delta-table/sql");
  const api = await loadDuckdb();
  // Older ones can't be called back.
  if (api.DuckDBScalarFunction === undefined) {
    throw new DeltaError(
      "DELTA_MISSING_DEPENDENCY",
      "An expression of the table needs a newer @duckdb/node-api. Install it with: npm install @duckdb/node-api@latest",
      { package: "@duckdb/node-api" },
    );
  }
  const types = {
    ...{ text: api.VARCHAR, double: api.DOUBLE, long: api.BIGINT },
    ...{ integer: api.INTEGER, boolean: api.BOOLEAN, binary: api.BLOB },
  };
  using connection = await db.connect();
  for (const [name, { takes, gives, of, takesNulls = false }] of Object.entries(OWN_FUNCTIONS)) {
    const isBinary = takes.map((type) => type === "binary");
    const made = api.DuckDBScalarFunction.create({
      name: OWN_PREFIX + name,
      parameterTypes: takes.map((type) => types[type]),
      returnType: types[gives],
      specialHandling: takesNulls,
      mainFunction(_, rows, out) {
        const columns = takes.map((_, index) => rows.getColumnVector(index));
        for (let row = 0; row < rows.rowCount; row++) {
          const args = columns.map((column, index) => {
            const value = column.getItem(row);
            return isBinary[index] && value !== null ? (value as { readonly bytes: Uint8Array }).bytes : value;
          });
          const value = !takesNulls && args.includes(null) ? null : of(...args);
          out.setItem(row, value instanceof Uint8Array ? api.blobValue(value) : value);
        }
        out.flush();
      },
    });
    connection.native.registerScalarFunction(made);
  }
}
