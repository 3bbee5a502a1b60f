import type { OwnFunction } from "./own.js";
import { atan2, cbrt, hypot, pow, tanh } from "./strictMath.js";

function unary(of: (x: number) => number | null): OwnFunction {
  return { takes: ["double"], gives: "double", of };
}

function binary(of: (x: number, y: number) => number | null): OwnFunction {
  return { takes: ["double", "double"], gives: "double", of };
}

/** Math.exp(1) is Math.E here, and one bit more in Java. */
function exp(x: number): number {
  return x === 1 ? Math.E + Number.EPSILON * 2 : Math.exp(x);
}

/** The nearest whole number, of two the even one; a zero has the sign of what was there. */
function rint(x: number): number {
  const size = Math.abs(x);
  const down = Math.floor(size);
  const part = size - down;
  const isUp = part > 0.5 || (part === 0.5 && down % 2 === 1);
  return x < 0 || Object.is(x, -0) ? -(isUp ? down + 1 : down) : isUp ? down + 1 : down;
}

/** Spark has null where a logarithm isn't defined. */
const above = (least: number, of: (x: number) => number) => unary((x) => (x <= least ? null : of(x)));

export const MATHS: Readonly<Record<string, OwnFunction>> = {
  exp: unary(exp),
  expm1: unary(Math.expm1),
  ln: above(0, Math.log),
  log10: above(0, Math.log10),
  log2: above(0, (x) => Math.log(x) / Math.log(2)),
  log1p: above(-1, Math.log1p),
  log: binary((base, x) => (base <= 0 || x <= 0 ? null : Math.log(x) / Math.log(base))),
  power: binary(pow),
  cbrt: unary(cbrt),
  rint: unary((x) => (Number.isFinite(x) ? rint(x) : x)),
  hypot: binary(hypot),
  asin: unary(Math.asin),
  acos: unary(Math.acos),
  atan: unary(Math.atan),
  atan2: binary(atan2),
  sinh: unary(Math.sinh),
  cosh: unary((x) => (Math.abs(x) === 1 ? 1.543080634815244 : Math.cosh(x))),
  tanh: unary(tanh),
  asinh: unary((x) => (x === Number.NEGATIVE_INFINITY ? x : Math.log(x + Math.sqrt(x * x + 1)))),
  acosh: unary((x) => Math.log(x + Math.sqrt(x * x - 1))),
  atanh: unary((x) => 0.5 * (Math.log1p(x) - Math.log1p(-x))),
};
