import { DeltaError } from "../../errors.js";

/** The error for an expression that this release doesn't understand, or can't evaluate as Spark does. */
export function unsupportedExpression(expression: string, why: string, position?: number): DeltaError {
  const place = position === undefined ? "" : ` (at character ${position + 1})`;
  return new DeltaError(
    "DELTA_UNSUPPORTED_EXPRESSION",
    `The expression ${JSON.stringify(expression)} can't be evaluated by this release: ${why}${place}. Nothing was written.`,
    { expression, ...(position === undefined ? {} : { position }) },
  );
}

/** The error for an expression that is wrong for the table: an unknown column, types that don't go together. */
export function invalidExpression(expression: string, why: string, data: Record<string, unknown> = {}): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_EXPRESSION",
    `The expression ${JSON.stringify(expression)} makes no sense for this table: ${why}.`,
    { expression, ...data },
  );
}
