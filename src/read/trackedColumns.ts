import type { StructField, StructType } from "../schema/types.js";

/** What the log says of a file's rows; null where it doesn't. */
export interface RowTrackingFacts {
  /** The id of the file's first row, from which the others are counted on. */
  readonly baseRowId: bigint | null;
  readonly defaultRowCommitVersion: bigint | null;
}

/** A number that row tracking has for each row, beside the table's columns (PROTOCOL.md, Row Tracking). */
export interface TrackedColumn {
  readonly field: StructField;
  /** The table property that names the column of files which holds the numbers that were kept when rows moved. */
  readonly property: string;
  readonly base: keyof RowTrackingFacts;
  /** Whether a row's place in its file is added to what the log says. */
  readonly countsOn: boolean;
  /** The id that Iceberg has for the column of files, where the table is compatible with its third version. */
  readonly icebergId: number;
}

/** A field of a number that every row has. */
export const tracked = (name: string): StructField => ({ name, type: "long", nullable: false, metadata: {} });

const TRACKED_COLUMNS: readonly TrackedColumn[] = [
  {
    field: tracked("_metadata.row_id"),
    property: "delta.rowTracking.materializedRowIdColumnName",
    base: "baseRowId",
    countsOn: true,
    icebergId: 2_147_483_540,
  },
  {
    field: tracked("_metadata.row_commit_version"),
    property: "delta.rowTracking.materializedRowCommitVersionColumnName",
    base: "defaultRowCommitVersion",
    countsOn: false,
    icebergId: 2_147_483_539,
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
