import type { SqlNode } from "./expression.js";
import { someNode } from "./tree.js";

/** What a query asks of its tables. */
export interface QueryUse {
  /** Lower-case names, of columns among others, beside which no column is used; undefined where all may be. */
  readonly names: ReadonlySet<string> | undefined;
  /** Lower-case names beside which no table is used; undefined where all may be. */
  readonly tables: ReadonlySet<string> | undefined;
  /** The condition that the rows of the only table must meet, and what the table is called there. */
  readonly filter: { readonly table: string; readonly where: SqlNode; readonly alias: string } | undefined;
}

const EVERYTHING: QueryUse = { names: undefined, tables: undefined, filter: undefined };

/** What a table may be referred to by in ways that need all of its columns. */
const WHOLE_TABLES = new Set(["SHOW_REF", "PIVOT", "COLUMN_DATA"]);
const WHOLE_FUNCTIONS = new Set(["columns", "unpack"]);
/** Table functions that take SQL, or the name of a table, as a text. */
const HIDING = new Set(["query", "query_table", "pragma_table_info", "pragma_show"]);

/**
 * The columns that a query may use, from its syntax tree: rather too many than too few. Of no use is what a tree doesn't show: then
 * it's all of them.
 */
export function queryUse(tree: unknown): QueryUse {
  const root = (tree as { readonly node?: SqlNode } | undefined)?.node;
  if (root === undefined) return EVERYTHING;
  const names = new Set<string>();
  const tables = new Set<string>();
  const bare = new Set<string>();
  const read = new Set<string>();
  let [whole, hides] = [false, false];
  visit(root, (value) => {
    const type = String(value.type ?? "");
    if (value.class === "STAR" || value.class === "POSITIONAL_REFERENCE" || WHOLE_TABLES.has(type)) whole = true;
    if (value.ref_type === "NATURAL") whole = true;
    const called = lower(value.function_name ?? "");
    if (WHOLE_FUNCTIONS.has(called)) whole = true;
    if (HIDING.has(called)) hides = true;
    if (type === "BASE_TABLE") tables.add(lower(value.table_name));
    if (typeof value.table_name === "string") read.add(lower(value.table_name));
    if (typeof value.alias === "string" && value.alias !== "" && value.class === undefined)
      tables.add(lower(value.alias));
    if (value.class === "COLUMN_REF") {
      const parts = (value.column_names as readonly string[]).map(lower);
      for (const part of parts) names.add(part);
      bare.add(parts.at(-1)!);
      bare.add(parts[0]!);
    }
    if (Array.isArray(value.using_columns)) for (const name of value.using_columns) names.add(lower(name));
  });
  if (hides) return EVERYTHING;
  const filter = filterOf(root);
  // "SELECT t FROM t" is a struct of all columns.
  const isWhole = whole || [...bare].some((name) => tables.has(name));
  return { names: isWhole ? undefined : names, tables: read, filter };
}

function lower(value: unknown): string {
  return String(value).toLowerCase();
}

/** Of a query over one table without more ado: rows that its condition is not true for don't count. */
function filterOf(root: SqlNode): QueryUse["filter"] {
  const from = root.from_table as { type?: string; table_name?: string; alias?: string; sample?: unknown } | undefined;
  const where = root.where_clause as SqlNode | null | undefined;
  if (root.type !== "SELECT_NODE" || from?.type !== "BASE_TABLE" || !where || from.sample || root.sample)
    return undefined;
  const ctes = (root.cte_map as { readonly map?: readonly unknown[] } | undefined)?.map ?? [];
  // A double is compared after a cast, which may lose digits; our own comparison loses none.
  const isDouble = (node: SqlNode) =>
    node.class === "CONSTANT" && (node.value as { type?: { id?: string } } | undefined)?.type?.id === "DOUBLE";
  const isBeyond = (node: SqlNode) => node.class === "SUBQUERY" || node.class === "PARAMETER" || isDouble(node);
  if (ctes.length > 0 || someNode(where, isBeyond) || hasSecondUse(root)) return undefined;
  const table = from.table_name!;
  return { table, where, alias: from.alias || table };
}

/** Whether the query reads from anything but its FROM. */
function hasSecondUse(root: SqlNode): boolean {
  let count = 0;
  visit(root, (value) => {
    if (["BASE_TABLE", "SUBQUERY", "TABLE_FUNCTION", "JOIN"].includes(String(value.type))) count++;
  });
  return count !== 1;
}

function visit(value: unknown, take: (object: Readonly<Record<string, unknown>>) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, take);
  else if (typeof value === "object" && value !== null) {
    take(value as Readonly<Record<string, unknown>>);
    for (const member of Object.values(value)) visit(member, take);
  }
}
