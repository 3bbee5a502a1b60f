import type { Predicate } from "../schema/predicate.js";
import type { StructType } from "../schema/types.js";
import { nodeText, type SqlNode } from "./expression.js";
import { mapChildren } from "./tree.js";
import type { QueryUse } from "./usedColumns.js";
import { parseWhere } from "./where.js";

/** The condition of a query as a predicate that tells which files matter; undefined where it is none. */
export async function skippingPredicate(
  { where, alias }: NonNullable<QueryUse["filter"]>,
  schema: StructType,
): Promise<Predicate | undefined> {
  const unqualified = (node: SqlNode): SqlNode => {
    const names = node.column_names as readonly string[] | undefined;
    if (node.class !== "COLUMN_REF" || names === undefined) return mapChildren(node, unqualified);
    const isQualified = names.length > 1 && names[0]!.toLowerCase() === alias.toLowerCase();
    return isQualified ? { ...node, column_names: names.slice(1) } : node;
  };
  try {
    return await parseWhere(await nodeText(unqualified(where)), schema);
  } catch {
    // DuckDB has understood the query: what a predicate can't say is its to find out.
    return undefined;
  }
}
