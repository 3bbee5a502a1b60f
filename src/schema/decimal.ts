import { limits } from "../limits.js";
import type { DataType } from "./types.js";

const DECIMAL_TYPE = /^decimal\(\s*(\d{1,2})\s*,\s*(-?\d{1,2})\s*\)$/;
const DECIMAL_TEXT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

/**
 * Precision and scale of a decimal type ("decimal(10,2)"), `undefined` for every other type. The numbers are not
 * range-checked here: {@link isDecimalInRange} does that.
 */
export function parseDecimalType(type: DataType): { precision: number; scale: number } | undefined {
  if (typeof type !== "string" || !type.startsWith("decimal")) return undefined;
  const match = DECIMAL_TYPE.exec(type);
  return match ? { precision: Number(match[1]), scale: Number(match[2]) } : undefined;
}

/** True where Delta allows this precision and scale: 1 to 38 digits, 0 to `precision` of them behind the point. */
export function isDecimalInRange(precision: number, scale: number): boolean {
  return precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision;
}

/** 10 to the power of `exponent` (0 or more). */
export function powerOfTen(exponent: number): bigint {
  return exponent < POWERS.length ? POWERS[exponent]! : 10n ** BigInt(exponent);
}

const POWERS: readonly bigint[] = Array.from({ length: 77 }, (_, exponent) => 10n ** BigInt(exponent));

/** A decimal number as it is: `unscaled` times 10 to the power of -`scale`; `scale` is 0 or more. */
export interface ExactDecimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** Reads "-12.30", "1e3", ".5"; `undefined` where the text is no number, or longer than `MAX_NUMBER_CHARS`. Trailing zeros behind the point are kept. */
export function parseDecimal(text: string): ExactDecimal | undefined {
  const match = text.length > limits.MAX_NUMBER_CHARS ? null : DECIMAL_TEXT.exec(text);
  if (!match) return undefined;
  const [, sign, whole = "", fraction = "", exponent] = match;
  if (whole === "" && fraction === "") return undefined;
  const magnitude = BigInt(whole + fraction);
  const unscaled = sign === "-" ? -magnitude : magnitude;
  const scale = fraction.length - Number(exponent ?? 0);
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * powerOfTen(-scale), scale: 0 };
}

/** The exact value of a finite double: 0.1 is 0.1000000000000000055511151231257827…. */
export function exactDecimalOfDouble(value: number): ExactDecimal {
  let scale = 0;
  let mantissa = value;
  // A double is an integer divided by a power of two: multiplying by two is exact, and 1/2 is 5/10.
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    scale++;
  }
  return { unscaled: BigInt(mantissa) * 5n ** BigInt(scale), scale };
}

/**
 * The unscaled integer of a decimal text at the given scale: ("12.3", 2) is 1230n. `undefined` where the text is no
 * number, or has digits other than 0 beyond the scale.
 */
export function decimalToUnscaled(text: string, scale: number): bigint | undefined {
  const parsed = parseDecimal(text);
  return parsed && rescaleDecimal(parsed, scale);
}

/** The unscaled integer of `value` at another scale, `undefined` where digits would be lost. */
export function rescaleDecimal(value: ExactDecimal, scale: number): bigint | undefined {
  if (scale >= value.scale) return value.unscaled * powerOfTen(scale - value.scale);
  const divisor = powerOfTen(value.scale - scale);
  return value.unscaled % divisor === 0n ? value.unscaled / divisor : undefined;
}

/** The greatest unscaled integer at `scale` that is not above `value`. */
export function floorDecimal(value: ExactDecimal, scale: number): bigint {
  if (scale >= value.scale) return value.unscaled * powerOfTen(scale - value.scale);
  const divisor = powerOfTen(value.scale - scale);
  const quotient = value.unscaled / divisor;
  return value.unscaled % divisor < 0n ? quotient - 1n : quotient;
}

/** The text of an unscaled integer, always with `scale` digits behind the point: (-1230n, 2) is "-12.30". */
export function unscaledToDecimal(unscaled: bigint, scale: number): string {
  if (scale <= 0) return (unscaled * powerOfTen(-scale)).toString();
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${negative ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** True where an unscaled integer has at most `precision` digits. */
export function fitsPrecision(unscaled: bigint, precision: number): boolean {
  return unscaled < powerOfTen(precision) && unscaled > -powerOfTen(precision);
}
