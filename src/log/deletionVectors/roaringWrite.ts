import { SPAN } from "./containers.js";

const MAGIC = 1681511377;
const COOKIE_WITHOUT_RUNS = 12346;
const COOKIE_WITH_RUNS = 12347;
/** Up to so many values are listed; more are given as bits. */
const MAX_LISTED = 4096;
/** A bitmap with runs tells its containers' offsets from so many containers on. */
const MIN_CONTAINERS_WITH_OFFSETS = 4;
const WORD = 2 ** 32;

/** The values of a container, in the form that takes least room. */
interface EncodedContainer {
  readonly key: number;
  readonly cardinality: number;
  readonly isRun: boolean;
  readonly bytes: Uint8Array;
}

/**
 * A 64-bit roaring bitmap in Delta's portable format (PROTOCOL.md, Deletion Vector Format).
 *
 * @param values ascending, each once
 */
export function writeRoaring64(values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bitmaps: { readonly key: number; readonly bytes: Uint8Array }[] = [];
  for (let at = 0; at < values.length; ) {
    const key = Math.floor(values[at]! / WORD);
    const containers: EncodedContainer[] = [];
    while (at < values.length && values[at]! < (key + 1) * WORD) {
      const containerKey = Math.floor((values[at]! - key * WORD) / SPAN);
      const base = key * WORD + containerKey * SPAN;
      let end = at;
      while (end < values.length && values[end]! < base + SPAN) end++;
      containers.push(encodeContainer(containerKey, values, at, end, base));
      at = end;
    }
    bitmaps.push({ key, bytes: encodeRoaring32(containers) });
  }
  const sizeBytes = bitmaps.reduce((sum, { bytes }) => sum + 4 + bytes.length, 12);
  const writer = new Writer(sizeBytes);
  writer.uint32(MAGIC);
  writer.uint32(bitmaps.length);
  writer.uint32(0);
  for (const { key, bytes } of bitmaps) {
    writer.uint32(key);
    writer.put(bytes);
  }
  return writer.bytes;
}

function encodeContainer(
  key: number,
  values: ArrayLike<number>,
  from: number,
  to: number,
  base: number,
): EncodedContainer {
  const cardinality = to - from;
  let runs = 1;
  for (let i = from + 1; i < to; i++) if (values[i]! !== values[i - 1]! + 1) runs++;
  const plainSize = cardinality <= MAX_LISTED ? cardinality * 2 : SPAN / 8;
  const isRun = 2 + runs * 4 < plainSize;
  if (isRun) return { key, cardinality, isRun, bytes: encodeRuns(values, from, to, base, runs) };
  const bytes = new Uint8Array(plainSize);
  const view = new DataView(bytes.buffer);
  for (let i = from; i < to; i++) {
    const value = values[i]! - base;
    if (cardinality <= MAX_LISTED) view.setUint16((i - from) * 2, value, true);
    else bytes[value >> 3]! |= 1 << (value & 7);
  }
  return { key, cardinality, isRun, bytes };
}

function encodeRuns(values: ArrayLike<number>, from: number, to: number, base: number, runs: number): Uint8Array {
  const writer = new Writer(2 + runs * 4);
  writer.uint16(runs);
  for (let start = from; start < to; ) {
    let end = start;
    while (end + 1 < to && values[end + 1]! === values[end]! + 1) end++;
    writer.uint16(values[start]! - base);
    writer.uint16(end - start);
    start = end + 1;
  }
  return writer.bytes;
}

function encodeRoaring32(containers: readonly EncodedContainer[]): Uint8Array {
  const count = containers.length;
  const hasRuns = containers.some(({ isRun }) => isRun);
  const flagBytes = hasRuns ? (count + 7) >> 3 : 0;
  const hasOffsets = !hasRuns || count >= MIN_CONTAINERS_WITH_OFFSETS;
  const headerBytes = (hasRuns ? 4 : 8) + flagBytes + count * 4 + (hasOffsets ? count * 4 : 0);
  const writer = new Writer(containers.reduce((sum, { bytes }) => sum + bytes.length, headerBytes));
  if (hasRuns) {
    writer.uint32(COOKIE_WITH_RUNS | ((count - 1) << 16));
    const flags = new Uint8Array(flagBytes);
    for (const [i, { isRun }] of containers.entries()) if (isRun) flags[i >> 3]! |= 1 << (i & 7);
    writer.put(flags);
  } else {
    writer.uint32(COOKIE_WITHOUT_RUNS);
    writer.uint32(count);
  }
  for (const { key, cardinality } of containers) {
    writer.uint16(key);
    writer.uint16(cardinality - 1);
  }
  if (hasOffsets) {
    let offset = headerBytes;
    for (const { bytes } of containers) {
      writer.uint32(offset);
      offset += bytes.length;
    }
  }
  for (const { bytes } of containers) writer.put(bytes);
  return writer.bytes;
}

/** Little-endian numbers one after the other. */
class Writer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;

  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  uint16(value: number): void {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  uint32(value: number): void {
    this.#view.setUint32(this.#at, value >>> 0, true);
    this.#at += 4;
  }

  put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}
