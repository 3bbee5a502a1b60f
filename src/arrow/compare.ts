import { type Data, Type } from "apache-arrow";
import { DeltaError } from "../errors.js";
import type { Literal } from "../schema/predicate.js";
import { isSet } from "./bits.js";
import { compareBytes, startsWithBytes } from "./bytes.js";
import { offsetsOf } from "./column.js";
import { wordsOf } from "./int128.js";

/** What a comparison gives (0 or 1) where the column's value is less than, equal to or greater than the literal. */
export interface Outcomes {
  readonly less: number;
  readonly equal: number;
  readonly greater: number;
}

/**
 * Compares each value with the literal, nulls as whatever lies in the buffers. Throws DELTA_INVALID_PREDICATE where the
 * literal is not of the column's domain.
 */
export function compareWith(data: Data, literal: Literal, outcomes: Outcomes, column: readonly string[]): Uint8Array {
  const out = new Uint8Array(data.length);
  const { typeId } = data;
  if (typeId === Type.Bool && typeof literal === "boolean") {
    const source = { bits: data.values as unknown as Uint8Array, offset: data.offset };
    const [whenFalse, whenTrue] = literal ? [outcomes.less, outcomes.equal] : [outcomes.equal, outcomes.greater];
    for (let i = 0; i < out.length; i++) out[i] = isSet(source, i) ? whenTrue : whenFalse;
    return out;
  }
  const bytes = bytesOf(typeId, literal);
  if (bytes !== undefined) return compareToBytes(data, bytes, outcomes, out);
  if (typeId === Type.Decimal && typeof literal === "bigint") return compareDecimals(data, literal, outcomes, out);
  if (data.values instanceof BigInt64Array && typeof literal === "bigint") {
    return compareLongs(data.values, literal, outcomes, out);
  }
  if (NUMBERS.has(typeId) && typeof literal === "number" && !(data.values instanceof BigInt64Array)) {
    return compareNumbers(data.values as unknown as Float64Array, literal, outcomes, out);
  }
  throw notComparable(data, literal, column);
}

const NUMBERS = new Set<Type>([Type.Int, Type.Float, Type.Date]);

/** The error for a literal that is not of the column's domain. */
export function notComparable(data: Data, literal: Literal, column: readonly string[]): DeltaError {
  const name = column.join(".");
  return new DeltaError(
    "DELTA_INVALID_PREDICATE",
    `Column "${name}" (${data.type}) can't be compared with a ${typeof literal}.`,
    { column: name, value: literal },
  );
}

/** The bytes that a literal is compared by, where the column is of strings or binaries. */
export function bytesOf(typeId: Type, literal: Literal): Uint8Array | undefined {
  if (typeId === Type.Utf8 && typeof literal === "string") return Buffer.from(literal);
  return typeId === Type.Binary && literal instanceof Uint8Array ? literal : undefined;
}

function compareNumbers(values: Float64Array, literal: number, outcomes: Outcomes, out: Uint8Array): Uint8Array {
  const { less, equal, greater } = outcomes;
  if (Number.isNaN(literal)) for (let i = 0; i < out.length; i++) out[i] = Number.isNaN(values[i]) ? equal : less;
  // A NaN is neither less nor equal, so it comes out as greater.
  else
    for (let i = 0; i < out.length; i++) out[i] = values[i] < literal ? less : values[i] === literal ? equal : greater;
  return out;
}

function compareLongs(values: BigInt64Array, literal: bigint, outcomes: Outcomes, out: Uint8Array): Uint8Array {
  const { less, equal, greater } = outcomes;
  if (BigInt.asIntN(64, literal) !== literal) return out.fill(literal > 0n ? less : greater);
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * out.length);
  const low = Number(BigInt.asUintN(32, literal));
  const high = Number(literal >> 32n);
  for (let i = 0; i < out.length; i++) {
    const difference = halves[2 * i + 1] - high || (halves[2 * i] >>> 0) - low;
    out[i] = difference < 0 ? less : difference === 0 ? equal : greater;
  }
  return out;
}

function compareDecimals(data: Data, literal: bigint, outcomes: Outcomes, out: Uint8Array): Uint8Array {
  const { less, equal, greater } = outcomes;
  if (BigInt.asIntN(128, literal) !== literal) return out.fill(literal > 0n ? less : greater);
  const words = wordsOf(data);
  const [w0, w1, w2] = [0n, 32n, 64n].map((shift) => Number(BigInt.asUintN(32, literal >> shift)));
  const w3 = Number(literal >> 96n);
  for (let i = 0; i < out.length; i++) {
    const at = 4 * i;
    const difference = (words[at + 3] | 0) - w3 || words[at + 2] - w2 || words[at + 1] - w1 || words[at] - w0;
    out[i] = difference < 0 ? less : difference === 0 ? equal : greater;
  }
  return out;
}

function compareToBytes(data: Data, literal: Uint8Array, outcomes: Outcomes, out: Uint8Array): Uint8Array {
  const { less, equal, greater } = outcomes;
  const bytes = data.values as unknown as Uint8Array;
  const offsets = offsetsOf(data) as Int32Array;
  if (less === greater) {
    for (let i = 0; i < out.length; i++) {
      const same = offsets[i + 1] - offsets[i] === literal.length && startsWithBytes(bytes, offsets[i], literal);
      out[i] = same ? equal : less;
    }
    return out;
  }
  for (let i = 0; i < out.length; i++) {
    const order = compareBytes(bytes, offsets[i], offsets[i + 1], literal, 0, literal.length);
    out[i] = order < 0 ? less : order === 0 ? equal : greater;
  }
  return out;
}

/** 1 for each string that begins with `prefix`, 0 for the others, nulls as whatever lies in the buffers. */
export function hasPrefix(data: Data, prefix: string, column: readonly string[]): Uint8Array {
  if (data.typeId !== Type.Utf8) throw notComparable(data, prefix, column);
  const out = new Uint8Array(data.length);
  const literal = Buffer.from(prefix);
  const bytes = data.values as unknown as Uint8Array;
  const offsets = offsetsOf(data) as Int32Array;
  for (let i = 0; i < out.length; i++) {
    const long = offsets[i + 1] - offsets[i] >= literal.length;
    if (long && startsWithBytes(bytes, offsets[i], literal)) out[i] = 1;
  }
  return out;
}
