import { DeltaError } from "../errors.js";

/** A SQL expression, as opposed to a text that is a value. Made by {@link sql}. */
export class SqlText {
  readonly text: string;

  /** @internal */
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in an expression as a value. */
export type SqlValue = number | bigint | string | boolean | Date | Uint8Array | null | SqlText;

/**
 * A SQL expression for `update` and `merge`, in DuckDB's SQL. Values put into it are quoted, never taken for SQL.
 *
 * @example
 * await table.update({ set: { price: sql`price * ${1.1}` }, where: { id: 7n } });
 */
export function sql(strings: TemplateStringsArray, ...values: readonly SqlValue[]): SqlText {
  return new SqlText(strings.reduce((text, part, i) => `${text}${literal(values[i - 1]!)}${part}`));
}

function literal(value: SqlValue): string {
  if (value instanceof SqlText) return `(${value.text})`;
  if (value === null) return "NULL";
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
    return `CAST('${Object.is(value, -0) ? "-0.0" : value}' AS DOUBLE)`;
  }
  if (value instanceof Date) return `CAST('${value.toISOString()}' AS TIMESTAMPTZ)`;
  if (value instanceof Uint8Array) return `unhex('${Buffer.from(value).toString("hex")}')`;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `A ${typeof value} can't stand in a SQL expression.`, {});
}
