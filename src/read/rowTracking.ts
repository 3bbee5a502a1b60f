import type { Data } from "apache-arrow";
import { isValid, validityOf } from "../arrow/bits.js";
import { makeColumn } from "../arrow/column.js";
import { toArrowType } from "../arrow/schema.js";
import { DeltaError } from "../errors.js";
import type { Metadata } from "../log/actions.js";
import { property } from "../log/properties.js";
import { COLUMN_ID } from "../schema/columnMapping.js";
import type { StructField } from "../schema/types.js";
import { type RowTrackingFacts, type TrackedColumn, tracked } from "./trackedColumns.js";

/** The column of files that may hold the numbers of a row tracking column. */
export function materializedField(
  { property: key, icebergId }: TrackedColumn,
  { configuration }: Pick<Metadata, "configuration">,
): StructField | undefined {
  const name = configuration[key];
  if (name === undefined) return undefined;
  const metadata = property({ configuration }, "delta.enableIcebergCompatV3") ? { [COLUMN_ID]: icebergId } : {};
  return { ...tracked(name), nullable: true, metadata };
}

/**
 * The numbers of `length` rows: those that the file holds, else what the log says. `placeOf` tells where in the file each row is.
 * Throws `DELTA_LOG_CORRUPT` where neither has one.
 */
export function trackedValues(
  { base, countsOn }: TrackedColumn,
  file: { readonly path: string; readonly rowTracking?: RowTrackingFacts | undefined },
  stored: Data | undefined,
  length: number,
  placeOf: (row: number) => number,
): Data {
  const start = file.rowTracking?.[base] ?? undefined;
  const values = new BigInt64Array(length);
  const kept = stored?.values as BigInt64Array | undefined;
  const validity = stored && validityOf(stored);
  for (let row = 0; row < length; row++) {
    if (kept !== undefined && isValid(validity, row)) values[row] = kept[row]!;
    else if (start === undefined) throw untracked(file.path, base);
    else values[row] = countsOn ? start + BigInt(placeOf(row)) : start;
  }
  return makeColumn(toArrowType("long"), length, undefined, { values });
}

function untracked(path: string, what: keyof RowTrackingFacts): DeltaError {
  return new DeltaError(
    "DELTA_LOG_CORRUPT",
    `The table tracks rows, but its log has no ${what} for ${path}. Whoever wrote it can't: read without that column, or turn delta.enableRowTracking off and on with an engine that fills it in.`,
    { path, field: what },
  );
}
