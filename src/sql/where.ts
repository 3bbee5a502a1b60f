import { comparison, forEveryValue, inList, type Position } from "../schema/comparison.js";
import type { Comparison, Predicate } from "../schema/predicate.js";
import type { StructType } from "../schema/types.js";
import { type BoundColumn, bindColumns, boundColumns, columnOf, isConstant, isVolatile } from "./bind.js";
import { duckdb } from "./duckdb.js";
import { duckdbMessage, invalidSql, parseExpression, type SqlExpression, type SqlNode } from "./expression.js";
import { impliedByDay, likePrefix, notNull } from "./implied.js";
import { opaquePredicate, unchecked } from "./opaque.js";
import { type Operand, operandOfNode, operandOfResult, operandPosition } from "./operand.js";

/**
 * The predicate that a SQL condition means for a schema: comparisons of columns with constants, AND, OR, NOT, IN,
 * BETWEEN, IS [NOT] NULL, IS [NOT] DISTINCT FROM and LIKE 'abc%' become typed terms, which can skip files; any other
 * term is evaluated by DuckDB, row by row. Numbers are compared exactly, whatever the types; a timestamp without a
 * zone is UTC. Column names are found regardless of case.
 *
 * Throws DELTA_INVALID_PREDICATE (no single SQL expression, with `data.position`; an unknown column, with
 * `data.nearest`; a subquery; types that can't be compared) and DELTA_MISSING_DEPENDENCY (`@duckdb/node-api`).
 *
 * @example
 * await parseWhere("id > 2.5 AND city LIKE 'San %'", schema);
 */
export async function parseWhere(sql: string, schema: StructType): Promise<Predicate> {
  const expression = await parseExpression(sql);
  const root = bindColumns(expression.root, schema, sql);
  return new Translation(sql, expression, schema).translate(root);
}

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  COMPARE_EQUAL: "=",
  COMPARE_NOTEQUAL: "!=",
  COMPARE_LESSTHAN: "<",
  COMPARE_LESSTHANOREQUALTO: "<=",
  COMPARE_GREATERTHAN: ">",
  COMPARE_GREATERTHANOREQUALTO: ">=",
};

const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  "=": "=",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

const UNKNOWN: Predicate = { op: "constant", value: null };

class Translation {
  readonly #sql: string;
  readonly #expression: SqlExpression;
  readonly #schema: StructType;

  constructor(sql: string, expression: SqlExpression, schema: StructType) {
    this.#sql = sql;
    this.#expression = expression;
    this.#schema = schema;
  }

  async translate(node: SqlNode): Promise<Predicate> {
    return (await this.#typed(node)) ?? this.#opaque(node);
  }

  /** `undefined` for what only DuckDB can evaluate. */
  async #typed(node: SqlNode): Promise<Predicate | undefined> {
    if (isConstant(node)) return this.#constant(node);
    const children = (node.children ?? []) as readonly SqlNode[];
    switch (node.type) {
      case "CONJUNCTION_AND":
      case "CONJUNCTION_OR":
        return this.#junction(node, children);
      case "OPERATOR_NOT":
        return { op: "not", term: await this.translate(children[0]!) };
      case "OPERATOR_IS_NULL":
      case "OPERATOR_IS_NOT_NULL":
        return nullTest(columnOf(children[0]!), node.type === "OPERATOR_IS_NOT_NULL");
      case "COMPARE_IN":
      case "COMPARE_NOT_IN":
        return this.#membership(children, node.type === "COMPARE_NOT_IN");
      case "COMPARE_BETWEEN":
        return this.#between(node);
      case "COMPARE_DISTINCT_FROM":
      case "COMPARE_NOT_DISTINCT_FROM":
        return this.#distinct(node);
      case "FUNCTION":
        return this.#function(node, children);
      case "COLUMN_REF":
      case "STRUCT_EXTRACT":
        return booleanColumn(columnOf(node));
      default:
        return this.#comparison(node);
    }
  }

  async #junction(node: SqlNode, children: readonly SqlNode[]): Promise<Predicate> {
    const terms: Predicate[] = [];
    const untyped: SqlNode[] = [];
    for (const child of children) {
      const term = await this.#typed(child);
      if (term) terms.push(term);
      else untyped.push(child);
    }
    // One term for DuckDB, so that it gets the rows once.
    if (untyped.length > 0)
      terms.push(await this.#opaque(untyped.length > 1 ? { ...node, children: untyped } : untyped[0]!));
    return terms.length === 1 ? terms[0]! : { op: node.type === "CONJUNCTION_AND" ? "and" : "or", terms };
  }

  async #comparison(node: SqlNode): Promise<Predicate | undefined> {
    const op = COMPARISONS[node.type];
    if (!op) return undefined;
    const [left, right] = [node.left as SqlNode, node.right as SqlNode];
    const column = columnOf(left);
    return column ? this.#compare(op, column, right) : this.#compare(MIRRORED[op], columnOf(right), left);
  }

  async #compare(op: Comparison, column: BoundColumn | undefined, constant: SqlNode): Promise<Predicate | undefined> {
    const operand = column && (await this.#operand(constant));
    if (!operand) return undefined;
    if (operand.kind === "null") return UNKNOWN;
    const position = operandPosition(column.type, operand);
    return position && comparison(op, column.path, position);
  }

  async #between(node: SqlNode): Promise<Predicate | undefined> {
    const column = columnOf(node.input as SqlNode);
    const low = await this.#compare(">=", column, node.lower as SqlNode);
    const high = low && (await this.#compare("<=", column, node.upper as SqlNode));
    return high && { op: "and", terms: [low, high] };
  }

  async #distinct(node: SqlNode): Promise<Predicate | undefined> {
    const column = columnOf(node.left as SqlNode) ?? columnOf(node.right as SqlNode);
    const constant = (columnOf(node.left as SqlNode) ? node.right : node.left) as SqlNode;
    const operand = column && (await this.#operand(constant));
    if (!operand) return undefined;
    const isNull: Predicate = { op: "isNull", column: column.path };
    let same: Predicate = isNull;
    if (operand.kind !== "null") {
      const position = operandPosition(column.type, operand);
      if (!position) return undefined;
      same = { op: "and", terms: [{ op: "not", term: isNull }, comparison("=", column.path, position)] };
    }
    return node.type === "COMPARE_NOT_DISTINCT_FROM" ? same : { op: "not", term: same };
  }

  async #membership([node, ...list]: readonly SqlNode[], not: boolean): Promise<Predicate | undefined> {
    const column = columnOf(node!);
    if (!column) return undefined;
    const positions: Position[] = [];
    let hasNull = false;
    for (const item of list) {
      const operand = await this.#operand(item);
      if (!operand) return undefined;
      const position = operand.kind === "null" ? undefined : operandPosition(column.type, operand);
      if (position) positions.push(position);
      else if (operand.kind === "null") hasNull = true;
      else return undefined;
    }
    const listed = positions.length > 0 ? inList(column.path, positions) : forEveryValue(column.path, false);
    const term: Predicate = hasNull ? { op: "or", terms: [listed, UNKNOWN] } : listed;
    return not ? { op: "not", term } : term;
  }

  async #function(node: SqlNode, [subject, argument]: readonly SqlNode[]): Promise<Predicate | undefined> {
    const name = String(node.function_name);
    const isLike = name === "~~" || name === "!~~";
    if (!isLike && !["^@", "starts_with", "prefix"].includes(name)) return undefined;
    const column = subject && columnOf(subject);
    const operand = column?.type === "string" && argument ? await this.#operand(argument) : undefined;
    if (!column || operand?.kind !== "string") return undefined;
    const like = isLike ? likeTest(operand.value) : ({ op: "startsWith", value: operand.value } as const);
    if (!like) return undefined;
    const term: Predicate = { ...like, column: column.path };
    return name === "!~~" ? { op: "not", term } : term;
  }

  /** A condition without columns: true, false or null for all rows. */
  async #constant(node: SqlNode): Promise<Predicate | undefined> {
    const operand = await this.#operand(node);
    if (operand?.kind === "null") return UNKNOWN;
    return operand?.kind === "boolean" ? { op: "constant", value: operand.value } : undefined;
  }

  async #operand(node: SqlNode): Promise<Operand | undefined> {
    const plain = operandOfNode(node);
    if (plain || !isConstant(node)) return plain;
    const text = await this.#expression.textOf(node);
    const db = await duckdb();
    try {
      // In a WHERE as well, since that refuses aggregates and the like.
      const [type, value, hex] = await db.columns(
        `SELECT typeof(x), CAST(x AS VARCHAR), CASE WHEN typeof(x) = 'BLOB' THEN hex(TRY_CAST(x AS BLOB)) END
         FROM (SELECT ${text} AS x FROM range(1) WHERE (${text}) IS NULL OR true)`,
      );
      return operandOfResult(String(type![0]), value![0] as string | null, hex![0] as string | null);
    } catch (error) {
      throw invalidSql(this.#sql, duckdbMessage(error), undefined, error);
    }
  }

  async #opaque(node: SqlNode): Promise<Predicate> {
    const [text, known] = [await this.#expression.textOf(node), await this.#known(node)];
    return opaquePredicate(text, boundColumns(node), this.#schema, this.#sql, known);
  }

  /** What files are skipped by where DuckDB evaluates the rows. */
  async #known(node: SqlNode): Promise<{ implied: Predicate | undefined; isVolatile: boolean }> {
    return { implied: await this.#implied(node), isVolatile: isVolatile(node) };
  }

  async #implied(node: SqlNode): Promise<Predicate | undefined> {
    const children = (node.children ?? []) as readonly SqlNode[];
    if (node.type === "CONJUNCTION_AND" || node.type === "CONJUNCTION_OR") {
      const terms: Predicate[] = [];
      for (const child of children) {
        terms.push(unchecked(await this.#expression.textOf(child), boundColumns(child), await this.#known(child)));
      }
      return { op: node.type === "CONJUNCTION_AND" ? "and" : "or", terms };
    }
    if (node.type === "FUNCTION" && node.function_name === "~~") {
      const [column, operand] = [columnOf(children[0]!), await this.#constantOf(children[1]!)];
      return column?.type === "string" && operand?.kind === "string" ? likePrefix(column, operand.value) : undefined;
    }
    const op = COMPARISONS[node.type];
    if (!op) return undefined;
    const [left, right] = [node.left as SqlNode, node.right as SqlNode];
    if (isConstant(right)) return impliedByDay(op, left, await this.#operand(right));
    if (isConstant(left)) return impliedByDay(MIRRORED[op], right, await this.#operand(left));
    return notNull([left, right].flatMap((side) => columnOf(side) ?? []));
  }

  async #constantOf(node: SqlNode): Promise<Operand | undefined> {
    return isConstant(node) ? this.#operand(node) : undefined;
  }
}

function booleanColumn(column: BoundColumn | undefined): Predicate | undefined {
  return column?.type === "boolean" ? { op: "=", column: column.path, value: true } : undefined;
}

function nullTest(column: BoundColumn | undefined, not: boolean): Predicate | undefined {
  if (!column) return undefined;
  const isNull: Predicate = { op: "isNull", column: column.path };
  return not ? { op: "not", term: isNull } : isNull;
}

/** A LIKE pattern without wildcards, or with one % at its end. */
function likeTest(pattern: string): { readonly op: "=" | "startsWith"; readonly value: string } | undefined {
  if (!/[%_]/.test(pattern)) return { op: "=", value: pattern };
  return /^[^%_]*%$/.test(pattern) ? { op: "startsWith", value: pattern.slice(0, -1) } : undefined;
}
