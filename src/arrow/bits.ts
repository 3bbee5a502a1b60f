import { type Data, Type } from "apache-arrow";

/** A bitmap (least significant bit first) that begins at bit `offset`: a set bit is a value that is there. */
export interface Validity {
  readonly bits: Uint8Array;
  readonly offset: number;
}

/** The validity of a column's values, or undefined where none is null. */
export function validityOf(data: Data): Validity | undefined {
  if (data.length === 0) return undefined;
  if (data.typeId === Type.Null) return { bits: new Uint8Array(bitmapBytes(data.length)), offset: 0 };
  return data.nullCount > 0 ? { bits: data.nullBitmap, offset: data.offset } : undefined;
}

/** True where bit `index` is set. */
export function isSet(validity: Validity, index: number): boolean {
  const bit = validity.offset + index;
  return ((validity.bits[bit >> 3] >> (bit & 7)) & 1) === 1;
}

/** True where the value at `index` is there; no validity means that all are. */
export function isValid(validity: Validity | undefined, index: number): boolean {
  return validity === undefined || isSet(validity, index);
}

/** The bytes that `length` bits take. */
export function bitmapBytes(length: number): number {
  return (length + 7) >> 3;
}

/** A bitmap of `length` set bits; the bits behind them are 0. */
export function allSet(length: number): Uint8Array {
  const bits = new Uint8Array(bitmapBytes(length)).fill(255);
  if ((length & 7) !== 0) bits[bits.length - 1] = (1 << (length & 7)) - 1;
  return bits;
}

/** Copies `length` bits into a bitmap whose bits from `toBit` on are 0. */
export function copyBits(from: Uint8Array, fromBit: number, to: Uint8Array, toBit: number, length: number): void {
  let source = fromBit;
  let target = toBit;
  let left = length;
  const one = () => {
    to[target >> 3] |= ((from[source >> 3] >> (source & 7)) & 1) << (target & 7);
    source++;
    target++;
    left--;
  };
  while (left > 0 && (target & 7) !== 0) one();
  const bytes = left >> 3;
  const shift = source & 7;
  const first = source >> 3;
  const into = target >> 3;
  if (shift === 0) to.set(from.subarray(first, first + bytes), into);
  else {
    for (let i = 0; i < bytes; i++) to[into + i] = (from[first + i] >> shift) | (from[first + i + 1] << (8 - shift));
  }
  source += bytes * 8;
  target += bytes * 8;
  left -= bytes * 8;
  while (left > 0) one();
}

/** Sets `length` bits from `toBit` on. */
export function setBits(to: Uint8Array, toBit: number, length: number): void {
  const end = toBit + length;
  let bit = toBit;
  while (bit < end && (bit & 7) !== 0) {
    to[bit >> 3] |= 1 << (bit & 7);
    bit++;
  }
  const bytes = (end - bit) >> 3;
  to.fill(255, bit >> 3, (bit >> 3) + bytes);
  for (bit += bytes * 8; bit < end; bit++) to[bit >> 3] |= 1 << (bit & 7);
}

/** The bits where both are set, or undefined where both are undefined (everything is set). */
export function intersect(a: Validity | undefined, b: Validity | undefined, length: number): Validity | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const bits = new Uint8Array(bitmapBytes(length));
  copyBits(a.bits, a.offset, bits, 0, length);
  const other = new Uint8Array(bits.length);
  copyBits(b.bits, b.offset, other, 0, length);
  for (let i = 0; i < bits.length; i++) bits[i] &= other[i];
  return { bits, offset: 0 };
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) ones++;
  return ones;
});

/** How many of `length` bits are not set. */
export function countUnset(validity: Validity | undefined, length: number): number {
  if (validity === undefined) return 0;
  const { bits, offset } = validity;
  const end = offset + length;
  let ones = 0;
  let bit = offset;
  for (; bit < end && (bit & 7) !== 0; bit++) ones += (bits[bit >> 3] >> (bit & 7)) & 1;
  for (; bit + 8 <= end; bit += 8) ones += ONES[bits[bit >> 3]];
  for (; bit < end; bit++) ones += (bits[bit >> 3] >> (bit & 7)) & 1;
  return length - ones;
}
