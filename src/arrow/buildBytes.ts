import type { Data } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { badValue, type Place } from "./badValue.js";
import { bitmapBytes } from "./bits.js";
import { makeColumn } from "./column.js";
import { Nulls } from "./nulls.js";
import { toArrowType } from "./schema.js";

const MAX_BYTES = 2_147_483_647;
/** Characters that are joined into one text: small enough for the cache, which doubles the speed. */
const CHUNK_CHARS = 1 << 16;

/** A string column; lone surrogates, which UTF-8 can't hold, are refused. */
export function buildString(values: readonly unknown[], place: Place): Data {
  const nulls = new Nulls(values.length);
  const offsets = new Int32Array(values.length + 1);
  const chunks: string[] = [];
  let position = 0;
  for (let start = 0; start < values.length; ) {
    let end = start;
    for (let chars = 0; end < values.length && chars < CHUNK_CHARS; end++) {
      const value = values[end];
      if (typeof value === "string") {
        chars += value.length;
        position += value.length;
      } else if (value === null || value === undefined) nulls.add(end);
      else throw badValue(place, end, value, "string");
      offsets[end + 1] = position;
    }
    // Joining gives one text of which all bytes are written at once; null and undefined join as nothing.
    const chunk = values.slice(start, end).join("");
    if (Buffer.byteLength(chunk) !== chunk.length) position = measure(values as string[], start, end, offsets, place);
    if (position > MAX_BYTES) throw tooLarge(place);
    chunks.push(chunk);
    start = end;
  }
  const bytes = new Uint8Array(position);
  const buffer = Buffer.from(bytes.buffer);
  let at = 0;
  for (const chunk of chunks) at += buffer.write(chunk, at);
  return makeColumn(toArrowType("string"), values.length, nulls.validity, { values: bytes, offsets }, nulls.count);
}

/** Sets the offsets of texts that aren't all ASCII. */
function measure(texts: readonly string[], start: number, end: number, offsets: Int32Array, place: Place): number {
  let position = offsets[start];
  for (let i = start; i < end; i++) {
    const text = texts[i];
    if (typeof text === "string") {
      if (LONE_SURROGATE.test(text)) throw badValue(place, i, text, "string", "it has half of a surrogate pair");
      position += Buffer.byteLength(text);
    }
    offsets[i + 1] = position;
  }
  return position;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** A binary column of Uint8Arrays. */
export function buildBinary(values: readonly unknown[], place: Place): Data {
  const nulls = new Nulls(values.length);
  const offsets = new Int32Array(values.length + 1);
  let position = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value instanceof Uint8Array) position += value.length;
    else if (value === null || value === undefined) nulls.add(i);
    else throw badValue(place, i, value, "binary", "give a Uint8Array");
    if (position > MAX_BYTES) throw tooLarge(place);
    offsets[i + 1] = position;
  }
  const bytes = new Uint8Array(position);
  for (let i = 0; i < values.length; i++) if (values[i]) bytes.set(values[i] as Uint8Array, offsets[i]);
  return makeColumn(toArrowType("binary"), values.length, nulls.validity, { values: bytes, offsets }, nulls.count);
}

/** A boolean column. */
export function buildBoolean(values: readonly unknown[], place: Place): Data {
  const nulls = new Nulls(values.length);
  const bits = new Uint8Array(bitmapBytes(values.length));
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === true) bits[i >> 3] |= 1 << (i & 7);
    else if (value === null || value === undefined) nulls.add(i);
    else if (value !== false) throw badValue(place, i, value, "boolean");
  }
  return makeColumn(toArrowType("boolean"), values.length, nulls.validity, { values: bits }, nulls.count);
}

function tooLarge({ column }: Place): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `Column "${column}" has more than 2 GiB of text or bytes in one batch of rows; give fewer rows at a time.`,
    { column },
  );
}
