import { loaded } from "../lazy.js";
import type { Predicate } from "../schema/predicate.js";
import type { StructType } from "../schema/types.js";
import { resolveWhere, type Where } from "../schema/where.js";

/** A condition on rows: a SQL expression (needs the optional package `@duckdb/node-api`) or a typed object. */
export type WhereOption<Row extends object = Record<string, unknown>> = string | Where<Row>;

/** The predicate that `where` means for this schema. Throws `DELTA_INVALID_PREDICATE`, `DELTA_MISSING_DEPENDENCY`. */
export async function predicateOf<Row extends object>(
  where: WhereOption<Row> | undefined,
  schema: StructType,
): Promise<Predicate | undefined> {
  if (where === undefined) return undefined;
  if (typeof where !== "string") return resolveWhere(where, schema);
  const { parseWhere } = await loaded(() => import("../sql/where.js"), "delta-table/sql");
  return parseWhere(where, schema);
}

/** A condition as the history tells it. */
export async function whereText<Row extends object>(
  where: WhereOption<Row>,
  predicate: Predicate | undefined,
  schema: StructType,
): Promise<string> {
  if (typeof where === "string" || predicate === undefined) return String(where);
  const { predicateSql } = await loaded(() => import("../sql/predicateSql.js"), "delta-table/sql");
  return predicateSql(predicate, schema);
}
