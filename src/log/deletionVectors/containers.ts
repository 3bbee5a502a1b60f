/** How many values a container spans: 0 to 65,535. */
export const SPAN = 65_536;

/** Some values below {@link SPAN}, at least one. */
export interface Container {
  readonly cardinality: number;
  readonly last: number;
  has(value: number): boolean;
  /** Sets `marks[value - from]` to 1 for each of its values from `from` (included) to `to` (excluded). */
  mark(marks: Uint8Array, from: number, to: number): void;
  /** Ascending. */
  values(): Iterable<number>;
}

/** The values themselves. Throws a RangeError unless they ascend. */
export function listContainer(values: Uint16Array): Container {
  for (let i = 1; i < values.length; i++) {
    if (values[i]! <= values[i - 1]!) throw new RangeError("values that don't ascend");
  }
  const firstFrom = (value: number) => lowerBound(values.length, (i) => values[i]! >= value);
  return {
    cardinality: values.length,
    last: values[values.length - 1]!,
    has: (value) => values[firstFrom(value)] === value,
    mark(marks, from, to) {
      for (let i = firstFrom(from); i < values.length && values[i]! < to; i++) marks[values[i]! - from] = 1;
    },
    values: () => values,
  };
}

/** A bit for each value, the least significant of a byte first. */
export function bitContainer(bits: Uint8Array): Container {
  let cardinality = 0;
  let last = 0;
  for (let i = 0; i < bits.length; i++) {
    const byte = bits[i]!;
    if (byte === 0) continue;
    last = i * 8 + 31 - Math.clz32(byte);
    for (let rest = byte; rest > 0; rest &= rest - 1) cardinality++;
  }
  const has = (value: number) => ((bits[value >> 3]! >> (value & 7)) & 1) === 1;
  return {
    cardinality,
    last,
    has,
    mark(marks, from, to) {
      for (let value = from; value < to; value++) marks[value - from]! |= (bits[value >> 3]! >> (value & 7)) & 1;
    },
    *values() {
      for (let value = 0; value <= last; value++) if (has(value)) yield value;
    },
  };
}

/**
 * Pairs of a run's first value and its length less one. Throws a RangeError unless the runs ascend, apart from each
 * other, and end within the span.
 */
export function runContainer(runs: Uint16Array): Container {
  let cardinality = 0;
  let last = -1;
  for (let i = 0; i < runs.length; i += 2) {
    const first = runs[i]!;
    if (first <= last) throw new RangeError("runs that don't ascend");
    last = first + runs[i + 1]!;
    cardinality += last - first + 1;
  }
  if (last >= SPAN) throw new RangeError("a run beyond its container");
  const lastOf = (i: number) => runs[2 * i]! + runs[2 * i + 1]!;
  /** The first run that ends at the value or behind it. */
  const firstFrom = (value: number) => lowerBound(runs.length / 2, (i) => lastOf(i) >= value);
  return {
    cardinality,
    last,
    has: (value) => runs[2 * firstFrom(value)]! <= value,
    mark(marks, from, to) {
      for (let i = firstFrom(from); 2 * i < runs.length && runs[2 * i]! < to; i++) {
        marks.fill(1, Math.max(runs[2 * i]! - from, 0), Math.min(lastOf(i) + 1, to) - from);
      }
    },
    *values() {
      for (let i = 0; 2 * i < runs.length; i++) {
        for (let value = runs[2 * i]!; value <= lastOf(i); value++) yield value;
      }
    },
  };
}

/** The first index for which `holds`, where it holds for all that follow; `length` where for none. */
export function lowerBound(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
