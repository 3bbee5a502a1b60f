/** Floating numbers as the text that Java gives them. */

/** `0.d₁d₂… × 10^exponent`, without zeros at the end. */
interface Digits {
  readonly digits: string;
  readonly exponent: number;
}

/**
 * A double's text in Java, "1.0E10". Throws for the few that Java 17 and 21 don't write alike: there Spark itself gives one value or the
 * other.
 */
export function javaText(x: number): string {
  return javaTextOf(x, shortest, 53);
}

/** The same for the value of a float. */
export function javaFloatText(x: number): string {
  return javaTextOf(x, shortestFloat, 24);
}

/** A finite number's text in plain digits, as it counts where Spark makes a decimal of it: two where versions of Java differ. */
export function plainTexts(x: number): readonly string[] {
  if (x === 0) return ["0"];
  const size = Math.abs(x);
  const newer = shortest(size);
  if (isPlain(size, newer)) return [(x < 0 ? "-" : "") + plain(newer)];
  const older = olderDigits(size, 53);
  return (isSame(newer, older) ? [newer] : [newer, older]).map((digits) => (x < 0 ? "-" : "") + plain(digits));
}

/** Numbers as people write them are the same to all versions: no digits are forced upon them, or thought to say nothing. */
function isPlain(x: number, { digits }: Digits): boolean {
  return x >= 1e-3 && x < 1e7 && digits.length <= 15;
}

function plain({ digits, exponent }: Digits): string {
  if (exponent <= 0) return `0.${"0".repeat(-exponent)}${digits}`;
  const whole = digits.slice(0, exponent).padEnd(exponent, "0");
  return digits.length > exponent ? `${whole}.${digits.slice(exponent)}` : whole;
}

function isSame(a: Digits, b: Digits): boolean {
  return a.digits === b.digits && a.exponent === b.exponent;
}

function javaTextOf(x: number, shortestOf: (x: number) => Digits, bits: 24 | 53): string {
  if (Number.isNaN(x)) return "NaN";
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  if (x === 0) return `${sign}0.0`;
  if (!Number.isFinite(x)) return `${sign}Infinity`;
  const { digits, exponent } = agreed(Math.abs(x), shortestOf, bits);
  if (exponent > -3 && exponent <= 0) return `${sign}0.${"0".repeat(-exponent)}${digits}`;
  if (exponent > 0 && exponent < 8) {
    return `${sign}${digits.slice(0, exponent).padEnd(exponent, "0")}.${digits.slice(exponent) || "0"}`;
  }
  return `${sign}${digits[0]}.${digits.slice(1) || "0"}E${exponent - 1}`;
}

function agreed(x: number, shortestOf: (x: number) => Digits, bits: 24 | 53): Digits {
  const newer = shortestOf(x);
  if (bits === 53 && isPlain(x, newer)) return newer;
  if (!isSame(newer, olderDigits(x, bits))) throw new Error(`the text of ${x} isn't the same in all versions of Java`);
  return newer;
}

function shortest(x: number): Digits {
  const text = x.toExponential();
  // Of one digit, Java takes the nearest of two.
  return ofExponential(/^\de/.test(text) ? x.toExponential(1) : text);
}

function shortestFloat(x: number): Digits {
  for (let count = 1; count < 9; count++) {
    const text = x.toExponential(count);
    if (Math.fround(Number(text)) === x) return ofExponential(text);
  }
  return ofExponential(x.toExponential(9));
}

function ofExponential(text: string): Digits {
  const [mantissa, exponent] = text.split("e") as [string, string];
  return { digits: withoutZeros(mantissa.replace(".", "")), exponent: Number(exponent) + 1 };
}

function withoutZeros(digits: string): string {
  return digits.replace(/(?<=\d)0+$/, "");
}

const view = new DataView(new ArrayBuffer(8));

/** What Java before 19 has: digits one by one, until what is left is less than half the distance to the next number, as it reckons it. */
function olderDigits(x: number, precision: 24 | 53): Digits {
  view.setFloat64(0, x);
  const raw = view.getBigUint64(0);
  const stored = Number(raw >> 52n);
  let mantissa = raw & 0xf_ffff_ffff_ffffn;
  let exponent = stored - 1023;
  let bits: number = precision;
  if (stored === 0) {
    bits = bitLength(mantissa);
    mantissa <<= BigInt(53 - bits);
    exponent = bits - 1075;
  } else {
    mantissa |= 1n << 52n;
    // A float without its first bit.
    if (precision === 24 && exponent < -126) bits = 24 + exponent + 126;
  }
  const zeros = trailingZeros(mantissa);
  const significant = 53 - zeros;
  const tiny = Math.max(0, significant - exponent - 1);
  if (tiny === 0 && exponent <= 62) return ofWhole(mantissa, exponent, bits);
  return oneByOne(mantissa, exponent, { zeros, significant, tiny, bits });
}

/** Digits that the number's bits say nothing of are rounded away. */
function ofWhole(mantissa: bigint, exponent: number, bits: number): Digits {
  let whole = exponent >= 52 ? mantissa << BigInt(exponent - 52) : mantissa >> BigInt(52 - exponent);
  const free = exponent > bits ? exponent - bits - 1 : 0;
  const insignificant = free > 1 ? Math.floor(free * Math.log10(2)) : 0;
  if (insignificant > 0) {
    const unit = 10n ** BigInt(insignificant);
    whole = whole / unit + (whole % unit >= unit / 2n ? 1n : 0n);
  }
  const text = String(whole);
  return { digits: withoutZeros(text), exponent: text.length + insignificant };
}

interface Shape {
  readonly zeros: number;
  readonly significant: number;
  readonly tiny: number;
  readonly bits: number;
}

function oneByOne(mantissa: bigint, binary: number, { zeros, significant, tiny, bits }: Shape): Digits {
  let decimal = estimated(mantissa, binary);
  const fives = { value: Math.max(0, -decimal), unit: Math.max(0, decimal) };
  const twos = { value: fives.value + tiny + binary, unit: fives.unit + tiny, half: 0 };
  twos.half = twos.value - bits;
  twos.value -= significant - 1;
  const common = Math.min(twos.value, twos.unit);
  twos.value -= common;
  twos.unit -= common;
  twos.half -= common;
  if (significant === 1) twos.half -= 1;
  if (twos.half < 0) {
    twos.value -= twos.half;
    twos.unit -= twos.half;
    twos.half = 0;
  }
  const valueBits = significant + twos.value + bitsOfFive(fives.value);
  const unitBits = twos.unit + 1 + bitsOfFive(fives.unit + 1);
  const isLarge = valueBits >= 64 || unitBits >= 64;
  const limit = valueBits < 32 && unitBits < 32 ? 1n << 31n : 1n << 63n;

  const unit = (5n ** BigInt(fives.unit)) << BigInt(twos.unit);
  const ten = unit * 10n;
  let rest = ((mantissa >> BigInt(zeros)) * 5n ** BigInt(fives.value)) << BigInt(twos.value);
  let half = (5n ** BigInt(fives.value)) << BigInt(twos.half);
  let digits = "";
  let [isLow, isHigh] = [false, false];
  const next = () => {
    const digit = rest / unit;
    rest = (rest % unit) * 10n;
    half *= 10n;
    const isOver = !isLarge && half >= limit && digits !== "";
    isLow = isOver || rest < half;
    // Beyond the range of an int or a long, Java's sum is below zero.
    const isWrapped = !isLarge && rest + half >= limit;
    isHigh = isOver || (isLarge ? rest + half >= ten : !isWrapped && rest + half > ten);
    return digit;
  };
  const first = next();
  if (first === 0n && !isHigh) decimal -= 1;
  else digits = String(first);
  if (decimal < -3 || decimal >= 8) [isLow, isHigh] = [false, false];
  while (!isLow && !isHigh) digits += String(next());
  const isUp = isHigh && (!isLow || rest * 2n > ten || (rest * 2n === ten && Number(digits.at(-1)) % 2 === 1));
  if (!isUp) return { digits: withoutZeros(digits), exponent: decimal + 1 };
  const up = String(BigInt(digits) + 1n).padStart(digits.length, "0");
  return { digits: withoutZeros(up), exponent: decimal + 1 + (up.length - digits.length) };
}

/** The power of ten that a number has, or one more. */
function estimated(mantissa: bigint, binary: number): number {
  const fraction = Number(mantissa) / 2 ** 52;
  return Math.floor((fraction - 1.5) * 0.289529654 + 0.176091259 + binary * 0.301029995663981);
}

/** How many bits 5^n has, as far as a table would go. */
function bitsOfFive(n: number): number {
  return n < 27 ? bitLength(5n ** BigInt(n)) : n * 3;
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

function trailingZeros(value: bigint): number {
  return bitLength(value & -value) - 1;
}
