import type { DataType } from "./types.js";

const RANGES: Readonly<Record<string, { readonly min: bigint; readonly max: bigint }>> = {
  byte: { min: -(2n ** 7n), max: 2n ** 7n - 1n },
  short: { min: -(2n ** 15n), max: 2n ** 15n - 1n },
  integer: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  long: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
};

/** The least and greatest value of an integer type (byte, short, integer, long), `undefined` for every other type. */
export function integerRange(type: DataType): { readonly min: bigint; readonly max: bigint } | undefined {
  return typeof type === "string" ? RANGES[type] : undefined;
}

/** The double whose text is the shortest that still reads back as this 32-bit float. */
export function shortestFloat(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}
