import type { Data, RecordBatch } from "apache-arrow";
import { buildBatch } from "../arrow/build.js";
import { makeBatch } from "../arrow/column.js";
import { checkNotNull } from "../arrow/notNull.js";
import { toArrowField } from "../arrow/schema.js";
import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import { SqlText } from "../schema/sqlText.js";
import type { StructType } from "../schema/types.js";
import { withVariantBytes } from "../schema/variantBytes.js";
import { type SetTarget, setTargets, withValues } from "./setTargets.js";

/** New values by column: values as rows have them, or expressions made by `sql`. A dotted key names a column in a struct. */
export type SetOption<Row extends object = Record<string, unknown>> = {
  readonly [Column in keyof Row & string]?: Row[Column] | SqlText | null;
} & { readonly [nested: `${string}.${string}`]: unknown };

/** Gives rows their new values. */
export interface Assignments {
  /** The top-level columns that change. */
  readonly columns: ReadonlySet<string>;
  /** Whether some are expressions, which DuckDB evaluates. */
  readonly isComputed: boolean;
  /** The values as SQL over rows that are called as in `sql/evaluate.ts`; undefined where some can't be told so. */
  readonly sql: ReadonlyMap<string, string> | undefined;
  /** The same, and what is no SQL as one row of constants; undefined where a target is inside of a column, or is taken over as it is. */
  readonly whole:
    | { readonly sql: ReadonlyMap<string, string>; readonly constants: RecordBatch | undefined }
    | undefined;
  /** The top-level columns that expressions name. */
  readonly named: ReadonlySet<string>;
  /** A batch whose first columns are those of the schema, variants as bytes, with the new values in place; other columns stay. */
  apply(batch: RecordBatch): Promise<RecordBatch>;
}

/** Throws `DELTA_INVALID_ARGUMENT` for no column or an unknown one, and what the values and expressions throw. */
export async function assignmentsOf(set: SetOption, schema: StructType): Promise<Assignments> {
  const entries = Object.entries(set).filter(([, value]) => value !== undefined);
  if (entries.length === 0) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", "set names no column. Give at least one a new value.", {});
  }
  const stored = withVariantBytes(schema);
  const targets = setTargets(
    stored,
    entries.map(([name]) => name),
  );
  const constants = targets.filter((_, i) => !(entries[i]![1] instanceof SqlText));
  const constantSchema: StructType = { type: "struct", fields: constants.map(({ field }) => field) };
  const row = Object.fromEntries(
    entries.flatMap(([, value], i) => (value instanceof SqlText ? [] : [[targets[i]!.field.name, value]])),
  );
  // A value that doesn't fit is said before any file is read.
  const constantRow = constants.length > 0 ? buildBatch(constantSchema, [row], 0) : undefined;
  const texts = entries.flatMap(([, value], i) =>
    value instanceof SqlText ? [{ target: targets[i]!, field: targets[i]!.field, text: value.text }] : [],
  );
  const expressions = texts.length === 0 ? undefined : await (await evaluation()).columnExpressions(texts, schema);
  const computed = expressions === undefined ? [] : expressions.sql;
  const isWhole = targets.every(({ path }) => path.length === 1);
  const whole = isWhole && computed !== undefined ? wholeColumns(texts, computed) : undefined;
  return {
    columns: new Set(targets.map(({ path }) => path[0]!)),
    isComputed: expressions !== undefined,
    sql: constantRow === undefined ? whole : undefined,
    whole: whole && { sql: whole, constants: constantRow },
    named: expressions?.columns ?? new Set(),
    async apply(batch) {
      const before = own(batch, stored);
      const made = new Map<SetTarget, Data>();
      const fixed =
        constants.length === 0 ? [] : buildBatch(constantSchema, repeated(row, batch.numRows), 0).data.children;
      for (const [i, target] of constants.entries()) made.set(target, fixed[i]!);
      const computed = expressions === undefined ? [] : (await expressions.evaluate(before)).data.children;
      for (const [i, { target }] of texts.entries()) made.set(target, computed[i]!);
      const changed = withValues(batch, made);
      checkNotNull(own(changed, stored), stored, 0);
      return changed;
    },
  };
}

/** SQL by column. */
function wholeColumns(
  texts: readonly { readonly target: SetTarget }[],
  sql: readonly string[],
): ReadonlyMap<string, string> {
  return new Map(texts.map(({ target }, i) => [target.path[0]!, sql[i]!]));
}

function own(batch: RecordBatch, schema: StructType): RecordBatch {
  const width = schema.fields.length;
  return makeBatch(schema.fields.map(toArrowField), batch.data.children.slice(0, width), batch.numRows);
}

function repeated(row: object, count: number): object[] {
  return new Array<object>(count).fill(row);
}

function evaluation(): Promise<typeof import("../sql/evaluate.js")> {
  return loaded(() => import("../sql/evaluate.js"), "delta-table/sql");
}
