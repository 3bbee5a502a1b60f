import type { RecordBatch } from "apache-arrow";
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

  /** Throws DELTA_INVALID_ARGUMENT where the schema has no such column. */
  constructor(schema: StructType, columns: readonly (readonly string[])[]) {
    this.#columns = columns.map((path) => ({ path, nulls: 0, bounds: boundsOf(typeAt(schema, path)) }));
  }

  /** Adds the rows of a batch that is conformed to the schema. */
  add(batch: RecordBatch): void {
    this.#records += batch.numRows;
    for (const column of this.#columns) {
      const levels = columnAt(batch, column.path)!;
      const data = levels[levels.length - 1];
      // A field of a struct that is null is null.
      const validity = levels.map(validityOf).reduce((all, own) => intersect(all, own, data.length));
      const nulls = countUnset(validity, data.length);
      column.nulls += nulls;
      if (nulls < data.length) column.bounds?.add(data, nulls > 0 ? validity : undefined);
    }
  }

  /** The statistics as the JSON text of an add action. Bounds that JSON can't hold safely are left out. */
  toJson(): string {
    return statisticsJson(this.#records, this.columns());
  }

  /** The same of each column. */
  columns(): ColumnStatistics[] {
    return this.#columns.map(({ path, nulls, bounds }) => ({ path, nulls, min: bounds?.min(), max: bounds?.max() }));
  }
}

/** What is known of a column in a data file. Bounds are texts of JSON values. */
export interface ColumnStatistics {
  readonly path: readonly string[];
  readonly nulls: number;
  readonly min: string | undefined;
  readonly max: string | undefined;
}

/** A data file's statistics as the JSON text of an add action. */
export function statisticsJson(recordCount: number, columns: readonly ColumnStatistics[]): string {
  const lowest: Tree = new Map();
  const highest: Tree = new Map();
  const nullCounts: Tree = new Map();
  for (const { path, nulls, min, max } of columns) {
    put(nullCounts, path, String(nulls));
    if (min !== undefined) put(lowest, path, min);
    if (max !== undefined) put(highest, path, max);
  }
  return (
    `{"numRecords":${recordCount},"minValues":${toText(lowest)},` +
    `"maxValues":${toText(highest)},"nullCount":${toText(nullCounts)}}`
  );
}

interface Collector {
  readonly path: readonly string[];
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
