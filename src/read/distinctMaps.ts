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
  // Files of a partition mostly stand together.
  const before = { from: 0, to: 0 };
  for (let row = 0; row < maps.length; row++) {
    const [from, to] = maps.getValid(row) ? [Number(offsets[row]), Number(offsets[row + 1])] : [0, 0];
    if (
      row > 0 &&
      to - from === before.to - before.from &&
      keys.same(from, to, before.from) &&
      values.same(from, to, before.from)
    ) {
      indexes[row] = indexes[row - 1]!;
      continue;
    }
    before.from = from;
    before.to = to;
    const key = from === to ? "" : `${keys.key(from, to)}${values.key(from, to)}`;
    let place = places.get(key);
    if (place === undefined) {
      place = found.length;
      places.set(key, place);
      found.push(read(row));
    }
    indexes[row] = place;
  }
  return { values: found, indexes };
}

interface Texts {
  /** The same only for the same stretch of texts and nulls. */
  key(from: number, to: number): string;
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
