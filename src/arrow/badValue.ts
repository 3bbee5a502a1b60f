import { DeltaError } from "../errors.js";
import type { DataType } from "../schema/types.js";

/** Where the values of a column come from, for errors. */
export interface Place {
  /** The path from a top-level column: "a.b"; ".element", ".key" and ".value" step into arrays and maps. */
  readonly column: string;
  /** The row (counted from the start of the input) that value `index` of this column belongs to. */
  rowOf(index: number): number;
}

/** The place of a column whose values are those of a struct's field, one for each of the struct's. */
export function placeOfField(place: Place, name: string): Place {
  return { column: `${place.column}.${name}`, rowOf: place.rowOf };
}

/** The place of the values inside lists or maps that begin at `offsets`. */
export function placeOfItems(place: Place, part: "element" | "key" | "value", offsets: Int32Array): Place {
  return {
    column: `${place.column}.${part}`,
    rowOf(index) {
      let low = 0;
      let high = offsets.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (offsets[middle + 1] <= index) low = middle + 1;
        else high = middle;
      }
      return place.rowOf(low);
    },
  };
}

/** The error for a value that its column can't hold: DELTA_VALUE_OUT_OF_RANGE with row, column, value and type. */
export function badValue(place: Place, index: number, value: unknown, type: DataType, why = ""): DeltaError {
  const row = place.rowOf(index);
  const name = typeof type === "string" ? type : type.type;
  return new DeltaError(
    "DELTA_VALUE_OUT_OF_RANGE",
    `Row ${row}, column "${place.column}": ${describe(value)} is no value of type ${name}${why && `: ${why}`}.`,
    { row, column: place.column, value, type: name },
  );
}

/** A value as a message shows it, cut where it is long. */
function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid Date" : value.toISOString();
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "an array" : `an object (${value.constructor?.name ?? "no class"})`;
  }
  return typeof value === "function" ? "a function" : `the ${typeof value} ${String(value)}`;
}
