import type { RecordBatch } from "apache-arrow";
import { rowReader } from "../../arrow/rows.js";
import { takeRows } from "../../arrow/take.js";
import { withVariantJson } from "../../arrow/variant/jsonForm.js";
import { DeltaError } from "../../errors.js";
import type { StructType } from "../../schema/types.js";

/** A condition that rows are checked against, as errors tell of it. */
export interface ConditionName {
  /** As Delta calls it. */
  readonly constraint: string;
  /** What it is, for people. */
  readonly title: string;
  /** How it is written. */
  readonly expression: string;
  /** The top columns that it names. */
  readonly columns: readonly string[];
  /** The column whose rule it is. */
  readonly column?: string;
}

/** The error for a row that breaks a condition. */
export function violated(
  condition: ConditionName,
  batch: RecordBatch,
  schema: StructType,
  index: number,
  firstRow: number,
): DeltaError {
  const { constraint, title, expression, columns, column } = condition;
  const row = firstRow + index;
  const values = valuesOf(columns, batch, schema, index);
  const shown = Object.entries(values).map(([name, value]) => ` ${name} = ${shownValue(value)}`);
  return new DeltaError(
    "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
    `Row ${row} violates ${title} (${expression}):${shown.join(",")}.`,
    { row, constraint, expression, values, ...(column === undefined ? {} : { column }) },
  );
}

function valuesOf(
  columns: readonly string[],
  batch: RecordBatch,
  schema: StructType,
  index: number,
): Record<string, unknown> {
  const [row = {}] = rowReader(schema)(withVariantJson(takeRows(batch, Uint32Array.of(index))));
  return Object.fromEntries(columns.map((name) => [name, row[name] ?? null]));
}

function shownValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" && value !== null ? "…" : String(value);
}

/** The error for a value that must be there once all values are in place. */
export function missingValue(column: string, row: number): DeltaError {
  return new DeltaError(
    "DELTA_NOT_NULL_CONSTRAINT_VIOLATED",
    `Row ${row} has no value in column "${column}", which allows no nulls.`,
    { row, column },
  );
}
