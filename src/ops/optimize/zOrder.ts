import type { RecordBatch } from "apache-arrow";
import { rowReader } from "../../arrow/rows.js";
import { Timestamp } from "../../arrow/timestamp.js";
import { runtime } from "../../runtime.js";
import type { DataType, StructType } from "../../schema/types.js";

type Key = number | bigint | string;

/** Values per column from which its ranges are learned. */
const SAMPLE_ROWS = 65_536;
/** Ranges of a column, of about as many rows each: a power of two. */
const RANGE_BITS = 10;

/**
 * Where rows lie on a Z-shaped curve through the space of some columns: rows near each other on it are near in each column, so that
 * files of neighbours have narrow bounds in all of them (Morton, 1966). A column's values count by their rank, so that it
 * doesn't matter how they are spread.
 */
export class ZOrder {
  readonly #schema: StructType;
  readonly #read: ReturnType<typeof rowReader>;
  readonly #samples: Key[][];
  #seen = 0;
  #limits: readonly (readonly Key[])[] = [];
  #curve: number[] = [];

  constructor(schema: StructType) {
    this.#schema = schema;
    this.#read = rowReader(schema);
    this.#samples = schema.fields.map(() => []);
  }

  /** Learns from a batch of the columns. */
  sample(batch: RecordBatch): void {
    for (const keys of this.#keysOf(batch)) {
      // Each row has the same chance to be in the sample, however many there are (Vitter's algorithm R).
      const place = this.#seen++ < SAMPLE_ROWS ? this.#seen - 1 : Math.floor(runtime.random() * this.#seen);
      if (place < SAMPLE_ROWS) for (const [i, key] of keys.entries()) this.#samples[i]![place] = key;
    }
  }

  /** Cuts the curve, after all samples, into `pieces` of about as many rows each. */
  cut(pieces: number): void {
    const sorted = this.#samples.map((sample) => sample.slice().sort(compare));
    const ranges = 2 ** RANGE_BITS;
    this.#limits = sorted.map((keys) =>
      Array.from({ length: ranges - 1 }, (_, i) => keys[Math.floor(((i + 1) * keys.length) / ranges)]!),
    );
    const count = Math.min(this.#seen, SAMPLE_ROWS);
    const places = Array.from({ length: count }, (_, row) =>
      this.#placeOf(this.#samples.map((sample) => sample[row]!)),
    );
    places.sort((a, b) => a - b);
    this.#curve = Array.from({ length: pieces - 1 }, (_, i) => places[Math.floor(((i + 1) * count) / pieces)]!);
    for (const sample of this.#samples) sample.length = 0;
  }

  /** The rows of a batch of the columns by the piece of the curve that they are on. */
  pieces(batch: RecordBatch): Map<number, number[]> {
    const pieces = new Map<number, number[]>();
    let row = 0;
    for (const keys of this.#keysOf(batch)) {
      const piece = rank(this.#curve, this.#placeOf(keys));
      const rows = pieces.get(piece);
      if (rows === undefined) pieces.set(piece, [row]);
      else rows.push(row);
      row++;
    }
    return pieces;
  }

  *#keysOf(batch: RecordBatch): Generator<Key[]> {
    const { fields } = this.#schema;
    for (const row of this.#read(batch) as Record<string, unknown>[]) {
      yield fields.map(({ name, type }) => keyOf(row[name], type));
    }
  }

  /** The ranks' bits, one of each column in turn. */
  #placeOf(keys: readonly Key[]): number {
    const ranks = keys.map((key, i) => rank(this.#limits[i]!, key));
    let place = 0;
    // A double holds 53 bits: of many columns the last ones don't count.
    const bits = Math.min(RANGE_BITS, Math.floor(53 / ranks.length));
    for (let bit = RANGE_BITS - 1; bit >= RANGE_BITS - bits; bit--) {
      for (const value of ranks) place = place * 2 + ((value >> bit) & 1);
    }
    return place;
  }
}

/** How many limits are at or below the key. */
function rank(limits: readonly Key[], key: Key): number {
  let low = 0;
  let high = limits.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(limits[middle]!, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Nulls, and NaN, come first. */
function keyOf(value: unknown, type: DataType): Key {
  if (typeof value === "string") return type === "string" ? value : Number(value);
  if (typeof value === "bigint") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "number") return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
  if (value instanceof Timestamp || value instanceof Date) return value.valueOf();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  return Number.NEGATIVE_INFINITY;
}

/** Null's number is before every text. */
function compare(a: Key, b: Key): number {
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "string") return 1;
  if (typeof b === "string") return -1;
  return a < b ? -1 : a > b ? 1 : 0;
}
