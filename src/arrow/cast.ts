import { isUtf8 } from "node:buffer";
import {
  type DataType as ArrowType,
  type Data,
  type Date_,
  DateUnit,
  type Decimal,
  type Float,
  type Int,
  Precision,
  type Timestamp,
  TimeUnit,
  Type,
} from "apache-arrow";
import { powerOfTen } from "../schema/decimal.js";
import { badValue, type Place } from "./badValue.js";
import { isValid, validityOf } from "./bits.js";
import { storeInt128, storeSafeInteger } from "./buildNumbers.js";
import { plainBytes } from "./castBytes.js";
import { makeColumn, offsetsOf, retype } from "./column.js";
import { fromArrowType } from "./schema.js";

/**
 * A primitive column as `target`, sharing its buffers where the layout is the same; undefined where the types allow no
 * cast without loss. Throws DELTA_VALUE_OUT_OF_RANGE for a single value that overflows.
 */
export function castPrimitive(data: Data, target: ArrowType, place: Place): Data | undefined {
  switch (target.typeId) {
    case Type.Int:
      return data.typeId === Type.Int ? castInteger(data, target as Int, place) : undefined;
    case Type.Float:
      return castFloat(data, target as Float);
    case Type.Decimal:
      return castDecimal(data, target as unknown as Decimal, place);
    case Type.Date:
      return data.typeId === Type.Date ? castDate(data, target, place) : undefined;
    case Type.Timestamp:
      return castTimestamp(data, target as Timestamp, place);
    case Type.Bool:
      return data.typeId === Type.Bool ? retype(data, target) : undefined;
    case Type.Utf8:
      return castString(data, target);
    case Type.Binary:
      return BINARY.has(data.typeId) ? plainBytes(data, target) : undefined;
    default:
      return undefined;
  }
}

const BINARY = new Set<Type>([Type.Binary, Type.LargeBinary, Type.BinaryView, Type.FixedSizeBinary]);
const STRING = new Set<Type>([Type.Utf8, Type.LargeUtf8, Type.Utf8View]);

function castString(data: Data, target: ArrowType): Data | undefined {
  if (STRING.has(data.typeId)) return plainBytes(data, target);
  if (!BINARY.has(data.typeId)) return undefined;
  // Old writers leave the string annotation out.
  const plain = plainBytes(data, target);
  const offsets = offsetsOf(plain) as Int32Array;
  const bytes = plain.values as unknown as Uint8Array;
  return isUtf8(bytes.subarray(offsets[0], offsets[plain.length])) ? plain : undefined;
}

function castInteger(data: Data, target: Int, place: Place): Data | undefined {
  const source = data.type as Int;
  if (source.isSigned && source.bitWidth === target.bitWidth) return retype(data, target);
  const values = data.values as unknown as ArrayLike<number | bigint>;
  if (!source.isSigned && source.bitWidth === 64 && target.bitWidth === 64) {
    return convert(data, target, new BigInt64Array(data.length), (out, i) => {
      const value = values[i] as bigint;
      if (value >= 1n << 63n) throw overflow(place, i, value, target);
      out[i] = value;
    });
  }
  if (source.isSigned && source.bitWidth === 32 && target.bitWidth < 32) return narrowed(data, target, place);
  if (source.isSigned ? source.bitWidth > target.bitWidth : source.bitWidth >= target.bitWidth) return undefined;
  if (target.bitWidth === 64) {
    const out = new BigInt64Array(data.length);
    const halves = new Int32Array(out.buffer);
    return convert(data, target, out, (_, i) => storeSafeInteger(halves, 2 * i, values[i] as number));
  }
  return convert(data, target, new (target.ArrayType as Int32ArrayConstructor)(data.length), (out, i) => {
    out[i] = values[i] as number;
  });
}

/** Old writers store bytes and shorts as 32-bit integers, and leave the annotation out that says so. */
function narrowed(data: Data, target: Int, place: Place): Data {
  const values = data.values as unknown as Int32Array;
  const unused = 32 - target.bitWidth;
  return convert(data, target, new (target.ArrayType as Int32ArrayConstructor)(data.length), (out, i) => {
    const value = values[i]!;
    if ((value << unused) >> unused !== value) throw overflow(place, i, value, target);
    out[i] = value;
  });
}

function castFloat(data: Data, target: Float): Data | undefined {
  const double = target.precision === Precision.DOUBLE;
  const made = () => (double ? new Float64Array(data.length) : new Float32Array(data.length));
  const values = data.values as unknown as Float64Array;
  if (data.typeId === Type.Int) {
    // The bits that the significand holds.
    if ((data.type as Int).bitWidth > (double ? 32 : 16)) return undefined;
    return convert(data, target, made(), (to, i) => {
      to[i] = values[i];
    });
  }
  if (data.typeId !== Type.Float) return undefined;
  const { precision } = data.type as Float;
  if (precision === target.precision) return retype(data, target);
  if (precision > target.precision) return undefined;
  const half = precision === Precision.HALF;
  return convert(data, target, made(), (to, i) => {
    to[i] = half ? fromHalf(values[i]) : values[i];
  });
}

/** The number that the bits of a half-precision float stand for. */
function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits >> 15 === 1 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

const INTEGER_DIGITS: Readonly<Record<string, number>> = {
  true8: 3,
  true16: 5,
  true32: 10,
  true64: 19,
  false8: 3,
  false16: 5,
  false32: 10,
  false64: 20,
};

function castDecimal(data: Data, target: Decimal, place: Place): Data | undefined {
  const whole = target.precision - target.scale;
  if (data.typeId === Type.Int) {
    const { isSigned, bitWidth } = data.type as Int;
    if (INTEGER_DIGITS[`${isSigned}${bitWidth}`] > whole) return undefined;
    const integers = data.values as unknown as ArrayLike<number | bigint>;
    return fillDecimal(data, target, place, 0, (i) => BigInt(integers[i]));
  }
  if (data.typeId !== Type.Decimal) return undefined;
  const source = data.type as unknown as Decimal;
  if (source.scale > target.scale) return undefined;
  if (source.precision - source.scale > whole && source.bitWidth !== 256) return undefined;
  if (source.bitWidth === 128 && source.scale === target.scale) return retype(data, target);
  const words = data.values as unknown as Int32Array;
  return fillDecimal(data, target, place, source.scale, (i) => {
    let value = 0n;
    for (let k = data.stride - 1; k >= 0; k--) {
      const word = words[i * data.stride + k];
      value = (value << 32n) | BigInt(k === data.stride - 1 ? word | 0 : word >>> 0);
    }
    return value;
  });
}

function fillDecimal(data: Data, target: Decimal, place: Place, scale: number, valueAt: (index: number) => bigint) {
  const out = new Uint32Array(4 * data.length);
  const quads = new BigUint64Array(out.buffer);
  const factor = powerOfTen(target.scale - scale);
  const limit = powerOfTen(target.precision);
  return convert(data, target, out, (_, i) => {
    const value = valueAt(i) * factor;
    if (value >= limit || value <= -limit) throw overflow(place, i, value, target);
    storeInt128(quads, i, value);
  });
}

function castDate(data: Data, target: ArrowType, place: Place): Data {
  if ((data.type as Date_).unit === DateUnit.DAY) return retype(data, target);
  const values = data.values as unknown as BigInt64Array;
  return convert(data, target, new Int32Array(data.length), (out, i) => {
    const days = Number(values[i]) / 86_400_000;
    if (!Number.isInteger(days) || days !== (days | 0)) throw overflow(place, i, values[i], target);
    out[i] = days;
  });
}

/** Microseconds of one unit, for the units above. */
const MICROS = { [TimeUnit.SECOND]: 1_000_000, [TimeUnit.MILLISECOND]: 1000 } as const;

function castTimestamp(data: Data, target: Timestamp, place: Place): Data | undefined {
  if (data.typeId === Type.Date && (data.type as Date_).unit === DateUnit.DAY && !target.timezone) {
    const days = data.values as unknown as Int32Array;
    return convert(data, target, new BigInt64Array(data.length), (out, i) => {
      const micros = BigInt(days[i]) * 86_400_000_000n;
      if (BigInt.asIntN(64, micros) !== micros) throw overflow(place, i, days[i], target);
      out[i] = micros;
    });
  }
  if (data.typeId !== Type.Timestamp) return undefined;
  const { unit } = data.type as Timestamp;
  if (unit === TimeUnit.MICROSECOND) return retype(data, target);
  const out = new BigInt64Array(data.length);
  const to = new Int32Array(out.buffer);
  const values = data.values as unknown as BigInt64Array;
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * data.length);
  if (unit === TimeUnit.NANOSECOND) {
    // 2^32 is 4,294,967 thousands and 296: so the quotient comes out of numbers that doubles hold exactly.
    return convert(data, target, out, (_, i) => {
      const high = halves[2 * i + 1];
      const rest = high * 296 + (halves[2 * i] >>> 0);
      storeSafeInteger(to, 2 * i, high * 4_294_967 + Math.floor(rest / 1000));
      if (high > 2_097_000_000 || high < -2_097_000_000) out[i] = floorDivide(values[i], 1000n);
    });
  }
  const factor = MICROS[unit];
  return convert(data, target, out, (_, i) => {
    const micros = (halves[2 * i + 1] * 4_294_967_296 + (halves[2 * i] >>> 0)) * factor;
    if (Number.isSafeInteger(micros)) storeSafeInteger(to, 2 * i, micros);
    else {
      out[i] = values[i] * BigInt(factor);
      if (out[i] / BigInt(factor) !== values[i]) throw overflow(place, i, values[i], target);
    }
  });
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  return (value - (((value % divisor) + divisor) % divisor)) / divisor;
}

/** A new column: `set` is called for each value that is not null. */
function convert<A extends Int32Array | Uint32Array | Float32Array | Float64Array | BigInt64Array>(
  data: Data,
  target: ArrowType,
  out: A,
  set: (out: A, index: number) => void,
): Data {
  const validity = validityOf(data);
  for (let i = 0; i < data.length; i++) if (isValid(validity, i)) set(out, i);
  return makeColumn(target, data.length, validity, { values: out }, data.nullCount);
}

function overflow(place: Place, index: number, value: unknown, target: ArrowType) {
  return badValue(place, index, value, fromArrowType(target, place.column));
}
