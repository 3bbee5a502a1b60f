import type { ByteRange } from "./store.js";

/** The bytes in all parts of an object. */
export function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** Bytes `start` to `end` of an object that comes in parts. Copied only where they span several. */
export function bytesBetween(parts: readonly Uint8Array[], { start, end }: ByteRange): Uint8Array {
  const found: Uint8Array[] = [];
  let partStart = 0;
  for (const part of parts) {
    const from = Math.max(start - partStart, 0);
    const to = Math.min(end - partStart, part.length);
    if (from < to) found.push(part.subarray(from, to));
    partStart += part.length;
  }
  return found.length === 1 ? found[0]! : Buffer.concat(found);
}
