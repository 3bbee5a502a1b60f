import type { Data } from "apache-arrow";
import { isValid, validityOf } from "../arrow/bits.js";
import { makeColumn } from "../arrow/column.js";
import { toArrowType } from "../arrow/schema.js";
import { DeltaError } from "../errors.js";
import type { Metadata } from "../log/actions.js";
import type { StructField, StructType } from "../schema/types.js";

/** What the log says of a file's rows; null where it doesn't. */
export interface RowTrackingFacts {
  /** The id of the file's first row, from which the others are counted on. */
  readonly baseRowId: bigint | null;
  readonly defaultRowCommitVersion: bigint | null;
}

/** A number that row tracking has for each row, beside the table's columns (PROTOCOL.md, Row Tracking). */
interface TrackedColumn {
  readonly field: StructField;
  /** The table property that names the column of files which holds the numbers that were kept when rows moved. */
  readonly property: string;
  readonly base: keyof RowTrackingFacts;
  /** Whether a row's place in its file is added to what the log says. */
  readonly countsOn: boolean;
}

const tracked = (name: string): StructField => ({ name, type: "long", nullable: false, metadata: {} });

const TRACKED_COLUMNS: readonly TrackedColumn[] = [
  {
    field: tracked("_metadata.row_id"),
    property: "delta.rowTracking.materializedRowIdColumnName",
    base: "baseRowId",
    countsOn: true,
  },
  {
    field: tracked("_metadata.row_commit_version"),
    property: "delta.rowTracking.materializedRowCommitVersionColumnName",
    base: "defaultRowCommitVersion",
    countsOn: false,
  },
];

/** The columns that a scan may ask for where rows are tracked. They are told apart from a table's own by identity. */
export const ROW_TRACKING_FIELDS: readonly StructField[] = TRACKED_COLUMNS.map(({ field }) => field);

/** The row tracking columns of those names, but for those that the table has a column of its own for. */
export function trackedFields({ fields }: StructType, names: ReadonlySet<string>): readonly StructField[] {
  return ROW_TRACKING_FIELDS.filter(({ name }) => names.has(name) && !fields.some((own) => own.name === name));
}

/** The row tracking column that a scan's field stands for; undefined for a column of the table. */
export function trackedColumn(field: StructField): TrackedColumn | undefined {
  return TRACKED_COLUMNS.find((column) => column.field === field);
}

/** The column of files that may hold the numbers of a row tracking column. */
export function materializedField(
  { property }: TrackedColumn,
  { configuration }: Pick<Metadata, "configuration">,
): StructField | undefined {
  const name = configuration[property];
  return name === undefined ? undefined : { ...tracked(name), nullable: true };
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
