import { hasCode } from "../../errors.js";
import { resolveColumn } from "../../schema/columns.js";
import { comparison, inList, type Position } from "../../schema/comparison.js";
import { valuePosition } from "../../schema/literalValue.js";
import type { Comparison, Predicate } from "../../schema/predicate.js";
import type { DataType, StructType } from "../../schema/types.js";
import { isDecimal, isFractional, isInteger, isTime } from "./coercion.js";
import type { LiteralNode, SparkNode } from "./tree.js";

const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  ...{ "=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" },
};

interface Column {
  readonly path: readonly string[];
  readonly type: DataType;
}

/**
 * The typed predicate that means the same as a condition which {@link sparkExpression} has understood: comparisons of columns with
 * literals, IN, IS NULL, AND, OR and NOT. Undefined for anything else, for which DuckDB is needed.
 */
export function typedPredicate(node: SparkNode, schema: StructType): Predicate | undefined {
  switch (node.kind) {
    case "not": {
      const term = typedPredicate(node.of, schema);
      return term && { op: "not", term };
    }
    case "binary":
      return node.op === "and" || node.op === "or" ? junction(node, schema) : compared(node, schema);
    case "is": {
      const column = columnOf(node.of, schema);
      return node.what === "null" && column !== undefined ? { op: "isNull", column: column.path } : undefined;
    }
    case "in":
      return membership(node, schema);
    default:
      return undefined;
  }
}

function junction(node: Extract<SparkNode, { kind: "binary" }>, schema: StructType): Predicate | undefined {
  const [left, right] = [typedPredicate(node.left, schema), typedPredicate(node.right, schema)];
  return left && right && { op: node.op as "and" | "or", terms: [left, right] };
}

function compared(node: Extract<SparkNode, { kind: "binary" }>, schema: StructType): Predicate | undefined {
  const { op, left, right } = node;
  if (!Object.hasOwn(MIRRORED, op)) return undefined;
  const sign = op as Comparison;
  if (right.kind === "literal") return compare(sign, columnOf(left, schema), right);
  return left.kind === "literal" ? compare(MIRRORED[sign], columnOf(right, schema), left) : undefined;
}

function compare(op: Comparison, column: Column | undefined, literal: LiteralNode): Predicate | undefined {
  const position = column && positionOf(column, literal);
  return column && position && comparison(op, column.path, position);
}

function membership(node: Extract<SparkNode, { kind: "in" }>, schema: StructType): Predicate | undefined {
  const column = columnOf(node.of, schema);
  if (column === undefined) return undefined;
  const positions: Position[] = [];
  for (const item of node.list) {
    const position = item.kind === "literal" ? positionOf(column, item) : undefined;
    if (position === undefined) return undefined;
    positions.push(position);
  }
  return inList(column.path, positions);
}

function columnOf(node: SparkNode, schema: StructType): Column | undefined {
  return node.kind === "column" ? resolveColumn(schema, node.names) : undefined;
}

/** Where a literal lies among a column's values; undefined where Spark compares them as values of another kind. */
function positionOf({ path, type }: Column, { type: own, text }: LiteralNode): Position | undefined {
  if (text === undefined || !isAlike(type, own)) return undefined;
  try {
    return valuePosition(type, isFractional(type) ? Number(text) : plainValue(own, text), path);
  } catch (error) {
    if (hasCode(error, "DELTA_INVALID_PREDICATE")) return undefined;
    throw error;
  }
}

function plainValue(type: DataType, text: string): unknown {
  if (type === "boolean") return text.toLowerCase() === "true";
  return isTime(type) ? text.trim() : text;
}

function isAlike(column: DataType, literal: DataType): boolean {
  if (isInteger(column) || isDecimal(column)) return isInteger(literal) || isDecimal(literal);
  // Of floats, a literal would have to be rounded in some cases.
  if (column === "double")
    return (isInteger(literal) && literal !== "long") || isDecimal(literal) || literal === "double";
  if (column === "date") return literal === "date";
  if (isTime(column)) return literal === column;
  return (column === "string" || column === "boolean") && column === literal;
}
