import type { Literal } from "./predicate.js";

/**
 * The order of two values of one column, negative, 0 or positive: NaN equals NaN and is greater than every other
 * number, -0.0 equals 0.0, strings go by their UTF-8 bytes, binary by unsigned bytes, false before true.
 */
export function compareLiterals(a: Literal, b: Literal): number {
  if (typeof a === "string") return compareStrings(a, b as string);
  if (typeof a === "number") return compareNumbers(a, b as number);
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The order of strings by their UTF-8 bytes, as Spark and Parquet sort them; JavaScript's `<` goes by UTF-16 units. */
function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return utf8Rank(x) - utf8Rank(y);
  }
  return a.length - b.length;
}

// Surrogates stand for the characters above U+FFFF, which sort last in UTF-8.
function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function compareNumbers(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
