import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import type { Snapshot } from "../log/snapshot.js";
import { Scan } from "./scan.js";

/** Gives the version of a table that a handle stands for. */
export const snapshotOf: unique symbol = Symbol("snapshotOf");

/** A table that a query may read from: a `Table`, be it at a past version. */
export interface QueriedTable {
  /** @internal */
  [snapshotOf](signal?: AbortSignal): Promise<Snapshot>;
}

export interface SqlOptions {
  /** Values that stand for `$1`, `$2` … or, as an object, for `$name`: texts, numbers, bigints, booleans, Dates, bytes and null. */
  readonly params?: readonly unknown[] | Readonly<Record<string, unknown>>;
  /** More tables that the query may read from, by their names in it: other ones, or this one at another version. */
  readonly tables?: Readonly<Record<string, QueriedTable>>;
  /** Rows at most; the query ends when they are there. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** Implements `Table.sql`; see there. */
export function sql(table: QueriedTable, query: string, options: SqlOptions): Scan {
  const { params = [], tables = {}, limit, signal } = options;
  const open = async () => {
    const { prepareQuery } = await loaded(() => import("../sql/runQuery.js"), "delta-table/sql");
    const { limited } = await loaded(() => import("../read/scan.js"), "delta-table/read");
    const named: readonly (readonly [string, QueriedTable])[] = [["this", table], ...Object.entries(tables)];
    checkNames(named);
    const snapshots = await Promise.all(
      named.map(async ([name, one]) => [name, await one[snapshotOf](signal)] as const),
    );
    const { schema, batches } = await prepareQuery({ sql: query, parameters: params, tables: new Map(snapshots) });
    return {
      schema,
      rowTracking: [],
      batches: (read: { readonly limit?: number; readonly signal?: AbortSignal }) =>
        limited(batches(read.signal), read.limit),
      count: async (read: { readonly signal?: AbortSignal }) => {
        let count = 0;
        for await (const batch of batches(read.signal)) count += batch.numRows;
        return count;
      },
    };
  };
  return new Scan(open, { ...(limit === undefined ? {} : { limit }), ...(signal && { signal }) });
}

/** Names in SQL are the same whatever their case. */
function checkNames(tables: readonly (readonly [string, QueriedTable])[]): void {
  const seen = new Set<string>();
  for (const [name, table] of tables) {
    const folded = name.toLowerCase();
    const why = seen.has(folded) ? "is there twice" : name === "" || name.includes("\0") ? "is no name" : undefined;
    if (why !== undefined || typeof table?.[snapshotOf] !== "function") {
      const message = `tables: "${name}" ${why ?? "is no Table"}. Give each table of the query a name of its own; "this" is the table itself.`;
      throw new DeltaError("DELTA_INVALID_ARGUMENT", message, { table: name });
    }
    seen.add(folded);
  }
}
