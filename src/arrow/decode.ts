import { Buffer, isAscii } from "node:buffer";
import type { Data } from "apache-arrow";
import { parseDecimalType, unscaledToDecimal } from "../schema/decimal.js";
import { parseFaithfulJson } from "../schema/exactJson.js";
import { formatDate } from "../schema/time.js";
import type { DataType } from "../schema/types.js";
import { VARIANT_BYTES } from "../schema/variantBytes.js";
import { isSet, isValid, type Validity, validityOf } from "./bits.js";
import { offsetsOf } from "./column.js";
import { readInt128, smallUnscaled, wordsOf } from "./int128.js";
import { Timestamp } from "./timestamp.js";
import { encodedVariants } from "./variant/bytesColumn.js";

const DAY_MS = 86_400_000;
const MAX_DATE_DAYS = 100_000_000;
const MAX_DATE_MICROS = 8_640_000_000_000_000_000n;
/** Texts are cut out of a decoded piece of this size, which is what a single kept text may hold on to. */
const CHUNK_BYTES = 16_384;

/** The JavaScript values of an Arrow column of a primitive Delta type, null where they are null. */
export function decodePrimitive(type: DataType, data: Data): unknown[] {
  const validity = validityOf(data);
  switch (type) {
    case "long":
      return read(data, validity, (values: BigInt64Array, i) => values[i]);
    case "boolean":
      return read(data, validity, (bits: Uint8Array, i) => isSet({ bits, offset: data.offset }, i));
    case "date":
      return read(data, validity, (days: Int32Array, i) => dayValue(days[i]));
    case "timestamp":
    case "timestamp_ntz":
      return decodeTimestamps(data, validity);
    case "string":
      return decodeStrings(data, validity);
    case "variant":
      return decodeStrings(data, validity).map((json) => (json === null ? null : parseFaithfulJson(json as string)));
    case VARIANT_BYTES:
      return encodedVariants(data);
    case "void":
      return new Array<null>(data.length).fill(null);
    case "binary":
      return read(data, validity, (bytes: Uint8Array, i) => {
        const offsets = offsetsOf(data) as Int32Array;
        return bytes.slice(offsets[i], offsets[i + 1]);
      });
    default: {
      const decimal = parseDecimalType(type);
      if (decimal) return decodeDecimals(data, validity, decimal.scale);
      return read(data, validity, (values: Float64Array, i) => values[i]);
    }
  }
}

function read<A>(
  data: Data,
  validity: Validity | undefined,
  valueAt: (values: A, index: number) => unknown,
): unknown[] {
  const values = data.values as A;
  const out = new Array<unknown>(data.length);
  if (validity === undefined) for (let i = 0; i < data.length; i++) out[i] = valueAt(values, i);
  else for (let i = 0; i < data.length; i++) out[i] = isSet(validity, i) ? valueAt(values, i) : null;
  return out;
}

/** What no Date can hold (beyond the years ±271,821) is read as text, which can be written again. */
function dayValue(days: number): Date | string {
  return days <= MAX_DATE_DAYS && days >= -MAX_DATE_DAYS ? new Date(days * DAY_MS) : formatDate(days);
}

function decodeTimestamps(data: Data, validity: Validity | undefined): unknown[] {
  const values = data.values as unknown as BigInt64Array;
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * data.length);
  const out = new Array<unknown>(data.length);
  for (let i = 0; i < data.length; i++) {
    if (!isValid(validity, i)) {
      out[i] = null;
      continue;
    }
    const micros = halves[2 * i + 1] * 4_294_967_296 + (halves[2 * i] >>> 0);
    if (!Number.isSafeInteger(micros)) {
      out[i] = timestampValue(values[i]);
      continue;
    }
    // Of safe integers, the quotient is never rounded up to the next whole number.
    const ms = Math.floor(micros / 1000);
    const below = micros - ms * 1000;
    out[i] = below === 0 ? new Date(ms) : new Timestamp(ms, below);
  }
  return out;
}

/** What no Date can hold is read as a bigint of microseconds, which can be written again. */
function timestampValue(micros: bigint): Date | bigint {
  if (micros > MAX_DATE_MICROS || micros < -MAX_DATE_MICROS) return micros;
  const timestamp = Timestamp.fromMicroseconds(micros);
  return timestamp.microsecond === 0 ? new Date(timestamp.getTime()) : timestamp;
}

function decodeStrings(data: Data, validity: Validity | undefined): unknown[] {
  const offsets = offsetsOf(data) as Int32Array;
  const values = data.values as unknown as Uint8Array;
  const buffer = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const out = new Array<unknown>(data.length);
  for (let i = 0; i < data.length; ) {
    const start = offsets[i];
    let end = i + 1;
    while (end < data.length && offsets[end + 1] - start <= CHUNK_BYTES) end++;
    if (isAscii(buffer.subarray(start, offsets[end]))) {
      const chunk = buffer.toString("latin1", start, offsets[end]);
      for (; i < end; i++) out[i] = chunk.substring(offsets[i] - start, offsets[i + 1] - start);
    } else {
      for (; i < end; i++) out[i] = buffer.toString("utf8", offsets[i], offsets[i + 1]);
    }
  }
  if (validity !== undefined) for (let i = 0; i < data.length; i++) if (!isSet(validity, i)) out[i] = null;
  return out;
}

function decodeDecimals(data: Data, validity: Validity | undefined, scale: number): unknown[] {
  const words = wordsOf(data);
  return read(data, validity, (_: unknown, i) => {
    const small = smallUnscaled(words, i);
    if (Number.isNaN(small)) return unscaledToDecimal(readInt128(words, i), scale);
    if (scale === 0) return String(small);
    const digits = String(Math.abs(small)).padStart(scale + 1, "0");
    return `${small < 0 ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  });
}
