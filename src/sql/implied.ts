import type { Comparison, Predicate } from "../schema/predicate.js";
import { microsOfDays } from "../schema/time.js";
import type { BoundColumn } from "./bind.js";
import { columnOf } from "./bind.js";
import type { SqlNode } from "./expression.js";
import { type Operand, operandPosition } from "./operand.js";

/** What a string begins with that is LIKE the pattern. */
export function likePrefix({ path }: BoundColumn, pattern: string): Predicate | undefined {
  const value = /^[^%_]*/.exec(pattern)![0];
  return value === "" ? undefined : { op: "startsWith", column: path, value };
}

/** Where two columns compare, neither is null. */
export function notNull(columns: readonly BoundColumn[]): Predicate | undefined {
  if (columns.length === 0) return undefined;
  return { op: "and", terms: columns.map(({ path }) => ({ op: "not", term: { op: "isNull", column: path } })) };
}

/** The times of the days that compare so with a day: `CAST(at AS DATE) = DATE '2026-01-31'`. Days are UTC's, as in all SQL here. */
export function impliedByDay(op: Comparison, node: SqlNode, operand: Operand | undefined): Predicate | undefined {
  const column = castToDay(node);
  if (!column || !operand || operand.kind === "null") return undefined;
  const position = operandPosition("date", operand);
  if (position?.below === undefined || !position.exact) return undefined;
  const day = position.below as number;
  const before = (next: number): Predicate => ({ op: "<", column: column.path, value: microsOfDays(day + next) });
  const since = (next: number): Predicate => ({ op: ">=", column: column.path, value: microsOfDays(day + next) });
  switch (op) {
    case "=":
      return { op: "and", terms: [since(0), before(1)] };
    case "<":
      return before(0);
    case "<=":
      return before(1);
    case ">":
      return since(1);
    case ">=":
      return since(0);
    case "!=":
      return undefined;
  }
}

function castToDay(node: SqlNode): BoundColumn | undefined {
  if (node.type !== "OPERATOR_CAST" || (node.cast_type as { id: string }).id !== "DATE") return undefined;
  const column = columnOf(node.child as SqlNode);
  return column?.type === "timestamp" || column?.type === "timestamp_ntz" ? column : undefined;
}
