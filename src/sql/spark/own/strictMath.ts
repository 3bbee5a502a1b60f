/**
 * Powers and roots to the last bit as Java's StrictMath has them: it is bound to the algorithms of fdlibm, which leave out what comes after a
 * number's first word where they need exact products. JavaScript's own functions may differ in the last bit.
 */

const view = new DataView(new ArrayBuffer(8));

function high(x: number): number {
  view.setFloat64(0, x);
  return view.getInt32(0);
}

function ofWords(first: number, second = 0): number {
  view.setInt32(0, first);
  view.setInt32(4, second);
  return view.getFloat64(0);
}

/** Without the bits of its second word. */
function cut(x: number): number {
  return ofWords(high(x));
}

function withHigh(x: number, first: number): number {
  view.setFloat64(0, x);
  view.setInt32(0, first);
  return view.getFloat64(0);
}

export function cbrt(x: number): number {
  const size = Math.abs(x);
  if (!Number.isFinite(x) || x === 0) return x;
  const first = high(size);
  const guess =
    first < 0x10_0000
      ? ofWords(Math.floor(high(size * 2 ** 54) / 3) + 696_219_795)
      : ofWords(Math.floor(first / 3) + 715_094_163);
  const s = 19 / 35 + ((guess * guess) / size) * guess;
  const near = guess * (5 / 14 + 45 / 28 / (s + 99 / 70 + -864 / 1225 / s));
  const t = ofWords(high(near) + 1);
  const r = size / (t * t);
  const root = t + t * ((r - t) / (t + t + r));
  return x < 0 ? -root : root;
}

export function hypot(x: number, y: number): number {
  if (Math.abs(x) === Number.POSITIVE_INFINITY || Math.abs(y) === Number.POSITIVE_INFINITY)
    return Number.POSITIVE_INFINITY;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const firsts = [Math.abs(x), Math.abs(y)].sort((p, q) => q - p) as [number, number];
  let [a, b] = firsts;
  if (b === 0 || (high(a) & 0x7ff0_0000) - (high(b) & 0x7ff0_0000) > 0x3c0_0000) return a + b;
  let scale = 0;
  if (a > 2 ** 500) scale = 600;
  else if (b < 2 ** -500) scale = b < 2 ** -1022 ? -1022 : -600;
  [a, b] = [a * 2 ** -scale, b * 2 ** -scale];
  return rootOfSquares(a, b) * 2 ** scale;
}

function rootOfSquares(a: number, b: number): number {
  const w = a - b;
  if (w > b) {
    const t = cut(a);
    return Math.sqrt(t * t - (b * -b - (a - t) * (a + t)));
  }
  const twice = a + a;
  const y = cut(b);
  const t = cut(twice);
  return Math.sqrt(t * y - (w * -w - (t * (b - y) + (twice - t) * b)));
}

export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (y === 1) return x;
  if (y === 2) return x * x;
  if (y === 0.5 && x >= 0) return Math.sqrt(x + 0);
  if (y === -1) return 1 / x;
  const size = Math.abs(x);
  // What is exact anyway.
  if (size === 0 || size === 1 || !Number.isFinite(x) || !Number.isFinite(y)) return x ** y;
  if (x < 0 && !Number.isInteger(y)) return Number.NaN;
  const sign = x < 0 && Math.abs(y % 2) === 1 ? -1 : 1;
  return sign * powOf(size, y);
}

const [CP, CP_HIGH, CP_LOW] = [0.9617966939259756, 0.9617967009544373, -7.028461650952758e-9];
const [LN_2, LN_2_HIGH, LN_2_LOW] = [Math.LN2, 0.6931471824645996, -1.904654299957768e-9];
const [PER_LN2, PER_LN2_HIGH, PER_LN2_LOW] = [Math.LOG2E, 1.4426950216293335, 1.9259629911266175e-8];
const SERIES_OF_LOG = [
  ...[0.20697501780033842, 0.23066074577556175, 0.272728123808534],
  ...[0.33333332981837743, 0.4285714285785502, 0.5999999999999946],
];
const SERIES_OF_POWER = [
  ...[4.1381367970572385e-8, -0.0000016533902205465252, 0.00006613756321437934],
  ...[-0.0027777777777015593, 0.16666666666666602],
];

function series(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => coefficient + x * sum);
}

/** Of a finite number above zero that isn't one. */
function powOf(x: number, y: number): number {
  const isLess = high(x) < 0x3ff0_0000;
  if (Math.abs(y) >= 2 ** 64) return isLess === y < 0 ? Number.POSITIVE_INFINITY : 0;
  if (Math.abs(y) > 2 ** 31 && (high(x) < 0x3fef_ffff || high(x) > 0x3ff0_0000)) {
    return isLess === y < 0 ? Number.POSITIVE_INFINITY : 0;
  }
  const [first, second] = Math.abs(y) > 2 ** 31 ? logNearOne(x) : logOf(x);
  const yFirst = cut(y);
  const low = (y - yFirst) * first + y * second;
  const product = yFirst * first;
  const z = low + product;
  if (z >= 1024 && (z > 1024 || low + 8.008566259537294e-17 > z - product)) return Number.POSITIVE_INFINITY;
  if (z <= -1075 && (z < -1075 || low <= z - product)) return 0;
  return powerOfTwo(product, low, z);
}

/** The logarithm to base 2, in two parts. */
function logOf(x: number): readonly [number, number] {
  const isTiny = x < 2 ** -1022;
  const scaled = isTiny ? x * 2 ** 53 : x;
  const word = high(scaled);
  const fraction = word & 0xf_ffff;
  let exponent = (word >> 20) - 0x3ff - (isTiny ? 53 : 0);
  const part = fraction > 0x3_988e && fraction < 0xb_b67a ? 1 : 0;
  let own = fraction | 0x3ff0_0000;
  if (fraction >= 0xb_b67a) {
    exponent += 1;
    own -= 0x10_0000;
  }
  const ax = withHigh(scaled, own);
  const base = part === 1 ? 1.5 : 1;
  const u = ax - base;
  const v = 1 / (ax + base);
  const ss = u * v;
  const sHigh = cut(ss);
  let tHigh = ofWords(((own >> 1) | 0x2000_0000) + 0x8_0000 + (part << 18));
  let tLow = ax - (tHigh - base);
  const sLow = v * (u - sHigh * tHigh - sHigh * tLow);
  const square = ss * ss;
  const r = square * square * series(SERIES_OF_LOG, square) + sLow * (sHigh + ss);
  const squareHigh = sHigh * sHigh;
  tHigh = cut(3 + squareHigh + r);
  tLow = r - (tHigh - 3 - squareHigh);
  const p = sHigh * tHigh;
  const q = sLow * tHigh + tLow * ss;
  const pHigh = cut(p + q);
  const pLow = q - (pHigh - p);
  const [baseHigh, baseLow] = part === 1 ? [0.5849624872207642, 1.350039202129749e-8] : [0, 0];
  const zHigh = CP_HIGH * pHigh;
  const zLow = CP_LOW * pHigh + pLow * CP + baseLow;
  const first = cut(zHigh + zLow + baseHigh + exponent);
  return [first, zLow - (first - exponent - baseHigh - zHigh)];
}

function logNearOne(x: number): readonly [number, number] {
  const t = x - 1;
  const w = t * t * (0.5 - t * (1 / 3 - t * 0.25));
  const u = PER_LN2_HIGH * t;
  const v = t * PER_LN2_LOW - w * PER_LN2;
  const first = cut(u + v);
  return [first, v - (first - u)];
}

/** 2 to the power of a sum. */
function powerOfTwo(product: number, low: number, z: number): number {
  const word = high(z);
  const size = word & 0x7fff_ffff;
  let [n, rest] = [0, product];
  if (size > 0x3fe0_0000) {
    n = word + (0x10_0000 >> ((size >> 20) - 0x3ff + 1));
    const k = ((n & 0x7fff_ffff) >> 20) - 0x3ff;
    rest -= ofWords(n & ~(0xf_ffff >> k));
    n = ((n & 0xf_ffff) | 0x10_0000) >> (20 - k);
    if (word < 0) n = -n;
  }
  const t = cut(low + rest);
  const u = t * LN_2_HIGH;
  const v = (low - (t - rest)) * LN_2 + t * LN_2_LOW;
  const sum = u + v;
  const w = v - (sum - u);
  const square = sum * sum;
  const near = sum - square * series(SERIES_OF_POWER, square);
  const result = 1 - ((sum * near) / (near - 2) - (w + sum * w) - sum);
  const shifted = high(result) + (n << 20);
  return shifted >> 20 <= 0 ? result * 2 ** (n + 60) * 2 ** -60 : withHigh(result, shifted);
}

/** Beside the negative axis, what is added and taken away again leaves one bit more. */
export function atan2(y: number, x: number): number {
  const isSteep = Number.isFinite(y) && y !== 0 && x < 0 && (high(Math.abs(y)) - high(-x)) >> 20 > 60;
  return isSteep ? Math.sign(y) * (Math.PI / 2 + Number.EPSILON) : Math.atan2(y + 0, x + 0);
}

export function tanh(x: number): number {
  const size = Math.abs(x);
  if (!(size < 2 ** -28) || x === 0) return Math.tanh(x);
  if (size < 2 ** -55) return x * (1 + x);
  const t = Math.expm1(-2 * size);
  return (-t / (t + 2)) * Math.sign(x);
}
