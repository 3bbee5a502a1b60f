import { type ExactDecimal, floorDecimal, parseDecimalType, powerOfTen, rescaleDecimal } from "./decimal.js";
import { integerRange } from "./numbers.js";
import type { Comparison, Literal, Predicate } from "./predicate.js";
import { daysOfMicros, microsOfDays } from "./time.js";
import type { DataType } from "./types.js";

/**
 * Where a value lies among those that a column can hold: on `below` itself (`exact`), or strictly between `below` and
 * the column's next value. Beyond the column's range `below` is `undefined` and `beyond` says on which side.
 */
export type Position =
  | { readonly below: Literal; readonly exact: boolean }
  | { readonly below: undefined; readonly beyond: "above" | "below" };

/**
 * `column op value` for a value that the column may not be able to hold: `id > 2.5` is `id > 2`, and what no value of
 * the column can meet is false (null where the column is null).
 */
export function comparison(op: Comparison, column: readonly string[], position: Position): Predicate {
  if (position.below === undefined) {
    const above = position.beyond === "above";
    const holds = op === "!=" || (above ? op === "<" || op === "<=" : op === ">" || op === ">=");
    return forEveryValue(column, holds);
  }
  const value = position.below;
  if (position.exact) return { op, column, value };
  if (op === "=" || op === "!=") return forEveryValue(column, op === "!=");
  return { op: op === "<" || op === "<=" ? "<=" : ">", column, value };
}

/** `column IN (values)`, values that the column can't hold left out; an empty list is false, whatever the column. */
export function inList(column: readonly string[], positions: readonly Position[]): Predicate {
  if (positions.length === 0) return { op: "constant", value: false };
  const values = positions.flatMap((p) => (p.below !== undefined && p.exact ? [p.below] : []));
  return values.length > 0 ? { op: "in", column, values } : forEveryValue(column, false);
}

/** True (or false) for each value of the column, null where the column is null: SQL's three-valued logic. */
export function forEveryValue(column: readonly string[], holds: boolean): Predicate {
  const isNull: Predicate = { op: "isNull", column };
  const unknown: Predicate = { op: "constant", value: null };
  return holds ? { op: "or", terms: [{ op: "not", term: isNull }, unknown] } : { op: "and", terms: [isNull, unknown] };
}

/** The position of an exact number in an integer or decimal column; `undefined` for columns of other types. */
export function exactPosition(type: DataType, value: ExactDecimal): Position | undefined {
  const range = integerRange(type);
  const decimal = parseDecimalType(type);
  if (!range && !decimal) return undefined;
  const scale = decimal?.scale ?? 0;
  const max = range?.max ?? powerOfTen(decimal!.precision) - 1n;
  const min = range?.min ?? -max;
  const onGrid = rescaleDecimal(value, scale);
  const below = onGrid ?? floorDecimal(value, scale);
  if (below > max || (below === max && onGrid === undefined)) return { below: undefined, beyond: "above" };
  if (below < min) return { below: undefined, beyond: "below" };
  return { below: range && type !== "long" ? Number(below) : below, exact: onGrid !== undefined };
}

/** The position of infinity or NaN in an integer or decimal column: beyond all of its values. */
export function nonFinitePosition(value: number): Position {
  return { below: undefined, beyond: value === -Infinity ? "below" : "above" };
}

/** The position of a double in a float column, compared exactly. */
export function floatPosition(value: number): Position {
  const nearest = Math.fround(value);
  if (Object.is(nearest, value) || nearest === value || Number.isNaN(value)) return { below: nearest, exact: true };
  return { below: nearest < value ? nearest : nextFloatDown(nearest), exact: false };
}

/** The position of an instant in a date column, where a day is its midnight (UTC). */
export function datePosition(micros: bigint, exact = true): Position {
  const days = daysOfMicros(micros);
  return { below: days, exact: exact && micros === microsOfDays(days) };
}

function nextFloatDown(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  if (value === 0) view.setUint32(0, 0x80000001);
  else view.setUint32(0, value > 0 ? bits - 1 : bits + 1);
  return view.getFloat32(0);
}
