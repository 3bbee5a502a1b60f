import { type Data, Type } from "apache-arrow";
import type { Literal } from "../schema/predicate.js";
import { compareBytes } from "./bytes.js";
import { offsetsOf } from "./column.js";
import { bytesOf, compareWith, notComparable } from "./compare.js";
import { readInt128, wordsOf } from "./int128.js";

/**
 * 1 for each value that is among `values`, 0 for the others, nulls as whatever lies in the buffers; by hashing, so that
 * long lists cost no more than short ones. Throws DELTA_INVALID_PREDICATE as {@link compareWith} does.
 */
export function memberTest(data: Data, values: readonly Literal[], column: readonly string[]): Uint8Array {
  const out = new Uint8Array(data.length);
  if (data.typeId === Type.Bool) {
    for (const value of new Set(values)) {
      const equal = compareWith(data, value, { less: 0, equal: 1, greater: 0 }, column);
      for (let i = 0; i < out.length; i++) out[i] |= equal[i];
    }
    return out;
  }
  if (data.typeId === Type.Utf8 || data.typeId === Type.Binary) return memberBytes(data, values, column, out);
  const { values: column64 } = data;
  const wide = data.typeId === Type.Decimal || column64 instanceof BigInt64Array;
  const wrong = values.find((value) => typeof value !== (wide ? "bigint" : "number"));
  if (wrong !== undefined) throw notComparable(data, wrong, column);
  // A Set takes NaN for NaN and -0 for 0, which is what the predicate wants.
  const set = new Set<unknown>(values);
  const words = data.typeId === Type.Decimal ? wordsOf(data) : undefined;
  const flat = column64 as unknown as ArrayLike<number | bigint>;
  for (let i = 0; i < out.length; i++) if (set.has(words ? readInt128(words, i) : flat[i])) out[i] = 1;
  return out;
}

function memberBytes(data: Data, values: readonly Literal[], column: readonly string[], out: Uint8Array): Uint8Array {
  const buckets = new Map<number, Uint8Array[]>();
  for (const value of values) {
    const bytes = bytesOf(data.typeId, value);
    if (bytes === undefined) throw notComparable(data, value, column);
    const hash = hashBytes(bytes, 0, bytes.length);
    const bucket = buckets.get(hash);
    if (bucket) bucket.push(bytes);
    else buckets.set(hash, [bytes]);
  }
  const bytes = data.values as unknown as Uint8Array;
  const offsets = offsetsOf(data) as Int32Array;
  for (let i = 0; i < out.length; i++) {
    const bucket = buckets.get(hashBytes(bytes, offsets[i], offsets[i + 1]));
    if (bucket === undefined) continue;
    const same = (other: Uint8Array) => compareBytes(bytes, offsets[i], offsets[i + 1], other, 0, other.length) === 0;
    if (bucket.some(same)) out[i] = 1;
  }
  return out;
}

/** FNV-1a. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash;
}
