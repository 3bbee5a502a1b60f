import type { Data, RecordBatch } from "apache-arrow";
import { buildBatch } from "../arrow/build.js";
import { makeBatch } from "../arrow/column.js";
import { checkNotNull } from "../arrow/notNull.js";
import { rowReader } from "../arrow/rows.js";
import { toArrowField } from "../arrow/schema.js";
import { DeltaError } from "../errors.js";
import { nearestName, resolveColumn } from "../schema/columns.js";
import { SqlText } from "../schema/sqlText.js";
import type { StructField, StructType } from "../schema/types.js";

/** New values by column: values as rows have them, or expressions made by `sql`. A dotted key names a column in a struct. */
export type SetOption<Row extends object = Record<string, unknown>> = {
  readonly [Column in keyof Row & string]?: Row[Column] | SqlText | null;
} & { readonly [nested: `${string}.${string}`]: unknown };

/** Gives rows their new values. */
export interface Assignments {
  /** The top-level columns that change. */
  readonly columns: ReadonlySet<string>;
  /** A batch whose first columns are those of the schema, with the new values in place; other columns stay. */
  apply(batch: RecordBatch): Promise<RecordBatch>;
}

/** A column, or one in a struct, that gets a value. */
interface Target {
  readonly path: readonly string[];
  /** Under the whole path as its name. */
  readonly field: StructField;
}

/** Throws `DELTA_INVALID_ARGUMENT` for no column or an unknown one, and what the values and expressions throw. */
export async function assignmentsOf(set: SetOption, schema: StructType): Promise<Assignments> {
  const entries = Object.entries(set).filter(([, value]) => value !== undefined);
  if (entries.length === 0) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", "set names no column. Give at least one a new value.", {});
  }
  const targets = entries.map(([name]) => targetOf(schema, name));
  checkApart(targets);
  const constants = targets.filter((_, i) => !(entries[i]![1] instanceof SqlText));
  const constantSchema: StructType = { type: "struct", fields: constants.map(({ field }) => field) };
  const row = Object.fromEntries(
    entries.flatMap(([, value], i) => (value instanceof SqlText ? [] : [[targets[i]!.field.name, value]])),
  );
  // A value that doesn't fit is said before any file is read.
  if (constants.length > 0) buildBatch(constantSchema, [row], 0);
  const texts = entries.flatMap(([, value], i) =>
    value instanceof SqlText ? [{ target: targets[i]!, field: targets[i]!.field, text: value.text }] : [],
  );
  const expressions =
    texts.length === 0 ? undefined : await (await import("../sql/evaluate.js")).columnExpressions(texts, schema);
  return {
    columns: new Set(targets.map(({ path }) => path[0]!)),
    async apply(batch) {
      const before = own(batch, schema);
      const made = new Map<Target, Data>();
      const fixed =
        constants.length === 0 ? [] : buildBatch(constantSchema, repeated(row, batch.numRows), 0).data.children;
      for (const [i, target] of constants.entries()) made.set(target, fixed[i]!);
      const computed = expressions === undefined ? [] : (await expressions.evaluate(before)).data.children;
      for (const [i, { target }] of texts.entries()) made.set(target, computed[i]!);
      const columns = batch.data.children.map((column, i) => {
        const field = schema.fields[i];
        const mine = [...made].filter(([{ path }]) => path[0] === field?.name);
        if (field === undefined || mine.length === 0) return column;
        const [[{ path }, value]] = mine as [[Target, Data]];
        return path.length === 1 ? value : valuesInside(field, column, mine, batch.numRows);
      });
      const changed = makeBatch(batch.schema.fields, columns, batch.numRows);
      checkNotNull(own(changed, schema), schema, 0);
      return changed;
    },
  };
}

/** A struct column with other values inside; where the struct is null, it is there afterwards. */
function valuesInside(field: StructField, column: Data, made: readonly [Target, Data][], rowCount: number): Data {
  const schema: StructType = { type: "struct", fields: [field] };
  const rows = rowReader(schema)(makeBatch([toArrowField(field)], [column], rowCount)) as Record<string, unknown>[];
  for (const [{ path, field: inside }, value] of made) {
    const values = rowReader({ type: "struct", fields: [inside] })(
      makeBatch([toArrowField(inside)], [value], rowCount),
    ) as Record<string, unknown>[];
    for (const [i, row] of rows.entries()) {
      let at = row;
      for (const name of path.slice(0, -1)) {
        at[name] = { ...(at[name] as object | null) };
        at = at[name] as Record<string, unknown>;
      }
      at[path.at(-1)!] = values[i]![inside.name];
    }
  }
  return buildBatch(schema, rows, 0).data.children[0]!;
}

function targetOf(schema: StructType, name: string): Target {
  const isColumn = schema.fields.some((field) => field.name === name);
  const inside = isColumn ? undefined : resolveColumn(schema, name.split("."));
  if (inside === undefined || inside.path.length === 1) return { path: [name], field: fieldOf(schema, name) };
  return { path: inside.path, field: { ...inside.field, name, nullable: true } };
}

/** Throws `DELTA_INVALID_ARGUMENT` where a column gets a value twice, as a whole and in parts, say. */
function checkApart(targets: readonly Target[]): void {
  for (const [i, { path, field }] of targets.entries()) {
    const other = targets.find((target, j) => j !== i && target.path.every((name, level) => path[level] === name));
    if (other === undefined) continue;
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `set gives "${field.name}" two values.`, { column: field.name });
  }
}

function own(batch: RecordBatch, schema: StructType): RecordBatch {
  const width = schema.fields.length;
  return makeBatch(schema.fields.map(toArrowField), batch.data.children.slice(0, width), batch.numRows);
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
