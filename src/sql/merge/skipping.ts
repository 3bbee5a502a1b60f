import type { Predicate } from "../../schema/predicate.js";
import type { DataType, StructType } from "../../schema/types.js";
import { boundColumns, columnOf, isVolatile } from "../bind.js";
import { type Duckdb, quoteName, quoteText } from "../duckdb.js";
import { inSql } from "../evaluate.js";
import type { SqlNode } from "../expression.js";
import { mapChildren } from "../tree.js";
import { sqlType } from "../types.js";
import { parseWhere } from "../where.js";
import type { MergeExpression, Side } from "./scope.js";

/** Values of the source that are named one by one; of more, only the least and the greatest. */
const MAX_NAMED = 16;

const WHOLE = new Set(["TINYINT", "SMALLINT", "INTEGER", "BIGINT"]);
/** Types whose values DuckDB orders as Delta's statistics do, and tells exactly as texts. */
const ORDERED = /^(?:VARCHAR|DATE|TIMESTAMP|TIMESTAMP WITH TIME ZONE|DECIMAL\(.*\))$/;

/**
 * A condition on the target that rows matching some row of the source fulfil: what the merge's condition says of the target alone,
 * and the values that the source has for columns that are compared with it. Undefined where nothing is known.
 */
export async function matchablePredicate(
  on: MergeExpression,
  target: StructType,
  source: string,
  db: Duckdb,
): Promise<Predicate | undefined> {
  const terms: Predicate[] = [];
  for (const term of conjuncts(on.root)) {
    if (isVolatile(term)) continue;
    if (sidesOf(term).join() === "target") {
      terms.push(await parseWhere(await on.expression.textOf(withoutSide(term)), target));
    }
    const range = await equalityRange(term, on, source, db);
    if (range === "none") return { op: "constant", value: false };
    if (range !== undefined) terms.push(await parseWhere(range, target));
  }
  return terms.length === 0 ? undefined : { op: "and", terms };
}

function conjuncts(node: SqlNode): SqlNode[] {
  return node.type === "CONJUNCTION_AND" ? (node.children as readonly SqlNode[]).flatMap(conjuncts) : [node];
}

function sidesOf(node: SqlNode): Side[] {
  return [...new Set(boundColumns(node).map(([side]) => side as Side))];
}

function withoutSide(node: SqlNode): SqlNode {
  if (node.class !== "COLUMN_REF") return mapChildren(node, withoutSide);
  const column = columnOf(node);
  return column === undefined ? node : { ...node, column_names: column.path.slice(1) };
}

/** What a column of the target must be that equals something of the source, as SQL over the target. */
async function equalityRange(
  term: SqlNode,
  { expression }: MergeExpression,
  source: string,
  db: Duckdb,
): Promise<string | "none" | undefined> {
  if (term.type !== "COMPARE_EQUAL") return undefined;
  const sides = [term.left as SqlNode, term.right as SqlNode];
  const left = sides.find((side) => columnOf(side)?.path[0] === "target");
  const right = sides.find((side) => sidesOf(side).join() === "source");
  const column = left && columnOf(left);
  if (column === undefined || right === undefined) return undefined;
  const text = await expression.textOf(right);
  const rows = `(SELECT (${text}) AS x FROM ${source} AS source WHERE (${text}) IS NOT NULL)`;
  const sql = `SELECT any_value(typeof(x)), CAST(min(x) AS VARCHAR), CAST(max(x) AS VARCHAR), approx_count_distinct(x) FROM ${rows}`;
  const [[type], [least], [greatest], [distinct]] = (await inSql(text, () => db.columns(sql))) as [
    [string | null],
    [string | null],
    [string | null],
    [unknown],
  ];
  if (type === null) return "none";
  if (!isComparable(type, column.type)) return undefined;
  const name = column.path.slice(1).map(quoteName).join(".");
  const constant = (value: unknown) => `CAST(${quoteText(String(value))} AS ${type})`;
  if (Number(distinct) <= MAX_NAMED) {
    const [values] = await db.columns(`SELECT DISTINCT CAST(x AS VARCHAR) FROM ${rows} LIMIT ${4 * MAX_NAMED}`);
    if (values!.length < 4 * MAX_NAMED) return `${name} IN (${values!.map(constant).join(", ")})`;
  }
  return `${name} >= ${constant(least)} AND ${name} <= ${constant(greatest)}`;
}

function isComparable(found: string, type: DataType): boolean {
  const own = sqlType(type);
  return (WHOLE.has(found) && WHOLE.has(own)) || (found === own && ORDERED.test(found));
}
