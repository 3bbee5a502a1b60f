import { javaFloatText, javaText, plainTexts } from "./javaNumbers.js";
import type { OwnFunction } from "./own.js";

export interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** How halves are rounded. */
type Halves = "up" | "even";

export function decimalOf(text: string): Decimal {
  const point = text.indexOf(".");
  return { unscaled: BigInt(text.replace(".", "")), scale: point === -1 ? 0 : text.length - point - 1 };
}

export function rounded({ unscaled, scale }: Decimal, to: number, halves: Halves): Decimal {
  if (scale <= to) return { unscaled: unscaled * 10n ** BigInt(to - scale), scale: to };
  const unit = 10n ** BigInt(scale - to);
  const size = unscaled < 0n ? -unscaled : unscaled;
  const [whole, twice] = [size / unit, (size % unit) * 2n];
  const isUp = twice > unit || (twice === unit && (halves === "up" || whole % 2n === 1n));
  const result = isUp ? whole + 1n : whole;
  return { unscaled: unscaled < 0n ? -result : result, scale: to };
}

export function textOf({ unscaled, scale }: Decimal): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Places that a quotient is worked out to, and cut off after. */
const QUOTIENT_SCALE = 39;

function combined(op: string, a: Decimal, b: Decimal): Decimal {
  if (op === "*") return { unscaled: a.unscaled * b.unscaled, scale: a.scale + b.scale };
  if (op === "/") {
    const shift = QUOTIENT_SCALE - a.scale + b.scale;
    return { unscaled: (a.unscaled * 10n ** BigInt(shift)) / b.unscaled, scale: QUOTIENT_SCALE };
  }
  const scale = Math.max(a.scale, b.scale);
  const [x, y] = [a, b].map((part) => part.unscaled * 10n ** BigInt(scale - part.scale)) as [bigint, bigint];
  if (op === "%") return { unscaled: x % y, scale };
  if (op === "div") return { unscaled: x / y, scale: 0 };
  return { unscaled: op === "+" ? x + y : x - y, scale };
}

/** A double's digits, rounded. Throws where that depends on the version of Java. */
export function roundedText(x: number, digits: number, halves: Halves): string {
  const [first, ...others] = plainTexts(x).map((text) => textOf(rounded(decimalOf(text), digits, halves)));
  if (others.some((other) => other !== first)) throw new Error(`${x} isn't rounded alike by all versions of Java`);
  return first!;
}

function roundDouble(halves: Halves) {
  return (x: number, digits: number) => {
    if (!Number.isFinite(x) || (Number.isInteger(x) && digits >= 0)) return x + 0;
    return Number(roundedText(x, digits, halves));
  };
}

function roundText(halves: Halves) {
  return (text: string, digits: number) => textOf(rounded(decimalOf(text), digits, halves));
}

/** Decimals come and go as their digits; a result may have more than 38. */
export const DECIMALS: Readonly<Record<string, OwnFunction>> = {
  decimals: {
    takes: ["text", "text", "text", "integer"],
    gives: "text",
    of: (a: string, op: string, b: string, scale: number) =>
      textOf(rounded(combined(op, decimalOf(a), decimalOf(b)), scale, "up")),
  },
  round: { takes: ["double", "integer"], gives: "double", of: roundDouble("up") },
  bround: { takes: ["double", "integer"], gives: "double", of: roundDouble("even") },
  round_text: { takes: ["text", "integer"], gives: "text", of: roundText("up") },
  bround_text: { takes: ["text", "integer"], gives: "text", of: roundText("even") },
  double_text: { takes: ["double"], gives: "text", of: javaText },
  float_text: { takes: ["double"], gives: "text", of: javaFloatText },
  // Spark has no decimal for them.
  double_digits: {
    takes: ["double", "integer"],
    gives: "text",
    of: (x: number, scale: number) => (Number.isFinite(x) ? roundedText(x, scale, "up") : null),
  },
};
