import { isDecimalInRange, parseDecimalType } from "./decimal.js";
import type { DataType, StructField } from "./types.js";

/** The key of a field's metadata with the changes that its type went through (PROTOCOL.md, Type Change Metadata). */
export const TYPE_CHANGES = "delta.typeChanges";

/** For each type the ones that it may become, but for decimals (PROTOCOL.md, Type Widening). */
const WIDER: ReadonlyMap<string, readonly string[]> = new Map([
  ["byte", ["short", "integer", "long", "double"]],
  ["short", ["integer", "long", "double"]],
  ["integer", ["long", "double"]],
  ["float", ["double"]],
  ["date", ["timestamp_ntz"]],
]);

/** The digits before the point that a decimal needs which an integer may become. */
const WHOLE_DIGITS: ReadonlyMap<string, number> = new Map([
  ["byte", 10],
  ["short", 10],
  ["integer", 10],
  ["long", 20],
]);

/**
 * True where a column of type `from` may become one of type `to`, rows written before included.
 * @testonly
 */
export function isWidening(from: string, to: string): boolean {
  if (WIDER.get(from)?.includes(to)) return true;
  const target = parseDecimalType(to as DataType);
  if (target === undefined || !isDecimalInRange(target.precision, target.scale)) return false;
  const whole = target.precision - target.scale;
  const source = parseDecimalType(from as DataType);
  if (source === undefined) return whole >= (WHOLE_DIGITS.get(from) ?? Number.POSITIVE_INFINITY);
  return target.scale >= source.scale && whole >= source.precision - source.scale;
}

/**
 * The first change, of those that a field's metadata lists, which isn't one of the protocol's: then what older files hold can't be
 * read as the type. `undefined` where there is none.
 */
export function firstUnknownChange(changes: unknown): { readonly from: unknown; readonly to: unknown } | undefined {
  if (changes === undefined) return undefined;
  for (const change of Array.isArray(changes) ? changes : [changes]) {
    const { fromType, toType } = (change ?? {}) as Record<string, unknown>;
    const isKnown = typeof fromType === "string" && typeof toType === "string" && isWidening(fromType, toType);
    if (!isKnown) return { from: fromType, to: toType };
  }
  return undefined;
}

/** True where the field itself was once a float and is a double now. */
export function wasFloat({ metadata }: StructField): boolean {
  const changes = metadata[TYPE_CHANGES];
  return (
    Array.isArray(changes) && changes.some(({ fromType, fieldPath }) => fromType === "float" && fieldPath === undefined)
  );
}
