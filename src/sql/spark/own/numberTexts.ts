import { type Decimal, decimalOf, rounded, roundedText, textOf } from "./decimals.js";
import { javaText } from "./javaNumbers.js";
import type { OwnFunction } from "./own.js";

const view = new DataView(new ArrayBuffer(8));

/** All digits of a finite double. */
function exact(x: number): Decimal {
  view.setFloat64(0, x);
  const raw = view.getBigUint64(0);
  const stored = Number((raw >> 52n) & 0x7ffn);
  const mantissa = (raw & 0xf_ffff_ffff_ffffn) | (stored === 0 ? 0n : 1n << 52n);
  const exponent = Math.max(stored, 1) - 1075;
  const size = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  return { unscaled: x < 0 ? -size : size, scale: Math.max(-exponent, 0) };
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+(?:\.|$))(?<!\.\d*)/g, ",");
}

function formatNumber(value: Decimal, isNegative: boolean, digits: number): string | null {
  if (digits < 0) return null;
  return (isNegative ? "-" : "") + grouped(textOf(rounded(value, digits, "even")).replace("-", ""));
}

function formatDouble(x: number, digits: number): string | null {
  if (Number.isNaN(x)) return digits < 0 ? null : "NaN";
  if (!Number.isFinite(x)) return digits < 0 ? null : `${x < 0 ? "-" : ""}∞`;
  return formatNumber(exact(x), x < 0 || Object.is(x, -0), digits);
}

/** What `%.2f` gives: halves of the digits that Java shows go up. */
function fixed(x: number, digits: number): string {
  if (!Number.isFinite(x)) return javaText(x);
  return (x < 0 || Object.is(x, -0) ? "-" : "") + roundedText(Math.abs(x), digits, "up");
}

/** What `%,05d` and the like give of a number's digits, or of a text; `flags` are those between % and the letter. */
function padded(flags: string, text: string): string {
  const [, marks = "", width = "0"] = /^([-,0+ (]*)(\d*)/.exec(flags)!;
  const isLeft = marks.includes("-");
  const isNumber = /\d/.test(text);
  const shown = marks.includes(",") && isNumber ? grouped(text) : text;
  const missing = Number(width) - shown.length;
  if (missing <= 0) return shown;
  if (isLeft) return shown + " ".repeat(missing);
  if (!marks.includes("0") || !isNumber) return " ".repeat(missing) + shown;
  return shown.startsWith("-") ? `-${"0".repeat(missing)}${shown.slice(1)}` : "0".repeat(missing) + shown;
}

export const NUMBER_TEXTS: Readonly<Record<string, OwnFunction>> = {
  format_text: {
    takes: ["text", "integer"],
    gives: "text",
    of: (text: string, digits: number) => formatNumber(decimalOf(text), text.startsWith("-"), digits),
  },
  format_double: { takes: ["double", "integer"], gives: "text", of: formatDouble },
  fixed: { takes: ["double", "integer"], gives: "text", of: fixed },
  padded: { takes: ["text", "text"], gives: "text", of: padded },
  base: {
    takes: ["long", "integer", "integer"],
    gives: "text",
    of: (value: bigint, bits: number, base: number) => BigInt.asUintN(bits, value).toString(base),
  },
};
