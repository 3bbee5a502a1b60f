import type { Data } from "apache-arrow";
import { constantVector } from "../arrow/constant.js";
import { DeltaError } from "../errors.js";
import type { Footer } from "../parquet/footer.js";
import { type ColumnMappingMode, fieldId, physicalName } from "../schema/columnMapping.js";
import { parsePartitionValue } from "../schema/partition.js";
import type { StructField, StructType } from "../schema/types.js";
import type { PlanOptions, ScanFile } from "./plan.js";
import { ROW_INDEX, rowIndexes } from "./rowIndex.js";
import { materializedField, trackedValues } from "./rowTracking.js";
import type { ReadTarget } from "./scan.js";
import { trackedColumn } from "./trackedColumns.js";

/** Some rows of a file. */
export interface FileRows {
  /** The columns read from the file, conformed. */
  readonly columns: readonly Data[];
  readonly length: number;
  /** Where in the file a row is. */
  readonly placeOf: (row: number) => number;
}

/** Where the columns of a scan come from in one file. */
export interface FileColumns {
  /** What is read from the file. */
  readonly inFile: StructType;
  /** Makes the columns wanted, in their order. */
  readonly children: (rows: FileRows) => Data[];
}

/** Throws `DELTA_LOG_CORRUPT` for a partition value that is none of its column's type. */
export function fileColumns(
  target: ReadTarget,
  file: ScanFile,
  wanted: readonly StructField[],
  { partitionTimeZone: timeZone }: PlanOptions,
): FileColumns {
  const { metadata, columnMapping: mode } = target;
  const partitionColumns = new Set(metadata.partitionColumns);
  for (const column of file.storedColumns ?? []) partitionColumns.delete(column);
  const fields: StructField[] = [];
  const read = (field: StructField) => {
    const index = fields.push(field) - 1;
    return ({ columns }: FileRows) => columns[index]!;
  };
  const makers = wanted.map((field): ((rows: FileRows) => Data) => {
    if (field === ROW_INDEX) return ({ length, placeOf }) => rowIndexes(length, placeOf);
    const tracked = trackedColumn(field);
    if (tracked !== undefined) {
      const materialized = materializedField(tracked, metadata);
      const stored = materialized === undefined ? undefined : read(materialized);
      return (rows) => trackedValues(tracked, file, stored?.(rows), rows.length, rows.placeOf);
    }
    const { name, type } = field;
    if (!partitionColumns.has(name)) return read(field);
    const text = file.partitionValues.get(physicalName(field, mode)) ?? null;
    const value = parsePartitionValue(type, text, { timeZone, column: name });
    return ({ length }) => constantVector(type, value, length);
  });
  return { inFile: { type: "struct", fields }, children: (rows) => makers.map((make) => make(rows)) };
}

/** What the file calls the columns; those that it lacks are left out. */
export function columnNames({ fields }: StructType, mode: ColumnMappingMode, footer: Footer): string[] {
  return fields.flatMap(columnFinder(mode, footer));
}

/**
 * Tells what a file calls a column: nothing where it lacks it. Where several have its name but for case, and none has the very name,
 * it's all of them.
 */
export function columnFinder(mode: ColumnMappingMode, { root }: Footer): (field: StructField) => readonly string[] {
  const names = new Set(root.children.map(({ element }) => element.name));
  return (field) => {
    const id = fieldId(field, mode);
    if (id !== undefined) {
      const found = root.children.find(({ element }) => element.field_id === id);
      return found === undefined ? [] : [found.element.name];
    }
    const name = physicalName(field, mode);
    if (names.has(name)) return [name];
    const folded = name.toLowerCase();
    return [...names].filter((candidate) => candidate.toLowerCase() === folded);
  };
}

/** In a file without any id no column can be found, which must not pass for a file whose columns are all null. */
export function checkFieldIds({ fields }: StructType, { root, file }: Footer): void {
  if (!fields.some((field) => fieldId(field, "id") !== undefined)) return;
  if (hasFieldId(root)) return;
  const { path } = file;
  throw new DeltaError(
    "DELTA_PARQUET_UNREADABLE",
    `${path} has no field ids, by which the table's columns are found in its files (delta.columnMapping.mode is id). Whoever wrote it didn't heed that; remove the file from the table and write its rows again.`,
    { path },
  );
}

function hasFieldId({ element, children }: Footer["root"]): boolean {
  return element.field_id !== undefined || children.some(hasFieldId);
}

/** A column that its file lacks is null; one that says what the rows mean mustn't be. */
export function checkStored(
  { path, storedColumns }: ScanFile,
  inFile: StructType,
  names: readonly { readonly name: string }[],
): void {
  if (storedColumns === undefined) return;
  const lacks = ({ name }: StructField) => storedColumns.has(name) && !names.some((found) => found.name === name);
  const column = inFile.fields.find(lacks)?.name;
  if (column === undefined) return;
  throw new DeltaError("DELTA_PARQUET_UNREADABLE", `${path} lacks the column ${column}, which it must have.`, {
    path,
    column,
  });
}
