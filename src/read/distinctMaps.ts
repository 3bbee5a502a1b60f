import type { Data } from "apache-arrow";
import { offsetsOf } from "../arrow/column.js";
import { mapsOf } from "./maps.js";

/** The different values of a map<utf8, utf8> column, and which of them each row has. */
export interface DistinctMaps {
  readonly values: readonly ReadonlyMap<string, string | null>[];
  readonly indexes: Uint32Array;
}

/** Told apart by their bytes, so that only different ones are decoded: millions of files share few partitions. */
export function distinctMaps(maps: Data): DistinctMaps {
  const entries = maps.children[0]!;
  const [keys, values] = [textsOf(entries.children[0]!), textsOf(entries.children[1]!)];
  const offsets = offsetsOf(maps);
  const read = mapsOf(maps);
  const indexes = new Uint32Array(maps.length);
  const places = new Map<string, number>();
  const found: ReadonlyMap<string, string | null>[] = [];
  const hashes = new Map<number, number>();
  const starts: number[] = [];
  const ends: number[] = [];
  const allValid = maps.nullCount === 0;
  for (let row = 0; row < maps.length; row++) {
    const isValid = allValid || maps.getValid(row);
    const from = isValid ? Number(offsets[row]) : 0;
    const to = isValid ? Number(offsets[row + 1]) : 0;
    const hash = values.hash(from, to);
    const like = hashes.get(hash);
    if (like !== undefined && to - from === ends[like]! - starts[like]!) {
      const other = starts[like]!;
      if (values.same(from, to, other) && keys.same(from, to, other)) {
        indexes[row] = like;
        continue;
      }
    }
    const key = from === to ? "" : `${keys.key(from, to)}${values.key(from, to)}`;
    let place = places.get(key);
    if (place === undefined) {
      place = found.length;
      places.set(key, place);
      found.push(read(row));
      starts.push(from);
      ends.push(to);
      hashes.set(hash, place);
    }
    indexes[row] = place;
  }
  return { values: found, indexes };
}

interface Texts {
  /** The same only for the same stretch of texts and nulls. */
  key(from: number, to: number): string;
  hash(from: number, to: number): number;
  /** Whether as many texts from another place on are these for sure. */
  same(from: number, to: number, other: number): boolean;
}

function textsOf(texts: Data): Texts {
  const offsets = offsetsOf(texts);
  const { buffer, byteOffset, byteLength } = texts.values as Uint8Array;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const hasNulls = texts.nullCount > 0;
  return {
    key(from, to) {
      let lengths = "";
      for (let i = from; i < to; i++) {
        lengths += texts.getValid(i) ? `${Number(offsets[i + 1]) - Number(offsets[i])},` : "null,";
      }
      return `${lengths};${bytes.toString("latin1", Number(offsets[from]), Number(offsets[to]))}`;
    },
    hash(from, to) {
      let hash = 0;
      const end = Number(offsets[to]);
      for (let i = Number(offsets[from]); i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) & 0x3fffffff;
      return hash;
    },
    same(from, to, other) {
      if (hasNulls) return false;
      const shift = Number(offsets[from]) - Number(offsets[other]);
      for (let i = from; i < to; i++) {
        if (Number(offsets[i + 1]) - Number(offsets[other + i + 1 - from]) !== shift) return false;
      }
      const end = Number(offsets[to]);
      for (let i = Number(offsets[from]); i < end; i++) if (bytes[i] !== bytes[i - shift]) return false;
      return true;
    },
  };
}
