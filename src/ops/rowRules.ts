import type { RecordBatch } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import type { Metadata, Protocol } from "../log/actions.js";
import type { StructType } from "../schema/types.js";
import type { PreparedInput } from "../write/input.js";
import { filledOf, hasRowRules, type RowRules } from "../write/rowRules.js";

/**
 * The rules that rows of a table have to keep; undefined where it has none. `before` are rules that the same commit has used already.
 *
 * Throws `DELTA_UNSUPPORTED_EXPRESSION` and `DELTA_INVALID_EXPRESSION` where an expression of the table can't be evaluated.
 */
export async function rowRulesFor(
  table: { readonly protocol: Protocol; readonly metadata: Metadata; readonly schema: StructType },
  before?: RowRules,
): Promise<RowRules | undefined> {
  if (!hasRowRules(table.metadata)) return undefined;
  const { rulesOf } = await loaded(() => import("../sql/rules/rulesOf.js"), "The part that checks constraints");
  return rulesOf(table, before);
}

/**
 * Checks the rules that a table is to be created with. Throws `DELTA_UNSUPPORTED_EXPRESSION`, `DELTA_INVALID_EXPRESSION`,
 * `DELTA_NON_BOOLEAN_CHECK_CONSTRAINT`, `DELTA_GENERATED_COLUMNS_EXPR_TYPE_MISMATCH`, `DELTA_INVALID_GENERATED_COLUMN_REFERENCES`,
 * `DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE`, `DELTA_IDENTITY_COLUMNS_ILLEGAL_STEP` and `DELTA_INVALID_SCHEMA`.
 */
export async function checkNewRules(table: {
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly schema: StructType;
}): Promise<void> {
  if (!hasRowRules(table.metadata)) return;
  const { checkRules } = await loaded(() => import("../sql/rules/newRules.js"), "The part that checks constraints");
  checkRules(table);
}

/**
 * Checks a default that a top column is to have: with what {@link checkNewRules} throws, `DELTA_EXPRESSION_FAILED` and `DELTA_VALUE_OUT_OF_RANGE` where
 * it has no value that the column takes.
 */
export async function checkDefault(
  table: { readonly protocol: Protocol; readonly metadata: Metadata; readonly schema: StructType },
  column: string,
): Promise<void> {
  await checkNewRules(table);
  const field = table.schema.fields.find(({ name }) => name === column);
  if (field === undefined) return;
  const { tryDefault } = await loaded(() => import("../sql/rules/newRules.js"), "The part that checks constraints");
  await tryDefault(field);
}

/** Throws `DELTA_INVALID_SCHEMA` where a column that is added gets its values by itself: rows that are there would have none. */
export function checkAddedColumns(before: StructType, after: StructType): void {
  const added = after.fields.filter(({ name }) => !before.fields.some((field) => field.name === name));
  for (const column of filledOf({ ...after, fields: added })) {
    throw new DeltaError(
      "DELTA_INVALID_SCHEMA",
      `The column "${column}" can't be added with a default, generated or identity values, which the rows that are there haven't got.`,
      { column },
    );
  }
}

/** Rows of a table after `set` columns were changed, by {@link RowRules.complete}: generated columns that weren't set follow. */
export function changedRows(
  rules: RowRules | undefined,
  batch: RecordBatch,
  set: ReadonlySet<string>,
): RecordBatch | Promise<RecordBatch> {
  if (rules === undefined) return batch;
  const left = [...rules.generated].filter((name) => !set.has(name));
  return rules.complete(batch, { isRewrite: true, leftOut: new Map(left.map((name) => [name, "all"] as const)) });
}

/** Throws `DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED` where one of the columns that are to be changed is an identity column. */
export function checkSettable(rules: RowRules | undefined, set: Iterable<string>): void {
  for (const column of set) {
    if (rules?.identities.has(column) !== true) continue;
    throw new DeltaError(
      "DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED",
      `The values of the identity column "${column}" can't be changed.`,
      { column },
    );
  }
}

/** The batches of an input with all values in place and checked; see {@link RowRules}. */
export async function* ruledBatches(
  { batches, leftOut }: PreparedInput,
  rules: RowRules | undefined,
): AsyncGenerator<RecordBatch> {
  let firstRow = 0;
  for await (const batch of batches) {
    yield rules === undefined ? batch : await rules.complete(batch, { leftOut: leftOut(batch), firstRow });
    firstRow += batch.numRows;
  }
}
