import type { Data } from "apache-arrow";
import { parseDecimalType, unscaledToDecimal } from "../schema/decimal.js";
import { formatDate, formatTimestamp } from "../schema/time.js";
import type { DataType } from "../schema/types.js";
import { isSet, type Validity } from "./bits.js";
import { readInt128, smallUnscaled, wordsOf } from "./int128.js";
import { StringBounds } from "./stringBounds.js";

/** The smallest and largest value of a column. Each is the text of a JSON value, or undefined where there is none. */
export interface Bounds {
  /** Adds a column's values; at least one is not null. */
  add(data: Data, validity: Validity | undefined): void;
  min(): string | undefined;
  max(): string | undefined;
}

/** The bounds that Delta keeps for a type; undefined for boolean, binary, arrays, maps and structs. */
export function boundsOf(type: DataType): Bounds | undefined {
  switch (type) {
    case "byte":
    case "short":
    case "integer":
      return new NumberBounds(String);
    case "date":
      return new NumberBounds(dateText);
    case "float":
    case "double":
      return new FloatBounds();
    case "long":
      return new LongBounds(String, String);
    case "timestamp":
    case "timestamp_ntz":
      return new LongBounds(
        (micros) => timeText(micros, type),
        (micros) => timeText(micros + 999n, type),
      );
    case "string":
      return new StringBounds();
    default: {
      const decimal = parseDecimalType(type);
      return decimal && new DecimalBounds(decimal.scale);
    }
  }
}

const FIRST_DAY = -719_162;
const LAST_DAY = 2_932_896;

/** Years outside 1 to 9999 have no text that every reader understands. */
function dateText(days: number): string | undefined {
  return days >= FIRST_DAY && days <= LAST_DAY ? `"${formatDate(days)}"` : undefined;
}

const FIRST_MICROS = BigInt(FIRST_DAY) * 86_400_000_000n;
const END_MICROS = BigInt(LAST_DAY + 1) * 86_400_000_000n;

/**
 * Delta's timestamp statistics have milliseconds. The smallest value is rounded down, the largest up: Spark rounds that
 * one down as well and adds a millisecond when it reads, but not every reader does.
 */
function timeText(micros: bigint, type: "timestamp" | "timestamp_ntz"): string | undefined {
  if (micros < FIRST_MICROS || micros >= END_MICROS) return undefined;
  return `"${formatTimestamp(micros).slice(0, -3)}${type === "timestamp" ? "Z" : ""}"`;
}

class NumberBounds implements Bounds {
  readonly #text: (value: number) => string | undefined;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  constructor(text: (value: number) => string | undefined) {
    this.#text = text;
  }

  add(data: Data, validity: Validity | undefined): void {
    const values = data.values as unknown as Int32Array;
    let min = this.#min;
    let max = this.#max;
    for (let i = 0; i < data.length; i++) {
      if (validity !== undefined && !isSet(validity, i)) continue;
      const value = values[i];
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.#min = min;
    this.#max = max;
  }

  min(): string | undefined {
    return this.#min <= this.#max ? this.#text(this.#min) : undefined;
  }

  max(): string | undefined {
    return this.#min <= this.#max ? this.#text(this.#max) : undefined;
  }
}

/**
 * NaN is greater than every number and infinities are no JSON: a bound that would be one of them is left out. Zero is
 * written so that it bounds both zeros, also for readers that order -0.0 before 0.0.
 */
class FloatBounds implements Bounds {
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #hasNaN = false;
  #hasNegativeZero = false;

  add(data: Data, validity: Validity | undefined): void {
    const values = data.values as unknown as Float64Array;
    let min = this.#min;
    let max = this.#max;
    let hasNaN = false;
    for (let i = 0; i < data.length; i++) {
      if (validity !== undefined && !isSet(validity, i)) continue;
      const value = values[i];
      if (value < min) min = value;
      if (value > max) max = value;
      if (Number.isNaN(value)) hasNaN = true;
    }
    this.#min = min;
    this.#max = max;
    this.#hasNaN ||= hasNaN;
    if (min === 0 && !this.#hasNegativeZero) this.#hasNegativeZero = hasNegativeZero(data, validity);
  }

  min(): string | undefined {
    if (!Number.isFinite(this.#min)) return undefined;
    return this.#min === 0 && this.#hasNegativeZero ? "-0.0" : doubleText(this.#min);
  }

  max(): string | undefined {
    return this.#hasNaN || !Number.isFinite(this.#max) ? undefined : doubleText(this.#max);
  }
}

function hasNegativeZero(data: Data, validity: Validity | undefined): boolean {
  const values = data.values as unknown as Float64Array;
  for (let i = 0; i < data.length; i++) {
    if (Object.is(values[i], -0) && (validity === undefined || isSet(validity, i))) return true;
  }
  return false;
}

/** A point or an exponent tells readers that guess types that this is no integer. */
function doubleText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value + 0}.0` : String(value);
}

/** 64-bit values, compared by their halves. */
class LongBounds implements Bounds {
  readonly #minText: (value: bigint) => string | undefined;
  readonly #maxText: (value: bigint) => string | undefined;
  #min: bigint | undefined;
  #max: bigint | undefined;

  constructor(minText: (value: bigint) => string | undefined, maxText: (value: bigint) => string | undefined) {
    this.#minText = minText;
    this.#maxText = maxText;
  }

  add(data: Data, validity: Validity | undefined): void {
    const values = data.values as unknown as BigInt64Array;
    const halves = new Int32Array(values.buffer, values.byteOffset, 2 * data.length);
    let least = -1;
    let most = -1;
    let minHigh = 0;
    let minLow = 0;
    let maxHigh = 0;
    let maxLow = 0;
    for (let i = 0; i < data.length; i++) {
      if (validity !== undefined && !isSet(validity, i)) continue;
      const low = halves[2 * i] >>> 0;
      const high = halves[2 * i + 1];
      if (least < 0 || high < minHigh || (high === minHigh && low < minLow)) {
        least = i;
        minHigh = high;
        minLow = low;
      }
      if (most < 0 || high > maxHigh || (high === maxHigh && low > maxLow)) {
        most = i;
        maxHigh = high;
        maxLow = low;
      }
    }
    if (this.#min === undefined || values[least] < this.#min) this.#min = values[least];
    if (this.#max === undefined || values[most] > this.#max) this.#max = values[most];
  }

  min(): string | undefined {
    return this.#min === undefined ? undefined : this.#minText(this.#min);
  }

  max(): string | undefined {
    return this.#max === undefined ? undefined : this.#maxText(this.#max);
  }
}

class DecimalBounds implements Bounds {
  readonly #scale: number;
  #min: bigint | undefined;
  #max: bigint | undefined;

  constructor(scale: number) {
    this.#scale = scale;
  }

  add(data: Data, validity: Validity | undefined): void {
    const words = wordsOf(data);
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < data.length; i++) {
      if (validity !== undefined && !isSet(validity, i)) continue;
      const small = smallUnscaled(words, i);
      if (Number.isNaN(small)) this.#take(readInt128(words, i));
      else {
        if (small < min) min = small;
        if (small > max) max = small;
      }
    }
    if (min <= max) {
      this.#take(BigInt(min));
      this.#take(BigInt(max));
    }
  }

  #take(value: bigint): void {
    if (this.#min === undefined || value < this.#min) this.#min = value;
    if (this.#max === undefined || value > this.#max) this.#max = value;
  }

  min(): string | undefined {
    return this.#min === undefined ? undefined : unscaledToDecimal(this.#min, this.#scale);
  }

  max(): string | undefined {
    return this.#max === undefined ? undefined : unscaledToDecimal(this.#max, this.#scale);
  }
}
