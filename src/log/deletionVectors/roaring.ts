import { bitContainer, type Container, listContainer, runContainer, SPAN } from "./containers.js";

/** The values of one container, counted from `base`. */
export interface PlacedContainer {
  readonly base: number;
  readonly container: Container;
}

interface Format {
  readonly hasKeys: boolean;
  readonly isLittleEndian: boolean;
}

/** By the first four bytes, read as a little-endian number. */
const FORMATS: ReadonlyMap<number, Format> = new Map([
  [1681511377, { hasKeys: true, isLittleEndian: true }],
  [1681511376, { hasKeys: false, isLittleEndian: true }],
  // The native format's other byte order, which only the protocol's own example of an inline vector has.
  [0xd0d33964, { hasKeys: false, isLittleEndian: false }],
]);
/** Two low bytes of the first word where a bitmap has runs; the others hold the number of containers less one. */
const COOKIE_WITH_RUNS = 12347;
const COOKIE_WITHOUT_RUNS = 12346;
/** A bitmap with runs tells its containers' offsets from so many containers on. */
const MIN_CONTAINERS_WITH_OFFSETS = 4;
/** Up to so many values are listed; more are given as bits. */
const MAX_LISTED = 4096;
/** Keys below this keep all values below 2^53. */
const MAX_KEY = 2 ** 21;

/**
 * Reads a 64-bit roaring bitmap in one of Delta's two formats (PROTOCOL.md, Deletion Vector Format): containers in
 * ascending order. What is made of the bytes takes about their size. Throws a RangeError for anything else.
 */
export function readRoaring64(bytes: Uint8Array): PlacedContainer[] {
  const cursor = new Cursor(bytes);
  const magic = cursor.uint32();
  const format = FORMATS.get(magic);
  if (format === undefined) throw new RangeError(`the magic number ${magic}`);
  const { hasKeys, isLittleEndian } = format;
  const bitmapCount = cursor.uint32(isLittleEndian);
  if (hasKeys && cursor.uint32() !== 0) throw new RangeError("more bitmaps than there can be");
  const containers: PlacedContainer[] = [];
  for (let i = 0, lastKey = -1; i < bitmapCount; i++) {
    const keyOrSize = cursor.uint32(isLittleEndian);
    const key = hasKeys ? keyOrSize : i;
    if (key <= lastKey || key >= MAX_KEY) throw new RangeError(`the key ${key} after ${lastKey}`);
    lastKey = key;
    const left = cursor.left;
    readRoaring32(cursor, key * 2 ** 32, containers);
    if (!hasKeys && left - cursor.left !== keyOrSize) throw new RangeError(`a bitmap that isn't of ${keyOrSize} bytes`);
  }
  if (cursor.left > 0) throw new RangeError(`${cursor.left} bytes after the end`);
  return containers;
}

/** Reads a bitmap in roaring's standard format; its containers follow each other, so their offsets aren't needed. */
function readRoaring32(cursor: Cursor, base: number, into: PlacedContainer[]): void {
  const cookie = cursor.uint32();
  const hasRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS;
  if (!hasRuns && cookie !== COOKIE_WITHOUT_RUNS) throw new RangeError(`the cookie ${cookie}`);
  const count = hasRuns ? (cookie >>> 16) + 1 : cursor.uint32();
  const runFlags = hasRuns ? cursor.take((count + 7) >> 3) : undefined;
  const header = cursor.uint16s(count * 2);
  if (!hasRuns || count >= MIN_CONTAINERS_WITH_OFFSETS) cursor.take(count * 4);
  for (let i = 0, lastKey = -1; i < count; i++) {
    const key = header[2 * i]!;
    const cardinality = header[2 * i + 1]! + 1;
    if (key <= lastKey) throw new RangeError("containers that don't ascend");
    lastKey = key;
    const isRun = runFlags !== undefined && ((runFlags[i >> 3]! >> (i & 7)) & 1) === 1;
    const container = isRun ? readRuns(cursor) : readValues(cursor, cardinality);
    if (container.cardinality !== cardinality) {
      throw new RangeError(`${container.cardinality} values in a container that should have ${cardinality}`);
    }
    into.push({ base: base + key * SPAN, container });
  }
}

function readRuns(cursor: Cursor): Container {
  return runContainer(cursor.uint16s(cursor.uint16s(1)[0]! * 2));
}

function readValues(cursor: Cursor, cardinality: number): Container {
  return cardinality <= MAX_LISTED ? listContainer(cursor.uint16s(cardinality)) : bitContainer(cursor.take(SPAN / 8));
}

/** Numbers one after the other; a RangeError where the bytes end. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint32(isLittleEndian = true): number {
    const at = this.#advance(4);
    return this.#view.getUint32(at, isLittleEndian);
  }

  /** A copy, which leaves the bytes it came from to be collected. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#advance(length);
    const copy = new Uint8Array(length);
    copy.set(this.#bytes.subarray(at, at + length));
    return copy;
  }

  uint16s(length: number): Uint16Array {
    return new Uint16Array(this.take(length * 2).buffer);
  }

  /** Where the next `length` bytes are. Nothing is made for bytes that aren't there. */
  #advance(length: number): number {
    if (length > this.left) throw new RangeError(`${this.left} bytes where ${length} should follow`);
    this.#at += length;
    return this.#at - length;
  }
}
