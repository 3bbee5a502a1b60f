import type { Literal, Predicate } from "#src/schema/predicate.js";

/** A row: values in the domain of Literal, structs as objects. */
export type LiteralRow = { readonly [column: string]: Literal | null | LiteralRow };

/** A predicate's value for one row, by the definition: slow, plain, three-valued. */
export function evaluateRow(predicate: Predicate, row: LiteralRow): boolean | null {
  switch (predicate.op) {
    case "and": {
      const values = predicate.terms.map((term) => evaluateRow(term, row));
      return values.includes(false) ? false : values.includes(null) ? null : true;
    }
    case "or": {
      const values = predicate.terms.map((term) => evaluateRow(term, row));
      return values.includes(true) ? true : values.includes(null) ? null : false;
    }
    case "not": {
      const value = evaluateRow(predicate.term, row);
      return value === null ? null : !value;
    }
    case "constant":
      return predicate.value;
    case "opaque":
      throw new Error("an opaque predicate has no definition here");
    default:
      break;
  }
  const value = valueAt(row, predicate.column);
  if (predicate.op === "isNull") return value === null;
  if (value === null) return null;
  if (predicate.op === "startsWith") return (value as string).startsWith(predicate.value);
  if (predicate.op === "in") return predicate.values.some((one) => order(value, one) === 0);
  const sign = order(value, predicate.value);
  return { "=": sign === 0, "!=": sign !== 0, "<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0 }[
    predicate.op
  ];
}

function valueAt(row: LiteralRow, path: readonly string[]): Literal | null {
  let value: unknown = row;
  for (const name of path) value = value === null ? null : (value as LiteralRow)[name];
  return value as Literal | null;
}

/** By the bytes of strings, NaN greatest, -0.0 like 0.0. */
export function order(a: Literal, b: Literal): number {
  if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array);
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
