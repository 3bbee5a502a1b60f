import type { Data } from "apache-arrow";
import { decimalToUnscaled, fitsPrecision, parseDecimalType, powerOfTen } from "../schema/decimal.js";
import type { DataType } from "../schema/types.js";
import { badValue, type Place } from "./badValue.js";
import { makeColumn } from "./column.js";
import { Nulls } from "./nulls.js";
import { toArrowType } from "./schema.js";

const INTEGERS = {
  byte: { min: -128, max: 127, array: Int8Array },
  short: { min: -32_768, max: 32_767, array: Int16Array },
  integer: { min: -2_147_483_648, max: 2_147_483_647, array: Int32Array },
} as const;

/** A byte, short or integer column of whole numbers or bigints in range. */
export function buildInteger(type: keyof typeof INTEGERS, values: readonly unknown[], place: Place): Data {
  const { min, max, array } = INTEGERS[type];
  const out = new array(values.length);
  const nulls = new Nulls(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === "number" && value >= min && value <= max && Number.isInteger(value)) out[i] = value;
    else if (value === null || value === undefined) nulls.add(i);
    else if (typeof value === "bigint" && value >= min && value <= max) out[i] = Number(value);
    else throw badValue(place, i, value, type);
  }
  return makeColumn(toArrowType(type), values.length, nulls.validity, { values: out }, nulls.count);
}

/** A long column of bigints in range or safe integers. */
export function buildLong(values: readonly unknown[], place: Place): Data {
  const out = new BigInt64Array(values.length);
  const halves = new Int32Array(out.buffer);
  const nulls = new Nulls(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === "bigint") {
      if (BigInt.asIntN(64, value) !== value) throw badValue(place, i, value, "long");
      out[i] = value;
    } else if (typeof value === "number") {
      if (!Number.isSafeInteger(value)) throw badValue(place, i, value, "long", LONG_HINT);
      storeSafeInteger(halves, 2 * i, value);
    } else if (value === null || value === undefined) nulls.add(i);
    else throw badValue(place, i, value, "long");
  }
  return makeColumn(toArrowType("long"), values.length, nulls.validity, { values: out }, nulls.count);
}

const LONG_HINT = "numbers must be whole and at most 2^53 - 1 in size; beyond that give a bigint";

/** Writes a safe integer as the two little-endian halves of an int64. */
export function storeSafeInteger(halves: Int32Array | Uint32Array, at: number, value: number): void {
  halves[at] = value;
  halves[at + 1] = Math.floor(value / 4_294_967_296);
}

/** A float or double column of numbers, or of bigints that a double holds exactly. */
export function buildFloat(type: "float" | "double", values: readonly unknown[], place: Place): Data {
  const single = type === "float";
  const out = single ? new Float32Array(values.length) : new Float64Array(values.length);
  const nulls = new Nulls(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === "number") {
      out[i] = value;
      if (single && !Number.isFinite(out[i]) && Number.isFinite(value)) throw badValue(place, i, value, type);
    } else if (value === null || value === undefined) nulls.add(i);
    else if (typeof value === "bigint") {
      out[i] = Number(value);
      if (!Number.isFinite(out[i]) || BigInt(out[i]) !== value) throw badValue(place, i, value, type);
    } else throw badValue(place, i, value, type);
  }
  return makeColumn(toArrowType(type), values.length, nulls.validity, { values: out }, nulls.count);
}

/**
 * A decimal column of texts ("12.30"), bigints, or numbers taken as their shortest decimal text says; none is rounded.
 */
export function buildDecimal(type: DataType, values: readonly unknown[], place: Place): Data {
  const { precision, scale } = parseDecimalType(type)!;
  const out = new Uint32Array(values.length * 4);
  const quads = new BigUint64Array(out.buffer);
  const nulls = new Nulls(values.length);
  const limit = precision > 15 ? Number.POSITIVE_INFINITY : 10 ** precision;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) {
      nulls.add(i);
      continue;
    }
    const small = typeof value === "string" ? shortUnscaled(value, scale) : Number.NaN;
    if (small < limit && small > -limit) {
      storeSafeInteger(out, 4 * i, small);
      if (small < 0) out.fill(0xffffffff, 4 * i + 2, 4 * i + 4);
      continue;
    }
    const unscaled = toUnscaled(value, scale);
    if (unscaled === undefined || !fitsPrecision(unscaled, precision)) throw badValue(place, i, value, type);
    storeInt128(quads, i, unscaled);
  }
  return makeColumn(toArrowType(type), values.length, nulls.validity, { values: out }, nulls.count);
}

/** Writes the 128-bit two's complement of a decimal's unscaled integer. */
export function storeInt128(quads: BigUint64Array, index: number, unscaled: bigint): void {
  quads[2 * index] = BigInt.asUintN(64, unscaled);
  quads[2 * index + 1] = BigInt.asUintN(64, unscaled >> 64n);
}

function toUnscaled(value: unknown, scale: number): bigint | undefined {
  if (typeof value === "bigint") return value * powerOfTen(scale);
  if (typeof value === "string") return value.length > 100 ? undefined : decimalToUnscaled(value, scale);
  if (typeof value === "number" && Number.isFinite(value)) return decimalToUnscaled(String(value), scale);
  return undefined;
}

/** The unscaled integer of a plain text with at most 15 digits in all; NaN for every other one. */
function shortUnscaled(text: string, scale: number): number {
  let unscaled = 0;
  let digits = 0;
  let behindPoint = -1;
  let i = text.charCodeAt(0) === 45 ? 1 : 0;
  const negative = i === 1;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46 && behindPoint < 0) behindPoint = 0;
    else if (code >= 48 && code <= 57) {
      unscaled = unscaled * 10 + code - 48;
      digits++;
      if (behindPoint >= 0) behindPoint++;
    } else return Number.NaN;
  }
  const missing = scale - Math.max(behindPoint, 0);
  if (digits === 0 || missing < 0 || digits + missing > 15) return Number.NaN;
  const scaled = unscaled * 10 ** missing;
  return negative ? -scaled : scaled;
}
