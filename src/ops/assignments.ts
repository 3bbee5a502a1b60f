import type { Data, RecordBatch } from "apache-arrow";
import { buildBatch } from "../arrow/build.js";
import { makeBatch } from "../arrow/column.js";
import { checkNotNull } from "../arrow/notNull.js";
import { toArrowField } from "../arrow/schema.js";
import { DeltaError } from "../errors.js";
import { nearestName } from "../schema/columns.js";
import { SqlText } from "../schema/sqlText.js";
import type { StructField, StructType } from "../schema/types.js";

/** New values by column: values as rows have them, or expressions made by `sql`. */
export type SetOption<Row extends object = Record<string, unknown>> = {
  readonly [Column in keyof Row & string]?: Row[Column] | SqlText | null;
};

/** Gives rows their new values. */
export interface Assignments {
  /** A batch whose first columns are those of the schema, with the new values in place; other columns stay. */
  apply(batch: RecordBatch): Promise<RecordBatch>;
}

/** Throws `DELTA_INVALID_ARGUMENT` for no column or an unknown one, and what the values and expressions throw. */
export async function assignmentsOf(set: SetOption, schema: StructType): Promise<Assignments> {
  const entries = Object.entries(set).filter(([, value]) => value !== undefined);
  if (entries.length === 0) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", "set names no column. Give at least one a new value.", {});
  }
  for (const [name] of entries) fieldOf(schema, name);
  const constants = entries.flatMap(([name, value]) => (value instanceof SqlText ? [] : [[name, value] as const]));
  const constantSchema = pick(
    schema,
    constants.map(([name]) => name),
  );
  const row = Object.fromEntries(constants);
  // A value that doesn't fit is said before any file is read.
  if (constants.length > 0) buildBatch(constantSchema, [row], 0);
  const texts = entries.flatMap(([name, value]) =>
    value instanceof SqlText ? [{ field: fieldOf(schema, name), text: value.text }] : [],
  );
  const expressions =
    texts.length === 0 ? undefined : await (await import("../sql/evaluate.js")).columnExpressions(texts, schema);
  return {
    async apply(batch) {
      const made = new Map<string, Data>();
      const fixed =
        constants.length === 0 ? [] : buildBatch(constantSchema, repeated(row, batch.numRows), 0).data.children;
      for (const [i, { name }] of constantSchema.fields.entries()) made.set(name, fixed[i]!);
      const computed = expressions === undefined ? [] : (await expressions.evaluate(own(batch, schema))).data.children;
      for (const [i, { field }] of texts.entries()) made.set(field.name, computed[i]!);
      const columns = batch.data.children.map((column, i) => made.get(schema.fields[i]?.name ?? "") ?? column);
      const changed = makeBatch(batch.schema.fields, columns, batch.numRows);
      checkNotNull(own(changed, schema), schema, 0);
      return changed;
    },
  };
}

function own(batch: RecordBatch, schema: StructType): RecordBatch {
  const width = schema.fields.length;
  return makeBatch(schema.fields.map(toArrowField), batch.data.children.slice(0, width), batch.numRows);
}

function pick(schema: StructType, names: readonly string[]): StructType {
  return { type: "struct", fields: names.map((name) => fieldOf(schema, name)) };
}

function repeated(row: object, count: number): object[] {
  return new Array<object>(count).fill(row);
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
