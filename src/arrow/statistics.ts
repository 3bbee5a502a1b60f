import type { Data, RecordBatch } from "apache-arrow";
import { DeltaError } from "../errors.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import { countUnset, intersect, validityOf } from "./bits.js";
import { type Bounds, boundsOf } from "./bounds.js";
import { columnAt } from "./column.js";

/**
 * Collects one data file's statistics from the batches written to it (PROTOCOL.md, Per-file Statistics): the number of
 * records, and for each of `columns` (paths from a top-level column into structs, see {@link statisticsColumns}) its
 * nulls, its smallest and its largest value. Booleans, binaries, arrays and maps have their nulls counted only.
 */
export class FileStatistics {
  readonly #columns: readonly Collector[];
  #records = 0;

  /** `names` are the paths by which the statistics know the columns. Throws DELTA_INVALID_ARGUMENT where the schema has no such column. */
  constructor(schema: StructType, columns: readonly (readonly string[])[], names = columns) {
    this.#columns = columns.map((path, i) => {
      return { path, name: names[i]!, nulls: 0, bounds: boundsOf(typeAt(schema, path)) };
    });
  }

  /** Adds the rows of a batch that is conformed to the schema. */
  add(batch: RecordBatch): void {
    this.addRecords(batch.numRows);
    this.addValues(batch, [...this.#columns.keys()]);
  }

  /** Counts rows whose columns are added one by one. */
  addRecords(count: number): void {
    this.#records += count;
  }

  /** Adds rows' values of some columns, by index. */
  addValues(batch: RecordBatch, columns: readonly number[]): void {
    for (const index of columns) {
      const column = this.#columns[index]!;
      const levels = columnAt(batch, column.path)!;
      const data = levels[levels.length - 1];
      // A field of a struct that is null is null.
      const validity = levels.map(validityOf).reduce((all, own) => intersect(all, own, data.length));
      const nulls = countUnset(validity, data.length);
      column.nulls += nulls;
      if (nulls < data.length) column.bounds?.add(data, nulls > 0 ? validity : undefined);
    }
  }

  /** Adds what is known of rows' values of a column, by index: how many are null, and values between which the others are. */
  addKnown(index: number, nulls: number, bounds: Data | undefined): void {
    const column = this.#columns[index]!;
    column.nulls += nulls;
    if (bounds !== undefined) column.bounds?.add(bounds, undefined);
  }

  /** The statistics as the JSON text of an add action. Bounds that JSON can't hold safely are left out. */
  toJson(): string {
    const lowest: Tree = new Map();
    const highest: Tree = new Map();
    const nullCounts: Tree = new Map();
    for (const { name, nulls, bounds } of this.#columns) {
      const [min, max] = [bounds?.min(), bounds?.max()];
      put(nullCounts, name, String(nulls));
      if (min !== undefined) put(lowest, name, min);
      if (max !== undefined) put(highest, name, max);
    }
    return (
      `{"numRecords":${this.#records},"minValues":${toText(lowest)},` +
      `"maxValues":${toText(highest)},"nullCount":${toText(nullCounts)}}`
    );
  }
}

interface Collector {
  readonly path: readonly string[];
  /** The path in the statistics. */
  readonly name: readonly string[];
  nulls: number;
  /** Undefined for types that have no bounds. */
  readonly bounds: Bounds | undefined;
}

/** JSON texts at the leaves: parsing and printing them would lose the digits of longs and decimals. */
type Tree = Map<string, string | Tree>;

function put(tree: Tree, path: readonly string[], text: string): void {
  let at = tree;
  for (const name of path.slice(0, -1)) {
    const below = at.get(name);
    const next: Tree = below instanceof Map ? below : new Map();
    at.set(name, next);
    at = next;
  }
  at.set(path[path.length - 1], text);
}

function toText(tree: Tree): string {
  const entries = Array.from(tree, ([name, value]) => {
    return `${JSON.stringify(name)}:${typeof value === "string" ? value : toText(value)}`;
  });
  return `{${entries.join(",")}}`;
}

function typeAt(schema: StructType, path: readonly string[]): DataType {
  let type: DataType = schema;
  for (const name of path) {
    const fields: readonly StructField[] = typeof type === "object" && type.type === "struct" ? type.fields : [];
    const field = fields.find((each) => each.name === name);
    if (!field) {
      throw new DeltaError("DELTA_INVALID_ARGUMENT", `The schema has no column "${path.join(".")}".`, { column: path });
    }
    type = field.type;
  }
  return type;
}
