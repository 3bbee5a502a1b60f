import { type Data, type RecordBatch, Vector } from "apache-arrow";
import { countUnset, intersect, isValid, type Validity, validityOf } from "../arrow/bits.js";
import { columnAt } from "../arrow/column.js";
import { compareWith } from "../arrow/compare.js";
import { type ColumnBounds, columnBounds, type FileStatistics } from "../schema/fileStatistics.js";
import { valueType } from "../schema/geo.js";
import { type BoundsKind, boundsKind, heldBounds } from "../schema/heldBounds.js";
import { findMember, scalarAt } from "../schema/jsonScan.js";
import type { Literal } from "../schema/predicate.js";
import type { DataType, StructType } from "../schema/types.js";
import type { Findings } from "./findings.js";

/** A column that statistics may speak of: a path from a top-level column into structs. */
interface Leaf {
  readonly path: readonly string[];
  readonly type: DataType;
  readonly kind: BoundsKind;
}

interface Column extends Leaf {
  readonly bounds: ColumnBounds;
  nulls: number;
  /** Nulls of the column's own, not of a struct around it: some writers count only these. */
  ownNulls: number;
  readonly told: Set<"min" | "max">;
}

/**
 * Compares one file's statistics with its rows (PROTOCOL.md, Per-file Statistics). Bounds must contain each value, with the
 * tolerance that readers here have: a maximum may be up to a millisecond early for timestamps. They needn't be tight.
 * NaN may lie outside of them. `nullCount` must be exact, unless `tightBounds` is false.
 */
export class StatisticsCheck {
  readonly #path: string;
  readonly #version: number;
  readonly #statistics: FileStatistics;
  readonly #findings: Findings;
  readonly #columns: readonly Column[];
  readonly #isTight: boolean;
  #rows = 0;

  constructor(
    statistics: FileStatistics,
    schema: StructType,
    file: { readonly path: string; readonly version: number },
    findings: Findings,
  ) {
    this.#path = file.path;
    this.#version = file.version;
    this.#statistics = statistics;
    this.#findings = findings;
    this.#isTight = scalarAt(statistics.json, findMember(statistics.json, 0, "tightBounds")) !== "false";
    this.#columns = leavesOf(schema).map((leaf) => {
      const bounds = heldBounds(columnBounds(statistics, leaf.path, leaf.type), leaf.kind);
      return { ...leaf, bounds, nulls: 0, ownNulls: 0, told: new Set() };
    });
  }

  /** Reports what is wrong with the statistics by themselves; no rows are needed. */
  checkForm(partitionColumns: readonly string[]): void {
    for (const part of ["minValues", "maxValues", "nullCount"] as const) {
      for (const column of partitionColumns) {
        if (memberAt(this.#statistics[part], [column]) === undefined) continue;
        this.#report("stats-partition-column", [column], `has ${part} of the partition column`, { part });
      }
    }
    for (const { path, type, bounds, kind } of this.#columns) {
      if (!hasBounds(type) || kind === "none") continue;
      for (const [part, bound] of [
        ["minValues", bounds.min],
        ["maxValues", bounds.max],
      ] as const) {
        const value = memberAt(this.#statistics[part], path);
        if (bound !== undefined || value === undefined || value === null || value === "NaN") continue;
        this.#report(
          "stats-bound-unreadable",
          path,
          `has ${part} that can't be taken for a bound of ${JSON.stringify(type)}`,
          { part, value },
        );
      }
    }
  }

  /** Takes in rows: a batch conformed to the schema, without deleted rows. `rowOf` gives a row's place in the file. */
  add(batch: RecordBatch, rowOf: (index: number) => number): void {
    this.#rows += batch.numRows;
    for (const column of this.#columns) {
      const levels = columnAt(batch, column.path);
      if (levels === undefined) continue;
      const data = levels.at(-1)!;
      const parents = levels
        .slice(0, -1)
        .map(validityOf)
        .reduce((all, own) => intersect(all, own, data.length), undefined);
      const validity = intersect(parents, validityOf(data), data.length);
      const nulls = countUnset(validity, data.length);
      column.nulls += nulls;
      column.ownNulls += nulls - countUnset(parents, data.length);
      if (nulls === data.length) continue;
      this.#checkBound(column, "min", data, validity, rowOf);
      this.#checkBound(column, "max", data, validity, rowOf);
    }
  }

  /** Compares the counts, once all rows were taken in. */
  finish(): void {
    for (const { path, bounds, nulls, ownNulls } of this.#columns) {
      const { nullCount } = bounds;
      if (nullCount === undefined || this.#isTrue(nullCount, nulls, ownNulls)) continue;
      const what = `says ${nullCount} nulls, but there are ${nulls}`;
      this.#report("stats-null-count", path, what, { nullCount, nulls, tightBounds: this.#isTight });
    }
  }

  #isTrue(nullCount: number, nulls: number, ownNulls: number): boolean {
    if (this.#isTight) return nullCount === nulls || nullCount === ownNulls;
    if (nullCount === this.#statistics.numRecords) return nulls === this.#rows;
    return nullCount !== 0 || ownNulls === 0;
  }

  #checkBound(
    { path, bounds, told }: Column,
    side: "min" | "max",
    data: Data,
    validity: Validity | undefined,
    rowOf: (index: number) => number,
  ): void {
    const bound = bounds[side];
    if (bound === undefined || told.has(side)) return;
    const outcomes = { less: side === "min" ? 1 : 0, equal: 0, greater: side === "max" ? 1 : 0 };
    const isOutside = compareWith(data, bound, outcomes, path);
    const values = new Vector([data]);
    let cut: number | undefined;
    for (let i = isOutside.indexOf(1); i >= 0; i = isOutside.indexOf(1, i + 1)) {
      if (!isValid(validity, i)) continue;
      const value: unknown = values.get(i);
      if (Number.isNaN(value)) continue;
      if (side === "max" && bounds.maxIsPrefix && String(value).startsWith(bound as string)) {
        cut ??= i;
        continue;
      }
      told.add(side);
      const what = `has a row ${side === "min" ? "below the minimum" : "above the maximum"}`;
      this.#report(side === "min" ? "stats-min" : "stats-max", path, what, {
        row: rowOf(i),
        bound,
        value: plain(data, i),
      });
      return;
    }
    if (cut === undefined) return;
    told.add(side);
    this.#report("stats-max-cut", path, "has a maximum that is only the beginning of a value", {
      row: rowOf(cut),
      bound,
    });
  }

  #report(
    code:
      | "stats-min"
      | "stats-max"
      | "stats-max-cut"
      | "stats-null-count"
      | "stats-partition-column"
      | "stats-bound-unreadable",
    path: readonly string[],
    what: string,
    data: Readonly<Record<string, unknown>>,
  ): void {
    const column = path.join(".");
    const place = { version: this.#version, path: this.#path, column };
    this.#findings.add(code, `Column "${column}" of ${this.#path} ${what}.`, place, data);
  }
}

/** The value in the domain of literals: times as microseconds, days as a number. */
function plain(data: Data, index: number): Literal | string {
  const raw = data.values as unknown as ArrayLike<Literal>;
  return data.children.length === 0 && raw.length === data.length ? raw[index]! : String(new Vector([data]).get(index));
}

/** Arrays and maps are leaves. */
function leavesOf({ fields }: StructType, parents: readonly string[] = []): Leaf[] {
  return fields.flatMap((field) => {
    const { name, type } = field;
    const path = [...parents, name];
    if (typeof type !== "string" && type.type === "struct") return leavesOf(type, path);
    return [{ path, type, kind: boundsKind(field) }];
  });
}

const WITHOUT_BOUNDS: ReadonlySet<string> = new Set(["binary", "boolean", "variant", "void"]);

function hasBounds(type: DataType): boolean {
  return typeof type === "string" && !WITHOUT_BOUNDS.has(valueType(type));
}

function memberAt(values: unknown, path: readonly string[]): unknown {
  let value = values;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
