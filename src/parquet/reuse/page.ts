import { LevelRuns } from "../small/levels.js";
import { packHybrid, readHybrid } from "./hybrid.js";

/** A column as its pages have it. */
export interface PageColumn {
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  /** Parquet's physical type. */
  readonly type: string;
  /** Of FIXED_LEN_BYTE_ARRAY. */
  readonly typeLength: number;
}

/** A page's content without some of its rows. */
export interface ThinnedPage {
  readonly body: Uint8Array;
  /** Slots that are left, and that went, nulls included. */
  readonly kept: number;
  readonly dropped: number;
  /** Nulls among those that went. */
  readonly droppedNulls: number;
}

// Of parquet.thrift.
const PLAIN = 0;
const PLAIN_DICTIONARY = 2;
const RLE_DICTIONARY = 8;
const WIDTHS: Readonly<Record<string, number>> = { INT32: 4, INT64: 8, INT96: 12, FLOAT: 4, DOUBLE: 8 };

/** The levels and values of a decompressed data page (of version 1). */
export class DataPage {
  readonly #column: PageColumn;
  readonly #count: number;
  readonly #definition: Int32Array | undefined;
  readonly #values: Uint8Array;
  /** Undefined where each slot is a row. */
  readonly repetition: Int32Array | undefined;

  constructor(body: Uint8Array, count: number, column: PageColumn) {
    let at = 0;
    const levels = (max: number) => {
      if (max === 0) return undefined;
      if (at + 4 > body.length) throw new RangeError("a page's levels are cut");
      const length = new DataView(body.buffer, body.byteOffset + at, 4).getUint32(0, true);
      at += 4 + length;
      return readHybrid(body.subarray(at - length, at), 32 - Math.clz32(max), count);
    };
    this.#column = column;
    this.#count = count;
    this.repetition = levels(column.maxRepetition);
    this.#definition = levels(column.maxDefinition);
    this.#values = body.subarray(at);
  }

  /** Without the slots that `isDropped` names; undefined for an encoding that isn't known here. */
  without(isDropped: (slot: number) => boolean, encoding: number): ThinnedPage | undefined {
    const { maxDefinition, maxRepetition } = this.#column;
    const [definition, repetition] = [new LevelRuns(), new LevelRuns()];
    const left: boolean[] = [];
    let [kept, droppedNulls] = [0, 0];
    for (let slot = 0; slot < this.#count; slot++) {
      const level = this.#definition?.[slot] ?? 0;
      const goes = isDropped(slot);
      if (level === maxDefinition) left.push(!goes);
      else if (goes) droppedNulls++;
      if (goes) continue;
      kept++;
      definition.add(level, 1);
      if (this.repetition !== undefined) repetition.add(this.repetition[slot]!, 1);
    }
    const values = this.#valuesOf(left, encoding);
    if (values === undefined) return undefined;
    const parts = [
      ...(maxRepetition > 0 ? [repetition.encode(maxRepetition)] : []),
      ...(maxDefinition > 0 ? [definition.encode(maxDefinition)] : []),
      ...values,
    ];
    return { body: Buffer.concat(parts), kept, dropped: this.#count - kept, droppedNulls };
  }

  #valuesOf(left: readonly boolean[], encoding: number): Uint8Array[] | undefined {
    const { type, typeLength } = this.#column;
    if (encoding === RLE_DICTIONARY || encoding === PLAIN_DICTIONARY) {
      const width = this.#values[0] ?? 0;
      if (width > 32) throw new RangeError("a page's dictionary has too many values");
      const places = readHybrid(this.#values.subarray(1), width, left.length);
      return [
        Uint8Array.of(width),
        packHybrid(
          places.filter((_, i) => left[i]),
          width,
        ),
      ];
    }
    if (encoding !== PLAIN) return undefined;
    if (type === "BOOLEAN") return [bitsOf(this.#values, left)];
    const width = type === "FIXED_LEN_BYTE_ARRAY" ? typeLength : WIDTHS[type];
    return stretches(this.#values, left, width);
  }
}

function bitsOf(values: Uint8Array, left: readonly boolean[]): Uint8Array {
  const bits = new Uint8Array(Math.ceil(left.length / 8));
  let count = 0;
  for (const [i, stays] of left.entries()) {
    if (!stays) continue;
    bits[count >> 3]! |= (((values[i >> 3] ?? 0) >> (i & 7)) & 1) << (count & 7);
    count++;
  }
  return bits.subarray(0, Math.ceil(count / 8));
}

/** What lies between values that go; without a width, each has its length in front. */
function stretches(values: Uint8Array, left: readonly boolean[], width: number | undefined): Uint8Array[] {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const parts: Uint8Array[] = [];
  let [start, at] = [0, 0];
  for (const stays of left) {
    const end = at + (width ?? 4 + view.getUint32(at, true));
    if (end > values.length) throw new RangeError("a page's values are cut");
    if (!stays) {
      parts.push(values.subarray(start, at));
      start = end;
    }
    at = end;
  }
  parts.push(values.subarray(start, at));
  return parts;
}
