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
  for (let row = 0; row < maps.length; row++) {
    const [from, to] = maps.getValid(row) ? [Number(offsets[row]), Number(offsets[row + 1])] : [0, 0];
    const key = from === to ? "" : `${keys(from, to)}${values(from, to)}`;
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

/** Texts that are the same only for the same stretch of texts and nulls. */
function textsOf(texts: Data): (from: number, to: number) => string {
  const offsets = offsetsOf(texts);
  const { buffer, byteOffset, byteLength } = texts.values as Uint8Array;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return (from, to) => {
    let lengths = "";
    for (let i = from; i < to; i++) {
      lengths += texts.getValid(i) ? `${Number(offsets[i + 1]) - Number(offsets[i])},` : "null,";
    }
    return `${lengths};${bytes.toString("latin1", Number(offsets[from]), Number(offsets[to]))}`;
  };
}
