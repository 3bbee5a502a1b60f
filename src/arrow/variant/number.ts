import { parseDecimal } from "../../schema/decimal.js";
import { VariantError } from "./error.js";
import type { VariantWriter } from "./writer.js";

const WHOLE = /^-?\d+$/;
const PLAIN = /^-?\d+\.\d+$/;

/**
 * Writes a number by its JSON text, as Spark's parse_json does: whole ones as the smallest integer, others that are written out as
 * decimals of as many digits, and those with an exponent or more than 38 digits as doubles.
 */
export function writeNumber(out: VariantWriter, text: string): void {
  if (WHOLE.test(text) && text.length <= MAX_WHOLE_CHARS && out.integer(BigInt(text))) return;
  const decimal = PLAIN.test(text) ? parseDecimal(text) : undefined;
  if (decimal !== undefined && out.decimal(decimal)) return;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new VariantError("it is beyond the largest number");
  out.double(value);
}

/** A sign and 38 digits. */
const MAX_WHOLE_CHARS = 39;
