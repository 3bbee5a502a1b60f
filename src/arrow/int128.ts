import type { Data } from "apache-arrow";

/** A decimal column's unscaled integers as 32-bit words, four a value, the least significant first. */
export function wordsOf(data: Data): Uint32Array {
  return data.values as unknown as Uint32Array;
}

/** The unscaled integer at `index` where it is a safe integer, NaN where it is larger. */
export function smallUnscaled(words: Uint32Array, index: number): number {
  const at = 4 * index;
  const high = words[at + 1] | 0;
  const sign = high >> 31;
  if (high > 0x1fffff || high < -0x1fffff || (words[at + 2] | 0) !== sign || (words[at + 3] | 0) !== sign) {
    return Number.NaN;
  }
  return high * 4_294_967_296 + words[at];
}

/** The unscaled integer at `index`. */
export function readInt128(words: Uint32Array, index: number): bigint {
  const at = 4 * index;
  const low = (BigInt(words[at + 1]) << 32n) | BigInt(words[at]);
  const high = (BigInt(words[at + 3] | 0) << 32n) | BigInt(words[at + 2]);
  return (high << 64n) | low;
}
