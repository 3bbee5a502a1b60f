import { compareLiterals } from "./order.js";
import type { Comparison, Literal, Predicate } from "./predicate.js";

/** A test of one column. */
export type ColumnTest = Extract<Predicate, { readonly column: readonly string[] }>;

/** A test, or its negation (true where the test is false, not where it is null). */
export interface Leaf {
  readonly test: ColumnTest;
  readonly not: boolean;
}

/** What is known of a column's values in a file. */
export interface ColumnFacts {
  /** No value is less; `undefined` where unknown. */
  readonly min: Literal | undefined;
  /** No value is greater, but those that begin with it where `maxIsPrefix`, and NaN where `hasNaN`. */
  readonly max: Literal | undefined;
  readonly maxIsPrefix: boolean;
  readonly hasNaN: boolean;
  /** Whether all values are null, none is, or that is unknown. */
  readonly nulls: "all" | "none" | "unknown";
}

const OPPOSITE: Readonly<Record<Comparison, Comparison>> = {
  "=": "!=",
  "!=": "=",
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
};

/** The negation of a test; that of a comparison is the opposite comparison. */
export function negated(test: ColumnTest): Leaf {
  return isComparison(test) ? { test: { ...test, op: OPPOSITE[test.op] }, not: false } : { test, not: true };
}

/** False only where the facts rule out that the leaf is true for any row. */
export function bestCase({ test, not }: Leaf, facts: ColumnFacts): boolean {
  if (test.op === "isNull") return facts.nulls !== (not ? "all" : "none");
  if (facts.nulls === "all") return false;
  if (test.op === "startsWith") return not ? !allStartWith(test.value, facts) : mayStartWith(test.value, facts);
  if (test.op === "in") {
    return not
      ? !test.values.some((value) => !mayCompare("!=", value, facts))
      : test.values.some((value) => mayCompare("=", value, facts));
  }
  return mayCompare(not ? OPPOSITE[test.op] : test.op, test.value, facts);
}

function mayCompare(op: Comparison, value: Literal, facts: ColumnFacts): boolean {
  switch (op) {
    case "=":
      return !minAbove(facts, value) && !allBelow(facts, value);
    case "!=":
      return !(minAtOrAbove(facts, value) && allAtOrBelow(facts, value));
    case "<":
      return !minAtOrAbove(facts, value);
    case "<=":
      return !minAbove(facts, value);
    case ">":
      return !allAtOrBelow(facts, value);
    case ">=":
      return !allBelow(facts, value);
  }
}

function minAbove({ min }: ColumnFacts, value: Literal): boolean {
  return min !== undefined && compareLiterals(min, value) > 0;
}

function minAtOrAbove({ min }: ColumnFacts, value: Literal): boolean {
  return min !== undefined && compareLiterals(min, value) >= 0;
}

function allBelow({ max, maxIsPrefix, hasNaN }: ColumnFacts, value: Literal): boolean {
  if (max === undefined || hasNaN || compareLiterals(max, value) >= 0) return false;
  return !maxIsPrefix || !(value as string).startsWith(max as string);
}

function allAtOrBelow(facts: ColumnFacts, value: Literal): boolean {
  if (Number.isNaN(value)) return true;
  if (facts.max === undefined || facts.hasNaN) return false;
  return facts.maxIsPrefix ? allBelow(facts, value) : compareLiterals(facts.max, value) <= 0;
}

function mayStartWith(prefix: string, facts: ColumnFacts): boolean {
  const { min } = facts;
  if (typeof min === "string" && compareLiterals(min, prefix) > 0 && !min.startsWith(prefix)) return false;
  return !allBelow(facts, prefix);
}

/** All strings from one to another that begin alike begin so. */
function allStartWith(prefix: string, { min, max }: ColumnFacts): boolean {
  return typeof min === "string" && typeof max === "string" && min.startsWith(prefix) && max.startsWith(prefix);
}

function isComparison(test: ColumnTest): test is Extract<ColumnTest, { op: Comparison }> {
  return test.op in OPPOSITE;
}
