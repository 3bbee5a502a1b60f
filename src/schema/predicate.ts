/**
 * A value that a predicate compares with, already in the column's own domain:
 * byte/short/integer/float/double as `number`, long as `bigint`, decimal as its unscaled `bigint` at the column's scale,
 * date as days (`number`), timestamp and timestamp_ntz as microseconds (`bigint`), string, boolean, binary.
 */
export type Literal = number | bigint | string | boolean | Uint8Array;

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

/**
 * A condition on a row, resolved against a schema, in SQL's three-valued logic: a row passes where it is true, not
 * where it is null. NaN equals NaN and is greater than every other number; -0.0 equals 0.0 (Spark's rules).
 * `column` is the path from a top-level column into nested structs.
 */
export type Predicate =
  | { readonly op: "and" | "or"; readonly terms: readonly Predicate[] }
  | { readonly op: "not"; readonly term: Predicate }
  | { readonly op: Comparison; readonly column: readonly string[]; readonly value: Literal }
  | { readonly op: "in"; readonly column: readonly string[]; readonly values: readonly Literal[] }
  | { readonly op: "startsWith"; readonly column: readonly string[]; readonly value: string }
  | { readonly op: "isNull"; readonly column: readonly string[] }
  | { readonly op: "constant"; readonly value: boolean | null }
  | OpaquePredicate;

/** A truth value: false, true or null. */
export type Truth = 0 | 1 | 2;

/**
 * A condition that only its author can evaluate (a SQL expression). `evaluate` takes an Arrow RecordBatch holding `columns`
 * and gives a {@link Truth} for each row.
 */
export interface OpaquePredicate {
  readonly op: "opaque";
  readonly text: string;
  readonly columns: readonly (readonly string[])[];
  evaluate(batch: unknown): Promise<Uint8Array>;
  /** True wherever this is true. Files are skipped by it, rows aren't looked at with it. */
  readonly implied?: Predicate | undefined;
  /** Whether it has another value each time that it is evaluated. */
  readonly isVolatile?: boolean;
}

/** Whether DuckDB has to evaluate a part of the predicate. */
export function hasOpaque(predicate: Predicate): boolean {
  switch (predicate.op) {
    case "and":
    case "or":
      return predicate.terms.some(hasOpaque);
    case "not":
      return hasOpaque(predicate.term);
    default:
      return predicate.op === "opaque";
  }
}

/** The columns that a predicate asks about, each once, as paths. */
export function columnsOf(predicate: Predicate): readonly (readonly string[])[] {
  const columns = new Map<string, readonly string[]>();
  collectColumns(predicate, columns);
  return [...columns.values()];
}

function collectColumns(predicate: Predicate, columns: Map<string, readonly string[]>): void {
  switch (predicate.op) {
    case "and":
    case "or":
      for (const term of predicate.terms) collectColumns(term, columns);
      return;
    case "not":
      collectColumns(predicate.term, columns);
      return;
    case "constant":
      return;
    case "opaque":
      for (const column of predicate.columns) columns.set(JSON.stringify(column), column);
      return;
    default:
      columns.set(JSON.stringify(predicate.column), predicate.column);
  }
}
