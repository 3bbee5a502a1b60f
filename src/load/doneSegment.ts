import { ENTRY_BYTES, KEY_BYTES } from "./doneEntry.js";

/** Entries in the order of their keys, each key once. */
export type Segment = Buffer;

/** Sorts entries; of one key the last one stays. */
export function segmentOf(entries: readonly Buffer[]): Segment {
  const sorted = entries.map((entry, order) => ({ entry, order }));
  sorted.sort((a, b) => compareKeys(a.entry, 0, b.entry, 0) || a.order - b.order);
  const kept = sorted.filter(({ entry }, i) => {
    const next = sorted[i + 1];
    return next === undefined || compareKeys(entry, 0, next.entry, 0) !== 0;
  });
  return Buffer.concat(kept.map(({ entry }) => entry));
}

/** One segment of all; of one key the entry of the last segment stays. `keep` may leave entries out. */
export function mergeSegments(segments: readonly Segment[], keep?: (segment: Segment, at: number) => boolean): Segment {
  const merged = mergeAll(segments);
  if (keep === undefined) return merged;
  let end = 0;
  for (let at = 0; at < merged.length; at += ENTRY_BYTES) {
    if (!keep(merged, at)) continue;
    merged.copyWithin(end, at, at + ENTRY_BYTES);
    end += ENTRY_BYTES;
  }
  return merged.subarray(0, end);
}

/** By halves, so that no entry is moved often. */
function mergeAll(segments: readonly Segment[]): Segment {
  if (segments.length <= 1) return segments[0] ?? Buffer.alloc(0);
  const half = segments.length >> 1;
  return mergeTwo(mergeAll(segments.slice(0, half)), mergeAll(segments.slice(half)));
}

function mergeTwo(older: Segment, newer: Segment): Segment {
  const merged = Buffer.alloc(older.length + newer.length);
  let [i, j, end] = [0, 0, 0];
  while (i < older.length || j < newer.length) {
    const order = i === older.length ? 1 : j === newer.length ? -1 : compareKeys(older, i, newer, j);
    const from = order < 0 ? older : newer;
    const at = order < 0 ? i : j;
    // Byte by byte: a call for so few costs more.
    for (let byte = 0; byte < ENTRY_BYTES; byte++) merged[end + byte] = from[at + byte]!;
    end += ENTRY_BYTES;
    if (order <= 0) i += ENTRY_BYTES;
    if (order >= 0) j += ENTRY_BYTES;
  }
  return merged.subarray(0, end);
}

/** Where the entry of a key is, or -1. Keys are hashes, so where they lie can be guessed: a few steps, however many there are. */
export function findInSegment(segment: Segment, key: Buffer): number {
  const wanted = key.readUIntBE(0, 6);
  let [low, high] = [0, segment.length / ENTRY_BYTES - 1];
  while (low <= high) {
    const [first, last] = [segment.readUIntBE(low * ENTRY_BYTES, 6), segment.readUIntBE(high * ENTRY_BYTES, 6)];
    if (wanted < first || wanted > last) return -1;
    const share = last === first ? 0 : (wanted - first) / (last - first);
    const middle = low + Math.floor((high - low) * share);
    const order = compareKeys(segment, middle * ENTRY_BYTES, key, 0);
    if (order === 0) return middle * ENTRY_BYTES;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

function compareKeys(a: Buffer, atA: number, b: Buffer, atB: number): number {
  for (let byte = 0; byte < KEY_BYTES; byte++) {
    const order = a[atA + byte]! - b[atB + byte]!;
    if (order !== 0) return order;
  }
  return 0;
}
