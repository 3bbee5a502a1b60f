import { unscaledToDecimal } from "../../schema/decimal.js";
import { shortestFloat } from "../../schema/numbers.js";
import { formatDate, formatTimestamp } from "../../schema/time.js";
import type { ByteWriter } from "../byteWriter.js";
import { floatText } from "../scalarText.js";
import { VariantError } from "./error.js";

const DAY_MICROS = 86_400_000_000n;

/** A double or, with `isFloat`, the 32-bit float; what JSON has no number for is a string. */
export function writeFloat(out: ByteWriter, value: number, isFloat: boolean): void {
  if (!Number.isFinite(value)) writeQuoted(out, String(value));
  else out.ascii(floatText(isFloat && value !== 0 ? shortestFloat(value) : value));
}

/** All digits, without zeros at the end of a fraction: 12.30 is 12.3, and 5.00 is 5. */
export function writeDecimal(out: ByteWriter, unscaled: bigint, scale: number): void {
  const text = unscaledToDecimal(unscaled, scale);
  out.ascii(scale > 0 ? text.replace(/\.?0+$/, "") : text);
}

export function writeDate(out: ByteWriter, days: number): void {
  writeQuoted(out, formatDate(days));
}

/** `zone`: "Z" for instants, "" for readings of a clock. */
export function writeMicros(out: ByteWriter, micros: bigint, zone: "Z" | ""): void {
  writeQuoted(out, formatTimestamp(micros) + zone);
}

export function writeNanos(out: ByteWriter, nanos: bigint, zone: "Z" | ""): void {
  const below = ((nanos % 1000n) + 1000n) % 1000n;
  const digits = below.toString().padStart(3, "0");
  writeQuoted(out, `${formatTimestamp((nanos - below) / 1000n)}${digits}${zone}`);
}

/** A time of day. */
export function writeTime(out: ByteWriter, micros: bigint): void {
  if (micros < 0n || micros >= DAY_MICROS) throw new VariantError("a variant's time is none of a day");
  writeQuoted(out, formatTimestamp(micros).slice("1970-01-01T".length));
}

export function writeBase64(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  writeQuoted(out, Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("base64"));
}

export function writeUuid(out: ByteWriter, bytes: Uint8Array, start: number): void {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + start, 16).toString("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  writeQuoted(out, parts.join("-"));
}

function writeQuoted(out: ByteWriter, text: string): void {
  out.byte(0x22);
  out.ascii(text);
  out.byte(0x22);
}
