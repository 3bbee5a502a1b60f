import type { ColumnBounds } from "./fileStatistics.js";
import { wasFloat } from "./typeChanges.js";
import type { StructField } from "./types.js";

/** What a file's bounds of a column are good for: as they are, as those of a float that is a double now, or for nothing. */
export type BoundsKind = "own" | "ofFloat" | "none";

/** The kind of the bounds that files may have of this column. */
export function boundsKind(field: StructField): BoundsKind {
  // The smallest text under a collation may not be the one of the smallest bytes.
  if (field.metadata.__COLLATIONS !== undefined) return "none";
  return wasFloat(field) ? "ofFloat" : "own";
}

/** Bounds that hold for every value, whatever the column's type was when its file was written. */
export function heldBounds(bounds: ColumnBounds, kind: BoundsKind): ColumnBounds {
  if (kind === "own") return bounds;
  if (kind === "none") return { ...bounds, min: undefined, max: undefined };
  const { min, max } = bounds;
  // The text 0.1 of a float stands for the float nearest to it, which as a double is a little more.
  return {
    ...bounds,
    min: typeof min === "number" ? Math.min(min, Math.fround(min)) : min,
    max: typeof max === "number" ? Math.max(max, Math.fround(max)) : max,
  };
}
