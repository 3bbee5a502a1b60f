import { DeltaError } from "../errors.js";
import { columnNames, nearestName, resolveColumn } from "../schema/columns.js";
import type { DataType, StructType } from "../schema/types.js";
import { invalidSql, type SqlNode } from "./expression.js";
import { mapChildren, someNode } from "./tree.js";

/** A column that a node names. */
export interface BoundColumn {
  readonly path: readonly string[];
  readonly type: DataType;
}

const BOUND = Symbol("column");

/** A reference to a column of the schema. */
interface BoundNode extends SqlNode {
  readonly [BOUND]: BoundColumn;
}

/** What would read other rows or tables, or has no value here. */
const REFUSED: Readonly<Record<string, string>> = {
  SUBQUERY: "a subquery",
  WINDOW: "a window function",
  STAR: "a *",
  PARAMETER: "a parameter",
  DEFAULT: "DEFAULT",
};

/** Functions that SQL writes without parentheses; the parser takes them for columns. */
const BARE_FUNCTIONS = new Set(["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"]);

/** Functions that give another value for each row, or do something. */
const VOLATILE = new Set([...["random", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "error"]]);

/** Functions that tell of the process, keep it waiting or write something: a condition is about a row. */
const REFUSED_FUNCTIONS = new Set([
  ...["current_setting", "current_query", "current_query_id", "current_connection_id", "current_transaction_id"],
  ...["current_database", "current_schema", "current_schemas", "current_catalog", "in_search_path", "txid_current"],
  ...["getenv", "getvariable", "set_config", "which_secret", "sleep_ms", "pg_sleep", "write_log"],
  ...["nextval", "currval", "setseed", "stats"],
]);

/** Functions that take a lambda as an argument. */
const LAMBDA_FUNCTIONS: ReadonlySet<string> = new Set(
  ["transform", "apply", "filter", "reduce"].flatMap((name) => [name, `list_${name}`, `array_${name}`]),
);

/** The column that the parts of a name mean, if any. */
export type ColumnResolver = (names: readonly string[]) => BoundColumn | undefined;

/**
 * The tree with each column reference resolved against the schema, or by `resolve`, and spelled as there. Throws DELTA_INVALID_PREDICATE
 * for an unknown column (`data.column`, `data.nearest`), for subqueries, window functions, * and parameters, and for functions
 * that have nothing to do with rows.
 */
export function bindColumns(
  root: SqlNode,
  schema: StructType,
  sql: string,
  resolve: ColumnResolver = (names) => columnNamed(schema, names),
): SqlNode {
  return bind(root, new Set(), false);

  function bind(node: SqlNode, parameters: ReadonlySet<string>, takesLambdas: boolean): SqlNode {
    const refused = REFUSED[node.class];
    if (refused) throw invalidSql(sql, `it has ${refused}, which a condition on rows can't have`);
    const called = String(node.function_name ?? "").toLowerCase();
    if (REFUSED_FUNCTIONS.has(called)) {
      throw invalidSql(sql, `it calls ${called}(), which has nothing to do with a row`);
    }
    // Elsewhere, what looks like one is an operator of JSON: v -> 'a'.
    if (node.class === "LAMBDA" && takesLambdas) {
      const lambda = node as SqlNode & { readonly lhs: SqlNode; readonly expr: SqlNode };
      const own = new Set([...parameters, ...lambdaParameters(lambda.lhs)]);
      return { ...lambda, expr: bind(lambda.expr, own, false) };
    }
    if (node.class !== "COLUMN_REF") {
      return mapChildren(node, (child) => bind(child, parameters, LAMBDA_FUNCTIONS.has(called)));
    }
    const names = node.column_names as readonly string[];
    if (parameters.has(names[0]!)) return node;
    const column = resolve(names);
    if (column) return { ...node, column_names: column.path, [BOUND]: column } as BoundNode;
    if (names.length === 1 && BARE_FUNCTIONS.has(names[0]!.toLowerCase())) return node;
    throw unknownColumn(names, schema, sql);
  }
}

/** The column of a schema that the parts of a name mean. */
export function columnNamed(schema: StructType, names: readonly string[]): BoundColumn | undefined {
  // A column may have dots in its name.
  return resolveColumn(schema, names) ?? resolveColumn(schema, [names.join(".")]);
}

/** The column that a node is: a reference, a field taken out of one with (a).b, or a boolean one cast to boolean. */
export function columnOf(node: SqlNode): BoundColumn | undefined {
  if (BOUND in node) return (node as BoundNode)[BOUND];
  if (node.type === "STRUCT_EXTRACT") {
    const [of, name] = node.children as readonly [SqlNode, SqlNode];
    const struct = columnOf(of);
    const field = (name.value as { value?: unknown } | undefined)?.value;
    if (!struct || typeof struct.type === "string" || struct.type.type !== "struct") return undefined;
    const found = typeof field === "string" ? resolveColumn(struct.type, [field]) : undefined;
    return found && { path: [...struct.path, ...found.path], type: found.type };
  }
  if (node.type === "OPERATOR_CAST" && (node.cast_type as { id: string }).id === "BOOLEAN") {
    const column = columnOf(node.child as SqlNode);
    return column?.type === "boolean" ? column : undefined;
  }
  return undefined;
}

/** The columns that a bound tree names, each once. */
export function boundColumns(root: SqlNode): (readonly string[])[] {
  const columns = new Map<string, readonly string[]>();
  someNode(root, (node) => {
    if (BOUND in node) {
      const { path } = (node as BoundNode)[BOUND];
      columns.set(JSON.stringify(path), path);
    }
    return false;
  });
  return [...columns.values()];
}

/** True where a node has the same value for every row. */
export function isConstant(node: SqlNode): boolean {
  return !someNode(node, (part) => BOUND in part) && !isVolatile(node);
}

/** True where a node may have another value each time. */
export function isVolatile(node: SqlNode): boolean {
  return someNode(node, (part) => VOLATILE.has(String(part.function_name).toLowerCase()));
}

function lambdaParameters(node: SqlNode): string[] {
  if (node.class === "COLUMN_REF") return [(node.column_names as readonly string[])[0]!];
  return ((node.children ?? []) as readonly SqlNode[]).flatMap(lambdaParameters);
}

function unknownColumn(names: readonly string[], schema: StructType, sql: string): DeltaError {
  const column = names.join(".");
  const nearest = nearestName(column, columnNames(schema));
  const columns = schema.fields.map((field) => field.name);
  const hint = nearest ? `did you mean "${nearest}"?` : `it has ${columns.join(", ")}.`;
  const quotes = sql.includes(`"${column}"`) ? " (Text stands in single quotes in SQL.)" : "";
  return new DeltaError("DELTA_INVALID_PREDICATE", `The table has no column "${column}"; ${hint}${quotes}`, {
    where: sql,
    column,
    columns,
    ...(nearest ? { nearest } : {}),
  });
}
