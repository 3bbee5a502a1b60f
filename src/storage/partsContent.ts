import type { RangedContent } from "./store.js";

/** Bytes in parts, one after the other, as content that a store takes as it needs it: they are never copied together. */
export function partsContent(parts: readonly Uint8Array[]): RangedContent {
  const ends: number[] = [];
  for (const part of parts) ends.push((ends.at(-1) ?? 0) + part.length);
  return {
    sizeBytes: ends.at(-1) ?? 0,
    read: async ({ start, end }) => {
      const found: Uint8Array[] = [];
      for (let i = firstBehind(ends, start); i < parts.length; i++) {
        const begin = ends[i]! - parts[i]!.length;
        if (begin >= end) break;
        found.push(parts[i]!.subarray(Math.max(0, start - begin), end - begin));
      }
      return found.length === 1 ? found[0]! : Buffer.concat(found);
    },
  };
}

/** The first part that ends behind `start`. */
function firstBehind(ends: readonly number[], start: number): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! > start) high = middle;
    else low = middle + 1;
  }
  return low;
}
