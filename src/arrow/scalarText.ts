import type { Data } from "apache-arrow";
import { parseDecimalType, unscaledToDecimal } from "../schema/decimal.js";
import { valueType } from "../schema/geo.js";
import { formatDate, formatTimestamp } from "../schema/time.js";
import type { PrimitiveType } from "../schema/types.js";
import { isSet } from "./bits.js";
import type { ByteWriter } from "./byteWriter.js";
import { offsetsOf } from "./column.js";
import { readInt128, smallUnscaled, wordsOf } from "./int128.js";

/** Writes the value at an index, which isn't null. */
export type ValueWriter = (out: ByteWriter, index: number) => void;

/** A column's values as text without quotes. */
export interface ScalarText {
  readonly write: ValueWriter;
  /** True where JSON has the text in quotes; for floats it depends on the value. */
  readonly isQuoted: boolean;
}

const DAY_MICROS = 86_400_000_000;
const HALF = 4_294_967_296;

/** The text of a column of any primitive type but string. */
export function scalarText(type: Exclude<PrimitiveType, "string">, data: Data): ScalarText {
  switch (valueType(type) as typeof type) {
    case "byte":
    case "short":
    case "integer":
      return { write: integers(data), isQuoted: false };
    case "long":
      return { write: longs(data), isQuoted: false };
    case "float":
    case "double":
      return { write: floats(data), isQuoted: false };
    case "boolean":
      return { write: booleans(data), isQuoted: false };
    case "binary":
      return { write: base64(data), isQuoted: true };
    case "date":
      return { write: dates(data), isQuoted: true };
    case "timestamp":
      return { write: timestamps(data, "Z"), isQuoted: true };
    case "timestamp_ntz":
      return { write: timestamps(data, ""), isQuoted: true };
    case "variant":
      return { write: asStored(data), isQuoted: false };
    case "void":
      return { write: () => {}, isQuoted: false };
    default:
      return { write: decimals(data, parseDecimalType(type)!.scale), isQuoted: true };
  }
}

/** The text of a finite double: the shortest one that reads back the same, with a point or exponent ("1.0", "-0.0"). */
export function floatText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return `${Object.is(value, -0) ? "-0" : value}.0`;
  return String(value);
}

function integers(data: Data): ValueWriter {
  const values = data.values as Int32Array;
  return (out, i) => out.integer(values[i]!);
}

/** The two 32-bit halves of each int64, the low one first. */
function halvesOf(data: Data): Int32Array {
  const { buffer, byteOffset } = data.values as unknown as BigInt64Array;
  return new Int32Array(buffer, byteOffset, 2 * data.length);
}

function longs(data: Data): ValueWriter {
  const values = data.values as unknown as BigInt64Array;
  const halves = halvesOf(data);
  return (out, i) => {
    const value = halves[2 * i + 1]! * HALF + (halves[2 * i]! >>> 0);
    if (Number.isSafeInteger(value)) out.integer(value);
    else out.ascii(values[i]!.toString());
  };
}

function floats(data: Data): ValueWriter {
  const values = data.values as Float64Array;
  return (out, i) => {
    if (!writeShortFloat(out, values[i]!)) out.ascii(floatText(values[i]!));
  };
}

/**
 * Writes a number of at most 15 digits, four of them behind the point, without the way over its text; false for others. No two
 * texts of 15 digits read as the same double, so this one is also the shortest.
 */
function writeShortFloat(out: ByteWriter, value: number): boolean {
  const tenThousandths = Math.round(value * 10_000);
  if (!(Math.abs(tenThousandths) < 1e15) || tenThousandths / 10_000 !== value || value === 0) return false;
  if (value < 0) out.byte(0x2d);
  const size = Math.abs(tenThousandths);
  let fraction = size % 10_000;
  out.integer((size - fraction) / 10_000);
  out.byte(0x2e);
  let digits = 4;
  while (digits > 1 && fraction % 10 === 0) {
    fraction /= 10;
    digits--;
  }
  out.padded(fraction, digits);
  return true;
}

function booleans(data: Data): ValueWriter {
  const bits = { bits: data.values as Uint8Array, offset: data.offset };
  return (out, i) => out.ascii(isSet(bits, i) ? "true" : "false");
}

function asStored(data: Data): ValueWriter {
  const offsets = offsetsOf(data);
  const bytes = data.values as Uint8Array;
  return (out, i) => out.bytes(bytes.subarray(Number(offsets[i]), Number(offsets[i + 1])));
}

function base64(data: Data): ValueWriter {
  const offsets = offsetsOf(data);
  const { buffer, byteOffset, byteLength } = data.values as Uint8Array;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return (out, i) => out.ascii(bytes.toString("base64", Number(offsets[i]), Number(offsets[i + 1])));
}

function dates(data: Data): ValueWriter {
  const days = data.values as Int32Array;
  const text = dayTexts();
  return (out, i) => out.ascii(text(days[i]!));
}

/** Neighbouring rows often have the same day: its text is made once. */
function dayTexts(): (days: number) => string {
  let known = Number.NaN;
  let text = "";
  return (days) => {
    if (days !== known) {
      known = days;
      text = formatDate(days);
    }
    return text;
  };
}

function timestamps(data: Data, zone: "Z" | ""): ValueWriter {
  const values = data.values as unknown as BigInt64Array;
  const halves = halvesOf(data);
  const dayText = dayTexts();
  return (out, i) => {
    const micros = halves[2 * i + 1]! * HALF + (halves[2 * i]! >>> 0);
    if (!Number.isSafeInteger(micros)) {
      out.ascii(formatTimestamp(values[i]!) + zone);
      return;
    }
    const remainder = micros % DAY_MICROS;
    const ofDay = remainder < 0 ? remainder + DAY_MICROS : remainder;
    const days = (micros - ofDay) / DAY_MICROS;
    const fraction = ofDay % 1_000_000;
    const seconds = ((ofDay - fraction) / 1_000_000) | 0;
    const minutes = (seconds / 60) | 0;
    out.ascii(dayText(days));
    out.byte(0x54);
    out.padded((minutes / 60) | 0, 2);
    out.byte(0x3a);
    out.padded(minutes % 60, 2);
    out.byte(0x3a);
    out.padded(seconds % 60, 2);
    out.byte(0x2e);
    out.padded(fraction, 6);
    if (zone !== "") out.byte(0x5a);
  };
}

function decimals(data: Data, scale: number): ValueWriter {
  const words = wordsOf(data);
  const unit = 10 ** scale;
  return (out, i) => {
    const unscaled = smallUnscaled(words, i);
    if (Number.isNaN(unscaled) || scale > 15) {
      out.ascii(unscaledToDecimal(readInt128(words, i), scale));
      return;
    }
    if (unscaled < 0) out.byte(0x2d);
    const size = Math.abs(unscaled);
    // The remainder is exact where a quotient is rounded.
    const fraction = size % unit;
    out.integer((size - fraction) / unit);
    if (scale === 0) return;
    out.byte(0x2e);
    for (let bound = unit / 10; bound > 1 && fraction < bound; bound /= 10) out.byte(0x30);
    out.integer(fraction);
  };
}
