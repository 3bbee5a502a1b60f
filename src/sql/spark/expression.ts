import { DeltaError } from "../../errors.js";
import type { DataType, StructType } from "../../schema/types.js";
import { castTo, coerce, isStorable } from "./cast.js";
import { sameType } from "./coercion.js";
import { invalidExpression, unsupportedExpression } from "./errors.js";
import { parseSpark } from "./parser.js";
import { type Scope, scopeOf, translate } from "./translate.js";
import type { SparkNode } from "./tree.js";
import { Refusal, type Typed, typeText } from "./typed.js";

/** An expression of Spark SQL that this release can evaluate. */
export interface SparkExpression {
  /** As it was written. */
  readonly text: string;
  readonly tree: SparkNode;
  /** As DuckDB's SQL over a relation of the schema's columns. Timestamps of both kinds are TIMESTAMP, in UTC. */
  readonly sql: string;
  readonly type: DataType;
  /** The top columns that it names. */
  readonly columns: readonly string[];
  /** The value of what is a plain literal: its text, undefined for null. */
  readonly constant: { readonly text: string | undefined } | undefined;
}

export interface ExpressionOptions {
  /** What `current_timestamp()` is, in microseconds. Default 0. */
  readonly nowMicros?: bigint;
  /** What names mean; default the schema's columns. */
  readonly scope?: Scope;
  /** Has the value stored in a column of this type. */
  readonly storedAs?: DataType;
}

/**
 * Understands an expression as Spark SQL in ANSI mode, over the columns of a schema. Throws `DELTA_UNSUPPORTED_EXPRESSION` for what this
 * release can't evaluate as Spark does, `DELTA_INVALID_EXPRESSION` for unknown columns and types that don't go together.
 *
 * @example
 * sparkExpression("price * amount > 0 AND city RLIKE '^B'", schema).sql;
 */
export function sparkExpression(
  text: string,
  schema: StructType,
  { nowMicros = 0n, scope, storedAs }: ExpressionOptions = {},
): SparkExpression {
  const tree = parseSpark(text);
  const used = new Set<string>();
  const value = explained(text, () => {
    const own = translate(tree, scope ?? scopeOf(schema, nowMicros, used));
    if (own.interval !== undefined || own.duration !== undefined) throw new Refusal("unsupported", "it is an interval");
    return storedAs === undefined ? own : stored(own, storedAs);
  });
  const constant = tree.kind === "literal" ? { text: tree.text } : undefined;
  return { text, tree, sql: value.sql, type: value.type, columns: [...used], constant };
}

function stored(value: Typed, type: DataType): Typed {
  if (sameType(value.type, type)) return value;
  if (value.type === "string" && value.literal !== undefined && type !== "variant") return coerce(value, type);
  if (isStorable(value.type, type)) return castTo(value, type, false);
  throw new Refusal("invalid", `a value of type ${typeText(value.type)} isn't stored as ${typeText(type)}`);
}

function explained<T>(text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) {
      throw error.kind === "unsupported" ? unsupportedExpression(text, error.why) : invalidExpression(text, error.why);
    }
    throw error;
  }
}

/**
 * The condition of a CHECK constraint on rows of this schema. Throws `DELTA_NON_BOOLEAN_CHECK_CONSTRAINT` where it is no condition, and what
 * {@link sparkExpression} throws.
 */
export function checkConstraintExpression(
  text: string,
  schema: StructType,
  options: ExpressionOptions = {},
): SparkExpression {
  const expression = sparkExpression(text, schema, options);
  if (expression.type === "boolean") return expression;
  throw new DeltaError(
    "DELTA_NON_BOOLEAN_CHECK_CONSTRAINT",
    `The CHECK constraint ${JSON.stringify(text)} is of type ${typeText(expression.type)}; it must be a condition.`,
    { expression: text, type: expression.type },
  );
}
