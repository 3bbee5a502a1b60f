import { lowerBound, SPAN } from "./containers.js";
import type { PlacedContainer } from "./roaring.js";

/** The rows that a deletion vector removes, by their position in the data file, from 0 on. */
export class DeletionVector {
  /** How many rows it removes. */
  readonly cardinality: number;
  /** The last row that it removes; undefined where it removes none. */
  readonly last: number | undefined;
  readonly #containers: readonly PlacedContainer[];

  /** @param containers in ascending order. */
  constructor(containers: readonly PlacedContainer[]) {
    this.#containers = containers;
    this.cardinality = containers.reduce((sum, { container }) => sum + container.cardinality, 0);
    const last = containers.at(-1);
    this.last = last === undefined ? undefined : last.base + last.container.last;
  }

  /** Whether the row is removed. */
  has(position: number): boolean {
    const placed = this.#containers[this.#firstAt(position)];
    return placed !== undefined && placed.base <= position && placed.container.has(position - placed.base);
  }

  /** The removed rows, ascending. There may be billions of them in few bytes: see {@link cardinality}. */
  *positions(): Generator<number> {
    for (const { base, container } of this.#containers) for (const value of container.values()) yield base + value;
  }

  /** Which of the `count` rows from `start` on stay: counted from `start`. */
  keptRows(start: number, count: number): Uint32Array | "all" | "none" {
    const removed = this.#marks(start, count);
    if (removed === undefined) return "all";
    let kept = 0;
    const rows = new Uint32Array(count);
    for (let row = 0; row < count; row++) {
      rows[kept] = row;
      kept += 1 - removed[row]!;
    }
    if (kept === count) return "all";
    return kept === 0 ? "none" : rows.slice(0, kept);
  }

  /** Which of the `count` rows from `start` on it removes and `other` doesn't: counted from `start`. */
  rowsBeyond(other: DeletionVector | undefined, start: number, count: number): Uint32Array {
    const removed = this.#marks(start, count);
    if (removed === undefined) return new Uint32Array(0);
    const elsewhere = other === undefined ? undefined : other.#marks(start, count);
    let found = 0;
    const rows = new Uint32Array(count);
    for (let row = 0; row < count; row++) {
      rows[found] = row;
      found += removed[row]! & ~(elsewhere?.[row] ?? 0);
    }
    return rows.slice(0, found);
  }

  /** A 1 for each row that is removed; undefined where there can't be any. */
  #marks(start: number, count: number): Uint8Array | undefined {
    const end = start + count;
    let marks: Uint8Array | undefined;
    for (let i = this.#firstAt(start); i < this.#containers.length; i++) {
      const { base, container } = this.#containers[i]!;
      if (base >= end) break;
      marks ??= new Uint8Array(count);
      const from = Math.max(start, base);
      container.mark(marks.subarray(from - start), from - base, Math.min(end - base, SPAN));
    }
    return marks;
  }

  /** The index of the first container that reaches the position. */
  #firstAt(position: number): number {
    const containers = this.#containers;
    return lowerBound(containers.length, (i) => containers[i]!.base + SPAN > position);
  }
}
