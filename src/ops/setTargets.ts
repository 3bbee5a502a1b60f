import type { Data, RecordBatch } from "apache-arrow";
import { makeBatch } from "../arrow/column.js";
import { withValuesInside } from "../arrow/structValues.js";
import { DeltaError } from "../errors.js";
import { nearestName, resolveColumn } from "../schema/columns.js";
import type { StructField, StructType } from "../schema/types.js";

/** A column, or one in a struct, that gets a value. */
export interface SetTarget {
  readonly path: readonly string[];
  /** Under the name that it was given by. */
  readonly field: StructField;
}

/** The columns of a schema that keys name, dotted ones those in structs. Throws `DELTA_INVALID_ARGUMENT` for unknown ones, and for two that overlap. */
export function setTargets(schema: StructType, names: readonly string[]): SetTarget[] {
  const targets = names.map((name) => targetOf(schema, name));
  checkApart(targets);
  return targets;
}

/** The batch with the values that were made in place. */
export function withValues(batch: RecordBatch, made: ReadonlyMap<SetTarget, Data>): RecordBatch {
  const columns = batch.data.children.slice();
  for (const [{ path }, values] of made) {
    const [name, ...inside] = path;
    const index = batch.schema.fields.findIndex((field) => field.name === name);
    columns[index] = inside.length === 0 ? values : withValuesInside(columns[index]!, inside, values);
  }
  return makeBatch(batch.schema.fields, columns, batch.numRows);
}

/** The column of a schema. Throws `DELTA_INVALID_ARGUMENT`. */
export function fieldOf({ fields }: StructType, name: string): StructField {
  const field = fields.find((candidate) => candidate.name === name);
  if (field !== undefined) return field;
  const nearest = nearestName(
    name,
    fields.map((candidate) => candidate.name),
  );
  const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `The table has no column "${name}".${hint}`, {
    column: name,
    nearest,
  });
}

function targetOf(schema: StructType, name: string): SetTarget {
  const isColumn = schema.fields.some((field) => field.name === name);
  const inside = isColumn ? undefined : resolveColumn(schema, name.split("."));
  if (inside === undefined || inside.path.length === 1) return { path: [name], field: fieldOf(schema, name) };
  return { path: inside.path, field: { ...inside.field, name, nullable: true } };
}

function checkApart(targets: readonly SetTarget[]): void {
  for (const [i, { path, field }] of targets.entries()) {
    const other = targets.find((target, j) => j !== i && target.path.every((name, level) => path[level] === name));
    if (other === undefined) continue;
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `set gives "${field.name}" two values.`, { column: field.name });
  }
}
